//! The audit trail: what was done, by whom, to what. Entries are only ever added, each bound to the one before by a keyed hash,
//! and the last is bound too: one that is changed, removed, put in or cut off is found by whoever has the key.
//!
//! What no trail can show by itself is that it was put back to an older state: with the whole database, or only by the one row
//! that notes the last entry, as it once was, after the entries since were deleted. For that there is [`Audit::verify_from`],
//! with the head that somebody has noted elsewhere.
//!
//! Invariant: nothing personal is in it. A customer appears as [`Opaque`], what they were called before as [`Mark`], and an
//! [`Entry`] is made only from types that hold no number.

mod chain;
mod entry;
mod erased;
mod reason;
mod verdict;

use std::fmt;
use std::sync::Arc;

use database::{Database, Failure, Query, Row, Transaction, Value};
use domain::Millis;
use secrecy::SecretBox;
use tokio::task::consume_budget;

use crate::record::in_table;
use chain::{Head, Key};
pub use entry::{Action, Actor, Entry, Opaque};
pub(crate) use erased::Lately;
pub use erased::{Erased, Mark};
pub use reason::{NoReason, Reason};
pub use verdict::{Fault, NotNoted, Noted, Verdict};

/// The trail. Clones share it.
#[derive(Clone)]
pub struct Audit {
    database: Database,
    key: Arc<Key>,
}

/// Which entries to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of this kind.
    pub action: Option<Action>,
    /// Only those about this customer.
    pub subject: Option<Opaque>,
}

/// An entry as it is in the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its place, from 1.
    pub seq: i64,
    /// When.
    pub at: Millis,
    /// By whom, in words.
    pub actor: String,
    /// What, in words.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What else is to be said.
    pub detail: String,
}

impl Audit {
    /// The trail in this database, bound with this key.
    #[must_use]
    pub fn new(database: Database, key: SecretBox<[u8; 32]>) -> Self {
        Self { database, key: Arc::new(Key::new(key)) }
    }

    /// Where it is.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Notes that the trail is empty, if the transaction is committed, and only if nothing is there: no entry and no head. From
    /// then on a trail without a head was tampered with. It belongs into the transaction that makes the key.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn begin(&self, transaction: &mut dyn Transaction) -> Result<(), Failure> {
        transaction.alone(ALONE).await?;
        let nothing = transaction.run(Query::new(HEAD)).await?.is_empty()
            && transaction.run(Query::new(LAST)).await?.is_empty();
        if nothing { self.note(transaction, &Head::NONE).await } else { Ok(()) }
    }

    /// Adds an entry, if the transaction is committed.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn append(&self, transaction: &mut dyn Transaction, entry: Entry) -> Result<(), Failure> {
        self.append_all(transaction, [entry]).await
    }

    /// Adds entries, in this order, if the transaction is committed. If the end of the trail was changed, or the trail never
    /// begun, an entry that says so is the first of them.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn append_all(
        &self,
        transaction: &mut dyn Transaction,
        entries: impl IntoIterator<Item = Entry, IntoIter: Send> + Send,
    ) -> Result<(), Failure> {
        let mut entries = entries.into_iter().peekable();
        let Some(first) = entries.peek() else { return Ok(()) };
        let first_at = first.at;
        transaction.alone(ALONE).await?;
        let (mut head, sound) = self.last(transaction).await?;
        let mut chain = self.key.chain();
        let mut rows = Vec::new();
        if !sound {
            tracing::error!("the end of the audit trail was changed; run `hitoku audit verify`");
            rows.push(self.row(&mut head, &mut chain, Entry::changed(first_at)));
        }
        for entry in entries {
            consume_budget().await;
            rows.push(self.row(&mut head, &mut chain, entry));
        }
        transaction.insert(INSERT, "", rows).await?;
        self.note(transaction, &head).await
    }

    /// A customer's name in the trail: always the same for one, and nobody without the key can tell whose it is.
    #[must_use]
    pub fn opaque(&self, customer: &str) -> Opaque {
        Opaque(self.key.opaque(customer))
    }

    /// What of an unknown caller's alias is in the trail once they have become a customer and were erased.
    #[must_use]
    pub fn mark(&self, alias: &str) -> Mark {
        Mark(self.key.mark(alias))
    }

    /// How often something was done since then, by whomever, with what this transaction has added. What calls do is not
    /// counted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn count(
        &self,
        transaction: &mut dyn Transaction,
        action: Action,
        since: Millis,
    ) -> Result<u64, Failure> {
        // Two who count at once would each find the last of an allowance.
        transaction.alone(ALONE).await?;
        let count = "SELECT COUNT(*) FROM audit WHERE action <> 'call' AND action = $1 AND at >= $2";
        let count = Query::new(count).with(action.word()).with(in_table(since));
        let mut rows = transaction.run(count).await?;
        rows.pop().map_or(Ok(0), |mut row| row.int(0)).map(i64::unsigned_abs)
    }

    /// What was written as reasons for reveals, of whomever.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn reasons(&self, transaction: &mut dyn Transaction) -> Result<Vec<String>, Failure> {
        let reasons = "SELECT detail FROM audit WHERE action <> 'call' AND action = $1";
        let rows = transaction.run(Query::new(reasons).with(Action::Revealed.word())).await?;
        // One that cannot be read any more is none that was written, and `verify` names it.
        let details = rows.into_iter().filter_map(|mut row| row.text(0).ok());
        Ok(details.map(|detail| entry::reason(&detail).to_owned()).collect())
    }

    /// Who was erased then or later.
    ///
    /// Not asked for by name: of thousands of calls hardly one is of somebody erased, and each count of names would be another
    /// statement to prepare and to remember.
    pub(crate) async fn erased(
        &self,
        transaction: &mut dyn Transaction,
        since: i64,
    ) -> Result<Lately, Failure> {
        let erased =
            "SELECT subject, detail, at FROM audit WHERE action <> 'call' AND action = $1 AND at >= $2";
        let erased = Query::new(erased).with(Action::Erased.word()).with(since);
        let rows = transaction.run(erased).await?;
        let mut lately = Lately::default();
        for mut row in rows {
            // Somebody may have made any of them unreadable, which `verify` says; without a time it is not to bring the customer
            // back.
            let (subject, detail) = (row.text(0).ok(), row.text(1).ok());
            let erased = detail.as_deref().and_then(Erased::parse);
            lately.add(subject, erased, row.int(2).unwrap_or(i64::MAX));
        }
        Ok(lately)
    }

    /// The newest entries, the newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn list(&self, filter: &Filter, limit: u32) -> Result<Vec<Kept>, Failure> {
        let list = "SELECT seq, at, actor, action, subject, detail FROM audit \
                    WHERE ($1 = '' OR action = $1) AND ($2 = '' OR subject = $2) ORDER BY seq DESC LIMIT $3";
        let list = Query::new(list)
            .with(filter.action.map(Action::word).unwrap_or_default())
            .with(filter.subject.as_ref().map(Opaque::to_string).unwrap_or_default())
            .with(i64::from(limit));
        Ok(self.database.read(list).await?.iter_mut().map(kept).collect())
    }

    /// The entry that the next follows, and whether the trail's end is as this program left it. If it is not, what follows
    /// must not hide it, nor must calls wait for somebody to mend it.
    async fn last(&self, transaction: &mut dyn Transaction) -> Result<(Head, bool), Failure> {
        let noted = self.head_in(transaction.run(Query::new(HEAD)).await?);
        let last = transaction.run(Query::new(LAST)).await?.pop();
        let there = last.and_then(|mut row| head(&mut row).ok()).unwrap_or(Head::NONE);
        Ok(match noted {
            Bound::Sound(head) if there.seq <= head.seq => (head, true),
            _ => (there, false),
        })
    }

    async fn note(&self, transaction: &mut dyn Transaction, head: &Head) -> Result<(), Failure> {
        let bound = self.key.bound(head);
        let update = Query::new(UPDATE_HEAD).with(head.seq).with(head.hash.to_vec()).with(bound.to_vec());
        transaction.run(update).await.map(|_| ())
    }

    fn head_in(&self, mut rows: Vec<Row>) -> Bound {
        let Some(mut row) = rows.pop() else { return Bound::None };
        match (head(&mut row), row.bytes(2)) {
            (Ok(head), Ok(bound)) if self.key.bound(&head).as_slice() == bound => Bound::Sound(head),
            _ => Bound::Changed,
        }
    }

    fn row(&self, head: &mut Head, chain: &mut chain::Chain, entry: Entry) -> Vec<Value> {
        let at = in_table(entry.at);
        let action = entry.action.word();
        let texts = [&entry.actor, action, &entry.subject, &entry.detail];
        let seq = head.seq + 1;
        *head = Head { seq, hash: chain.next(&head.hash, seq, at, texts) };
        vec![
            seq.into(),
            at.into(),
            entry.actor.into(),
            action.into(),
            entry.subject.into(),
            entry.detail.into(),
            head.hash.to_vec().into(),
        ]
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("database", &self.database).finish_non_exhaustive()
    }
}

/// What the row says that notes the last entry.
enum Bound {
    None,
    Sound(Head),
    Changed,
}

/// One at a time adds to the trail.
pub(crate) const ALONE: &str = database::alone::AUDIT;
const HEAD: &str = "SELECT seq, hash, bound FROM audit_head WHERE name = 'audit'";
/// One that somebody has put where there is no room for others after it, or where a number should be, is never the last: calls
/// would not be kept any more. (SQLite takes text for a number.)
const LAST: &str = "SELECT seq, hash FROM audit WHERE seq < 9000000000000000000 AND CAST(seq AS BIGINT) = seq \
                    ORDER BY seq DESC LIMIT 1";
const INSERT: &str = "INSERT INTO audit (seq, at, actor, action, subject, detail, hash) VALUES";
const UPDATE_HEAD: &str = "INSERT INTO audit_head (name, seq, hash, bound) VALUES ('audit', $1, $2, $3) \
     ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, bound = excluded.bound";

fn head(row: &mut Row) -> Result<Head, Failure> {
    // One of another kind than bytes is none that we have written.
    Ok(Head { seq: row.int(0)?, hash: chain::hash(row.bytes(1).unwrap_or_default()) })
}

/// What somebody has made unreadable is shown as such: it is not to hide the others.
fn kept(row: &mut Row) -> Kept {
    let mut text = |column| row.text(column).unwrap_or_else(|_| "?".to_owned());
    let (actor, action, subject, detail) = (text(2), text(3), text(4), text(5));
    let (seq, at) = (row.int(0).unwrap_or_default(), row.int(1).unwrap_or_default().unsigned_abs());
    Kept { seq, at, actor, action, subject, detail }
}
