//! A disk that is full, and one that may not be written: real file systems, in namespaces of their own.
//!
//! Linux lets anybody make these. In some containers it lets nobody, and then these tests say so and prove nothing: a file
//! system that is full is played in the ledger's own tests too, by the limit on a file's size.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::callers::{TROUBLE, Twilio, sid};
use crate::program::{Home, KOSHII, Said, Server, search};
use crate::rotation::large_sheet;

/// A small file system in the place of a home's data folder, for as long as somebody holds it.
struct Disk {
    holder: Child,
    home: Home,
}

impl Disk {
    /// With the customers on it, and settings that have the program run there.
    fn of(size: &str) -> Self {
        let home = Home::empty();
        let data = home.data();
        std::fs::create_dir(&data).unwrap();
        let mut holder = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c"])
            .arg(r#"mount -t tmpfs -o "size=$1,mode=0700" none "$2" && echo mounted && exec cat"#)
            .args(["sh", size])
            .arg(&data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "mounted\n", "this machine lets nobody mount a file system of their own");
        let enter = ["nsenter", "--user", "--mount", "--preserve-credentials", "--target"];
        let enter = enter.into_iter().map(str::to_owned).chain([holder.id().to_string()]);
        let home = home.run_by(enter.collect()).with_customers();
        Self { holder, home }
    }

    fn fill(&self) {
        let full = std::fs::File::create(self.seen().join("ballast"))
            .and_then(|mut ballast| std::io::copy(&mut std::io::repeat(0).take(1 << 30), &mut ballast));
        assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    }

    fn free_only(&self, bytes: u64) {
        let ballast = std::fs::File::options().write(true).open(self.seen().join("ballast")).unwrap();
        ballast.set_len(ballast.metadata().unwrap().len() - bytes).unwrap();
    }

    fn free(&self) {
        std::fs::remove_file(self.seen().join("ballast")).unwrap();
    }

    /// The folder, as those see it who are not in the namespace.
    fn seen(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.home.data().strip_prefix("/").unwrap())
    }

    fn assert_kept(&self, calls: u64) {
        let limit = (calls + 1).to_string();
        assert_all_listed(&self.home.run(&["calls", "--limit", &limit]), calls);
        let said = self.home.run(&["audit", "verify"]);
        assert!(said.well, "{said:?}");
        let entries = self.home.run(&["audit", "list", "--action", "call", "--limit", &limit]).out;
        assert_eq!(entries.lines().count() as u64, calls + 1, "each once, below the headings");
        assert!(search(&self.seen()) > 0);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The disk is gone with its holder, and with whoever else is there.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn mountable() -> bool {
    let mut attempt = Command::new("unshare");
    attempt.args(["--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/tmp"]);
    let mountable = attempt.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !mountable {
        // Not by `println!`, which a test that passes keeps to itself.
        let _ = writeln!(
            std::io::stderr(),
            "NOT TESTED: full and read-only disks, since this machine lets nobody mount a file system of their own"
        );
    }
    mountable
}

fn assert_all_listed(said: &Said, calls: u64) {
    let missing: Vec<_> =
        (0..calls).map(|call| sid(call).to_string()).filter(|call| !said.out.contains(call)).collect();
    assert!(missing.is_empty(), "{missing:?} of {calls} are missing");
}

/// Calls come in, each of which is put through, until this has been said; then how many there were.
async fn call_until(server: &Server, said: &str, mut calls: u64) -> u64 {
    let twilio = Twilio::at(server).await;
    while server.has_yet_to_say(said, 1) {
        assert!(twilio.call(sid(calls), KOSHII).await.contains("越井"));
        calls += 1;
    }
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn full_it_answers_and_keeps_calls_where_place_is_reserved_for_them() {
    if !mountable() {
        return;
    }
    let disk = Disk::of("16m");
    let server = disk.home.serve().await;
    disk.fill();
    let calls = call_until(&server, "the disk that holds the database is full; free some space", 0).await;
    assert_eq!(server.count(" ERROR "), 1, "said once: {:?}", server.errors());
    for command in [&["customers", "reveal", "cm-koshii", "--reason", "a test"][..], &["keys", "rotate"]] {
        let said = disk.home.run(command);
        assert!(!said.well && said.out.is_empty(), "{command:?}: {said:?}");
    }
    // Killed in this moment it loses nothing, and starts on the full disk too.
    server.kill();
    let server = disk.home.serve().await;
    let calls = call_until(&server, "the disk that holds the database is full; free some space", calls).await;
    disk.free();
    server.says("the database takes again what is kept of calls").await;
    server.end().await;
    disk.assert_kept(calls);
    assert!(disk.home.run(&["keys", "rotate"]).well);
    let names = std::fs::read_dir(disk.seen()).unwrap().map(|file| file.unwrap().file_name());
    let drafts: Vec<_> = names.filter(|name| name.to_string_lossy().contains("draft")).collect();
    assert!(drafts.is_empty(), "a key is in {drafts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn full_before_it_starts_it_answers_and_when_there_is_room_it_puts_through() {
    if !mountable() {
        return;
    }
    let disk = Disk::of("16m");
    // Once before, for all that a first start makes.
    disk.home.serve().await.end().await;
    assert!(!disk.seen().join("hitoku.db-wal").exists(), "nothing is shared any more");
    disk.fill();
    let server = disk.home.serve().await;
    let error = server.says("until the database can be used").await;
    assert!(error.contains("is full; free some space"), "{error}");
    let twilio = Twilio::at(&server).await;
    assert!(twilio.call(sid(0), KOSHII).await.contains(TROUBLE));
    disk.free();
    server.says("the database can be used now").await;
    let answer = twilio.call(sid(1), KOSHII).await;
    assert!(answer.contains("越井"), "{answer} {:?}", server.errors());
    server.end().await;
    disk.assert_kept(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_was_removed_is_missed() {
    let home = Home::peopled();
    let server = home.serve().await;
    let twilio = Twilio::at(&server).await;
    std::fs::remove_file(home.data().join("calls.journal")).unwrap();
    assert!(twilio.call(sid(0), KOSHII).await.contains("越井"));
    let error = server.says("what is kept of them is only in memory").await;
    assert!(error.contains("it was removed while it was open"), "{error}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_it_says_what_of_an_erased_customer_is_left() {
    if !mountable() {
        return;
    }
    let disk = Disk::of("16m");
    // Who imports beside another does not write the log back into the file.
    let _server = disk.home.serve().await;
    assert!(disk.home.import(&large_sheet(2000)).well);
    disk.fill();
    let erase = ["customers", "erase", "cm-koshii", "--yes"];
    let said = disk.home.run(&erase);
    assert!(!said.well && said.err.contains("the disk that holds the database is full"), "{said:?}");
    // Room for the log, and not for the file into which it is to be written back.
    disk.free_only(200 << 10);
    let said = disk.home.run(&erase);
    assert!(
        said.out.contains("Receipt of ") && !said.well,
        "whoever runs it by a timer learns of it: {said:?}"
    );
    assert!(said.err.contains("may still be in the database's file and its log"), "{said:?}");
    assert!(said.err.contains("the disk that holds the database is full; free some space"), "{said:?}");
    disk.free_only(8 << 20);
    let again = disk.home.run(&erase);
    assert!(again.well && again.err.is_empty(), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn so_full_that_nothing_can_be_kept_it_says_so_and_keeps_it_in_memory() {
    if !mountable() {
        return;
    }
    // Less than is reserved for the journal, which then grows as it is written.
    let disk = Disk::of("3m");
    let server = disk.home.serve().await;
    let calls = call_until(&server, "a call came in", 0).await;
    disk.fill();
    let calls = call_until(&server, "what is kept of them is only in memory", calls).await;
    let error = server.says("what is kept of them is only in memory").await;
    assert!(error.contains("calls.journal is full; free some space"), "{error}");
    let calls = call_until(&server, "the disk that holds the database is full; free some space", calls).await;
    assert_eq!(server.count(" ERROR "), 2, "the journal and the database, each once: {:?}", server.errors());
    disk.free();
    server.says("the database takes again what is kept of calls").await;
    let calls = call_until(&server, "the journal is written again", calls).await;
    assert!(server.says("the journal is written again").await.contains("lost=0"));
    server.end().await;
    disk.assert_kept(calls);
}

/// Has the program run where this folder may not be written.
fn read_only(home: Home, folder: &str) -> Home {
    let script = r#"mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@""#;
    let words = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, folder];
    home.run_by(words.map(str::to_owned).to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_may_not_be_written_is_read_and_what_is_kept_waits() {
    if !mountable() {
        return;
    }
    let home = Home::empty();
    let folder = home.data().with_file_name("database").display().to_string();
    let home = home.with("DATABASE_URL", format!("sqlite:{folder}/hitoku.db")).with_customers();
    let server = home.serve().await;
    let calls = call_until(&server, "a call came in", 0).await;
    server.kill();
    let home = read_only(home, &folder);
    let server = home.serve().await;
    let calls = call_until(&server, "the database cannot be written: check the rights", calls).await;
    let calls = call_until(&server, &sid(calls + 10).to_string(), calls).await;
    assert_eq!(server.count(" ERROR "), 1, "said once: {:?}", server.errors());
    server.kill();
    let said = home.run(&["doctor"]);
    assert!(!said.well && said.out.contains("✗ database: the database cannot be written"), "{said:?}");
    for command in [
        &["customers", "assign", "cm-koshii", "user002"][..],
        &["customers", "reveal", "cm-koshii", "--reason", "a test"],
    ] {
        let said = home.run(command);
        assert!(!said.well && said.out.is_empty() && said.err.contains("mounted read-only"), "{said:?}");
    }
    let home = home.run_by(Vec::new());
    home.serve().await.end().await;
    assert_all_listed(&home.run(&["calls", "--limit", "100000"]), calls);
    assert!(home.run(&["audit", "verify"]).well);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_that_may_not_be_written_is_refused_and_what_was_kept_follows() {
    if !mountable() {
        return;
    }
    let home = Home::peopled();
    let server = home.serve().await;
    let calls = call_until(&server, "a call came in", 0).await;
    // Before that is in the database.
    server.kill();
    let data = home.data().display().to_string();
    let home = read_only(home, &data);
    let said = home.start().fails().await;
    assert!(said.contains("HITOKU_DATA") && said.contains("Read-only") && said.contains("check"), "{said}");
    let said = home.run(&["doctor"]);
    assert!(
        said.out.contains("on a disk that is not mounted read-only") && !said.out.contains("chown"),
        "{said:?}"
    );
    let home = home.run_by(Vec::new());
    home.serve().await.end().await;
    assert_all_listed(&home.run(&["calls", "--limit", "100"]), calls);
    assert!(home.run(&["audit", "verify"]).well);
}
