//! Appends to the journal: all that wait at once, with one write and one `fdatasync`.
//!
//! Invariant: who is told that an event is kept is told after the disk has said so. After a failure the file is cut back to
//! where it was good, so that nothing of what failed is ever read. Only what the keeper has written is wiped.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::disk::{self, Disk};
use super::held::Held;
use super::{NotKept, Reached, frame};

pub(super) enum Order {
    Keep(Vec<u8>, oneshot::Sender<Result<(), NotKept>>),
    End,
}

pub(super) struct Writer<D> {
    pub(super) file: PathBuf,
    pub(super) disk: D,
    pub(super) reserve: u64,
    /// See [`Ground::idle`](super::Ground::idle).
    pub(super) idle: Duration,
    /// The file has only zeros before this, and may have something else up to `used`.
    pub(super) clean: u64,
    pub(super) used: u64,
    /// It was tried to wipe it since the last event.
    pub(super) wiped: bool,
    /// When a part of it was wiped that the database has.
    pub(super) wiped_at: Instant,
    pub(super) generation: u64,
    pub(super) reached: Reached,
    pub(super) journaled: watch::Sender<Reached>,
    pub(super) written: watch::Receiver<Reached>,
    pub(super) held: Arc<Held>,
    pub(super) broken: bool,
    /// From this length on it waits a moment for the keeper, so as to begin anew.
    pub(super) urgent: u64,
    /// Since it is broken, so many were lost for want of memory.
    pub(super) lost: usize,
    /// Up to here the disk has refused to make room.
    pub(super) no_room_before: u64,
}

/// What is written at once.
#[derive(Default)]
struct Batch {
    payloads: Vec<Vec<u8>>,
    waiting: Vec<oneshot::Sender<Result<(), NotKept>>>,
    last: bool,
}

/// How often a disk is tried again that nobody else asks for anything.
const AGAIN: Duration = Duration::from_millis(500);
const MOST_AT_ONCE: usize = 4096;
/// Between two looks at whether all is written, at the end.
const LOOK: Duration = Duration::from_millis(1);
/// Once in half a million events, if there was never a moment in which all was written.
const MOMENT: Duration = Duration::from_millis(50);
const NEARLY_ALL: u64 = 256 << 10;

impl<D: Disk> Writer<D> {
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        loop {
            let mut batch = Batch::default();
            match self.wait(orders) {
                Ok(order) => batch.add(order),
                Err(RecvTimeoutError::Timeout) => self.wipe(),
                Err(RecvTimeoutError::Disconnected) => return self.keep(batch),
            }
            while batch.payloads.len() < MOST_AT_ONCE && !batch.last {
                let Ok(order) = orders.try_recv() else { break };
                batch.add(order);
            }
            let last = batch.last;
            self.keep(batch);
            if last {
                return self.end();
            }
        }
    }

    fn wait(&self, orders: &Receiver<Order>) -> Result<Order, RecvTimeoutError> {
        if self.held.waiting() {
            return orders.recv_timeout(AGAIN);
        }
        if self.used > 0 && !self.wiped {
            return orders.recv_timeout(self.idle);
        }
        orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
    }

    /// Waits until all is written, or nobody writes any more.
    fn end(mut self) {
        while *self.written.borrow() != self.reached && self.written.has_changed().is_ok() {
            thread::sleep(LOOK);
        }
        self.wipe();
    }

    fn keep(&mut self, batch: Batch) {
        let held = self.held.take(MOST_AT_ONCE);
        if held.is_empty() && batch.payloads.is_empty() {
            return;
        }
        let kept = self.append(held.iter().chain(&batch.payloads));
        match &kept {
            Ok(()) => self.held.done(held.len()),
            Err(_) => self.held.back(held),
        }
        let kept = kept.map_err(|why| self.in_words(&why));
        self.tell(&kept, batch.payloads);
        self.journaled.send_replace(self.reached);
        for waiting in batch.waiting {
            // Who does not wait any more does not mind.
            let _ = waiting.send(kept.clone());
        }
    }

    /// Says in the log when it begins to fail, and when it works again.
    fn tell(&mut self, kept: &Result<(), NotKept>, payloads: Vec<Vec<u8>>) {
        let Err(why) = kept else {
            let lost = std::mem::take(&mut self.lost);
            if std::mem::take(&mut self.broken) {
                tracing::info!(file = %self.file.display(), lost, "the journal is written again");
            }
            return;
        };
        if !std::mem::replace(&mut self.broken, true) {
            tracing::error!(error = %why, "calls are answered, but what is kept of them is only in memory");
        }
        let lost = self.held.add(payloads);
        if lost > 0 && self.lost == 0 {
            tracing::error!(error = %why, "memory is full too: calls are answered, but nothing is kept of them");
        }
        self.lost += lost;
    }

    fn append<'a>(&mut self, payloads: impl Iterator<Item = &'a Vec<u8>>) -> io::Result<()> {
        if let Err(error) = self.begin_anew() {
            tracing::debug!(%error, "the journal goes on where it is");
        }
        // Now, because a sync follows.
        if self.wiped_at.elapsed() >= self.idle
            && let Err(error) = self.wipe_written()
        {
            tracing::debug!(%error, "what the database has is still in the journal");
        }
        let mut bytes = Vec::with_capacity(4096);
        for payload in payloads {
            frame::put(self.generation, payload, &mut bytes);
        }
        let at = self.reached.end;
        let end = at + bytes.len() as u64;
        self.make_room(end);
        (self.used, self.wiped) = (self.used.max(end), false);
        if let Err(error) = self.disk.write(&bytes, at).and_then(|()| self.disk.sync()) {
            if let Err(error) = self.disk.cut(at) {
                tracing::debug!(%error, "the journal cannot be cut back");
            }
            // The zeros are perhaps not on disk either.
            self.clean = 0;
            return Err(error);
        }
        self.reached.end = end;
        Ok(())
    }

    /// For some thousand events at once: to sync a file that has grown takes a third longer.
    fn make_room(&mut self, end: u64) {
        let room = self.reserve / 16;
        let needed = end > self.no_room_before && self.disk.length().is_ok_and(|length| length < end);
        if needed && !disk::reserve(&mut self.disk, end + room) {
            // A full disk is not asked at each event.
            self.no_room_before = end + room;
        }
    }

    /// Where the file begins, once the database has all and that is much. What a crash leaves of it is known by its generation.
    fn begin_anew(&mut self) -> io::Result<()> {
        if self.reached.end < self.reserve || !self.all_is_written() {
            return Ok(());
        }
        let generation = frame::generation()?;
        if self.disk.length()? > self.reserve {
            self.disk.cut(self.reserve)?;
        }
        self.wipe_rest()?;
        self.begin(generation, 1);
        Ok(())
    }

    fn begin(&mut self, generation: u64, eras: u64) {
        self.generation = generation;
        self.reached = Reached { era: self.reached.era + eras, end: 0 };
        (self.clean, self.used) = (0, 0);
        self.urgent = super::urgent(self.reserve);
        self.no_room_before = 0;
    }

    /// While calls go on: whoever is erased is not to be in the file until nobody calls any more.
    fn wipe_written(&mut self) -> io::Result<()> {
        self.wiped_at = Instant::now();
        let written = *self.written.borrow();
        if written.era == self.reached.era && written.end > self.clean {
            disk::wipe(&mut self.disk, self.clean..written.end)?;
            self.clean = written.end;
        }
        Ok(())
    }

    /// After it may have been cut.
    fn wipe_rest(&mut self) -> io::Result<()> {
        let used = self.used.min(self.disk.length()?);
        disk::wipe(&mut self.disk, self.clean..used)
    }

    /// Leaves nothing in the file, if the database has all of it.
    fn wipe(&mut self) {
        if self.used == 0 || *self.written.borrow() != self.reached {
            return;
        }
        if let Err(error) = self.wipe_all() {
            tracing::debug!(%error, "what the database has is still in the journal");
        }
    }

    fn wipe_all(&mut self) -> io::Result<()> {
        self.wiped = true;
        let generation = frame::generation()?;
        if self.disk.length()? > self.reserve {
            self.disk.cut(self.reserve)?;
        }
        self.wipe_rest()?;
        self.disk.sync()?;
        // As if one had been written over this one: of neither anything is left.
        self.begin(generation, 2);
        self.journaled.send_replace(self.reached);
        Ok(())
    }

    fn all_is_written(&mut self) -> bool {
        let written = *self.written.borrow();
        if written == self.reached || self.reached.end < self.urgent {
            return written == self.reached;
        }
        if written.era == self.reached.era && self.reached.end - written.end < NEARLY_ALL {
            for _ in 0..MOMENT.as_millis() {
                if *self.written.borrow() == self.reached {
                    return true;
                }
                thread::sleep(Duration::from_millis(1));
            }
        }
        self.urgent = self.reached.end + self.reserve;
        false
    }

    fn in_words(&self, why: &io::Error) -> NotKept {
        let file = self.file.clone();
        match why.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                NotKept::Full(file)
            }
            _ => NotKept::Unwritable { file, why: why.to_string() },
        }
    }
}

impl Batch {
    fn add(&mut self, order: Order) {
        match order {
            Order::Keep(payload, waiting) => {
                self.payloads.push(payload);
                self.waiting.push(waiting);
            }
            Order::End => self.last = true,
        }
    }
}
