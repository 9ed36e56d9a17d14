//! Killed while it keeps events as fast as it can, it has lost nothing that it accepted, and doubled nothing.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use super::*;

const KILLED_IN: &str = "HITOKU_KILLED_IN";
const FIRST: &str = "HITOKU_FIRST";
const TIMES: u64 = 20;

#[tokio::test]
async fn whatever_was_accepted_is_there_once_however_it_is_killed() {
    let house = House::new();
    drop(house.database().await);
    let mut accepted = BTreeSet::new();
    for time in 0..TIMES {
        // From a few milliseconds of work to a second of it.
        let lines = frame::generation().unwrap() as usize % (1 << (1 + time % 12));
        accepted.extend(killed_after(lines, time, house.folder.path()));
        // Every other time the next child finds what this one has left.
        if time % 2 == 1 {
            house.on(8192, |file| file).await.close(Duration::MAX).await.unwrap();
            let trail = house.trail().await;
            let lost: Vec<_> = accepted.iter().filter(|sid| !trail.contains_key(*sid)).collect();
            assert!(lost.is_empty(), "{lost:?} of {}", accepted.len());
            assert!(trail.values().all(|entries| entries.len() == 1));
            assert_eq!(crate::calls::count(&house.database().await).await.unwrap(), trail.len() as u64);
        }
    }
    assert!(accepted.len() > 1000, "{}", accepted.len());
}

/// What the child has printed when it is killed, which it is after so many lines.
fn killed_after(lines: usize, time: u64, folder: &Path) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ledger::tests::killed::keeps_until_it_is_killed", "--nocapture"])
        .env(KILLED_IN, folder)
        .env(FIRST, (time * 1_000_000).to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    for _ in 0..4 + lines {
        assert!(output.read_line(&mut text).unwrap() > 0, "it has ended by itself: {text}");
    }
    child.kill().unwrap();
    output.read_to_string(&mut text).unwrap();
    child.wait().unwrap();
    // The last may be half a line.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().filter(|line| CallSid::parse(line).is_some()).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_until_it_is_killed() {
    let Some(folder) = std::env::var_os(KILLED_IN) else { return };
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let place = Place::Sqlite(Path::new(&folder).join("hitoku.db"));
    let ledger = on(&place, Path::new(&folder), 8192, |file| file).await;
    let mut keeping = tokio::task::JoinSet::new();
    for lane in 0..32 {
        let ledger = ledger.clone();
        keeping.spawn(async move {
            for call in 0.. {
                let call = first + call * 32 + lane;
                ledger.keep(came(call)).await.unwrap();
                // Not the macro, whose output belongs to the test.
                writeln!(io::stdout().lock(), "{}", sid(call)).unwrap();
            }
        });
    }
    keeping.join_all().await;
}
