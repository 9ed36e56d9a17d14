//! What is kept, opened as the settings say: the database, and the customers in it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use database::{Database, Failure, Place};
use directory::{Customers, Demonstration, Keys, Trouble};

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
        let database = Database::open(&keeping.place)
            .await
            .with_context(|| format!("DATABASE_URL: {}", keeping.place))?;
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

    /// Opens it, or goes on trying to while a database on another machine cannot be reached: callers are answered meanwhile.
    ///
    /// # Errors
    /// As [`open`](Self::open), for whatever does not mend itself.
    pub async fn open_in_time(keeping: Arc<Keeping>) -> anyhow::Result<Late<Self>> {
        if !matches!(keeping.place, Place::Postgres(_)) {
            return Self::open(&keeping).await.map(Late::here);
        }
        let error = match Self::open_within(FIRST_WITHIN, &keeping).await {
            Ok(kept) => return Ok(Late::here(kept)),
            Err(error) if is_away(&error) => error,
            Err(error) => return Err(error),
        };
        tracing::error!(
            error = format!("{error:#}"),
            "callers hear a sentence, and what is kept of calls is only in the journal, until the database can be reached"
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
                    return tracing::info!("the database is reached now");
                }
                Err(error) if is_away(&error) => {}
                Err(error) => {
                    let why = format!("{error:#}");
                    if why != said {
                        tracing::error!(error = why, "the database is reached, and cannot be used");
                        said = why;
                    }
                }
            }
        }
    }

    /// Puts the demonstration's people into a directory in which there is nobody.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn demonstrate(&self, demonstration: &Demonstration, by: &directory::By) -> anyhow::Result<()> {
        if self.customers.count().await? == 0 {
            self.customers.import(&demonstration.sheet(), by, |_| {}).await?;
        }
        Ok(())
    }
}

fn is_away(error: &anyhow::Error) -> bool {
    // One that another server is bringing up to date is locked.
    let away = |failure: &Failure| matches!(failure, Failure::Unreachable(_) | Failure::Busy);
    error.chain().any(|cause| match cause.downcast_ref() {
        Some(Trouble::Database(failure)) => away(failure),
        _ => cause.downcast_ref().is_some_and(away),
    })
}
