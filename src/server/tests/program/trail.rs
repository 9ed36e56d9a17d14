//! The audit trail, verified again: a database that was put back to an older state is missed.

use std::fs;

use crate::program::Home;

#[test]
fn a_database_that_was_put_back_is_found_by_what_the_last_verification_noted() {
    let home = Home::peopled();
    // The newest part may be in its log.
    let backup =
        ["hitoku.db", "hitoku.db-wal"].map(|name| (home.data().join(name), fs::read(home.data().join(name))));
    let said = home.run(&["audit", "verify"]).out;
    let head = said.lines().next().unwrap().split("Head: ").nth(1).unwrap().to_owned();
    assert!(home.run(&["customers", "assign", "cm-oneil", "user001"]).well);
    assert!(home.run(&["audit", "verify"]).well);
    for log in ["hitoku.db-wal", "hitoku.db-shm"] {
        let _no_log = fs::remove_file(home.data().join(log));
    }
    for (file, bytes) in backup {
        bytes.into_iter().for_each(|bytes| fs::write(&file, bytes).unwrap());
    }
    let said = home.run(&["audit", "verify"]);
    assert!(!said.well && said.out.contains("was put back to an older state"), "{said:?}");
    let doctor = home.run(&["doctor"]).out;
    assert!(doctor.contains("✗ audit trail: ") && doctor.contains("was put back"), "{doctor}");
    // An earlier head, noted elsewhere, is still in it; that hides nothing.
    let said = home.run(&["audit", "verify", "--head", &head]);
    assert!(!said.well && said.out.contains("was put back to an older state"), "{said:?}");
    // Whoever has put it back themselves learns how to go on.
    let noted = home.data().join("audit.head");
    assert!(said.err.contains(&format!("remove {}", noted.display())), "{said:?}");
    fs::remove_file(noted).unwrap();
    assert!(home.run(&["audit", "verify", "--head", &head]).well);
}

#[test]
fn a_copy_has_a_trail_of_its_own() {
    let (home, _) = Home::peopled().on_a_copy();
    assert!(home.run(&["customers", "assign", "cm-oneil", "user001"]).well);
    assert!(home.run(&["audit", "verify"]).well);
    let home = home.with("DATABASE_URL", "");
    assert!(home.run(&["customers", "assign", "cm-koshii", "user002"]).well);
    let said = home.run(&["audit", "verify"]);
    assert!(said.well, "{said:?}");
}
