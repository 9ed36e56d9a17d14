//! Writes into the database what is in the journal, in order, in batches, and as often as it takes.
//!
//! Invariant: calls, trail, and how far the journal was read change in one transaction, which first looks how far it was: so
//! an event of the journal comes in once, also when nobody knows whether the last commit happened. One that the journal could
//! not take has no place in it: if the answer to its commit is lost, as PostgreSQL's may be, it comes in again. The table of
//! calls stays as it is then, and the trail has the event twice. Who was erased meanwhile does not come back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use database::{Database, Failure, Query, Transaction, Value};
use tokio::sync::watch;
use tokio::task::consume_budget;
use tokio::time::Instant;

use super::Reached;
use super::held::Held;
use super::reader::{Found, Gap, Reader, Window};
use crate::audit::{ALONE, Entry};
use crate::record::{in_table, without_zeros};
use crate::{Audit, CallEvent, Event, What, calls};

pub(super) struct Keeper {
    file: PathBuf,
    reader: Reader,
    database: Database,
    audit: Audit,
    journaled: watch::Receiver<Reached>,
    written: watch::Sender<Reached>,
    hurried: watch::Receiver<usize>,
    held: Arc<Held>,
    reached: Reached,
    generations: Generations,
    /// Of generations that have not been looked up yet.
    gaps: Vec<Gap>,
    urgent: u64,
    /// How long the last batch took.
    took: Duration,
    trouble: Option<Duration>,
}

/// Whose frames the file may hold. A generation's row is needed for as long as one of them can be read again.
struct Generations {
    of_this_era: BTreeSet<u64>,
    of_the_last: BTreeSet<u64>,
    overwritten: BTreeSet<u64>,
}

/// Where each generation has been read to.
type Places = BTreeMap<u64, u64>;

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Database(#[from] Failure),
    #[error("the journal cannot be read: {0}; check the disk")]
    Journal(#[from] std::io::Error),
}

const MOST_AT_ONCE: usize = 2000;
/// In milliseconds: so far the clocks of two servers may be apart, and so long an erasure may wait for others.
const CLOCKS_DIFFER: i64 = 60_000;
/// A database that takes longer for a batch has gone without a word.
const BATCH_WITHIN: Duration = Duration::from_secs(60);
/// Some hundreds of events: not worth waiting for more.
const MANY: u64 = 32 << 10;
/// What comes meanwhile goes into the same transaction, and the disk has time for those who wait for it.
const LINGER: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Keeper {
    pub(super) fn new(
        reader: Reader,
        audit: Audit,
        (journaled, written, hurried): (
            watch::Receiver<Reached>,
            watch::Sender<Reached>,
            watch::Receiver<usize>,
        ),
        held: Arc<Held>,
        (file, found): (PathBuf, Found),
        urgent: u64,
    ) -> Self {
        let (of_the_last, overwritten) = (BTreeSet::new(), BTreeSet::new());
        Self {
            file,
            reader,
            database: audit.database().clone(),
            audit,
            journaled,
            written,
            hurried,
            held,
            reached: Reached::default(),
            generations: Generations { of_this_era: found.generations, of_the_last, overwritten },
            gaps: found.gaps,
            urgent,
            took: Duration::ZERO,
            trouble: None,
        }
    }

    /// Ends when the writer has, and all is written.
    pub(super) async fn run(mut self) {
        loop {
            let mut journaled = *self.journaled.borrow_and_update();
            if journaled == self.reached && !self.held.waiting() {
                if self.journaled.changed().await.is_err() {
                    return self.tidy_up().await;
                }
                continue;
            }
            let rest = self.rest(journaled);
            let _ = tokio::time::timeout(rest, self.hurried.wait_for(|waiting| *waiting > 0)).await;
            journaled = *self.journaled.borrow_and_update();
            let since = Instant::now();
            let written = self.write(journaled).await;
            self.took = since.elapsed();
            match written {
                Ok(()) => self.all_is_well(),
                Err(trouble) => self.pause(&trouble).await,
            }
            self.written.send_replace(self.reached);
        }
    }

    async fn write(&mut self, journaled: Reached) -> Result<(), Trouble> {
        if journaled.era != self.reached.era {
            (self.reached.era..journaled.era).for_each(|_| self.generations.begin_anew());
            self.reached = Reached { era: journaled.era, end: 0 };
        }
        if self.reached.end < journaled.end {
            let (reader, start, end) = (self.reader.clone(), self.reached.end, journaled.end);
            let read = tokio::task::spawn_blocking(move || reader.read(start, end, MOST_AT_ONCE));
            let window = read.await.map_err(std::io::Error::other)??;
            in_time(self.write_window(&window)).await?;
            self.reached.end = window.next;
        }
        let held = self.held.take(MOST_AT_ONCE);
        if held.is_empty() {
            return Ok(());
        }
        let written = in_time(self.write_held(&held)).await;
        match &written {
            Ok(()) => self.held.done(held.len()),
            Err(_) => self.held.back(held),
        }
        Ok(written?)
    }

    async fn write_window(&mut self, window: &Window) -> Result<(), Failure> {
        let generations: BTreeSet<u64> = window.lying().map(|lying| lying.generation).collect();
        if generations.is_empty() {
            return Ok(());
        }
        let mut transaction = self.database.begin().await?;
        // Before it looks: another server of the same folder may just be writing the same.
        transaction.alone(ALONE).await?;
        let written = places(&mut *transaction, &generations).await?;
        self.tell_gaps(&generations, &written);
        let new = |generation, end| written.get(&generation).is_none_or(|place| end > *place);
        let lying: Vec<_> = window.lying().filter(|lying| new(lying.generation, lying.end)).collect();
        if !lying.is_empty() {
            self.add(&mut *transaction, lying.iter().map(|lying| lying.payload).collect()).await?;
            let reached = lying.iter().map(|lying| (lying.generation, lying.end)).collect();
            note(&mut *transaction, reached).await?;
            forget(&mut *transaction, &self.generations.overwritten).await?;
            transaction.commit().await?;
            self.generations.overwritten.clear();
        }
        self.generations.of_this_era.extend(generations);
        Ok(())
    }

    /// What the database has was wiped, or half of it when the power failed.
    fn tell_gaps(&mut self, generations: &BTreeSet<u64>, written: &Places) {
        let of_these = |gap: &mut Gap| generations.contains(&gap.generation);
        let missing = |gap: &Gap| written.get(&gap.generation).is_none_or(|place| gap.end > *place);
        let bytes: u64 = self.gaps.extract_if(.., of_these).filter(missing).map(|gap| gap.bytes).sum();
        if bytes > 0 {
            let file = self.file.display();
            tracing::error!(%file, bytes, "a part of the journal is damaged, and what was in it is lost; check the disk");
        }
    }

    /// The journal has been wiped, so that the next server does not find these there, and would never forget them.
    async fn tidy_up(self) {
        if self.generations.overwritten.is_empty() {
            return;
        }
        let tidied = async {
            let mut transaction = self.database.begin().await?;
            forget(&mut *transaction, &self.generations.overwritten).await?;
            transaction.commit().await
        };
        // It costs a few bytes if that is not to be had at once.
        let _ = tokio::time::timeout(LONGEST_REST, tidied).await;
    }

    /// What the journal could not take.
    async fn write_held(&self, held: &[Vec<u8>]) -> Result<(), Failure> {
        let mut transaction = self.database.begin().await?;
        self.add(&mut *transaction, held.iter().map(Vec::as_slice).collect()).await?;
        transaction.commit().await
    }

    async fn add(&self, transaction: &mut dyn Transaction, payloads: Vec<&[u8]>) -> Result<(), Failure> {
        let count = payloads.len();
        let mut events = Vec::with_capacity(count);
        for payload in payloads {
            // Here and below: thousands of events are not to hold up a caller whose task waits for this thread.
            consume_budget().await;
            events.extend(Event::read(payload));
        }
        let strange = count - events.len();
        if strange > 0 {
            tracing::error!(
                strange,
                "the journal holds what only a newer version of this program understands"
            );
        }
        self.leave_out_erased(transaction, &mut events).await?;
        calls::write(transaction, &events).await?;
        let mut entries = Vec::with_capacity(events.len());
        for event in &events {
            consume_budget().await;
            entries.push(Entry::of(event));
        }
        self.audit.append_all(transaction, entries).await
    }

    /// An erasure finds calls in the database, and not those that are still in a journal.
    async fn leave_out_erased(
        &self,
        transaction: &mut dyn Transaction,
        events: &mut [Event],
    ) -> Result<(), Failure> {
        // An erasure holds it too: it is either seen here, or sees what is written here.
        transaction.alone(ALONE).await?;
        let Some(first) = events.iter().filter_map(names_somebody).min() else { return Ok(()) };
        let erased = self.audit.erased(transaction, first.saturating_sub(CLOCKS_DIFFER)).await?;
        // Nobody, almost always: what follows costs a hash for each call.
        if erased.is_empty() {
            return Ok(());
        }
        for event in events {
            consume_budget().await;
            let Event::Call(CallEvent { at, what: What::Came(came), .. }) = event else { continue };
            let is_of_before = |erased_at: Option<i64>| {
                erased_at.is_some_and(|erased_at| in_table(*at) <= erased_at.saturating_add(CLOCKS_DIFFER))
            };
            let opaque = |customer: &str| self.audit.opaque(&without_zeros(customer));
            came.customer.take_if(|customer| is_of_before(erased.customer(&opaque(customer))));
            came.alias.take_if(|alias| is_of_before(erased.alias(&self.audit.mark(alias))));
        }
        Ok(())
    }

    /// How long to leave processor and disk to those who answer calls. It has time: what it writes is safe already.
    fn rest(&self, journaled: Reached) -> Duration {
        let rest = (3 * self.took).min(LONGEST_REST);
        let read = if journaled.era == self.reached.era { self.reached.end } else { 0 };
        // What the journal cannot take is only in memory.
        if journaled.end >= self.urgent || self.held.waiting() {
            Duration::ZERO
        } else if journaled.end - read < MANY {
            LINGER.max(rest)
        } else {
            rest
        }
    }

    fn all_is_well(&mut self) {
        if self.trouble.take().is_some() {
            tracing::info!("the database takes again what is kept of calls");
        }
    }

    async fn pause(&mut self, trouble: &Trouble) {
        let pause = match self.trouble {
            Some(pause) => (2 * pause).min(LONGEST_PAUSE),
            None => {
                tracing::error!(error = %trouble, "what is kept of calls waits for the database");
                FIRST_PAUSE
            }
        };
        self.trouble = Some(pause);
        tokio::time::sleep(pause).await;
    }
}

impl Generations {
    /// What is there of an era is wiped before the next, and on disk with its first event: of the one before it nothing is left.
    fn begin_anew(&mut self) {
        let of_the_last = std::mem::take(&mut self.of_this_era);
        self.overwritten.extend(std::mem::replace(&mut self.of_the_last, of_the_last));
    }
}

/// When a call came of which it is known whose it was, or what the caller is called.
fn names_somebody(event: &Event) -> Option<i64> {
    match event {
        Event::Call(CallEvent { at, what: What::Came(came), .. })
            if came.customer.is_some() || came.alias.is_some() =>
        {
            Some(in_table(*at))
        }
        _ => None,
    }
}

async fn in_time(writing: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let late = || Err(Failure::Unreachable("it does not answer".to_owned()));
    tokio::time::timeout(BATCH_WITHIN, writing).await.unwrap_or_else(|_| late())
}

async fn places(transaction: &mut dyn Transaction, generations: &BTreeSet<u64>) -> Result<Places, Failure> {
    let all = Query::places(1, generations.len());
    let query = Query::new(format!("SELECT name, written FROM journals WHERE name IN ({all})"));
    let rows = transaction.run(query.with_all(generations.iter().map(name))).await?;
    let place = |mut row: database::Row| {
        let generation = u64::from_str_radix(&row.text(0)?, 16).unwrap_or_default();
        Ok((generation, row.int(1)?.unsigned_abs()))
    };
    rows.into_iter().map(place).collect()
}

async fn note(transaction: &mut dyn Transaction, places: Places) -> Result<(), Failure> {
    let row = |(generation, end): (u64, u64)| {
        vec![Value::from(name(&generation)), i64::try_from(end).unwrap_or(i64::MAX).into()]
    };
    let head = "INSERT INTO journals (name, written) VALUES";
    let tail = "ON CONFLICT (name) DO UPDATE SET written = \
                CASE WHEN excluded.written > journals.written THEN excluded.written ELSE journals.written END";
    transaction.insert(head, tail, places.into_iter().map(row).collect()).await
}

async fn forget(transaction: &mut dyn Transaction, generations: &BTreeSet<u64>) -> Result<(), Failure> {
    if generations.is_empty() {
        return Ok(());
    }
    let all = Query::places(1, generations.len());
    let query = Query::new(format!("DELETE FROM journals WHERE name IN ({all})"));
    transaction.run(query.with_all(generations.iter().map(name))).await.map(|_| ())
}

fn name(generation: &u64) -> String {
    format!("{generation:016x}")
}
