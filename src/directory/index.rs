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
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::time::Duration;
use std::{io, mem};

use async_trait::async_trait;
use database::{Database, Failure, Query, Since, Watch};
use tokio::time::{Instant, sleep};

use crate::{Customers, Directory, Entry, PhoneNumber, Silent};
use file::{Draft, File, Record};

/// Customers with an index. Clones share it.
#[derive(Clone)]
pub struct Indexed(Arc<Shelf>);

struct Shelf {
    customers: Customers,
    /// None while it is being made.
    index: RwLock<Option<Index>>,
}

struct Index {
    file: File,
    since: Since,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
enum NoIndex {
    #[error("customers were changed meanwhile")]
    Changed,
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
/// Rows at once: who calls meanwhile waits for no more.
const PAGE: usize = 200;
const ALL: &str = "SELECT n.hash, c.id, c.name, c.operator FROM numbers n JOIN customers c ON c.id = n.customer \
                   WHERE n.hash > $1 ORDER BY n.hash LIMIT $2";

impl Indexed {
    /// Makes an index in this folder, in the background, and looks after it. Only within a runtime.
    #[must_use]
    pub fn new(customers: Customers, folder: &Path) -> Self {
        let shelf = Arc::new(Shelf { customers, index: RwLock::default() });
        tokio::spawn(look_after(Arc::downgrade(&shelf), folder.to_owned()));
        Self(shelf)
    }

    /// Whether customers are found without asking the database now.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.0.index().as_ref().is_some_and(Index::is_current)
    }

    fn find(&self, number: &PhoneNumber) -> Option<Entry> {
        let hash = self.0.customers.keys().only_hash(number)?;
        // Held for no longer than a read of memory takes.
        self.0.index().as_ref().filter(|index| index.is_current())?.file.find(&hash)
    }
}

#[async_trait]
impl Directory for Indexed {
    async fn look_up(&self, number: &PhoneNumber) -> Result<Option<Entry>, Silent> {
        match self.find(number) {
            Some(entry) => Ok(Some(entry)),
            None => self.0.customers.look_up(number).await,
        }
    }
}

impl Shelf {
    fn index(&self) -> RwLockReadGuard<'_, Option<Index>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, mut index: Option<Index>) {
        mem::swap(&mut *self.index.write().unwrap_or_else(PoisonError::into_inner), &mut index);
        // A long file takes a while to be freed, and its disk may hang.
        tokio::task::spawn_blocking(move || drop(index));
    }
}

impl Index {
    fn is_current(&self) -> bool {
        self.since.nobody_has_changed_customers()
    }

    fn is_outdated(&self) -> bool {
        self.since.somebody_may_have_changed_customers()
    }
}

/// Until nobody has it any more.
async fn look_after(shelf: Weak<Shelf>, folder: PathBuf) {
    let Some(database) = shelf.upgrade().map(|shelf| shelf.customers.database().clone()) else { return };
    let Some(watch) = database.watch().await else { return };
    let mut due = Instant::now();
    while let Some(shelf) = shelf.upgrade() {
        // A file that was moved away changes no more, and is not what others have.
        let is_there = database.read(Query::new("SELECT 1")).await.is_ok();
        if !is_there || shelf.index().as_ref().is_some_and(Index::is_outdated) {
            // Somebody in it may have been erased.
            shelf.put(None);
        }
        if is_there && shelf.index().is_none() && due <= Instant::now() {
            let began = Instant::now();
            match make(&database, &watch, &folder).await {
                Ok(index) => shelf.put(Some(index)),
                Err(why) => {
                    tracing::debug!(%why, "customers have no index, and are asked for in the database");
                }
            }
            due = Instant::now() + began.elapsed() * REST;
        }
        drop(shelf);
        sleep(EVERY).await;
    }
}

async fn make(database: &Database, watch: &Watch, folder: &Path) -> Result<Index, NoIndex> {
    let since = watch.begin().ok_or(NoIndex::Changed)?;
    let (mut draft, mut after) = (None, vec![]);
    loop {
        let began = Instant::now();
        let page = Query::new(ALL).with(&after[..]).with(PAGE as i64);
        let rows = database.read(page).await?;
        if since.somebody_may_have_changed_customers() {
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
        f.debug_struct("Indexed").field("customers", &self.0.customers).finish_non_exhaustive()
    }
}
