//! What is wrong with settings, keys, folder and trail: each is named, with what mends it.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

use database::Query;

use crate::program::Home;

/// Without the network, in which nobody is: those findings are not of these tests.
fn doctor(home: &Home) -> String {
    let said = home.run(&["doctor"]);
    assert!(!said.well && said.err.contains("to be mended"), "PUBLIC_BASE_URL reaches nobody: {said:?}");
    said.out
}

#[test]
fn a_sound_house_is_sound_but_for_the_way_to_it() {
    let home = Home::peopled();
    let said = doctor(&home);
    for good in ["✓ settings", "✓ data folder", "2 customers", "✓ database: it can be written", "✓ keys"]
    {
        assert!(said.contains(good), "{said}");
    }
    assert!(said.contains("✓ audit trail: 1 entries"), "{said}");
    let bad: Vec<_> = said.lines().filter(|line| line.starts_with('✗')).collect();
    assert!(bad.len() == 1 && bad[0].contains("PUBLIC_BASE_URL"), "{said}");
    assert!(said.contains("https://calls.example.com/incoming, HTTP POST"), "{said}");
}

#[tokio::test]
async fn a_trail_that_was_changed_by_hand_is_found() {
    let home = Home::peopled();
    let sound = home.run(&["audit", "verify"]);
    let head = sound.out.split("Head: ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    home.run(&["customers", "assign", "cm-oneil", "user001"]);
    assert!(home.run(&["audit", "verify", "--head", &head]).well);
    let forged = home.run(&["audit", "verify", "--head", "nonsense"]);
    assert!(!forged.well && forged.err.contains("--head"), "{forged:?}");
    let database = home.kept().await.database;
    let mut change = database.begin().await.unwrap();
    change.run(Query::new("UPDATE audit SET detail = 'customers=1 numbers=1' WHERE seq = 1")).await.unwrap();
    change.commit().await.unwrap();
    let said = home.run(&["audit", "verify"]);
    assert!(
        !said.well && said.out.contains('✗') && said.err.contains("compare it with a backup"),
        "{said:?}"
    );
    let said = doctor(&home);
    assert!(said.contains("✗ audit trail: ") && said.contains("`hitoku audit verify` names all"), "{said}");
}

#[tokio::test]
async fn wrong_keys_and_rights_are_named() {
    let home = Home::peopled();
    set_permissions(home.data(), Permissions::from_mode(0o777)).unwrap();
    assert!(doctor(&home).contains("✗ data folder: others may write to"));
    set_permissions(home.data(), Permissions::from_mode(0o700)).unwrap();
    let file = home.data().join("number.key");
    set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let said = doctor(&home);
    assert!(said.contains("number.key") && said.contains("chmod 600"), "{said}");
    assert!(home.start().fails().await.contains("chmod 600"), "it does not serve either");
    set_permissions(&file, Permissions::from_mode(0o600)).unwrap();

    let key = home.run(&["keys", "new"]);
    assert!(key.well && key.out.trim().len() == 44, "{key:?}");
    let home = home.with("NUMBER_KEY", key.out.trim());
    let said = doctor(&home);
    assert!(said.contains("✗ database: the database was sealed with the key"), "{said}");
    assert!(home.start().fails().await.contains("not among these"));
    let rotate = home.run(&["keys", "rotate"]);
    assert!(!rotate.well && rotate.err.contains("NUMBER_KEY"), "{rotate:?}");
    let home = home.with("NUMBER_KEY", "short");
    let said = home.run(&["customers", "list"]);
    assert!(!said.well && said.err.contains("NUMBER_KEY") && !said.err.contains("short\n"), "{said:?}");
}

#[tokio::test]
async fn a_database_of_others_wants_a_key_and_an_answer() {
    let home = Home::empty().with("DATABASE_URL", "postgres://hitoku:hush@127.0.0.1:1/hitoku");
    for said in [home.run(&["doctor"]).out, home.run(&["customers", "list"]).err, home.start().fails().await]
    {
        assert!(said.contains("NUMBER_KEY") && said.contains("hitoku keys new"), "{said}");
        assert!(!said.contains("hush"));
    }
    let key = home.run(&["keys", "new"]).out;
    let home = home.with("NUMBER_KEY", key.trim());
    let server = home.serve().await;
    let served = server.says("until the database can be reached").await;
    for said in [doctor(&home), home.run(&["calls"]).err, served] {
        assert!(said.contains("cannot be reached: ") && said.contains("refused"), "{said}");
        assert!(!said.contains("hush"), "{said}");
    }
}

#[tokio::test]
async fn a_bad_setting_is_named_and_nothing_is_begun() {
    let home = Home::empty().with("REVEALS_PER_DAY", "many");
    for said in [home.run(&["doctor"]).out, home.run(&["calls"]).err, home.start().fails().await] {
        assert!(said.contains("REVEALS_PER_DAY should be a whole number"), "{said}");
    }
    assert!(!home.data().exists());
}
