//! The trail of what was done.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use records::Audit as Trail;
use records::audit::{Action, Filter, Noted, Verdict};

use super::table::{table, time};
use crate::{note, say};

/// The trail of what was done.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Finds entries that were changed, removed, put in or cut off
    Verify {
        /// The head of an earlier time, as it was printed then: it must still be in the trail
        #[arg(long)]
        head: Option<String>,
    },
    /// The latest entries
    List {
        #[arg(long, help = format!("Only these: {}", Action::ALL.iter().map(|action| action.word()).collect::<Vec<_>>().join(", ")))]
        action: Option<String>,
        /// Only those about this customer
        #[arg(long)]
        customer: Option<String>,
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
}

impl Audit {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Verify { head } => verify(head.as_deref()).await,
            Self::List { action, customer, limit } => {
                list(action.as_deref(), customer.as_deref(), limit).await
            }
        }
    }
}

async fn verify(head: Option<&str>) -> anyhow::Result<()> {
    let given: Option<Noted> = head.map(str::parse).transpose().context("--head")?;
    let (settings, kept) = super::open().await?;
    let file = settings.keeping.audit_head();
    let verdict = verdict(&kept.customers.audit(), &file, given).await?;
    for fault in &verdict.faults {
        say(&format!("✗ {fault}"));
    }
    if !verdict.is_sound() {
        bail!(
            "the audit trail is not as it was written: compare it with a backup. If it was you who put a backup in its place, \
             remove {}{}",
            file.display(),
            if given.is_some() { ", and note its head anew" } else { "" }
        );
    }
    // Before anything is said, which may be the end of this program.
    let noted = write(&file, &format!("{}\n", verdict.head));
    say(&format!("✓ {} entries, each as it was written. Head: {}", verdict.entries, verdict.head));
    match noted {
        Ok(()) => say(&format!(
            "  It is noted in {}, and the next one finds a database that was put back to before it.\n  Who can change that \
             file too is found with a head that you note elsewhere: `hitoku audit verify --head …`",
            file.display()
        )),
        Err(error) => note(&format!("the head cannot be noted in {}: {error}", file.display())),
    }
    Ok(())
}

/// On the trail since the head that was given and the one of the last time: both, so that the next that is noted is never an
/// earlier one.
pub(super) async fn verdict(audit: &Trail, file: &Path, given: Option<Noted>) -> anyhow::Result<Verdict> {
    let noted: Vec<Noted> = given.into_iter().chain(of_last_time(file)?).collect();
    Ok(audit.verify_from(&noted).await?)
}

fn of_last_time(file: &Path) -> anyhow::Result<Option<Noted>> {
    let broken = || {
        format!(
            "{}: what the last verification noted cannot be read; remove the file, and the next one notes it anew",
            file.display()
        )
    };
    match fs::read_to_string(file) {
        Ok(text) => text.trim().parse().map(Some).with_context(broken),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(broken),
    }
}

/// All of it or, on a full disk, nothing.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let draft = file.with_extension("draft");
    file.parent().map_or(Ok(()), fs::create_dir_all)?;
    let opened = File::options().write(true).create(true).truncate(true).mode(0o600).open(&draft);
    let written = opened.and_then(|mut draft| {
        draft.write_all(text.as_bytes())?;
        // Otherwise a power failure may leave a file without a head.
        draft.sync_all()
    });
    written.and_then(|()| fs::rename(&draft, file)).inspect_err(|_| drop(fs::remove_file(&draft)))
}

async fn list(action: Option<&str>, customer: Option<&str>, limit: u32) -> anyhow::Result<()> {
    let action = action
        .map(|word| {
            Action::parse(word)
                .context("--action: nothing in the trail is called so; `--help` lists what is there")
        })
        .transpose()?;
    let (_, kept) = super::open().await?;
    let audit = kept.customers.audit();
    let subject = customer.map(|customer| audit.opaque(customer));
    let filter = Filter { action, subject };
    let mut rows = vec![["entry", "at", "who", "what", "subject", "detail"].map(str::to_owned).to_vec()];
    for entry in audit.list(&filter, limit).await? {
        let seq = entry.seq.to_string();
        rows.push(vec![seq, time(entry.at), entry.actor, entry.action, entry.subject, entry.detail]);
    }
    say(&table(&rows));
    Ok(())
}
