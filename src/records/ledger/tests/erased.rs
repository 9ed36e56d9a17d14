//! Customers who are erased while what they did is still in a journal.

use database::Query;
use database::scratch::Server;
use domain::Millis;

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

#[tokio::test]
async fn who_was_erased_may_be_unreadable_and_holds_no_call_up() {
    let house = House::new();
    let ledger = on(&house.place, house.folder.path(), 4096, |file| file).await;
    let mut forging = house.database().await.begin().await.unwrap();
    let forged = "INSERT INTO audit (seq, at, actor, action, subject, detail, hash) \
                  VALUES (9, 1000, 'hitoku', 'erased', X'00', '', X'00')";
    forging.run(Query::new(forged)).await.unwrap();
    forging.commit().await.unwrap();
    ledger.keep(of("cust-1", 1, 1000)).await.unwrap();
    ledger.settled().await;
    let calls = calls::latest(&house.database().await, 10).await.unwrap();
    assert_eq!(calls[0].customer.as_deref(), Some("cust-1"));
}

/// A call of a customer that came then.
fn of(customer: &str, call: u64, at: Millis) -> CallEvent {
    let What::Came(came) = came(0).what else { unreachable!() };
    let came = Came { customer: Some(customer.to_owned()), ..came };
    CallEvent { call_sid: sid(call), at, what: What::Came(came) }
}

async fn erased(place: &Place, folder: &Path) {
    let ledger = on(place, folder, 4096, |file| file).await;
    let database = database(place).await;
    ledger.keep(of("cust-1", 0, 900)).await.unwrap();
    ledger.settled().await;

    let mut erasing = database.begin().await.unwrap();
    assert_eq!(calls::erase(&mut *erasing, "cust-1", &[]).await.unwrap(), 1);
    // Nothing of these is written before the erasure is done; one is told by a clock that is ahead, and the last is of a
    // customer with the same id, added later.
    for (call, at, customer) in
        [(1, 999, "cust-1"), (2, 61_000, "cust-1"), (3, 1000, "cust-2"), (4, 61_001, "cust-1")]
    {
        ledger.keep(of(customer, call, at)).await.unwrap();
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
        ledger.keep(of("cust-1", call, at)).await.unwrap();
    }
    ledger.settled().await;
    assert_eq!(whose().await, ["", "", "", "cust-2", "cust-1"]);
    assert!(audit.verify().await.unwrap().is_sound());
}
