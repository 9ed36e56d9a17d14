//! SQLite, in a file of our own.
//!
//! Its calls block, and a disk may hang, so each runs on a thread that belongs to the database: one for who reads, whom a
//! write-ahead log keeps from waiting for anybody, and one for who writes. A second one for who reads would cost more in
//! changes of threads than it brings: what is asked for is almost always in memory. The driver is `rusqlite`, because a lookup
//! is on the way of every call: a prepared statement costs a few microseconds there.

mod connection;
mod watch;
mod worker;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use rustix::fs::{StatVfs, StatVfsMountFlags};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tokio::time::Instant;

use crate::engine::{Deleted, Engine, Transaction};
use crate::{Failure, Query, Row, Value};
use connection::{Access, fetch, insert};
use watch::Before;
use worker::Worker;

pub use watch::{Since, Watch};

pub(crate) struct Sqlite {
    file: Arc<OpenFile>,
    reader: Worker,
    writer: Arc<AsyncMutex<Worker>>,
    /// Once somebody watches.
    watch: Arc<OnceLock<Watch>>,
}

impl Sqlite {
    pub(crate) fn open(file: &Path) -> Result<Self, Failure> {
        // SQLite calls it an I/O error when the disk has no room for what it shares with others, and a file that cannot be
        // opened when that may not be written.
        Self::opened(file).map_err(|failure| match failure {
            _ if is_full(file) => Failure::Full,
            Failure::Unopened(_) if is_read_only(file) => Failure::ReadOnly,
            failure => failure,
        })
    }

    fn opened(file: &Path) -> Result<Self, Failure> {
        // First, because it makes the file and its log, which readers do not.
        let writer = Worker::writing("records", connection::open(file, Access::Write)?)?;
        let reader = Worker::reading("directory", connection::open(file, Access::Read)?)?;
        Ok(Self {
            file: Arc::new(OpenFile::at(file)?),
            reader,
            writer: Arc::new(AsyncMutex::new(writer)),
            watch: Arc::default(),
        })
    }
}

/// Whether the disk has no room for another page or another file.
fn is_full(file: &Path) -> bool {
    disk(file).is_some_and(|disk| disk.f_bavail == 0 || disk.f_files > 0 && disk.f_favail == 0)
}

fn is_read_only(file: &Path) -> bool {
    disk(file).is_some_and(|disk| disk.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// That of the file's folder.
fn disk(file: &Path) -> Option<StatVfs> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    rustix::fs::statvfs(folder).ok()
}

/// Writes the log back into the file, and empties it. SQLite waits for who reads, and not for others who do the same.
fn checkpoint(connection: &Connection) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    loop {
        let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(Failure::Busy);
        }
        std::thread::sleep(MOMENT);
    }
}

/// Writes a log that has become long back into the file, as SQLite does by itself within a commit: here it is over already for
/// whoever watches.
fn write_back(connection: &Connection) {
    let pages = connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get::<_, i64>(1));
    let written = pages.and_then(|pages| match pages {
        LONG.. => connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())),
        _ => Ok(()),
    });
    // What is committed is on disk; the log goes on becoming longer, and the next commit tries again.
    if let Err(error) = written {
        tracing::debug!(%error, "the log cannot be written back");
    }
}

/// What SQLite says of what others have committed: another figure after each commit of theirs, and the same after ours.
fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// Whether a statement has to do with them, if only to read.
fn names_customers(sql: &str) -> bool {
    // A migration may change any table.
    ["customers", "numbers", "TABLE", "TRIGGER"].iter().any(|name| sql.contains(name))
}

/// In pages; SQLite's own measure.
const LONG: i64 = 1000;
/// As for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);
const MOMENT: Duration = Duration::from_millis(50);

/// Whether the disk has room for all of the file once more, which goes through the log, and for what others write meanwhile.
fn has_room_for_another(file: &Path) -> bool {
    let length = file.metadata().map_or(u64::MAX, |file| file.len());
    rustix::fs::statvfs(file).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) / 2 > length)
}

/// The file that is open, which may be moved or removed: what is written then goes nowhere.
struct OpenFile {
    path: PathBuf,
    id: (u64, u64),
    /// When it was last seen there.
    seen: Mutex<Instant>,
}

impl OpenFile {
    fn at(path: &Path) -> Result<Self, Failure> {
        let id = id(path).map_err(|error| Failure::Unreachable(format!("{}: {error}", path.display())))?;
        Ok(Self { path: path.to_owned(), id, seen: Mutex::new(Instant::now()) })
    }

    /// As of a second ago: readers are many.
    fn is_still_there_since_a_moment(&self) -> Result<(), Failure> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.elapsed() > SEEN_LATELY {
            self.is_still_there()?;
            *seen = Instant::now();
        }
        Ok(())
    }

    fn is_still_there(&self) -> Result<(), Failure> {
        match id(&self.path) {
            Ok(id) if id == self.id => Ok(()),
            _ => Err(Failure::Unreachable(format!(
                "{} was moved, removed or replaced while it was open: put it back, or start this program again",
                self.path.display()
            ))),
        }
    }
}

const SEEN_LATELY: Duration = Duration::from_secs(1);

fn id(path: &Path) -> std::io::Result<(u64, u64)> {
    let file = std::fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}

#[async_trait]
impl Engine for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn definition(&self, text: &str) -> String {
        text.replace("{bytes}", "BLOB").replace("{by key}", "WITHOUT ROWID")
    }

    async fn read(&self, query: Query) -> Result<Vec<Row>, Failure> {
        let file = self.file.clone();
        let read = move |connection: &Connection| {
            file.is_still_there_since_a_moment()?;
            fetch(connection, &query)
        };
        self.reader.ask(read).await
    }

    async fn begin(&self) -> Result<Box<dyn Transaction>, Failure> {
        let file = self.file.clone();
        // Open before it has begun: whoever waits for that may be gone when it has.
        let writer = self.writer.clone().lock_owned().await;
        let watch = self.watch.clone();
        let mut begun =
            Writing { writer, open: true, watch: watch.clone(), before: None, changes_customers: false };
        let begin = move |connection: &Connection| {
            file.is_still_there()?;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            let Some(watch) = watch.get() else { return Ok(None) };
            Ok(Some(watch.log().begun(version(connection)?)))
        };
        begun.before = begun.writer.ask(begin).await?;
        Ok(Box::new(begun))
    }

    async fn scrub(&self, _deleted: Deleted) -> Result<(), Failure> {
        let writer = self.writer.lock().await;
        let file = self.file.path.clone();
        writer
            .ask(move |connection| {
                // What is deleted is wiped, and not what a page keeps of rows that a split has moved to another.
                checkpoint(connection)?;
                let rewritten = if has_room_for_another(&file) {
                    connection.execute_batch("VACUUM").map_err(Failure::from)
                } else {
                    Err(Failure::Full)
                };
                // Also where that failed: its log must not stay as long as it has become.
                checkpoint(connection).and(rewritten)
            })
            .await
    }

    async fn damage(&self) -> Result<Option<String>, Failure> {
        let found = self.read(Query::new("PRAGMA quick_check(1)")).await?.pop();
        let found = found.map(|mut row| row.text(0)).transpose()?;
        Ok(found.filter(|found| found != "ok"))
    }

    async fn clock(&self) -> Result<Option<i64>, Failure> {
        Ok(None)
    }

    async fn watch(&self) -> Option<Watch> {
        if let Some(watch) = self.watch.get() {
            return Some(watch.clone());
        }
        let file = self.file.clone();
        let watch = move |_: &Connection| {
            let watch = Watch::over(&file.path);
            // Of this file, and of no other that was put into its place.
            file.is_still_there()?;
            Ok(watch)
        };
        let watch = self.reader.ask(watch).await.ok()??;
        Some(self.watch.get_or_init(|| watch).clone())
    }
}

struct Writing {
    writer: OwnedMutexGuard<Worker>,
    open: bool,
    watch: Arc<OnceLock<Watch>>,
    /// What who watches saw when it began.
    before: Option<Before>,
    /// Or may: something in it has to do with them.
    changes_customers: bool,
}

#[async_trait]
impl Transaction for Writing {
    async fn run(&mut self, query: Query) -> Result<Vec<Row>, Failure> {
        self.changes_customers |= names_customers(&query.sql);
        self.writer.ask(move |connection| fetch(connection, &query)).await
    }

    async fn insert(
        &mut self,
        head: &'static str,
        tail: &'static str,
        rows: Vec<Vec<Value>>,
    ) -> Result<(), Failure> {
        self.changes_customers |= names_customers(head);
        self.writer.ask(move |connection| insert(connection, head, tail, &rows)).await
    }

    async fn alone(&mut self, _: &'static str) -> Result<(), Failure> {
        // It is: SQLite has one writer.
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), Failure> {
        let before = self.before.take().filter(|_| !self.changes_customers);
        let watch = self.watch.clone();
        let commit = move |connection: &Connection| {
            connection.execute_batch("COMMIT")?;
            match (watch.get(), before) {
                (Some(watch), Some(before)) => watch.log().ended_beside(&before, || version(connection).ok()),
                (Some(watch), None) => watch.log().ended(),
                (None, _) => {}
            }
            write_back(connection);
            Ok(())
        };
        self.writer.ask(commit).await?;
        self.open = false;
        Ok(())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.open {
            // Before whatever the next transaction asks of the same thread.
            let watch = self.watch.clone();
            self.writer.tell(move |connection| {
                if let Err(error) = connection.execute_batch("ROLLBACK") {
                    tracing::debug!(%error, "SQLite had rolled back already");
                }
                if let Some(watch) = watch.get() {
                    watch.log().ended();
                }
            });
        }
    }
}
