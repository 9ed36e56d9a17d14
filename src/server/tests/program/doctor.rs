//! What is wrong with settings, keys, folder and trail: each is named, with what mends it.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

use database::Query;

use crate::company::{Api, Mood};
use crate::program::{Home, SHEET, free_address};

/// Without the network, in which nobody is: those findings are not of these tests.
fn doctor(home: &Home) -> String {
    let said = home.run(&["doctor"]);
    assert!(!said.well && said.err.contains(" found"), "PUBLIC_BASE_URL reaches nobody: {said:?}");
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
    assert!(said.contains("! data folder: no server uses"), "{said}");
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

#[tokio::test(flavor = "multi_thread")]
async fn the_companys_api_is_asked_as_the_server_asks() {
    for (mood, found) in [
        (Mood::Well, "✓ INTERNAL_API_BASE: "),
        (Mood::Failing, "status 500"),
        (Mood::Nonsense, "not what it should be"),
        (Mood::Silent, "did not answer in time"),
    ] {
        let api = Api::in_mood(mood).await;
        // A proxy that the server does not use.
        let home = Home::peopled()
            .with("INTERNAL_API_BASE", api.address.clone())
            .with("HTTP_PROXY", "http://127.0.0.1:1");
        let said = tokio::task::spawn_blocking(move || doctor(&home)).await.unwrap();
        let line = said.lines().find(|line| line.contains("INTERNAL_API_BASE")).unwrap();
        assert!(
            line.contains(found) && line.starts_with(if mood == Mood::Well { '✓' } else { '✗' }),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_it_is_gone_as_twilio_goes_it() {
    let address = free_address();
    let home = Home::peopled().with("HITOKU_ADDR", address.clone());
    let home = home.with("PUBLIC_BASE_URL", format!("http://{address}"));
    let found = |home: &Home| {
        let said = doctor(home);
        let lines = said.lines().filter(|line| line.contains(" PUBLIC_BASE_URL: "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let server = home.serve().await;
    let [plain, reached] = &found(&home)[..] else { panic!("{:?}", found(&home)) };
    assert!(plain.starts_with('✗') && plain.contains("not https"), "{plain}");
    assert!(reached.starts_with("✓ PUBLIC_BASE_URL: webhooks that Twilio signs reach Hitoku"), "{reached}");
    let home = home.with("AUTH_TOKEN", "another");
    let [_, refused] = &found(&home)[..] else { panic!("{:?}", found(&home)) };
    assert!(refused.starts_with('✗') && refused.contains("another AUTH_TOKEN"), "{refused}");
    server.end().await;
    let [_, away] = &found(&home)[..] else { panic!("{:?}", found(&home)) };
    assert!(away.contains("cannot be reached"), "{away}");
}

#[test]
fn what_is_not_there_is_not_made() {
    let home = Home::empty();
    let said = doctor(&home);
    assert!(said.contains("is not there yet, and the first start makes it"), "{said}");
    assert!(
        said.contains("! database: ") && said.contains("the first start makes it, and its key"),
        "{said}"
    );
    assert!(!home.data().exists());
    // A database in which nobody has kept anything.
    std::fs::create_dir(home.data()).unwrap();
    set_permissions(home.data(), Permissions::from_mode(0o700)).unwrap();
    std::fs::write(home.data().join("hitoku.db"), "").unwrap();
    let said = doctor(&home);
    assert!(said.contains("! database: ") && said.contains("it is new"), "{said}");
    assert!(!home.data().join("number.key").exists());
}

#[tokio::test]
async fn a_database_that_is_gone_is_not_begun_anew() {
    let home = Home::peopled();
    std::fs::remove_file(home.data().join("hitoku.db")).unwrap();
    let said = doctor(&home);
    assert!(said.contains("hitoku.db is gone, and its key is still there: put the database back"), "{said}");
    assert!(home.start().fails().await.contains("hitoku.db is gone"));
    assert!(!home.data().join("hitoku.db").exists());
    std::fs::rename(home.data().join("number.key"), home.data().join("before.key")).unwrap();
    assert!(home.import(SHEET).well);
    // With a key that is given it is missed once calls were kept.
    let home = Home::empty();
    let key = home.run(&["keys", "new"]).out.trim().to_owned();
    let home = home.with("NUMBER_KEY", key);
    assert!(home.import(SHEET).well);
    home.serve().await.end().await;
    std::fs::remove_file(home.data().join("hitoku.db")).unwrap();
    let said = doctor(&home);
    assert!(
        said.contains("hitoku.db is gone, or calls were kept in another database: put it back"),
        "{said}"
    );
    assert!(home.start().fails().await.contains("hitoku.db is gone"));
    std::fs::remove_file(home.data().join("calls.journal")).unwrap();
    home.serve().await.end().await;
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_written_is_found() {
    let home = Home::empty();
    // No rights keep root from writing, but a file in its place does.
    std::fs::write(home.data(), "").unwrap();
    let said = doctor(&home);
    assert!(said.contains("✗ data folder: ") && said.contains("is no folder of ours"), "{said}");
    home.start().fails().await;
    let below = home.data().join("below").display().to_string();
    let home = home.with("HITOKU_DATA", below);
    let said = doctor(&home);
    assert!(said.contains("✗ data folder: "), "{said}");
    home.start().fails().await;
}

#[test]
fn a_key_file_that_others_may_read_is_minded() {
    let home = Home::empty();
    let key = home.run(&["keys", "new"]).out;
    let file = home.file("given.key", key);
    let home = home.with("NUMBER_KEY_FILE", file.clone()).with_customers();
    let minded = format!("! NUMBER_KEY_FILE: others than its owner may read {file}; run `chmod 600");
    set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    assert!(doctor(&home).contains(&minded));
    set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    assert!(!doctor(&home).contains("NUMBER_KEY_FILE"));
}

#[test]
fn a_database_that_others_may_read_and_a_journal_that_is_none_are_found() {
    let home = Home::peopled();
    let database = home.data().join("hitoku.db");
    set_permissions(&database, Permissions::from_mode(0o666)).unwrap();
    assert!(doctor(&home).contains("! database: others than its owner may change"));
    set_permissions(&database, Permissions::from_mode(0o600)).unwrap();
    std::fs::create_dir(home.data().join("calls.journal")).unwrap();
    let said = doctor(&home);
    assert!(said.contains("✗ journal: ") && !said.contains("others than its owner"), "{said}");
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
    let elsewhere = "postgres://hitoku:hu/sh@127.0.0.1:1/hitoku";
    let said = home.with("DATABASE_URL", elsewhere).start().fails().await;
    assert!(said.contains("%2F") && !said.contains("sh@"), "what does not mend itself ends it: {said}");
    let home = Home::empty().with("DATABASE_URL", "postgres://hitoku:hush@127.0.0.1:1/hitoku");
    let home = home.with("NUMBER_KEY", key.trim());
    let server = home.serve().await;
    let served = server.says("until the database can be used").await;
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

#[tokio::test]
async fn all_bad_settings_are_named_at_once() {
    let wrong = ["REVEALS_PER_DAY", "NUMBER_KEY", "RUST_LOG"];
    let home = wrong.into_iter().fold(Home::empty(), |home, name| home.with(name, "hush=hush=hush"));
    let doctor = home.run(&["doctor"]);
    assert_eq!(doctor.out.lines().filter(|line| line.starts_with("✗ settings: ")).count(), 3, "{doctor:?}");
    assert!(doctor.err.contains("3 problems found"), "{doctor:?}");
    for said in [doctor.out, home.run(&["calls"]).err, home.start().fails().await] {
        assert!(wrong.iter().all(|name| said.contains(name)) && !said.contains("hush"), "{said}");
    }
    assert!(!home.data().exists());
}
