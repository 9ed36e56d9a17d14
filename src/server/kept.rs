//! What is kept, opened as the settings say: the database, and the customers in it.

use anyhow::Context as _;
use database::Database;
use directory::{Customers, Demonstration, Keys};

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
