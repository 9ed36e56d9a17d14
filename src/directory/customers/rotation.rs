//! From one key to another, while callers are looked up.
//!
//! A few rows at a time, each time in a transaction: it can be cut off anywhere and said again. Whoever looks up asks for
//! the hashes of all keys at once, and reads the key file again when a number is not found.

use database::{Database, Query, Transaction, Value};
use records::audit::Entry;

use super::{ADD_NUMBERS, By, Customers, LOCK, delete_numbers, import, note_of, note_place, number_row};
use crate::key::Ring;
use crate::{Trouble, secrets};

/// What a rotation has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The key that everything is sealed with now.
    pub key: String,
    /// So many numbers were sealed anew.
    pub numbers: usize,
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
        let (mut numbers, mut after) = (0, Some(Vec::new()));
        loop {
            let mut transaction = self.database.begin().await?;
            transaction.alone(LOCK).await?;
            let from_the_start = after.as_ref().is_none_or(Vec::is_empty);
            let (done, last) = reseal_numbers(&mut *transaction, &ring, after.unwrap_or_default()).await?;
            let notes = reseal_notes(&mut *transaction, &ring).await?;
            // Only a pass over all of them that finds none has found all: others add some meanwhile.
            if from_the_start && done + notes == 0 {
                secrets::reseal(&mut *transaction, &ring).await?;
                let key = ring.first().id().to_owned();
                let entry = Entry::keys_rotated(by.at, &by.actor, import::count(numbers));
                self.audit.append(&mut *transaction, entry).await?;
                transaction.commit().await?;
                self.end(&key).await?;
                return Ok(Rotated { key, numbers, resumed });
            }
            transaction.commit().await?;
            after = last;
            numbers += done;
            each(numbers.min(whole), whole);
        }
    }

    /// Whether one had begun already. Two who begin at once share one new key.
    async fn begin(&self) -> Result<bool, Trouble> {
        let mut transaction = self.database.begin().await?;
        transaction.alone(LOCK).await?;
        let resumed = self.keys.current().keys().len() > 1;
        if !resumed && !self.keys.begin_another()? {
            return Err(Trouble::OneKey);
        }
        Ok(resumed)
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

async fn outstanding(database: &Database, ring: &Ring) -> Result<usize, Trouble> {
    let query = Query::new("SELECT COUNT(*) FROM numbers WHERE key_id <> $1").with(ring.first().id());
    let count = database.read(query).await?.pop().map_or(Ok(0), |mut row| row.int(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Some of those whose hash comes after this one; tells how many, and the last one's hash.
async fn reseal_numbers(
    transaction: &mut dyn Transaction,
    ring: &Ring,
    after: Vec<u8>,
) -> Result<(usize, Option<Vec<u8>>), Trouble> {
    let first = ring.first();
    let some =
        "SELECT hash, customer, key_id, sealed FROM numbers WHERE hash > $1 AND key_id <> $2 ORDER BY hash";
    let some = Query::new(format!("{some} LIMIT {CHUNK}")).with(after).with(first.id());
    let (mut rows, mut old) = (Vec::new(), Vec::new());
    for mut row in transaction.run(some).await? {
        let (hash, customer, key_id) = (row.bytes(0)?, row.text(1)?, row.text(2)?);
        let key = ring.named(&key_id).ok_or_else(|| secrets::wrong_key(ring, &key_id))?;
        let number = key.open_number(&row.bytes(3)?, &hash).ok_or(Trouble::Forged(key_id))?;
        rows.push(number_row(first, first.hash(&number), &number, &customer));
        old.push(hash);
    }
    delete_numbers(transaction, &old).await?;
    // One that is there under the new key already was assigned since: that is the newer.
    transaction.insert(ADD_NUMBERS, "ON CONFLICT (hash) DO NOTHING", rows).await?;
    Ok((old.len(), old.pop()))
}

async fn reseal_notes(transaction: &mut dyn Transaction, ring: &Ring) -> Result<usize, Trouble> {
    let first = ring.first();
    let some = "SELECT id, note_key, note FROM customers WHERE note_key <> $1";
    let rows = transaction.run(Query::new(format!("{some} LIMIT {CHUNK}")).with(first.id())).await?;
    let count = rows.len();
    for mut row in rows {
        let id = row.text(0)?;
        let note = note_of(ring, &id, row.maybe_text(1)?.as_deref(), row.maybe_bytes(2)?.as_deref())?;
        let sealed = note.map(|note| first.seal(note.as_bytes(), &note_place(&id)));
        let update = Query::new("UPDATE customers SET note_key = $1, note = $2 WHERE id = $3");
        transaction.run(update.with(first.id()).with(Value::Bytes(sealed)).with(id)).await?;
    }
    Ok(count)
}
