//! An import that is killed has happened whole or not at all, and is said again.

use std::process::Stdio;
use std::time::Duration;

use crate::program::Home;
use crate::rotation::{CUSTOMERS, large_sheet};

const TIMES: u32 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_has_happened_whole_or_not_at_all() {
    let home = Home::peopled();
    let file = home.file("many.csv", large_sheet());
    let all = CUSTOMERS + 2;
    for time in 1..=TIMES {
        let mut command = home.command(&["customers", "import", &file]);
        let mut importing = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Whenever that is: it may have ended.
        tokio::time::sleep(Duration::from_millis(200) * time).await;
        importing.kill().unwrap();
        importing.wait().unwrap();
        let there = home.run(&["customers", "list", "--limit", "100000"]).out.lines().count() - 1;
        assert!(there == 2 || there == all, "{there} customers");
    }
    let said = home.import(&large_sheet());
    assert!(said.well && said.out.ends_with("as they were.\n"), "{said:?}");
    assert_eq!(home.run(&["customers", "list", "--limit", "100000"]).out.lines().count() - 1, all);
    assert!(home.run(&["audit", "verify"]).well);
    home.assert_sealed();
}
