//! Many customers, with numbers of an area that does not exist, imported as the command does it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use directory::{By, Region, Sheet};
use records::audit::Actor;
use server::kept::Kept;
use server::settings::{Keeping, Settings, Source};

use crate::load::{now, say};

/// There is no area 555 in North America.
pub(crate) fn number(at: usize) -> String {
    format!("+1555{:07}", 2_000_000 + at)
}

pub(crate) fn name(at: usize) -> String {
    format!("お客様 {at}")
}

pub(crate) fn id(at: usize) -> String {
    format!("cm-{at}")
}

/// In this folder, and without other settings.
pub(crate) fn keeping(folder: &Path) -> Result<Keeping> {
    let folder = folder.display().to_string();
    Ok(Settings::read(&Source::of([("HITOKU_DATA", folder.as_str())]))?.keeping)
}

/// So many, from a file, into a folder that is not there yet.
pub(crate) async fn import(folder: &Path, count: usize) -> Result<()> {
    let mut text = String::from("id,name,operator,numbers,group,note\n");
    for at in 0..count {
        writeln!(text, "{},{},user{:03},{},,", id(at), name(at), at % 500, number(at))?;
    }
    fs::create_dir_all(folder)?;
    let file = folder.join("customers.csv");
    fs::write(&file, text)?;
    let since = now();
    let kept = Kept::open(&keeping(folder)?).await?;
    let sheet = Sheet::read(fs::File::open(&file)?, Region::JAPAN, |_| {})
        .map_err(|unfit| anyhow::anyhow!("{unfit}"))?;
    let read = since.elapsed();
    let done = kept.customers.import(&sheet, &By { actor: Actor::Hitoku, at: 0 }, |_| {}).await?;
    ensure!(done.added == count, "all of them are imported: {done:?}");
    let whole = since.elapsed();
    fs::remove_file(&file).context("the file of customers")?;
    say(&format!(
        "import of {count} customers: {:.1} s, of which reading {:.1} s",
        whole.as_secs_f64(),
        read.as_secs_f64()
    ));
    Ok(())
}
