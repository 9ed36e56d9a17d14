//! PostgreSQL, gone in mid-call, and made read-only: callers are answered, and nothing is lost.

use std::fs;
use std::path::Path;
use std::time::Duration;

use database::scratch;
use database::{Database, Place, Query};
use records::calls;
use secrecy::ExposeSecret;

use crate::callers::{TROUBLE, Twilio, sid};
use crate::program::{Home, KOSHII, ONEIL};

/// On an empty database of this server, with the customers in it.
async fn on(postgres: &scratch::Server) -> (Home, Database) {
    let place = postgres.database();
    let Place::Postgres(url) = &place else { unreachable!("it is PostgreSQL") };
    let home = Home::empty()
        .with("DATABASE_URL", url.expose_secret())
        .with("NUMBER_KEY", directory::Keys::fresh().expose_secret())
        .with_customers();
    (home, Database::open(&place).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_in_mid_call_it_is_missed_but_nothing_is_lost() {
    let mut postgres = scratch::Server::start();
    let (home, _) = on(&postgres).await;
    let server = home.serve().await;
    let twilio = Twilio::at(&server).await;
    for call in 0..20 {
        assert!(twilio.call(sid(call), KOSHII).await.contains("越井"));
    }
    postgres.stop();
    // The call that was rung before ends now, and another comes in, which nobody can be found for.
    let ended = [("CallSid", sid(3).to_string()), ("DialCallStatus", "completed".to_owned())];
    twilio.post("/dialed", &ended.each_ref().map(|(name, value)| (*name, value.as_str()))).await.unwrap();
    for call in 20..25 {
        assert!(twilio.call(sid(call), KOSHII).await.contains(TROUBLE));
    }
    // The first callers wait for it, the next ones do not.
    server.says("the directory failed so often").await;
    while server.has_yet_to_say("the directory failed the last callers", 2) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.count("the directory failed so often"), 1, "{:?}", server.errors());
    let error = server.says("what is kept of calls waits for the database").await;
    assert!(error.contains("cannot be reached"), "{error}");
    // Ended and started meanwhile, it answers callers, says why it cannot put them through, and loses nothing.
    server.kill();
    let server = home.serve().await;
    let twilio = Twilio::at(&server).await;
    let error = server.says("until the database can be used").await;
    assert!(error.contains("DATABASE_URL") && error.contains("cannot be reached"), "{error}");
    assert!(twilio.call(sid(25), KOSHII).await.contains(TROUBLE));
    assert!(!home.run(&["customers", "list"]).well, "a command needs it");
    postgres.start_again();
    server.says("the database can be used now").await;
    let mut call = 26;
    while !twilio.call(sid(call), KOSHII).await.contains("越井") {
        tokio::time::sleep(Duration::from_millis(200)).await;
        call += 1;
    }
    server.end().await;
    let kept = calls::latest(&home.kept().await.database, u32::MAX).await.unwrap();
    assert_eq!(kept.len() as u64, call + 1);
    let ended = kept.iter().find(|call| call.call_sid == sid(3)).unwrap();
    assert_eq!(ended.outcome, records::Outcome::Completed);
    assert!(home.run(&["audit", "verify"]).well);
    home.assert_sealed();
    // Its tables and its write-ahead log.
    assert!(files_without_a_number(postgres.folder()) > 100);
}

/// How many files there are in it. As it is written in them: so many bytes have any ten digits somewhere among others.
fn files_without_a_number(folder: &Path) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += files_without_a_number(&path);
        } else if let Ok(bytes) = fs::read(&path) {
            let text = String::from_utf8_lossy(&bytes);
            let number = [KOSHII, ONEIL].iter().find(|number| text.contains(&number[3..]));
            assert!(number.is_none(), "a number in {}", path.display());
            files += 1;
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn back_again_it_is_used_again_without_a_restart_and_so_it_is_when_it_was_read_only() {
    let mut postgres = scratch::Server::start();
    let (home, _) = on(&postgres).await;
    let server = home.serve().await;
    let twilio = Twilio::at(&server).await;
    postgres.stop();
    assert!(twilio.call(sid(1), KOSHII).await.contains(TROUBLE));
    server.says("what is kept of calls waits for the database").await;
    postgres.start_again();
    server.says("the database takes again what is kept of calls").await;
    assert!(twilio.call(sid(2), KOSHII).await.contains("越井"));

    // As one is that has become a standby. Those who come now may write nothing.
    let ours = home.kept().await.database;
    ours.read(Query::new("ALTER SYSTEM SET default_transaction_read_only = on")).await.unwrap();
    ours.read(Query::new("SELECT CAST(pg_reload_conf() AS TEXT)")).await.unwrap();
    let mut call = 10;
    while server.has_yet_to_say("what is kept of calls waits", 2) {
        assert!(twilio.call(sid(call), KOSHII).await.contains("越井"), "reading needs no writing");
        call += 1;
    }
    assert_eq!(server.count("PostgreSQL only lets itself be read"), 1, "{:?}", server.errors());
    ours.read(Query::new("ALTER SYSTEM RESET default_transaction_read_only")).await.unwrap();
    ours.read(Query::new("SELECT CAST(pg_reload_conf() AS TEXT)")).await.unwrap();
    while server.has_yet_to_say("the database takes again", 2) {
        twilio.call(sid(call), KOSHII).await;
        call += 1;
    }
    server.end().await;
    assert_eq!(calls::count(&ours).await.unwrap(), call - 10 + 2);
    assert!(home.run(&["audit", "verify"]).well);
}
