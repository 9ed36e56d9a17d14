//! The database locked by another program: calls are answered and put through, and what is kept of them waits.

use std::time::Duration;

use database::{Database, Place};

use crate::callers::{Twilio, UNKNOWN, sid};
use crate::program::{Home, KOSHII, STRANGER};

#[tokio::test(flavor = "multi_thread")]
async fn locked_by_another_it_answers_and_keeps_all_for_later() {
    let home = Home::peopled();
    let server = home.serve().await;
    let twilio = Twilio::at(&server).await;
    // Another process to the server: `BEGIN IMMEDIATE`.
    let ours = Database::open(&Place::Sqlite(home.data().join("hitoku.db"))).await.unwrap();
    let lock = ours.begin().await.unwrap();
    let mut calls = 0;
    while server.has_yet_to_say("what is kept of calls waits for the database", 1) {
        assert!(twilio.call(sid(calls), KOSHII).await.contains("越井"));
        assert!(twilio.call(sid(calls + 1), STRANGER).await.contains(UNKNOWN));
        calls += 2;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let error = server.says("what is kept of calls waits").await;
    assert!(
        error.contains("locked by another program") && error.contains("end it") && error.contains("import"),
        "{error}"
    );
    let half = records::calls::count(&ours).await.unwrap();
    assert!(half < calls, "none of these can be in it: {half} of {calls}");
    // Also killed in this moment it loses nothing.
    server.kill();
    let server = home.serve().await;
    drop(lock);
    let twilio = Twilio::at(&server).await;
    twilio.call(sid(calls), KOSHII).await;
    server.end().await;
    assert_eq!(records::calls::count(&ours).await.unwrap(), calls + 1);
    assert!(home.run(&["audit", "verify"]).well);
    home.assert_sealed();
}

#[tokio::test(flavor = "multi_thread")]
async fn as_soon_as_the_lock_is_gone_all_is_written_by_itself() {
    let home = Home::peopled();
    let server = home.serve().await;
    let twilio = Twilio::at(&server).await;
    let ours = Database::open(&Place::Sqlite(home.data().join("hitoku.db"))).await.unwrap();
    let lock = ours.begin().await.unwrap();
    twilio.call(sid(1), KOSHII).await;
    server.says("what is kept of calls waits for the database").await;
    twilio.call(sid(2), KOSHII).await;
    drop(lock);
    server.says("the database takes again what is kept of calls").await;
    server.end().await;
    assert_eq!(records::calls::count(&ours).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_is_refused_and_the_first_goes_on() {
    let home = Home::peopled();
    let server = home.serve().await;
    let said = home.start().fails().await;
    assert!(said.contains("another server uses the data folder"), "{said}");
    assert!(Twilio::at(&server).await.call(sid(1), KOSHII).await.contains("越井"));
    server.end().await;
}
