mod anew;
mod away;
mod erased;
mod full;
mod killed;
mod stuck;
mod torn;
mod wiped;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use database::{Database, Place};
use domain::CallRef;

use super::*;
use crate::audit::{Filter, Kept};
use crate::{CallEvent, CallSid, Came, Outcome, What};

/// A data folder, with SQLite in it.
struct House {
    folder: tempfile::TempDir,
    place: Place,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Sqlite(folder.path().join("hitoku.db"));
        Self { folder, place }
    }

    fn journal(&self) -> std::path::PathBuf {
        self.folder.path().join(NAME)
    }

    async fn database(&self) -> Database {
        database(&self.place).await
    }

    async fn open(&self) -> Ledger {
        let database = self.database().await;
        Ledger::open(self.folder.path(), audit(&database)).unwrap()
    }

    /// With this disk, and so small that it often begins anew.
    async fn on<D: Disk>(&self, reserve: u64, disk: impl FnOnce(File) -> D) -> Ledger {
        on(&self.place, self.folder.path(), reserve, disk).await
    }

    /// What the trail has of each call, after it was found whole.
    async fn trail(&self) -> BTreeMap<String, Vec<String>> {
        trail(&audit(&self.database().await)).await
    }
}

/// With a trail that has begun.
async fn database(place: &Place) -> Database {
    let database = Database::open(place).await.unwrap();
    let mut transaction = database.begin().await.unwrap();
    audit(&database).begin(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    database
}

async fn on<D: Disk>(place: &Place, folder: &Path, reserve: u64, disk: impl FnOnce(File) -> D) -> Ledger {
    let database = database(place).await;
    let file = folder.join(NAME);
    let opened = disk::open(folder, &file).unwrap();
    let reader = Reader::new(opened.try_clone().unwrap());
    let ground = Ground { file, disk: disk(opened), reader, reserve, idle: Duration::from_millis(5) };
    let audit = audit(&database);
    Ledger::on(ground, async { Some(audit) }).unwrap()
}

async fn trail(audit: &Audit) -> BTreeMap<String, Vec<String>> {
    let verdict = audit.verify().await.unwrap();
    assert!(verdict.is_sound(), "{verdict:?}");
    let mut calls = BTreeMap::<String, Vec<String>>::new();
    for Kept { subject, detail, .. } in audit.list(&Filter::default(), u32::MAX).await.unwrap() {
        calls.entry(subject).or_default().push(detail);
    }
    calls
}

fn audit(database: &Database) -> Audit {
    Audit::new(database.clone(), Box::new([7; 32]).into())
}

fn came(call: u64) -> CallEvent {
    let came = Came {
        call_ref: CallRef(format!("{call:016}")),
        customer: Some(format!("cust-{call}")),
        alias: None,
        operator: None,
        outcome: Outcome::Ringing,
    };
    CallEvent { call_sid: sid(call), at: 1_700_000_000_000 + call, what: What::Came(came) }
}

fn sid(call: u64) -> CallSid {
    CallSid::parse(&format!("CA{call:032x}")).unwrap()
}

fn once_each(trail: &BTreeMap<String, Vec<String>>, calls: std::ops::Range<u64>) {
    let expected: Vec<_> = calls.map(|call| sid(call).to_string()).collect();
    assert_eq!(trail.keys().cloned().collect::<Vec<_>>(), expected);
    assert!(trail.values().all(|entries| entries.len() == 1), "{trail:?}");
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<(Mutex<String>, tokio::sync::Notify)>);

impl Log {
    /// Of the whole process: the writer is a thread of its own. Its lines name the folder.
    fn of_all_threads() -> Self {
        static LOG: std::sync::LazyLock<Log> = std::sync::LazyLock::new(|| {
            let log = Log::default();
            tracing::subscriber::set_global_default(log.subscriber()).unwrap();
            log
        });
        LOG.clone()
    }

    fn subscriber(&self) -> impl tracing::Subscriber + use<> {
        let log = self.clone();
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone()).finish()
    }

    fn lines(&self, with: &str) -> Vec<String> {
        let text = self.0.0.lock().unwrap();
        text.lines().filter(|line| line.contains(with)).map(str::to_owned).collect()
    }

    async fn said(&self, words: &str) {
        while self.lines(words).is_empty() {
            self.0.1.notified().await;
        }
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.0.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
        self.0.1.notify_one();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
