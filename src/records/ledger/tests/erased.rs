//! Customers who are erased while what they did is still in a journal.

use database::Query;
use database::scratch::Server;
use domain::Millis;

use super::*;
use crate::audit::{Actor, Entry, Erased};
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

/// A call that came then: of a customer, or of somebody who is called like a place.
fn of(who: &str, call: u64, at: Millis) -> CallEvent {
    let What::Came(came) = came(0).what else { unreachable!() };
    let (customer, alias) = match who.starts_with("cust-") {
        true => (Some(who.to_owned()), None),
        false => (None, Some(who.to_owned())),
    };
    CallEvent { call_sid: sid(call), at, what: What::Came(Came { customer, alias, ..came }) }
}

async fn erased(place: &Place, folder: &Path) {
    let ledger = on(place, folder, 4096, |file| file).await;
    let database = database(place).await;
    ledger.keep(of("cust-1", 0, 900)).await.unwrap();
    ledger.keep(of("Kamito-Renasu", 1, 900)).await.unwrap();
    ledger.settled().await;

    let mut erasing = database.begin().await.unwrap();
    let aliases = ["Kamito-Renasu".to_owned()];
    assert_eq!(calls::erase(&mut *erasing, vec![("cust-1", &aliases)]).await.unwrap(), [2]);
    // Nothing of these is written before the erasure is done; two are told by a clock that is ahead, and the last ones are of a
    // customer with the same id, added later, and of whoever has the number then.
    for (call, at, who) in [
        (2, 999, "cust-1"),
        (3, 999, "Kamito-Renasu"),
        (4, 61_000, "cust-1"),
        (5, 61_000, "Kamito-Renasu"),
        (6, 1000, "cust-2"),
        (7, 1000, "Hirose-Makuni"),
        (8, 61_001, "cust-1"),
        (9, 61_001, "Kamito-Renasu"),
    ] {
        ledger.keep(of(who, call, at)).await.unwrap();
    }
    let settling = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.settled().await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let audit = audit(&database);
    let erased = Erased { numbers: 1, calls: 2, aliases: vec![audit.mark("Kamito-Renasu")] };
    let entry = Entry::erased(1000, &Actor::Hitoku, audit.opaque("cust-1"), &erased);
    audit.append(&mut *erasing, entry).await.unwrap();
    erasing.commit().await.unwrap();
    settling.await.unwrap();

    let whose = || async {
        let mut calls = calls::latest(&database, 10).await.unwrap();
        calls.sort_by_key(|call| call.call_sid);
        calls.into_iter().map(|call| call.customer.or(call.alias).unwrap_or_default()).collect::<Vec<_>>()
    };
    let nobody_erased =
        ["", "", "", "", "", "", "cust-2", "Hirose-Makuni", "cust-1", "Kamito-Renasu"].map(str::to_owned);
    assert_eq!(whose().await, nobody_erased);
    // Nor by a webhook that Twilio repeats.
    for (call, at) in [(0, 900), (0, 950), (2, 999), (4, 61_000)] {
        ledger.keep(of("cust-1", call, at)).await.unwrap();
        ledger.keep(of("Kamito-Renasu", call + 1, at)).await.unwrap();
    }
    ledger.settled().await;
    assert_eq!(whose().await, nobody_erased);
    assert!(audit.verify().await.unwrap().is_sound());
}
