//! Who has changed customers: told at once, and never missed.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that fails here fails")]

use std::sync::atomic::{AtomicU64, Ordering};

use database::{Database, Failure, Place, Query, Since, Watch};
use tempfile::TempDir;

use What::{Beside, Customers};

/// A database as two processes have it open, and watched by the first.
struct Watched {
    ours: Database,
    others: Database,
    watch: Watch,
    folder: TempDir,
}

impl Watched {
    async fn new() -> Self {
        // Its temporary folder must be on a file system that tells what is in memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let place = Place::Sqlite(folder.path().join("hitoku.db"));
        let ours = Database::open(&place).await.unwrap();
        let others = Database::open(&place).await.unwrap();
        let watch = ours.watch().await.unwrap();
        Self { ours, others, watch, folder }
    }
}

/// Changes what has to do with customers, or something beside, of so many bytes or some more. It is another value each time:
/// SQLite commits nothing where nothing changes.
async fn write(database: &Database, what: What, bytes: usize) -> Result<(), Failure> {
    let mut transaction = database.begin().await?;
    if what == Customers {
        transaction.run(Query::new("DELETE FROM customers WHERE id = 'nobody'")).await?;
    }
    static TIMES: AtomicU64 = AtomicU64::new(0);
    let times = TIMES.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let head = "INSERT INTO secrets (name, key_id, sealed) VALUES";
    let tail = "ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed";
    for at in 0..=bytes / 8000 {
        let row = vec![format!("{at}").into(), "k".into(), times.repeat(bytes.min(1000)).into()];
        transaction.insert(head, tail, vec![row]).await?;
    }
    transaction.commit().await
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Customers,
    Beside,
}

fn told(since: &Since) -> (bool, bool) {
    (since.holds(), since.is_over())
}

const NOBODY: (bool, bool) = (true, false);
const SOMEBODY: (bool, bool) = (false, true);

#[tokio::test]
async fn what_this_process_keeps_of_calls_changes_no_customer() {
    let Watched { ours, others, watch, folder: _folder } = Watched::new().await;
    let since = watch.begin().unwrap();
    assert_eq!(told(&since), NOBODY);
    // Much more than the log's length, and than fits into memory: pages go into the log, which begins anew, before the commit.
    for bytes in [1, 1, 6_000_000, 1, 12_000_000, 1] {
        write(&ours, Beside, bytes).await.unwrap();
        assert_eq!(told(&since), NOBODY, "{bytes} bytes");
    }
    let mut given_up = ours.begin().await.unwrap();
    given_up.run(Query::new("DELETE FROM secrets")).await.unwrap();
    drop(given_up);
    others.read(Query::new("SELECT * FROM secrets")).await.unwrap();
    // The next waits until that is over.
    write(&ours, Beside, 1).await.unwrap();
    assert_eq!(told(&since), NOBODY);
}

#[tokio::test]
async fn whatever_else_is_committed_may() {
    let Watched { ours, others, watch, folder: _folder } = Watched::new().await;
    for (database, what) in [(&ours, Customers), (&others, Beside), (&others, Customers)] {
        let before = watch.begin().unwrap();
        write(database, what, 1).await.unwrap();
        assert_eq!(told(&before), SOMEBODY, "{what:?}");
        let after = watch.begin().unwrap();
        write(&ours, Beside, 1).await.unwrap();
        assert_eq!((told(&before), told(&after)), (SOMEBODY, NOBODY), "{what:?}");
    }
    let before = watch.begin().unwrap();
    let mut slow = ours.begin().await.unwrap();
    slow.run(Query::new("DELETE FROM numbers")).await.unwrap();
    slow.run(Query::new("DELETE FROM secrets")).await.unwrap();
    assert!(before.holds() && watch.begin().is_none(), "not before it is committed");
    slow.commit().await.unwrap();
    assert_eq!(told(&before), SOMEBODY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_change_of_others_is_missed_between_two_of_ours() {
    let Watched { ours, others, watch, folder: _folder } = Watched::new().await;
    for _ in 0..200 {
        let since = loop {
            // While one of ours is under way, nothing begins.
            if let Some(since) = watch.begin() {
                break since;
            }
            tokio::task::yield_now().await;
        };
        let writing = tokio::spawn({
            let ours = ours.clone();
            async move {
                for _ in 0..4 {
                    write(&ours, Beside, 1).await.unwrap();
                    // It commits nothing, and another may do so in the same moment.
                    ours.begin().await.unwrap().commit().await.unwrap();
                }
            }
        });
        write(&others, Customers, 1).await.unwrap();
        assert!(!since.holds());
        writing.await.unwrap();
        assert_eq!(told(&since), SOMEBODY);
    }
}

#[tokio::test]
async fn it_is_closed_without_ending_the_locks_of_others_in_this_process() {
    let Watched { ours, others, watch, folder } = Watched::new().await;
    let file = folder.path().join("hitoku.db");
    let reading = others.begin().await.unwrap();
    drop((watch, ours));
    // Another process: one of this one would not be kept out by locks of files.
    let stranger = std::process::Command::new("python3")
        .args(["-c", STRANGER, &file.display().to_string()])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&stranger.stdout).trim(), "database is locked");
    drop(reading);
}

const STRANGER: &str = "import sqlite3, sys\n\
                        db = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n\
                        try: db.execute('BEGIN IMMEDIATE')\n\
                        except sqlite3.OperationalError as error: print(error)";
