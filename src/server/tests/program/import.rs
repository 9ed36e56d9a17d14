//! An import that is killed has happened whole or not at all, and is said again.

use std::process::Stdio;
use std::time::Duration;

use crate::program::Home;
use crate::rotation::{CUSTOMERS, large_sheet};

/// So much of the log is written, and not all of it: an import writes several megabytes there before it is done.
const WRITTEN: [u64; 4] = [1, 1 << 20, 3 << 20, 5 << 20];

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_has_happened_whole_or_not_at_all() {
    let home = Home::peopled();
    let file = home.file("many.csv", large_sheet(CUSTOMERS));
    let all = CUSTOMERS + 2;
    let log = home.data().join("hitoku.db-wal");
    let written = || std::fs::metadata(&log).map_or(0, |log| log.len());
    let mut cut_off = 0;
    for much in WRITTEN {
        let mut command = home.command(&["customers", "import", &file]);
        let mut importing = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Others may have left a log, which goes when nobody has it open.
        while written() < much && importing.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        importing.kill().unwrap();
        importing.wait().unwrap();
        let there = home.run(&["customers", "list", "--limit", "100000"]).out.lines().count() - 1;
        assert!(there == 2 || there == all, "{there} customers");
        cut_off += usize::from(there == 2);
    }
    assert!(cut_off > 0, "no import was killed before it was done");
    let said = home.import(&large_sheet(CUSTOMERS));
    assert!(said.well && said.out.ends_with("as they were.\n"), "{said:?}");
    assert_eq!(home.run(&["customers", "list", "--limit", "100000"]).out.lines().count() - 1, all);
    assert!(home.run(&["audit", "verify"]).well);
    home.assert_sealed();
}
