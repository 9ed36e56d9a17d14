//! A database that is locked, read-only or gone: calls do not notice, and nothing is lost.

use database::{Query, scratch::Server};

use super::*;

#[tokio::test]
async fn postgresql_takes_each_event_once() {
    let server = Server::start();
    let (place, folder) = (server.database(), tempfile::tempdir().unwrap());
    let database = Database::open(&place).await.unwrap();
    for round in 0..3 {
        let ledger = on(&place, folder.path(), 4096, |file| file).await;
        let keeping = (0..500).map(|call| {
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.keep(came(round * 500 + call)).await })
        });
        for kept in keeping.collect::<Vec<_>>() {
            kept.await.unwrap().unwrap();
        }
        ledger.close(Duration::MAX).await.unwrap();
    }
    once_each(&trail(&audit(&database)).await, 0..1500);
    assert_eq!(crate::calls::count(&database).await.unwrap(), 1500);
}

#[tokio::test]
async fn what_postgresql_cannot_take_because_it_is_gone_follows_at_the_next_start() {
    let log = Log::default();
    let _logged = tracing::subscriber::set_default(log.subscriber());
    let house = House::new();
    let server = Server::start();
    let ledger = on(&server.database(), house.folder.path(), 4096, |file| file).await;
    drop(server);
    for call in 0..50 {
        ledger.keep(came(call)).await.unwrap();
    }
    log.said("what is kept of calls waits for the database").await;
    // Twice the first pause and more: it has tried again, and says nothing more of it.
    let unsettled = ledger.close(Duration::from_secs(1)).await;
    assert_eq!(unsettled, Err(Unsettled { lost: 0 }));
    assert_eq!(log.lines("ERROR").len(), 1, "{:?}", log.lines(""));
    house.open().await.close(Duration::MAX).await.unwrap();
    once_each(&house.trail().await, 0..50);
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_written_when_it_can() {
    let log = Log::default();
    let _logged = tracing::subscriber::set_default(log.subscriber());
    let house = House::new();
    let ledger = house.open().await;
    // SQLite's own way to refuse: what every later version of this table would do to us too.
    let database = house.database().await;
    change(&database, "ALTER TABLE journals RENAME TO elsewhere").await;
    for call in 0..50 {
        ledger.keep(came(call)).await.unwrap();
    }
    log.said("what is kept of calls waits for the database").await;
    assert_eq!(crate::calls::count(&database).await.unwrap(), 0);
    change(&database, "ALTER TABLE elsewhere RENAME TO journals").await;
    ledger.settled().await;
    log.said("the database takes again what is kept of calls").await;
    assert_eq!(log.lines("ERROR").len(), 1, "{:?}", log.lines(""));
    ledger.close(Duration::MAX).await.unwrap();
    once_each(&house.trail().await, 0..50);
}

#[tokio::test]
async fn a_locked_database_holds_no_call_up() {
    let house = House::new();
    let ledger = house.open().await;
    let other = house.database().await;
    let locked = other.begin().await.unwrap();
    for call in 0..50 {
        ledger.keep(came(call)).await.unwrap();
    }
    assert_eq!(crate::calls::count(&other).await.unwrap(), 0);
    drop(locked);
    ledger.settled().await;
    once_each(&house.trail().await, 0..50);
    assert_eq!(crate::calls::count(&other).await.unwrap(), 50);
}

#[tokio::test]
async fn a_place_that_was_noted_is_not_written_again() {
    let house = House::new();
    for _ in 0..3 {
        let ledger = house.open().await;
        ledger.settled().await;
        ledger.close(Duration::MAX).await.unwrap();
    }
    let ledger = house.open().await;
    ledger.keep(came(0)).await.unwrap();
    drop(ledger);
    for _ in 0..3 {
        house.on(4096, |file| file).await.close(Duration::MAX).await.unwrap();
        once_each(&house.trail().await, 0..1);
    }
}

async fn change(database: &Database, statement: &'static str) {
    let mut transaction = database.begin().await.unwrap();
    transaction.run(Query::new(statement)).await.unwrap();
    transaction.commit().await.unwrap();
}
