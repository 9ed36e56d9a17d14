//! Customers who are erased while what they did is still in a journal.

use database::scratch::Server;

use super::*;
use crate::audit::{Actor, Entry};
use crate::calls;

#[tokio::test]
async fn whoever_is_erased_does_not_come_back_from_the_journal_into_sqlite() {
    let house = House::new();
    erased(&house.place, house.folder.path()).await;
}

#[tokio::test]
async fn whoever_is_erased_does_not_come_back_from_the_journal_into_postgresql() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    erased(&server.database(), folder.path()).await;
}

async fn erased(place: &Place, folder: &Path) {
    let ledger = on(place, folder, 4096, |file| file).await;
    let database = database(place).await;
    let event = |call, at, customer: &str| {
        let What::Came(came) = came(0).what else { unreachable!() };
        let came = Came { customer: Some(customer.to_owned()), ..came };
        CallEvent { call_sid: sid(call), at, what: What::Came(came) }
    };
    ledger.keep(event(0, 900, "cust-1")).await.unwrap();
    ledger.settled().await;

    let mut erasing = database.begin().await.unwrap();
    assert_eq!(calls::erase(&mut *erasing, "cust-1", &[]).await.unwrap(), 1);
    // Nothing of these is written before the erasure is done; one is told by a clock that is ahead, and the last is of a
    // customer with the same id, added later.
    for (call, at, customer) in
        [(1, 999, "cust-1"), (2, 61_000, "cust-1"), (3, 1000, "cust-2"), (4, 61_001, "cust-1")]
    {
        ledger.keep(event(call, at, customer)).await.unwrap();
    }
    let settling = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.settled().await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let audit = audit(&database);
    let entry = Entry::erased(1000, &Actor::Hitoku, audit.opaque("cust-1"), 1, 1);
    audit.append(&mut *erasing, entry).await.unwrap();
    erasing.commit().await.unwrap();
    settling.await.unwrap();

    let whose = || async {
        let mut calls = calls::latest(&database, 10).await.unwrap();
        calls.sort_by_key(|call| call.call_sid);
        calls.into_iter().map(|call| call.customer.unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(whose().await, ["", "", "", "cust-2", "cust-1"]);
    // Nor by a webhook that Twilio repeats.
    for (call, at) in [(0, 900), (0, 950), (1, 999), (2, 61_000)] {
        ledger.keep(event(call, at, "cust-1")).await.unwrap();
    }
    ledger.settled().await;
    assert_eq!(whose().await, ["", "", "", "cust-2", "cust-1"]);
    assert!(audit.verify().await.unwrap().is_sound());
}
