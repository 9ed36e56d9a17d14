//! How fast an event is on disk, and how fast many come into SQLite. Run with `cargo bench -p records`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement reads the clock, prints, and fails where it cannot go on"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use database::{Database, Place};
use domain::{CallRef, Identity};
use records::{Audit, CallEvent, CallSid, Came, Ledger, Outcome, What};

const ALONE: u64 = 3_000;
const TOGETHER: u64 = 100_000;
/// Beyond the others.
const PACED: std::ops::Range<u64> = 10_000_000..10_010_000;
const LANES: u64 = 64;
const BACKLOG: u64 = 200_000;

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir_in(std::env::var_os("CARGO_TARGET_TMPDIR").unwrap_or(".".into())).unwrap();
    let folder = folder.path();
    begin(folder).await;
    let ledger = open(folder).await;
    let mut took = Vec::new();
    for call in 0..ALONE {
        let since = Instant::now();
        ledger.keep(came(call)).await.unwrap();
        took.push(since.elapsed());
    }
    report("one at a time, while the database is written", took);
    let mut paced = tokio::time::interval(Duration::from_micros(500));
    let mut keeping = tokio::task::JoinSet::new();
    for call in PACED {
        paced.tick().await;
        let ledger = ledger.clone();
        keeping.spawn(async move {
            let since = Instant::now();
            ledger.keep(came(call)).await.unwrap();
            since.elapsed()
        });
    }
    report("2000 a second, while the database is written", keeping.join_all().await);
    let since = Instant::now();
    let took = keep(&ledger, ALONE, TOGETHER).await;
    println!("{LANES} at a time: {:.0} events/s", rate(TOGETHER, since.elapsed()));
    report("each of them", took);
    ledger.settled().await;
    println!("kept and in SQLite: {:.0} events/s", rate(TOGETHER, since.elapsed()));
    ledger.close(Duration::MAX).await.unwrap();

    let other = Database::open(&place(folder)).await.unwrap();
    let locked = other.begin().await.unwrap();
    let ledger = open(folder).await;
    keep(&ledger, ALONE + TOGETHER, BACKLOG).await;
    let _ = ledger.close(Duration::ZERO).await;
    drop(locked);
    let ledger = open(folder).await;
    let since = Instant::now();
    ledger.settled().await;
    println!("a backlog into SQLite: {:.0} events/s", rate(BACKLOG, since.elapsed()));
    let since = Instant::now();
    let verdict = Audit::new(other, key()).verify().await.unwrap();
    assert!(verdict.is_sound() && verdict.entries == ALONE + 10_000 + TOGETHER + BACKLOG, "{verdict:?}");
    println!("the trail verified: {:.0} entries/s", rate(verdict.entries, since.elapsed()));
    ledger.close(Duration::MAX).await.unwrap();
}

async fn keep(ledger: &Ledger, first: u64, count: u64) -> Vec<Duration> {
    let mut keeping = tokio::task::JoinSet::new();
    for lane in 0..LANES {
        let ledger = ledger.clone();
        keeping.spawn(async move {
            let mut took = Vec::new();
            for call in (first + lane..first + count).step_by(usize::try_from(LANES).unwrap()) {
                let since = Instant::now();
                ledger.keep(came(call)).await.unwrap();
                took.push(since.elapsed());
            }
            took
        });
    }
    keeping.join_all().await.concat()
}

async fn begin(folder: &Path) {
    let database = Database::open(&place(folder)).await.unwrap();
    let mut transaction = database.begin().await.unwrap();
    Audit::new(database.clone(), key()).begin(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn open(folder: &Path) -> Ledger {
    let database = Database::open(&place(folder)).await.unwrap();
    Ledger::open(folder, Audit::new(database, key())).unwrap()
}

fn place(folder: &Path) -> Place {
    Place::Sqlite(folder.join("hitoku.db"))
}

fn key() -> secrecy::SecretBox<[u8; 32]> {
    Box::new([7; 32]).into()
}

/// CallSids are random.
fn came(call: u64) -> CallEvent {
    let mixed = u128::from(call + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let came = Came {
        call_ref: CallRef(format!("{call:016}")),
        customer: Some(format!("cust-{}", mixed >> 108)),
        alias: None,
        operator: Identity::parse("op_7").ok(),
        outcome: Outcome::Ringing,
    };
    let call_sid = CallSid::parse(&format!("CA{mixed:032x}")).unwrap();
    CallEvent { call_sid, at: 1_700_000_000_000 + call, what: What::Came(came) }
}

fn report(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let at = |share: usize| took[took.len() * share / 1000].as_secs_f64() * 1e3;
    println!("{what}: median {:.3} ms, p99 {:.3} ms, p99.9 {:.3} ms", at(500), at(990), at(999));
}

fn rate(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
