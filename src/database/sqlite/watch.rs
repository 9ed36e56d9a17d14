//! Whether anybody else has committed since, told without asking SQLite.
//!
//! All processes that have the file open share the index of its write-ahead log, which begins with two copies of a header of
//! 48 bytes. Each commit changes both, before it returns: a counter of commits is in it, where the log ends, and a checksum
//! (SQLite's "WAL-mode File Format", 2.1). Where it is what it was, nothing was committed.
//!
//! Invariant: a transaction of ours is passed over only if SQLite itself says that nobody else has committed between its begin
//! and a look at the state after it (`PRAGMA data_version`). Whatever cannot be told counts as somebody else's.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::at_once;

/// What the header says.
pub(super) type State = [u8; LENGTH];

const LENGTH: usize = 48;
const COPIES: usize = 2 * LENGTH;

/// Watches a file. Clones share it.
#[derive(Clone)]
pub struct Watch(Arc<Log>);

/// A moment from which on it was watched.
pub struct Since {
    watch: Watch,
    moment: u64,
}

/// What was, when a transaction began.
pub(super) struct Before {
    state: Option<State>,
    /// SQLite's own count of what others have committed.
    version: i64,
}

pub(super) struct Log {
    index: &'static File,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Counts how often others had committed.
    moment: u64,
    /// After the last commit of ours.
    state: Option<State>,
    /// A transaction of ours is on its way, which may change the state before it ends.
    writing: bool,
}

impl Watch {
    /// `None` where its state cannot be told without waiting for a disk.
    pub(super) fn over(file: &Path) -> Option<Self> {
        let index = kept_open(&index_of(file).ok()?).ok()?;
        let log = Log { index, known: Mutex::default() };
        log.state()?;
        Some(Self(Arc::new(log)))
    }

    /// From now on; `None` if that cannot be told now.
    #[must_use]
    pub fn begin(&self) -> Option<Since> {
        let mut known = self.0.known();
        let state = self.0.state().filter(|_| !known.writing)?;
        if known.state != Some(state) {
            *known = Known { moment: known.moment + 1, state: Some(state), writing: false };
        }
        Some(Since { watch: self.clone(), moment: known.moment })
    }

    pub(super) fn log(&self) -> &Log {
        &self.0
    }
}

impl Since {
    /// Whether nobody has changed customers. It may say no in the moment of a commit that changes none; yes is certain.
    #[must_use]
    pub fn holds(&self) -> bool {
        let log = &self.watch.0;
        let state = log.state();
        let mut known = log.known();
        if known.moment == self.moment && state.is_some() && known.state == state {
            return true;
        }
        log.look_closer(&mut known);
        false
    }

    /// Whether somebody certainly may have changed customers, so that it never holds again.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let log = &self.watch.0;
        let mut known = log.known();
        log.look_closer(&mut known);
        known.moment != self.moment || known.state.is_none()
    }
}

impl Log {
    /// Nothing while it is being written, or if whoever wrote it was killed over it.
    pub(super) fn state(&self) -> Option<State> {
        let copies = at_once::read::<COPIES>(self.index, 0)?;
        let (one, other) = copies.split_at(LENGTH);
        (one == other).then(|| one.try_into().ok()).flatten()
    }

    /// This process may write from now on, and nobody else.
    pub(super) fn begun(&self, version: i64) -> Before {
        self.known().writing = true;
        Before { state: self.state(), version }
    }

    /// It may not any more.
    pub(super) fn ended(&self) {
        self.known().writing = false;
    }

    /// It may not any more, and what it wrote does not matter to who watches. `version` is asked after the look at the state: what
    /// others commit later, SQLite may tell or not.
    pub(super) fn ended_beside(&self, before: &Before, version: impl FnOnce() -> Option<i64>) {
        let after = self.state();
        let only_ours = before.state.is_some() && version() == Some(before.version);
        let mut known = self.known();
        known.writing = false;
        if only_ours && after.is_some() && known.state == before.state {
            known.state = after;
        }
    }

    /// Remembers that others have committed, once it is certain: a state may come again, after a crash. While this process
    /// writes, it is not.
    fn look_closer(&self, known: &mut Known) {
        // Again, now that no transaction of ours can begin or end.
        if !known.writing && self.state().is_some_and(|state| known.state != Some(state)) {
            known.state = None;
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SQLite follows links before it names it.
fn index_of(file: &Path) -> io::Result<PathBuf> {
    let mut index = fs::canonicalize(file)?.into_os_string();
    index.push("-shm");
    Ok(index.into())
}

/// Never closed again: to close it would end all locks that this process has on it, and SQLite's are among them (POSIX; "How To
/// Corrupt An SQLite Database File", 2.2). So each is opened once.
fn kept_open(index: &Path) -> io::Result<&'static File> {
    static KEPT: Mutex<BTreeMap<(u64, u64), &'static File>> = Mutex::new(BTreeMap::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let file = match kept.get(&id(fs::metadata(index)?)) {
        Some(file) => file,
        None => {
            let file: &'static File = Box::leak(Box::new(File::open(index)?));
            kept.insert(id(file.metadata()?), file);
            file
        }
    };
    at_once::prepare(file)?;
    Ok(file)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use rusqlite::Connection;
    use tempfile::TempDir;

    use super::super::connection::{Access, open};
    use super::super::version;
    use super::*;

    struct Two {
        ours: Connection,
        others: Connection,
        watch: Watch,
        _folder: TempDir,
    }

    impl Two {
        fn new() -> Self {
            // A temporary folder may be on a file system that does not tell what is in memory.
            let beside = std::env::current_exe().unwrap();
            let folder = tempfile::tempdir_in(beside.parent().unwrap()).unwrap();
            let file = folder.path().join("hitoku.db");
            let [ours, others] = [(), ()].map(|()| open(&file, Access::Write).unwrap());
            ours.execute_batch("CREATE TABLE t (x BLOB)").unwrap();
            Self { watch: Watch::over(&file).unwrap(), ours, others, _folder: folder }
        }

        fn begin(&self) -> Before {
            self.ours.execute_batch("BEGIN IMMEDIATE").unwrap();
            self.watch.log().begun(version(&self.ours).unwrap())
        }

        fn end(&self, before: &Before) {
            self.watch.log().ended_beside(before, || version(&self.ours).ok());
        }
    }

    const WRITE: &str = "INSERT INTO t VALUES (zeroblob(100))";

    #[test]
    fn what_others_commit_before_or_just_after_one_of_ours_is_not_passed_over() {
        for ours in [WRITE, ""] {
            let two = Two::new();
            let since = two.watch.begin().unwrap();
            let before = two.begin();
            two.ours.execute_batch(&format!("{ours}; COMMIT")).unwrap();
            two.others.execute_batch(WRITE).unwrap();
            two.end(&before);
            assert!(!since.holds() && since.is_over(), "just after {ours}");

            let since = two.watch.begin().unwrap();
            two.others.execute_batch(WRITE).unwrap();
            let before = two.begin();
            two.ours.execute_batch(&format!("{ours}; COMMIT")).unwrap();
            two.end(&before);
            assert!(!since.holds() && since.is_over(), "before {ours}");
        }
    }

    #[test]
    fn while_one_of_ours_writes_nothing_is_certain() {
        let two = Two::new();
        two.ours.execute_batch(&format!("{WRITE}; PRAGMA cache_size = 4")).unwrap();
        two.ours.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        let since = two.watch.begin().unwrap();
        let state = two.watch.log().state();
        let before = two.begin();
        // The log begins anew, with pages that are not committed yet.
        two.ours.execute_batch(&WRITE.replace("100", "1000000")).unwrap();
        assert_ne!(two.watch.log().state(), state);
        assert!(!since.holds() && !since.is_over() && two.watch.begin().is_none());
        two.ours.execute_batch("COMMIT").unwrap();
        two.end(&before);
        assert!(since.holds() && !since.is_over());
    }

    #[test]
    fn a_state_that_comes_again_is_not_the_same() {
        let two = Two::new();
        let since = two.watch.begin().unwrap();
        let state = two.watch.log().state();
        two.others.execute_batch(WRITE).unwrap();
        assert!(!since.holds());
        // After a crash it could: what is remembered is not that one any more.
        assert!(state.is_some() && two.watch.log().known().state.is_none());
        assert!(since.is_over());
    }
}
