//! The keys that numbers are sealed with.

use std::fs::canonicalize;
use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;
use database::Place;
use secrecy::ExposeSecret as _;
use server::settings::Keeping;

use super::progress::Progress;
use crate::say;

/// The keys that numbers are sealed with.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Prints a fresh key, for NUMBER_KEY
    New,
    /// Seals everything with another key, while calls go on; said again, it finishes what was cut off
    ///
    /// With a key file of its own, Hitoku makes the new key and removes the old one at the end. Where NUMBER_KEY is given,
    /// restart every server first with `new,old`.
    Rotate,
}

impl Keys {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::New => say(directory::Keys::fresh().expose_secret()),
            Self::Rotate => rotate().await?,
        }
        Ok(())
    }
}

async fn rotate() -> anyhow::Result<()> {
    let (settings, kept) = super::open().await?;
    if let Some(other) = sharing(&settings.keeping) {
        bail!(
            "{} may be sealed with the same key, which would be gone at the end: put this database into a data folder of its own \
             (HITOKU_DATA), with a copy of the key file",
            other.display()
        );
    }
    let mut progress = Progress::new("numbers sealed anew");
    let done = kept.customers.rotate(&super::by(), |done, whole| progress.at(done, whole)).await?;
    progress.end();
    if done.resumed {
        say("A rotation that had begun before was finished.");
    }
    say(&format!(
        "{} numbers and notes were sealed anew: all are sealed with the key {} now.",
        done.sealed, done.key
    ));
    match kept.customers.keys().file() {
        Some(file) => say(&format!(
            "Copy {} to where you keep its copy; keep the old copy with the backups from before.",
            file.display()
        )),
        None if kept.customers.keys().names().len() > 1 => say(&format!(
            "If {} is the new key, remove the others from NUMBER_KEY, and restart every server. If it is the old one, put the new \
             one before it, and say the same again.",
            done.key
        )),
        None => say(
            "To change it, put a new one, as `hitoku keys new` makes it, before it in NUMBER_KEY, and say the same again.",
        ),
    }
    Ok(())
}

/// The data folder's own database, where another one is given, a copy of it perhaps, and the folder's key is that one's too.
fn sharing(keeping: &Keeping) -> Option<PathBuf> {
    let Place::Sqlite(given) = &keeping.place else { return None };
    let own = keeping.own_database();
    let shares = keeping.number_key.is_none() && own.exists();
    (shares && canonicalize(given).ok() != canonicalize(&own).ok()).then_some(own)
}
