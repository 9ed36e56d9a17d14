//! The directory that we keep ourselves: customers in a database, their numbers sealed.
//!
//! Invariant: a number leaves it only by [`Customers::reveal`], and never before an audit entry that says so is on disk.

mod changes;
mod erasure;
mod import;
mod rotation;
mod told;

use std::sync::Arc;

use async_trait::async_trait;
use database::{Database, Query, Row, Transaction};
use domain::{Identity, Millis};
use records::Audit;
use records::audit::Actor;
use secrecy::SecretBox;

use crate::key::{Hash, Key, KeyRing};
use crate::{Aliases, Directory, Entry, Keys, PhoneNumber, Silent, Trouble, secrets};

pub use erasure::Receipt;
pub use import::{Imported, Taken};
pub use rotation::Rotated;

/// Customers in a database.
#[derive(Clone, Debug)]
pub struct Customers {
    database: Database,
    keys: Arc<Keys>,
    aliases: Arc<Aliases>,
    audit: Audit,
}

/// Who does something, and when: for the audit trail.
#[derive(Clone, Debug)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// Now.
    pub at: Millis,
}

/// A customer as they are listed: how many numbers, and never which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// See [`Customer::id`](crate::Customer::id).
    pub id: String,
    /// See [`Customer::name`](crate::Customer::name).
    pub name: String,
    /// See [`Customer::operator`](crate::Customer::operator).
    pub operator: String,
    /// See [`Customer::team`](crate::Customer::team).
    pub team: Option<String>,
    /// See [`Customer::note`](crate::Customer::note).
    pub note: Option<String>,
    /// How many numbers they have.
    pub numbers: i64,
}

/// Only one at a time changes customers or numbers: an import compares before it writes.
const LOCK: &str = database::alone::CUSTOMERS;

impl Customers {
    /// With these keys; makes what must be there once.
    ///
    /// # Errors
    /// The database cannot be used, or was sealed with another key.
    pub async fn open(database: Database, keys: Keys) -> Result<Self, Trouble> {
        let ring = keys.ring();
        let secrets::Secrets { alias, audit } = secrets::open(&database, &ring).await?;
        Ok(Self {
            aliases: Arc::new(Aliases::new(&alias)),
            audit: Audit::new(database.clone(), SecretBox::new(Box::new(audit))),
            keys: Arc::new(keys),
            database,
        })
    }

    /// Whether nobody has kept anything in this database yet, so that there is no key to it either.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn are_new(database: &Database) -> Result<bool, Trouble> {
        secrets::none(database).await
    }

    /// The names that callers get whom nobody knows.
    #[must_use]
    pub fn aliases(&self) -> Arc<Aliases> {
        self.aliases.clone()
    }

    /// The trail of what is done.
    #[must_use]
    pub fn audit(&self) -> Audit {
        self.audit.clone()
    }

    /// The keys that they are sealed with.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// How many there are.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn count(&self) -> Result<i64, Trouble> {
        let mut rows = self.database.read(Query::new("SELECT COUNT(*) FROM customers")).await?;
        Ok(rows.pop().map_or(Ok(0), |mut row| row.int(0))?)
    }

    /// Some of them, in the order of their ids: those after `after`, of one operator or of all.
    ///
    /// # Errors
    /// The database cannot be read, or a note does not open.
    pub async fn list(
        &self,
        operator: Option<&Identity>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Listed>, Trouble> {
        let query = match operator {
            Some(operator) => {
                Query::new(format!("{LISTED} WHERE id > $1 AND operator = $2 ORDER BY id LIMIT {limit}"))
                    .with(after)
                    .with(operator.as_str())
            }
            None => Query::new(format!("{LISTED} WHERE id > $1 ORDER BY id LIMIT {limit}")).with(after),
        };
        let ring = self.keys.ring();
        self.database.read(query).await?.into_iter().map(|row| listed(&ring, row)).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// Nobody has this id, or as [`list`](Self::list).
    pub async fn show(&self, id: &str) -> Result<Listed, Trouble> {
        let query = Query::new(format!("{LISTED} WHERE id = $1")).with(id);
        let row = self.database.read(query).await?.pop().ok_or_else(|| Trouble::Nobody(id.to_owned()))?;
        listed(&self.keys.ring(), row)
    }

    async fn find(&self, ring: &KeyRing, number: &PhoneNumber) -> Result<Option<Entry>, Silent> {
        // During a rotation it is under one of several keys; asked for all at once, it cannot move in between.
        let query = if let [only] = ring.keys() {
            Query::new(LOOK_UP).with(&only.hash(number)[..])
        } else {
            let places = Query::places(1, ring.keys().len());
            let hashes = ring.keys().iter().map(|key| key.hash(number).to_vec());
            Query::new(LOOK_UP.replace("= $1", &format!("IN ({places})"))).with_all(hashes)
        };
        let Some(mut row) = self.database.read(query).await?.pop() else { return Ok(None) };
        let operator = Identity::parse(&row.text(2)?)
            .map_err(|_| Silent::Nonsense("an operator's identity in the database is none"))?;
        Ok(Some(Entry { operator, customer_name: Some(row.text(1)?), customer_id: Some(row.text(0)?) }))
    }

    /// With the keys that are in the file now, if they are others than these.
    async fn find_anew(&self, known: Arc<KeyRing>, number: &PhoneNumber) -> Result<Option<Entry>, Silent> {
        // On a thread for it: a disk that hangs is to hold up this caller's question, and nobody else's.
        let (keys, others_than) = (self.keys.clone(), known.clone());
        let renewed = tokio::task::spawn_blocking(move || keys.others_than(&others_than)).await;
        let Ok(Some(renewed)) = renewed else { return self.nobody_under(&known).await };
        // Another key file that somebody has put there would make strangers of all customers.
        match secrets::fit(&self.database, &renewed).await {
            Ok(()) => self.find(&renewed, number).await,
            // Nobody knows whether they are the right ones.
            Err(Trouble::Database(failure)) => {
                let keys = self.keys.clone();
                let _looked_at_again = tokio::task::spawn_blocking(move || keys.look_again(known)).await;
                Err(failure.into())
            }
            Err(trouble) => {
                tracing::error!(%trouble, "the key file has changed, and the keys from before are used on");
                self.keys.stay_with(known.clone());
                self.nobody_under(&known).await
            }
        }
    }

    /// Nobody has a number that is not found with these keys, if they are all that it may be sealed with.
    async fn nobody_under(&self, ring: &KeyRing) -> Result<Option<Entry>, Silent> {
        match secrets::fit(&self.database, ring).await {
            Ok(()) => Ok(None),
            Err(Trouble::Database(failure)) => Err(failure.into()),
            Err(_) => Err(Silent::Nonsense(
                "numbers are sealed with a key that is not here, which `hitoku doctor` names",
            )),
        }
    }
}

#[async_trait]
impl Directory for Customers {
    async fn look_up(&self, number: &PhoneNumber) -> Result<Option<Entry>, Silent> {
        let ring = self.keys.ring();
        let found = self.find(&ring, number).await?;
        if found.is_some() {
            return Ok(found);
        }
        // It goes on also when this caller is not waited for any more: keys that have been read must be judged.
        let (customers, number) = (self.clone(), number.clone());
        let found = tokio::spawn(async move { customers.find_anew(ring, &number).await });
        found.await.unwrap_or(Err(Silent::Nonsense("looking at the key file panicked")))
    }
}

const LOOK_UP: &str = "SELECT c.id, c.name, c.operator FROM numbers n JOIN customers c ON c.id = n.customer \
                       WHERE n.hash = $1";
const LISTED: &str = "SELECT id, name, operator, team, note_key, note, \
                      (SELECT COUNT(*) FROM numbers WHERE customer = customers.id) FROM customers";

fn listed(ring: &KeyRing, mut row: Row) -> Result<Listed, Trouble> {
    let id = row.text(0)?;
    let note = note_of(ring, &id, row.maybe_text(4)?.as_deref(), row.maybe_bytes(5)?.as_deref())?;
    let (name, operator, team) = (row.text(1)?, row.text(2)?, row.maybe_text(3)?);
    Ok(Listed { id, name, operator, team, note, numbers: row.int(6)? })
}

fn note_of(
    ring: &KeyRing,
    id: &str,
    key: Option<&str>,
    sealed: Option<&[u8]>,
) -> Result<Option<String>, Trouble> {
    let (Some(key_id), Some(sealed)) = (key, sealed) else { return Ok(None) };
    let key = ring.named(key_id).ok_or_else(|| secrets::wrong_key(ring, key_id))?;
    let note = key.open(sealed, &note_place(id)).and_then(|note| String::from_utf8(note).ok());
    let key = key_id.to_owned();
    note.ok_or_else(|| Trouble::Forged { what: format!("the note of `{id}`"), key }).map(Some)
}

fn note_place(id: &str) -> Vec<u8> {
    [b"note of ", id.as_bytes()].concat()
}

/// The number of a row, opened again.
fn number_of(
    ring: &KeyRing,
    customer: &str,
    hash: &[u8],
    key_id: &str,
    sealed: &[u8],
) -> Result<PhoneNumber, Trouble> {
    let key = ring.named(key_id).ok_or_else(|| secrets::wrong_key(ring, key_id))?;
    let number = key.open_number(sealed, &place(hash, customer));
    let key = key_id.to_owned();
    number.ok_or_else(|| Trouble::Forged { what: format!("a number of `{customer}`"), key })
}

/// A number's row, sealed with this key.
fn number_row(key: &Key, hash: Hash, number: &PhoneNumber, customer: &str) -> Vec<database::Value> {
    vec![
        hash[..].into(),
        customer.into(),
        key.id().into(),
        key.seal_number(number, &place(&hash, customer)).into(),
    ]
}

/// Where a number is sealed: it opens nowhere else, and for no other customer.
fn place(hash: &[u8], customer: &str) -> Vec<u8> {
    [hash, customer.as_bytes()].concat()
}

const ADD_NUMBERS: &str = "INSERT INTO numbers (hash, customer, key_id, sealed) VALUES";

async fn delete_numbers(transaction: &mut dyn Transaction, hashes: &[Vec<u8>]) -> Result<(), Trouble> {
    for some in hashes.chunks(500) {
        let sql = format!("DELETE FROM numbers WHERE hash IN ({})", Query::places(1, some.len()));
        transaction.run(Query::new(sql).with_all(some.iter().cloned())).await?;
    }
    Ok(())
}
