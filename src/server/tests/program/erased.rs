//! A customer is erased: from every file, and for good, whatever still lies in a journal.

use std::fs;
use std::time::Duration;

use database::{Database, Place};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::callers::{Twilio, sid};
use crate::program::{Home, KOSHII, ONEIL, STRANGER, assert_refused, assert_says, bytes};

#[test]
fn several_are_erased_at_once_and_those_who_are_not_there_are_named() {
    let home = Home::peopled();
    assert_refused(&home.run(&["customers", "erase", "cm-koshii", "cm-oneil"]), &["--yes", "nothing was"]);
    let said = home.run(&["customers", "erase", "cm-koshii", "cm-nobody", "cm-oneil", "cm-none", "--yes"]);
    assert!(!said.well && said.out.matches("Receipt of 20").count() == 2, "{said:?}");
    assert!(
        said.err.contains("id 2: there is no customer `cm-nobody`") && said.err.contains("id 4: "),
        "{said:?}"
    );
    assert_eq!(home.run(&["audit", "list", "--action", "erased"]).out.matches("numbers=1 ").count(), 2);
    assert!(!bytes(&home).contains("越井") && !bytes(&home).contains("cm-oneil"));
}

#[test]
fn what_a_full_page_has_left_behind_is_erased_too() {
    let home = Home::empty();
    let name = |at: usize| format!("Namae{at:05}Z");
    // In no order, so that pages are split.
    let ids: Vec<usize> = (0..6000).map(|at| at * 4441 % 6000).collect();
    for some in ids.chunks(2000) {
        let rows = some.iter().map(|at| format!("cm-{at},{},user001,+8190{:08}", name(*at), 10_000_000 + at));
        let sheet = std::iter::once("id,name,operator,numbers".to_owned()).chain(rows);
        assert!(home.import(&sheet.collect::<Vec<_>>().join("\n")).well);
    }
    let kept = bytes(&home);
    let twice: Vec<usize> = (0..6000).filter(|at| kept.matches(&name(*at)).count() > 1).take(3).collect();
    assert!(!twice.is_empty(), "SQLite has left something behind");
    for at in &twice {
        assert!(home.run(&["customers", "erase", &format!("cm-{at}"), "--yes"]).well);
        assert!(!bytes(&home).contains(&name(*at)));
    }
    // More than are erased in one transaction, and one of those after them is not there.
    let others: Vec<String> =
        (0..700).filter(|at| !twice.contains(at)).map(|at| format!("cm-{at}")).collect();
    let mut erase = vec!["customers", "erase", "--yes"];
    erase.extend(others.iter().map(String::as_str).chain(["cm-none"]));
    let said = home.run(&erase);
    assert_eq!(said.out.matches("Receipt of ").count(), others.len());
    assert!(
        said.err.contains(&format!("id {}: there is no customer `cm-none`", others.len() + 1)),
        "{said:?}"
    );
}

/// The journal says whose call it was until it is wiped.
#[tokio::test(flavor = "multi_thread")]
async fn the_journal_is_waited_for_and_what_a_killed_server_left_in_it_is_erased_too() {
    let home = Home::peopled();
    let journal =
        || String::from_utf8_lossy(&fs::read(home.data().join("calls.journal")).unwrap()).into_owned();
    let erase = ["customers", "erase", "cm-koshii", "--yes"];
    let server = home.serve().await;
    let twilio = Twilio::at(&server).await;
    // Somebody calls all the time.
    let calling = tokio::spawn(async move {
        for call in 0.. {
            twilio.call(sid(call), KOSHII).await;
        }
    });
    while !journal().contains("cm-koshii") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    calling.abort();
    let _ = calling.await;
    server.kill();
    assert_says(&home.run(&erase), &["Receipt of "]);
    assert!(!journal().contains("cm-koshii"));
    let server = home.serve().await;
    let listed = home.run(&["calls", "--limit", "100000"]);
    assert!(
        listed.well && listed.out.contains(&sid(0).to_string()) && !listed.out.contains("cm-koshii"),
        "{listed:?}"
    );
    assert_says(&home.run(&erase), &["Receipt of "]);
    server.end().await;
}

/// Before they were a customer, they called as somebody whom nobody knows.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_left_of_a_stranger_is_erased_with_the_customer_and_counted() {
    let home = Home::peopled();
    let server = home.serve().await;
    Twilio::at(&server).await.call(sid(0), STRANGER).await;
    server.kill();
    let add = ["customers", "add", "--id", "cm-sato", "--name", "佐藤 美咲", "--operator", "user002"];
    assert!(home.told(&add, STRANGER).well);
    assert_says(&home.run(&["customers", "erase", "cm-sato", "--yes"]), &["1 number", "1 call"]);
    let server = home.serve().await;
    let listed = home.run(&["calls"]);
    // An alias stands in brackets.
    assert!(listed.out.contains(&sid(0).to_string()) && !listed.out.contains('('), "{listed:?}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_erased_while_others_call_all_the_time() {
    let home = Home::peopled();
    let server = home.serve().await;
    let twilio = Twilio::at(&server).await;
    for call in 0..3 {
        twilio.call(sid(call), KOSHII).await;
    }
    let calling = tokio::spawn(async move {
        for call in 3.. {
            twilio.call(sid(call), ONEIL).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    // Also the calls that a running server has only in its journal yet are counted.
    let said = home.run(&["customers", "erase", "cm-koshii", "--yes"]);
    assert_says(&said, &["Receipt of ", " 3 calls"]);
    let journal = fs::read(home.data().join("calls.journal")).unwrap();
    assert!(!String::from_utf8_lossy(&journal).contains("cm-koshii"));
    calling.abort();
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_still_says_who_was_erased_is_named() {
    let home = Home::peopled();
    let server = home.serve().await;
    let twilio = Twilio::at(&server).await;
    let database = Database::open(&Place::Sqlite(home.data().join("hitoku.db"))).await.unwrap();
    let locked = database.begin().await.unwrap();
    twilio.call(sid(0), STRANGER).await;
    let pid = Pid::from_raw(server.pid().try_into().unwrap());
    // It has written nothing yet, and cannot now.
    kill(pid, Signal::SIGSTOP).unwrap();
    drop(locked);
    // The journal knows them by what they were called before.
    let add = ["customers", "add", "--id", "cm-sato", "--name", "佐藤 美咲", "--operator", "user002"];
    assert!(home.told(&add, STRANGER).well);
    let erase = || home.run(&["customers", "erase", "cm-sato", "--yes"]);
    let said = erase();
    assert!(!said.well && said.out.contains("Receipt of "), "{said:?}");
    assert!(said.err.contains("calls.journal still names them: it is wiped a second"), "{said:?}");
    kill(pid, Signal::SIGCONT).unwrap();
    assert_says(&erase(), &["Receipt of "]);
    server.end().await;
}
