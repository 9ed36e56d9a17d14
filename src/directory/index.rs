//! Customers, found without asking the database, as long as nobody has changed any.
//!
//! In a file of its own is the hash of each number, with what a call needs to know. Whoever is found there costs one read of what
//! the system has in memory. Whoever is not is looked for in the database, and so is everybody while there is no such file: it
//! makes answers faster, and never others.
//!
//! Invariant: all of it is of one state of the customers, and nobody is found in it once that has changed, by whomever. So who
//! was erased, or given to another operator, is so at the next call.

mod file;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

use std::fmt;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use async_trait::async_trait;
use database::{Database, Failure, Query, Since};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use crate::{Customers, Directory, Entry, PhoneNumber, Silent};
use file::{Draft, File, Record};

/// Customers with an index. Clones share it.
#[derive(Clone)]
pub struct Indexed(Arc<LookedAfter>);

struct LookedAfter {
    shelf: Arc<Shelf>,
    looking_after: AbortHandle,
}

struct Shelf {
    customers: Customers,
    /// None while it is being made.
    index: RwLock<Option<Arc<Index>>>,
}

struct Index {
    file: File,
    since: Since,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
enum NoIndex {
    #[error("nobody can tell whether customers are being changed")]
    Unknown,
    #[error("customers were changed meanwhile")]
    Changed,
    #[error("somebody's triggers may change them with each call")]
    Triggers,
    #[error("a row is not what it should be")]
    Strange,
    #[error(transparent)]
    Database(#[from] Failure),
    #[error("its file: {0}")]
    File(#[from] io::Error),
}

/// How often it is looked after.
const EVERY: Duration = Duration::from_secs(1);
/// What took long to make is made anew only after so many times as long: customers may be changed all day.
const REST: u32 = 10;
/// A disk that is full, or cannot tell what is in memory, will be so for longer.
const A_WHILE: Duration = Duration::from_secs(60);
/// Rows at once: who calls meanwhile waits for no more.
const PAGE: usize = 200;
const ALL: &str = "SELECT n.hash, c.id, c.name, c.operator FROM numbers n JOIN customers c ON c.id = n.customer \
                   WHERE n.hash > $1 ORDER BY n.hash LIMIT $2";

/// Only SQLite is watched.
const TRIGGERS: &str = "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' LIMIT 1";

impl Indexed {
    /// Makes an index in this folder, in the background, and looks after it. Only within a runtime.
    #[must_use]
    pub fn new(customers: Customers, folder: &Path) -> Self {
        let shelf = Arc::new(Shelf { customers, index: RwLock::default() });
        let looking_after =
            tokio::spawn(look_after(Arc::downgrade(&shelf), folder.to_owned())).abort_handle();
        Self(Arc::new(LookedAfter { shelf, looking_after }))
    }

    /// Whether customers are found without asking the database now.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.0.shelf.index().is_some_and(|index| index.since.holds())
    }

    fn find(&self, number: &PhoneNumber) -> Option<Entry> {
        let index = self.0.shelf.index().filter(|index| index.since.holds())?;
        // A rotation that moves it from one to another changes customers.
        self.0.shelf.customers.keys().ring().keys().iter().find_map(|key| index.file.find(&key.hash(number)))
    }
}

impl Drop for LookedAfter {
    fn drop(&mut self) {
        self.looking_after.abort();
    }
}

#[async_trait]
impl Directory for Indexed {
    async fn look_up(&self, number: &PhoneNumber) -> Result<Option<Entry>, Silent> {
        match self.find(number) {
            Some(entry) => Ok(Some(entry)),
            None => self.0.shelf.customers.look_up(number).await,
        }
    }
}

impl Shelf {
    fn index(&self) -> Option<Arc<Index>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, index: Option<Index>) {
        let mut index = index.map(Arc::new);
        mem::swap(&mut *self.index.write().unwrap_or_else(PoisonError::into_inner), &mut index);
        // A long file takes a while to be freed, and its disk may hang.
        tokio::task::spawn_blocking(move || drop(index));
    }

    /// What is not right any more goes: somebody in it may have been erased. Says whether one is wanted.
    async fn tidy_up(&self) -> bool {
        if self.customers.database().watch().await.is_none() {
            return false;
        }
        // A file that was moved away changes no more, and is not what others have.
        let is_there = self.customers.database().read(Query::new("SELECT 1")).await.is_ok();
        if !is_there || self.index().is_some_and(|index| index.since.is_over()) {
            self.put(None);
        }
        is_there && self.index().is_none()
    }
}

/// Until nobody has it any more. Answers are right whether it does so often or never.
async fn look_after(shelf: Weak<Shelf>, folder: PathBuf) {
    let mut due = Instant::now();
    while let Some(shelf) = shelf.upgrade() {
        if shelf.tidy_up().await && due <= Instant::now() {
            let began = Instant::now();
            let mut rest = Duration::ZERO;
            match make(shelf.customers.database(), &folder).await {
                Ok(index) => shelf.put(Some(index)),
                Err(NoIndex::Unknown) => {}
                Err(why) => {
                    tracing::debug!(%why, "customers have no index, and are asked for in the database");
                    if matches!(why, NoIndex::File(_) | NoIndex::Strange | NoIndex::Triggers) {
                        rest = A_WHILE;
                    }
                }
            }
            due = Instant::now() + rest.max(began.elapsed() * REST);
        }
        // Whoever drops it last waits until the database is closed.
        drop(shelf);
        sleep(EVERY).await;
    }
}

async fn make(database: &Database, folder: &Path) -> Result<Index, NoIndex> {
    let watch = database.watch().await.ok_or(NoIndex::Unknown)?;
    let since = watch.begin().ok_or(NoIndex::Unknown)?;
    if !database.read(Query::new(TRIGGERS)).await?.is_empty() {
        return Err(NoIndex::Triggers);
    }
    let (mut draft, mut after) = (None, vec![]);
    loop {
        let began = Instant::now();
        let page = Query::new(ALL).with(&after[..]).with(PAGE as i64);
        let rows = database.read(page).await?;
        if since.is_over() {
            return Err(NoIndex::Changed);
        }
        let is_last = rows.len() < PAGE;
        let records: Option<Vec<Record>> = rows.into_iter().map(Record::of).collect();
        let records = records.ok_or(NoIndex::Strange)?;
        after = records.last().map(|last| last.hash.to_vec()).unwrap_or_default();
        let (so_far, folder) = (draft.take(), folder.to_owned());
        // On a thread for it: a disk may hang.
        let written = tokio::task::spawn_blocking(move || {
            let mut draft = so_far.map_or_else(|| Draft::new(&folder, &records, is_last), Ok)?;
            draft.add(&records)?;
            if is_last { draft.finish().map(Written::Whole) } else { Ok(Written::Some(draft)) }
        });
        match written.await.map_err(io::Error::other)?? {
            Written::Whole(file) => return Ok(Index { file, since }),
            Written::Some(so_far) => draft = Some(so_far),
        }
        // Half of the time is for those who call.
        sleep(began.elapsed()).await;
    }
}

enum Written {
    Some(Draft),
    Whole(File),
}

impl fmt::Debug for Indexed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Indexed").field("customers", &self.0.shelf.customers).finish_non_exhaustive()
    }
}
