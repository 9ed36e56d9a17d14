//! What is kept, opened as the settings say: the database, and the customers in it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use database::{Database, Failure, Place};
use directory::{Customers, Demonstration, Keys, Trouble};
use records::Ledger;
use records::audit::Action;

use crate::late::{Bringer, Late};
use crate::settings::Keeping;

/// The database and the customers in it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Where everything is.
    pub database: Database,
    /// Customers, aliases and the audit trail, with the keys to them.
    pub customers: Customers,
}

const KEY_FILE: &str = "number.key";
/// How often a database is tried that cannot be reached.
const AGAIN: Duration = Duration::from_secs(1);
/// Callers wait while the server starts.
const FIRST_WITHIN: Duration = Duration::from_secs(5);
/// Long enough to bring large tables up to date.
const THEN_WITHIN: Duration = Duration::from_secs(600);

impl Kept {
    /// Opens it; what is not there yet is made.
    ///
    /// # Errors
    /// The database cannot be used, or there is no key to it.
    pub async fn open(keeping: &Keeping) -> anyhow::Result<Self> {
        let setting = if keeping.place_given { "DATABASE_URL" } else { "HITOKU_DATA" };
        if let Some(lost) = Self::lost(keeping) {
            bail!("{setting}: {lost}");
        }
        let database =
            Database::open(&keeping.place).await.with_context(|| format!("{setting}: {}", keeping.place))?;
        let keys = match &keeping.number_key {
            Some(key) => Keys::given(key)?,
            // A second one would open nothing that is there.
            None if Customers::are_new(&database).await? => {
                Keys::made_in_file(&keeping.folder.join(KEY_FILE))?
            }
            None => Keys::in_file(&keeping.folder.join(KEY_FILE))?,
        };
        let customers = Customers::open(database.clone(), keys).await?;
        Ok(Self { database, customers })
    }

    /// What is wrong where the database's key is and the database is not, or where calls were kept before. Another one in its
    /// place would know nobody.
    #[must_use]
    pub fn lost(keeping: &Keeping) -> Option<String> {
        let Place::Sqlite(file) = &keeping.place else { return None };
        let matters = !keeping.for_demonstration && !keeping.for_company;
        let is_there = file.metadata().is_ok_and(|file| file.len() > 0);
        // With a key that is given there is none beside it. A first start that failed has left an empty file.
        let left = match keeping.number_key {
            None => keeping.folder.join(KEY_FILE),
            // One that is given may be another one on purpose.
            Some(_) if keeping.place_given || file.exists() => return None,
            Some(_) => Ledger::file_in(&keeping.folder),
        };
        (matters && !is_there && left.exists()).then(|| {
            let (file, left) = (file.display(), left.display());
            let put_back = match keeping.number_key {
                None if keeping.place_given => format!(
                    "{file} is not there, and {left} is the key of a database: put that one back from a backup, or give another \
                     one a data folder of its own (HITOKU_DATA)"
                ),
                None => format!(
                    "{file} is gone, and its key is still there: put the database back from a backup, or set DATABASE_URL if it is \
                     elsewhere"
                ),
                Some(_) => format!(
                    "{file} is gone, or calls were kept in another database: put it back from a backup, or set DATABASE_URL to the \
                     other one"
                ),
            };
            format!("{put_back}. To begin anew, without customers, move {left} elsewhere")
        })
    }

    /// Opens it, or goes on trying to while a database on another machine cannot be reached, or the disk is full: callers are
    /// answered meanwhile.
    ///
    /// # Errors
    /// As [`open`](Self::open), for whatever does not mend itself.
    pub async fn open_in_time(keeping: Arc<Keeping>) -> anyhow::Result<Late<Self>> {
        // A file of our own may have large tables to bring up to date, and nobody else waits for it.
        let patience = if matches!(keeping.place, Place::Sqlite(_)) { THEN_WITHIN } else { FIRST_WITHIN };
        let error = match Self::open_within(patience, &keeping).await {
            Ok(kept) => return Ok(Late::here(kept)),
            Err(error) if may_mend_itself(&error, &keeping.place) => error,
            Err(error) => return Err(error),
        };
        tracing::error!(
            error = format!("{error:#}"),
            "callers hear a sentence, and what is kept of calls is only in the journal, until the database can be used"
        );
        let (bringer, kept) = Late::coming();
        tokio::spawn(Self::open_at_last(keeping, bringer));
        Ok(kept)
    }

    async fn open_within(time: Duration, keeping: &Keeping) -> anyhow::Result<Self> {
        let late = || Err(Failure::Unreachable("it does not answer".to_owned()).into());
        tokio::time::timeout(time, Self::open(keeping)).await.unwrap_or_else(|_| late())
    }

    async fn open_at_last(keeping: Arc<Keeping>, bringer: Bringer<Self>) {
        let mut said = String::new();
        loop {
            tokio::time::sleep(AGAIN).await;
            match Self::open_within(THEN_WITHIN, &keeping).await {
                Ok(kept) => {
                    bringer.bring(kept);
                    return tracing::info!("the database can be used now");
                }
                Err(error) if may_mend_itself(&error, &keeping.place) => {}
                Err(error) => {
                    let why = format!("{error:#}");
                    if why != said {
                        tracing::error!(error = why, "the database is there, and cannot be used");
                        said = why;
                    }
                }
            }
        }
    }

    /// Puts the demonstration's people into a directory in which nobody has ever been: who was erased stays so.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn demonstrate(&self, demonstration: &Demonstration, by: &directory::By) -> anyhow::Result<()> {
        if self.customers.count().await? > 0 {
            return Ok(());
        }
        let mut transaction = self.database.begin().await?;
        let imported = self.customers.audit().count(&mut *transaction, Action::Imported, 0).await?;
        drop(transaction);
        if imported == 0 {
            self.customers.import(&demonstration.sheet(), by, |_| {}).await?;
        }
        Ok(())
    }
}

/// Whether nothing is wrong with the settings. A file that cannot be reached is in another place than they say.
fn may_mend_itself(error: &anyhow::Error, place: &Place) -> bool {
    let may = |failure: &Failure| match failure {
        // One that another server is bringing up to date is locked.
        Failure::Busy | Failure::Full => true,
        Failure::Unreachable(_) => matches!(place, Place::Postgres(_)),
        _ => false,
    };
    error.chain().any(|cause| match cause.downcast_ref() {
        Some(Trouble::Database(failure)) => may(failure),
        _ => cause.downcast_ref().is_some_and(may),
    })
}
