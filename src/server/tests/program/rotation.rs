//! Keys rotate in another process while calls come in, and again after that process was killed in the middle.

use std::fmt::Write;
use std::fs;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use database::{Database, Query};
use tokio::task::JoinSet;

use crate::callers::{Twilio, UNKNOWN, sid};
use crate::program::{Home, KOSHII, ONEIL, SHEET, STRANGER};

/// So many that a rotation takes some tenths of a second.
pub(crate) const CUSTOMERS: usize = 20_000;
const CALLERS: u64 = 4;
const TIMES: usize = 3;

/// The customers of [`SHEET`], and so many more.
pub(crate) fn large_sheet(customers: usize) -> String {
    let mut text = SHEET.to_owned();
    for customer in 0..customers {
        let number = 10_000_000 + customer * 37;
        writeln!(text, "c-{customer},客,user003,+8190{number:08}").unwrap();
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn rotated_while_calls_come_in_every_customer_is_known_also_when_it_is_killed_and_said_again() {
    let home = Home::empty().with("RUST_LOG", "info");
    assert!(home.import(&large_sheet(CUSTOMERS)).well);
    let server = home.serve().await;
    let (done, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut calling = JoinSet::new();
    for caller in 0..CALLERS {
        let (twilio, done, calls) = (Twilio::at(&server).await, done.clone(), calls.clone());
        calling.spawn(async move {
            for call in 0.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                let (from, operator) =
                    [(KOSHII, "user001"), (ONEIL, "user002"), ("+819010000370", "user003")]
                        [call as usize % 3];
                let twiml = twilio.call(sid(caller << 32 | call), from).await;
                assert!(twiml.contains(&format!("<Identity>{operator}</Identity>")), "{twiml}");
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let database = home.kept().await.database;
    let first = keys(&database).await;
    assert_eq!(first.len(), 1);
    for time in 0..TIMES {
        let before = calls.load(Ordering::Relaxed);
        killed_in_the_middle(&home, &database).await;
        let said = home.run(&["doctor"]).out;
        assert!(said.contains("a rotation has begun: run `hitoku keys rotate` again"), "{said}");
        let said = home.run(&["keys", "rotate"]);
        assert!(said.well && said.out.contains("begun before was finished"), "{time}: {said:?}");
        assert_eq!(keys(&database).await.len(), 1);
        assert!(calls.load(Ordering::Relaxed) > before, "calls come in meanwhile");
    }
    // And once without being cut off.
    let last = keys(&database).await;
    let said = home.run(&["keys", "rotate"]);
    assert!(said.well && said.out.contains(&format!("{} numbers and notes", CUSTOMERS + 2)), "{said:?}");
    assert!(
        said.out.contains("Copy ") && said.out.contains("number.key to where you keep its copy"),
        "{said:?}"
    );
    assert!(keys(&database).await != last && last != first);
    done.store(true, Ordering::Relaxed);
    calling.join_all().await;
    assert!(Twilio::at(&server).await.call(sid(u64::MAX), STRANGER).await.contains(UNKNOWN));
    server.end().await;
    let text = fs::read_to_string(home.data().join("number.key")).unwrap();
    assert_eq!(text.lines().count(), 1, "the old keys are gone");
    assert!(home.run(&["audit", "verify"]).well);
    home.assert_sealed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_is_gone_is_missed_once_and_calls_go_on() {
    let home = Home::peopled();
    let server = home.serve().await;
    let twilio = Twilio::at(&server).await;
    let (file, elsewhere) = (home.data().join("number.key"), home.data().join("moved.key"));
    fs::rename(&file, &elsewhere).unwrap();
    for call in 0..3 {
        assert!(twilio.call(sid(2 * call), STRANGER).await.contains(UNKNOWN));
        assert!(twilio.call(sid(2 * call + 1), KOSHII).await.contains("user001"));
    }
    let error = server.says("the key file has changed").await;
    assert!(error.contains("number.key cannot be used"), "{error}");
    assert_eq!(server.count("the key file has changed"), 1);
    fs::rename(&elsewhere, &file).unwrap();
    assert!(home.run(&["keys", "rotate"]).well);
    assert!(twilio.call(sid(10), KOSHII).await.contains("user001"));
    server.end().await;
}

/// Starts a rotation, and kills it when it has done some of its work and not all.
#[test]
fn a_key_that_another_database_may_need_is_kept() {
    let (home, copy) = Home::peopled().on_a_copy();
    let said = home.run(&["keys", "rotate"]);
    assert!(!said.well && said.err.contains("hitoku.db may be sealed with the same key"), "{said:?}");
    // Another one in its place would take the key for its own.
    fs::remove_file(copy).unwrap();
    let said = home.run(&["customers", "list"]);
    assert!(!said.well && said.err.contains("number.key is the key of a database"), "{said:?}");
    let home = home.with("DATABASE_URL", "");
    assert!(home.run(&["customers", "list"]).well);
    assert!(home.run(&["keys", "rotate"]).well);
}

async fn killed_in_the_middle(home: &Home, database: &Database) {
    let mut rotating =
        home.command(&["keys", "rotate"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while keys(database).await.len() < 2 {
        assert!(rotating.try_wait().unwrap().is_none(), "it ended before it could be killed");
    }
    rotating.kill().unwrap();
    rotating.wait().unwrap();
    assert_eq!(keys(database).await.len(), 2, "it was killed too late: it had ended");
}

/// The names of those keys that numbers are sealed with.
async fn keys(database: &Database) -> Vec<String> {
    let query = Query::new("SELECT DISTINCT key_id FROM numbers ORDER BY key_id");
    let rows = database.read(query).await.unwrap();
    rows.into_iter().map(|mut row| row.text(0).unwrap()).collect()
}
