//! From one key to another, while callers are looked up.
//!
//! A few rows at a time, each time in a transaction: it can be cut off anywhere and said again. Whoever looks up asks for
//! the hashes of all keys at once, and reads the key file again when a number is not found.
//!
//! Invariant: the secrets are the first to be sealed anew. Everybody seals with their key, so from then on nothing more comes
//! under an old one, in whatever order others hold the keys. Until the end the old ones are noted, and whoever lacks one cannot
//! open the directory: to them, some customers would be strangers.

use database::{Database, Query, Transaction, Value};
use records::audit::Entry;

use super::{
    ADD_NUMBERS, By, Customers, LOCK, delete_numbers, import, note_of, note_place, number_of, number_row,
};
use crate::key::KeyRing;
use crate::{Trouble, secrets};

/// What a rotation has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The key that everything is sealed with now.
    pub key: String,
    /// So many numbers and notes were sealed anew.
    pub sealed: usize,
    /// Whether an earlier rotation that had been cut off was finished.
    pub resumed: bool,
}

const CHUNK: usize = 500;

impl Customers {
    /// Seals everything with another key, and ends the old ones. One that was cut off before is finished instead.
    /// `each` is called with the count of numbers done, and of all.
    ///
    /// # Errors
    /// The database cannot be written, or the only key is given to us: then whoever gives it begins.
    pub async fn rotate(&self, by: &By, mut each: impl FnMut(usize, usize)) -> Result<Rotated, Trouble> {
        let resumed = self.begin().await?;
        let ring = self.keys.ring();
        let whole = outstanding(&self.database, &ring).await?;
        let (mut sealed, mut pass) = (0, Pass::default());
        loop {
            let mut transaction = self.database.begin().await?;
            transaction.alone(LOCK).await?;
            secrets::reseal(&mut *transaction, &ring).await?;
            sealed += pass.some(&mut *transaction, &ring).await?;
            // Only a pass over all of them that finds none has found all: a rotation to another key may go on meanwhile.
            if pass.is_over() && pass.found == 0 {
                let key = ring.first().id().to_owned();
                let entry = Entry::keys_rotated(by.at, &by.actor, import::count(sealed));
                self.audit.append(&mut *transaction, entry).await?;
                secrets::leave(&mut *transaction, &ring).await?;
                transaction.commit().await?;
                self.end(&key).await?;
                return Ok(Rotated { key, sealed, resumed });
            }
            transaction.commit().await?;
            if pass.is_over() {
                pass = Pass::default();
            }
            each(sealed.min(whole), whole);
        }
    }

    /// Whether one had begun already. Two who begin at once share one new key.
    async fn begin(&self) -> Result<bool, Trouble> {
        let mut transaction = self.database.begin().await?;
        transaction.alone(LOCK).await?;
        let ring = self.keys.current();
        secrets::sealing(&mut *transaction, &ring).await?;
        if ring.keys().len() == 1 {
            return if self.keys.begin_another()? { Ok(false) } else { Err(Trouble::OneKey) };
        }
        // Whoever gives us two has not begun by that.
        Ok(self.keys.file().is_some() || !secrets::old_keys(&self.database).await?.is_empty())
    }

    /// Whether everything is sealed with the first of the keys, so that no other is needed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn are_rotated(&self) -> Result<bool, Trouble> {
        secrets::rotated(&self.database, &self.keys.ring()).await
    }

    async fn end(&self, key: &str) -> Result<(), Trouble> {
        let mut transaction = self.database.begin().await?;
        transaction.alone(LOCK).await?;
        // Whoever has begun another meanwhile still needs this one, and ends it.
        if self.keys.current().first().id() == key {
            self.keys.end_others()?;
        }
        Ok(())
    }
}

async fn outstanding(database: &Database, ring: &KeyRing) -> Result<usize, Trouble> {
    let query = Query::new("SELECT COUNT(*) FROM numbers WHERE key_id <> $1").with(ring.first().id());
    let count = database.read(query).await?.pop().map_or(Ok(0), |mut row| row.int(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Once over all numbers and notes, in the order of their keys.
struct Pass {
    /// Numbers up to this hash have been looked at; `None`: all.
    numbers: Option<Vec<u8>>,
    /// Notes up to this customer's have been looked at; `None`: all.
    notes: Option<String>,
    /// So many were sealed anew.
    found: usize,
}

impl Default for Pass {
    fn default() -> Self {
        Self { numbers: Some(Vec::new()), notes: Some(String::new()), found: 0 }
    }
}

impl Pass {
    fn is_over(&self) -> bool {
        self.numbers.is_none() && self.notes.is_none()
    }

    /// Seals some of them anew, and tells how many.
    async fn some(&mut self, transaction: &mut dyn Transaction, ring: &KeyRing) -> Result<usize, Trouble> {
        let before = self.found;
        if let Some(after) = self.numbers.take() {
            self.numbers = self.some_numbers(transaction, ring, after).await?;
        } else if let Some(after) = self.notes.take() {
            self.notes = self.some_notes(transaction, ring, after).await?;
        }
        Ok(self.found - before)
    }

    async fn some_numbers(
        &mut self,
        transaction: &mut dyn Transaction,
        ring: &KeyRing,
        after: Vec<u8>,
    ) -> Result<Option<Vec<u8>>, Trouble> {
        let first = ring.first();
        let some = "SELECT hash, customer, key_id, sealed FROM numbers WHERE hash > $1 AND key_id <> $2 ORDER BY hash";
        let some = Query::new(format!("{some} LIMIT {CHUNK}")).with(after).with(first.id());
        let (mut rows, mut old) = (Vec::new(), Vec::new());
        for mut row in transaction.run(some).await? {
            let (hash, customer) = (row.bytes(0)?, row.text(1)?);
            let number = number_of(ring, &customer, &hash, &row.text(2)?, &row.bytes(3)?)?;
            rows.push(number_row(first, first.hash(&number), &number, &customer));
            old.push(hash);
        }
        delete_numbers(transaction, &old).await?;
        // One that is there under the new key already was assigned since: that is the newer.
        transaction.insert(ADD_NUMBERS, "ON CONFLICT (hash) DO NOTHING", rows).await?;
        self.found += old.len();
        Ok(old.pop())
    }

    async fn some_notes(
        &mut self,
        transaction: &mut dyn Transaction,
        ring: &KeyRing,
        after: String,
    ) -> Result<Option<String>, Trouble> {
        let first = ring.first();
        let some = "SELECT id, note_key, note FROM customers WHERE id > $1 AND note_key <> $2 ORDER BY id";
        let some = Query::new(format!("{some} LIMIT {CHUNK}")).with(after).with(first.id());
        let mut last = None;
        for mut row in transaction.run(some).await? {
            let id = row.text(0)?;
            let note = note_of(ring, &id, row.maybe_text(1)?.as_deref(), row.maybe_bytes(2)?.as_deref())?;
            let sealed = note.map(|note| first.seal(note.as_bytes(), &note_place(&id)));
            let update = Query::new("UPDATE customers SET note_key = $1, note = $2 WHERE id = $3");
            let update = update.with(first.id()).with(Value::Bytes(sealed)).with(id.as_str());
            transaction.run(update).await?;
            self.found += 1;
            last = Some(id);
        }
        Ok(last)
    }
}
