//! What is said at a shell: what it does, what it prints, and what it refuses.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::time::Duration;

use database::{Database, Place, Query};

use crate::callers::{Twilio, sid};
use crate::program::{Home, KOSHII, STRANGER, assert_refused, assert_says, bytes, free_address};

/// As it is where these commands have not the server's settings.
#[test]
fn a_directory_that_a_command_has_made_is_named() {
    let home = Home::empty();
    let list = || home.run(&["customers", "list"]);
    let (first, second) = (list(), list());
    assert!(first.well && first.err.contains("this is a new one: SQLite, "), "{first:?}");
    assert_says(&second, &[]);
}

#[test]
fn a_customer_is_imported_listed_shown_added_assigned_and_erased() {
    let home = Home::peopled();
    assert_says(&home.import(crate::program::SHEET), &["0 added, 0 changed, 2 as they were."]);
    let piped = home.told(&["customers", "import", "-"], crate::program::SHEET);
    assert_says(&piped, &["0 added, 0 changed, 2 as they were."]);
    let add = ["customers", "add", "--id", "cm-sato", "--name", "佐藤 美咲", "--operator", "user002"];
    assert_says(&home.told(&add, &format!("{STRANGER}\n\n{KOSHII}\n")), &["cm-sato added", "cm-koshii"]);
    assert_refused(&home.told(&add, STRANGER), &["there is a customer `cm-sato` already"]);
    for command in ["show", "erase"] {
        let typed_a_number = home.run(&["customers", command, KOSHII]);
        assert!(!typed_a_number.well && !typed_a_number.err.contains("770"), "{typed_a_number:?}");
    }
    assert_refused(&home.run(&["customers", "show", KOSHII]), &["may be a telephone number"]);
    for typed in [["customers", "assign", "cm-oneil", KOSHII], ["audit", "list", "--action", KOSHII]] {
        let said = home.run(&typed);
        assert!(!said.well && !said.err.contains("770"), "{said:?}");
    }
    let list = home.run(&["customers", "list", "--operator", "user002"]);
    assert_says(&list, &["cm-sato", "cm-oneil"]);
    assert!(!list.out.contains("cm-koshii"));
    let first = home.run(&["customers", "list", "--operator", "user002", "--limit", "1"]);
    assert_says(&first, &["(more: hitoku customers list --operator user002 --limit 1 --after='cm-oneil')"]);
    assert!(!home.run(&["customers", "list", "--limit", "0"]).out.contains("more"));
    assert_says(&home.run(&["customers", "show", "cm-sato"]), &["佐藤 美咲", "user002", "numbers   2"]);
    assert_says(&home.run(&["customers", "assign", "cm-sato", "user003"]), &["user003 looks after cm-sato"]);
    assert_a_number_is_no_operator(&home);
    assert_refused(&home.run(&["customers", "erase", "cm-sato"]), &["--yes"]);
    assert_says(&home.run(&["customers", "show", "cm-sato"]), &["user003"]);
    let receipt = home.run(&["customers", "erase", "cm-sato", "--yes"]);
    assert_says(&receipt, &["Receipt of 20", "Z: customer ", "2 numbers"]);
    let again = home.run(&["customers", "erase", "cm-sato", "--yes"]);
    assert_eq!(again.out, receipt.out, "whoever has lost it asks again");
    for words in [
        &["customers", "show", "cm-sato"][..],
        &["customers", "assign", "cm-sato", "user001"],
        &["customers", "reveal", "cm-sato", "--reason", "asked for it"],
    ] {
        assert_refused(&home.run(words), &["there is no customer `cm-sato`"]);
    }
    let trail = home.run(&["audit", "list"]);
    assert_says(&trail, &["imported", "added", "assigned", "erased", "shell "]);
    assert!(!trail.out.contains("cm-sato"), "{trail:?}");
    home.assert_sealed();
}

#[test]
fn whoever_reads_only_the_beginning_has_read_enough_and_a_full_disk_is_named() {
    let home = Home::peopled();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let full = fs::File::create("/dev/full").unwrap();
    for (out, code, why) in
        [(Stdio::from(writer), 141, ""), (Stdio::from(full), 1, "standard output cannot be written")]
    {
        let ended = home.command(&["customers", "list"]).stdout(out).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(code), "{said}");
        assert!(
            said.contains(why) && !said.contains("panicked") && said.is_empty() == why.is_empty(),
            "{said}"
        );
    }
}

#[test]
fn what_it_cannot_say_does_not_keep_it_from_serving() {
    let address = free_address();
    let home = Home::peopled().with("HITOKU_ADDR", address.clone());
    let full = || fs::File::create("/dev/full").unwrap();
    let mut server = home.command(&[]).stdout(full()).stderr(full()).spawn().unwrap();
    while std::net::TcpStream::connect(&address).is_err() {
        assert_eq!(server.try_wait().unwrap(), None, "it ended");
        std::thread::sleep(Duration::from_millis(50));
    }
    // It says where it listens just after that, and serves on.
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("ok\n"), "{answer}");
    server.kill().unwrap();
    server.wait().unwrap();
}

fn assert_a_number_is_no_operator(home: &Home) {
    // One of the customer's own, in another country's way, and one that nobody has.
    for number in ["0447700900199", "44-7700-900101", "090-1234-5678"] {
        let said = home.run(&["customers", "assign", "cm-sato", number]);
        assert_refused(&said, &["the operator holds", "number"]);
    }
}

#[test]
fn a_bad_file_is_refused_whole_by_line_and_reason() {
    let home = Home::peopled();
    let bad = "id,name,operator,numbers\n\
               cm-new,New,user001,+44 7700 900199\n\
               cm-bad,Bad,user001,7700900199000000000000\n\
               cm-new,Twice,user001,+1 202 555 0143\n\
               cm-odd,Odd,user 1,+44 7700 900199\n\
               cm-few,+44 7700 900199\n";
    let said = home.import(bad);
    assert_refused(&said, &["customers.csv", "4 of 5 rows cannot be used, so nothing was imported"]);
    for line in ["line 3: ", "line 4: its id is already in line 2", "line 5: ", "line 6: it has 2 fields"] {
        assert!(said.err.contains(line) && said.out.is_empty(), "{said:?}");
    }
    assert_refused(&home.run(&["customers", "show", "cm-new"]), &["there is no customer"]);
    assert_refused(&home.import("name,numbers\nx,y\n"), &["line 1", "id,name,operator,numbers"]);
    assert_refused(&home.run(&["customers", "import", "/no/such.csv"]), &["/no/such.csv cannot be opened"]);
    assert_refused(&home.run(&["customers", "import", "/tmp"]), &["/tmp is a folder"]);
    let add = ["customers", "add", "--id", "x", "--name", "x", "--operator", "user001"];
    assert_refused(&home.told(&add, "0120-oops\n"), &[]);
    assert_refused(&home.told(&add, ""), &[]);
    assert_says(&home.run(&["audit", "list", "--action", "added"]), &[]);
    home.assert_sealed();
}

#[test]
fn a_number_is_revealed_for_a_reason_and_so_often_a_day() {
    let home = Home::peopled().with("REVEALS_PER_DAY", "2");
    let reveal = |reason| home.revealed(&["customers", "reveal", "cm-koshii", "--reason", reason], "");
    let without = home.run(&["customers", "reveal", "cm-koshii"]);
    assert!(!without.well && without.err.contains("--reason"), "{without:?}");
    for no_reason in ["", "  "] {
        assert_refused(&reveal(no_reason), &["--reason"]);
    }
    for _ in 0..2 {
        let said = reveal("the police asked, case A-1");
        assert!(said.well && said.out == format!("{KOSHII}\n"), "{said:?}");
    }
    let said = reveal("the police asked again");
    assert_refused(&said, &["2 customers' numbers were revealed", "REVEALS_PER_DAY"]);
    assert!(said.out.is_empty());
    let trail = home.run(&["audit", "list", "--action", "revealed"]);
    assert_says(&trail, &["2 of 2: the police asked, case A-1", "shell "]);
    assert_eq!(trail.out.lines().count(), 3, "{trail:?}");
    // And one that names the customer would name them when they are erased.
    for named in ["越井 琢巳 asked", "for Cm-Koshii", "越井さんの依頼"] {
        assert_refused(
            &home.run(&["customers", "reveal", "cm-koshii", "--reason", named]),
            &["erased: leave it out"],
        );
    }
    // A reason that is a number would be one in the trail.
    let said = home.run(&["customers", "reveal", "cm-koshii", "--reason", "call +44 7700 900199"]);
    assert_refused(&said, &["--reason"]);
    home.assert_sealed();
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_their_trail_are_listed_without_numbers() {
    let home = Home::peopled().with("UNKNOWN_CALLERS", "user009");
    let server = home.serve().await;
    let twilio = Twilio::at(&server).await;
    twilio.call(sid(1), KOSHII).await;
    assert!(twilio.call(sid(2), STRANGER).await.contains("callerAlias"));
    let rang = [
        ("CallSid", sid(9).to_string()),
        ("ParentCallSid", sid(1).to_string()),
        ("CallStatus", "ringing".to_owned()),
        ("Timestamp", "Fri, 15 Jan 2027 08:00:00 +0000".to_owned()),
    ];
    twilio.post("/status", &rang.each_ref().map(|(name, value)| (*name, value.as_str()))).await.unwrap();
    let talked = [("CallSid", sid(1).to_string()), ("DialCallStatus", "completed".to_owned())];
    twilio.post("/dialed", &talked.each_ref().map(|(name, value)| (*name, value.as_str()))).await.unwrap();
    server.end().await;
    let journal = fs::read(home.data().join("calls.journal")).unwrap();
    assert!(journal.iter().all(|byte| *byte == 0), "what the database has is wiped from the journal");
    assert!(!home.data().join("hitoku.db-wal").exists(), "and the database is one file, which can be copied");
    let said = home.run(&["calls"]);
    assert_says(&said, &[&sid(1).to_string(), &sid(2).to_string(), "completed", "cm-koshii", "user009"]);
    assert_says(&said, &["came", "rang", "2027-01-15T08:00:00Z"]);
    assert_eq!(home.run(&["calls", "--limit", "1"]).out.lines().count(), 2);
    assert_says(&home.run(&["audit", "list", "--action", "call"]), &["came: ringing", "ended: completed"]);
    let other = home.run(&["audit", "list", "--action", "called"]);
    assert_refused(&other, &["--action", "--help"]);
    assert_says(&home.run(&["calls", "forget", "--days", "1"]), &["older than a day: 0 calls", "--yes"]);
    let old = "INSERT INTO calls (call_sid, first_at, customer, outcome) VALUES ('CA1', 1, 'cm-of-old', 1)";
    let database = Database::open(&Place::Sqlite(home.data().join("hitoku.db"))).await.unwrap();
    let mut transaction = database.begin().await.unwrap();
    transaction.run(Query::new(old)).await.unwrap();
    transaction.commit().await.unwrap();
    drop(database);
    assert!(bytes(&home).contains("cm-of-old"));
    assert_says(&home.run(&["calls", "forget", "--days", "90", "--yes"]), &["90 days: 1 calls", "Backups"]);
    assert!(!bytes(&home).contains("cm-of-old"), "it is gone from every file too");
    assert_says(&home.run(&["audit", "list", "--action", "forgotten"]), &["calls=1 days=90"]);
    assert!(!home.run(&["calls", "forget", "--days", "0", "--yes"]).well);
    assert_says(&home.run(&["calls"]), &["cm-koshii"]);
    // An erased customer's calls stay, and are nobody's.
    assert_says(&home.run(&["customers", "erase", "cm-koshii", "--yes"]), &["1 calls"]);
    let said = home.run(&["calls"]);
    assert_says(&said, &[&sid(1).to_string(), "completed"]);
    assert!(!said.out.contains("cm-koshii"), "{said:?}");
    assert!(!bytes(&home).contains("越井"), "the name is gone from every file too");
    home.assert_sealed();
}
