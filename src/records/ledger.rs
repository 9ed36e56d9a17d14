//! The ledger: keeps what webhooks say on disk before they are answered, and writes it into the database afterwards.
//!
//! Two work for it. The *writer*, a thread, appends to a journal in the data folder: all that wait at once share one write and
//! one `fdatasync`. The *keeper*, a task, reads that journal again and writes the database in batches, as soon as and for as
//! long as it takes. Only the journal lies between them, so that memory stays flat however long the database is away.
//!
//! Invariant: what [`Ledger::keep`] has accepted comes into the database exactly once, whenever either is killed. Each frame
//! says its generation and lies at its place; the rows and the place reached are written in one transaction. And what the
//! database has is wiped from the journal, every moment and when the ledger is closed: whoever is erased is not to stay there,
//! or to go into another database, in which nobody was erased.

mod disk;
mod frame;
mod held;
mod keeper;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::future::ready;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::Either;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::{Audit, Event};
use disk::Disk;
use held::Held;
use keeper::Keeper;
use reader::Reader;
use writer::{Order, Writer};

/// Keeps what webhooks say. Clones share it.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

/// The event is not on disk. It is in memory, if there was room, and will be kept as soon as that can be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// The disk is full.
    #[error("the disk that holds {} is full; free some space", .0.display())]
    Full(PathBuf),
    /// It cannot be written.
    #[error("{} cannot be written: {why}; check the disk, and that it is not mounted read-only", .file.display())]
    Unwritable {
        /// The journal.
        file: PathBuf,
        /// What the system says.
        why: String,
    },
    /// It does not answer, and too many wait already. This event is lost.
    #[error("the disk that holds {} does not answer; check the disk", .0.display())]
    Stuck(PathBuf),
    /// It is too large for an event, whose texts are names and ids. This event is lost.
    #[error("an event of {0} bytes is too large to be kept; look at the directory's ids")]
    TooLarge(usize),
    /// The ledger has been closed. This event is lost.
    #[error("the server is about to end, and keeps nothing any more")]
    Closed,
}

/// The journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum CannotOpen {
    /// Another server has it.
    #[error("another server uses the data folder {}; end it, or give this one another folder", .0.display())]
    Taken(PathBuf),
    /// The system does not let us.
    #[error("the journal {} cannot be opened: {why}; check the rights of its folder, and the disk", .file.display())]
    Unusable {
        /// The journal.
        file: PathBuf,
        /// What the system says.
        why: io::Error,
    },
}

/// At the end, not all was in the database. What is in the journal follows at the next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the database has not taken all that was kept: it follows from the journal at the next start, but for {lost} events \
     that were only in memory"
)]
pub struct Unsettled {
    /// So many could not be kept in the journal, and are lost.
    pub lost: usize,
}

/// How far the journal reaches, or how far it is in the database: it begins anew from time to time, which is an era.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Reached {
    era: u64,
    end: u64,
}

struct Inner {
    file: PathBuf,
    orders: SyncSender<Order>,
    journaled: watch::Receiver<Reached>,
    written: watch::Receiver<Reached>,
    held: Arc<Held>,
    /// How many wait for the database, which then is written at once.
    hurry: watch::Sender<usize>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

/// What a ledger is made on; tests make it on less.
struct Ground<D> {
    file: PathBuf,
    disk: D,
    reader: Reader,
    /// So much of the disk is taken at once, and when the journal is longer, it begins anew.
    reserve: u64,
    /// So often what the database has is wiped while calls come, and so long after the last one.
    idle: Duration,
}

const NAME: &str = "calls.journal";
/// Some forty thousand events: so many can be kept when the disk is full already.
const RESERVE: u64 = 4 << 20;
const IDLE: Duration = Duration::from_secs(1);
/// For a thread that has nothing more to do than to end.
const LAST_MOMENT: Duration = Duration::from_millis(100);
/// More that wait for the disk are not answered anyway.
const MOST_WAITING: usize = 16_384;

impl Ledger {
    /// The journal in this folder.
    #[must_use]
    pub fn file_in(folder: &Path) -> PathBuf {
        folder.join(NAME)
    }

    /// Whether a server has the journal in this folder open; `None` if that cannot be told.
    #[must_use]
    pub fn is_in_use(folder: &Path) -> Option<bool> {
        let journal = match File::open(Self::file_in(folder)) {
            Ok(journal) => journal,
            Err(error) => return (error.kind() == io::ErrorKind::NotFound).then_some(false),
        };
        match disk::lock(&journal, folder) {
            Ok(()) => Some(false),
            Err(disk::NotLocked::Taken(_)) => Some(true),
            Err(disk::NotLocked::Error(_)) => None,
        }
    }

    /// Whether the journal in this folder still says of one of these customers that they called, or of somebody with such an
    /// alias: what the database has is wiped from it every moment, and when the ledger is closed.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn names(folder: &Path, customers: &[String], alias: impl Fn(&str) -> bool) -> io::Result<bool> {
        match File::open(Self::file_in(folder)) {
            Ok(journal) => match Reader::new(journal).names(customers, alias) {
                // It began anew meanwhile: whoever wants to know looks again.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(true),
                named => named,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Opens the journal in this folder, which it makes if need be, and begins to write into the trail's database what it still
    /// holds. Runs in the runtime that calls it.
    ///
    /// # Errors
    /// The journal cannot be made, read or written, or another server has it.
    pub fn open(folder: &Path, audit: Audit) -> Result<Self, CannotOpen> {
        Self::open_before(folder, async { Some(audit) })
    }

    /// The same where the database is still to come: until then all is kept in the journal.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_before(
        folder: &Path,
        audit: impl Future<Output = Option<Audit>> + Send + 'static,
    ) -> Result<Self, CannotOpen> {
        let file = Self::file_in(folder);
        let unusable = |why| CannotOpen::Unusable { file: file.clone(), why };
        let disk = disk::open(folder, &file).map_err(unusable)?;
        disk::lock(&disk, folder).map_err(|why| match why {
            disk::NotLocked::Taken(folder) => CannotOpen::Taken(folder),
            disk::NotLocked::Error(why) => unusable(why),
        })?;
        let reader = Reader::new(disk.try_clone().map_err(unusable)?);
        let ground = Ground { file: file.clone(), disk, reader, reserve: RESERVE, idle: IDLE };
        Self::on(ground, audit).map_err(unusable)
    }

    /// Keeps an event, whether its end is waited for or not: then it is on disk, and will be in the database.
    ///
    /// # Errors
    /// It is not on disk. The log says so once, and once when that is mended; there is nothing to be done at each call.
    pub fn keep<E: Into<Event>>(&self, event: E) -> impl Future<Output = Result<(), NotKept>> + use<E> {
        match self.order(&event.into()) {
            Ok(answered) => Either::Left(answered.map(|answer| answer.unwrap_or(Err(NotKept::Closed)))),
            Err(error) => Either::Right(ready(Err(error))),
        }
    }

    /// Has it kept.
    fn order(&self, event: &Event) -> Result<oneshot::Receiver<Result<(), NotKept>>, NotKept> {
        let payload = event.write();
        if payload.len() > frame::LONGEST {
            return Err(NotKept::TooLarge(payload.len()));
        }
        let (answer, answered) = oneshot::channel();
        self.0.orders.try_send(Order::Keep(payload, answer)).map_err(|error| match error {
            TrySendError::Full(_) => NotKept::Stuck(self.0.file.clone()),
            TrySendError::Disconnected(_) => NotKept::Closed,
        })?;
        Ok(answered)
    }

    /// Waits until all that has been kept is in the database. That may be never.
    pub async fn settled(&self) {
        let _hurry = self.0.hurry();
        let (mut journaled, mut written) = (self.0.journaled.clone(), self.0.written.clone());
        while self.0.held.count() > 0 {
            // Either may take what is in memory.
            let ended = tokio::select! {
                ended = journaled.changed() => ended,
                ended = written.changed() => ended,
            };
            if ended.is_err() {
                return;
            }
        }
        let reached = *journaled.borrow();
        // An error: the keeper has ended, and nobody will settle it any more.
        let _ = written.wait_for(|written| *written >= reached).await;
    }

    /// Keeps what has been asked for, nothing more, and waits so long until all is in the database.
    ///
    /// # Errors
    /// The time was too short, or the database is not there.
    pub async fn close(&self, within: Duration) -> Result<(), Unsettled> {
        let _hurry = self.0.hurry();
        let Some(mut keeper) = self.0.keeper.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        let all = async {
            while matches!(self.0.orders.try_send(Order::End), Err(TrySendError::Full(_))) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            // It ends when the writer has, and all is written.
            let _ = (&mut keeper).await;
        };
        if tokio::time::timeout(within, all).await.is_ok() {
            return Ok(());
        }
        keeper.abort();
        let _ = keeper.await;
        // The writer ends too, now that nobody settles anything, and leaves the journal to the next server.
        let mut journaled = self.0.journaled.clone();
        let ended = async { while journaled.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(LAST_MOMENT, ended).await;
        Err(Unsettled { lost: self.0.held.count() })
    }

    fn on<D: Disk>(
        mut ground: Ground<D>,
        audit: impl Future<Output = Option<Audit>> + Send + 'static,
    ) -> io::Result<Self> {
        let found = ground.reader.recover()?;
        disk::reserve(&mut ground.disk, ground.reserve);
        let start = Reached { era: 0, end: found.end };
        let held = Arc::new(Held::default());
        let (orders, ordered) = sync_channel(MOST_WAITING);
        let (journaled, journaled_to) = watch::channel(start);
        let (written, written_to) = watch::channel(Reached::default());
        let (hurry, hurried) = watch::channel(0);
        let writer = Writer {
            file: ground.file.clone(),
            disk: ground.disk,
            reserve: ground.reserve,
            idle: ground.idle,
            clean: 0,
            used: found.used,
            wiped: false,
            wiped_at: Instant::now(),
            generation: frame::generation()?,
            reached: start,
            journaled,
            written: written_to.clone(),
            held: held.clone(),
            broken: false,
            urgent: urgent(ground.reserve),
            lost: 0,
            no_room_before: 0,
        };
        let (reader, urgent) = (ground.reader, urgent(ground.reserve));
        let (watched, keepers) = ((journaled_to.clone(), written, hurried), held.clone());
        let file = ground.file.clone();
        let keeper = async move {
            let Some(audit) = audit.await else { return };
            Keeper::new(reader, audit, watched, keepers, (file, found), urgent).run().await;
        };
        thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run(&ordered))?;
        let keeper = Mutex::new(Some(tokio::spawn(keeper)));
        let (journaled, written) = (journaled_to, written_to);
        Ok(Self(Arc::new(Inner { file: ground.file, orders, journaled, written, held, hurry, keeper })))
    }
}

/// A journal as long as this should begin anew soon, however much is going on.
fn urgent(reserve: u64) -> u64 {
    16 * reserve
}

impl Inner {
    fn hurry(&self) -> impl Drop + use<'_> {
        self.hurry.send_modify(|waiting| *waiting += 1);
        Hurry(&self.hurry)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The writer ends by itself, when nobody can order anything any more.
        if let Some(keeper) = self.keeper.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            keeper.abort();
        }
    }
}

struct Hurry<'a>(&'a watch::Sender<usize>);

impl Drop for Hurry<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ledger").field(&self.0.file).finish()
    }
}
