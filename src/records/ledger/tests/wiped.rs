//! What the database has is wiped from the journal.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[tokio::test]
async fn what_one_database_has_does_not_go_into_another() {
    let house = House::new();
    let ledger = house.open().await;
    for call in 0..5 {
        ledger.keep(came(call)).await.unwrap();
    }
    ledger.close(Duration::MAX).await.unwrap();
    assert_wiped(&house);
    // What it has not taken goes into the next.
    let ledger = house.open().await;
    let database = house.database().await;
    let locked = database.begin().await.unwrap();
    ledger.keep(came(5)).await.unwrap();
    ledger.close(Duration::from_millis(200)).await.unwrap_err();
    drop(locked);
    let other = Place::Sqlite(house.folder.path().join("other.db"));
    on(&other, house.folder.path(), RESERVE, |file| file).await.close(Duration::MAX).await.unwrap();
    once_each(&trail(&audit(&super::database(&other).await)).await, 5..6);
    once_each(&house.trail().await, 0..5);
    assert_wiped(&house);
}

#[tokio::test]
async fn it_is_wiped_when_nobody_has_called_for_a_moment() {
    let house = House::new();
    let ledger = house.on(4096, |file| file).await;
    for call in 0..20 {
        ledger.keep(came(call)).await.unwrap();
        if call % 5 == 0 {
            ledger.settled().await;
            let wiped = async {
                while is_used(&house) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), wiped).await.expect("it is wiped");
        }
    }
    drop(ledger);
    house.on(4096, |file| file).await.close(Duration::MAX).await.unwrap();
    once_each(&house.trail().await, 0..20);
}

#[tokio::test]
async fn what_the_database_has_is_wiped_while_calls_go_on() {
    let house = House::new();
    let ledger = house.on(1 << 20, |file| file).await;
    let mut calls = 0;
    // If it were wiped in a pause, or had begun anew, something else than zeros would be where it begins.
    let is_wiped_and_used = || {
        let bytes = fs::read(house.journal()).unwrap();
        bytes.starts_with(&[0; 100]) && bytes.iter().any(|byte| *byte != 0)
    };
    while !is_wiped_and_used() {
        ledger.keep(came(calls)).await.unwrap();
        calls += 1;
    }
    ledger.close(Duration::MAX).await.unwrap();
    once_each(&house.trail().await, 0..calls);
    assert_wiped(&house);
}

#[tokio::test]
async fn what_cannot_be_wiped_is_wiped_later() {
    let house = House::new();
    let full = Arc::new(AtomicBool::new(false));
    let ledger = house.on(500, |file| super::full::Fillable { file, full: full.clone() }).await;
    for call in 0..40 {
        full.store(false, Ordering::SeqCst);
        ledger.keep(came(call)).await.unwrap();
        full.store(call % 3 > 0, Ordering::SeqCst);
        ledger.settled().await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    full.store(false, Ordering::SeqCst);
    ledger.close(Duration::MAX).await.unwrap();
    assert_wiped(&house);
    once_each(&house.trail().await, 0..40);
}

#[tokio::test]
async fn the_database_does_not_remember_what_is_wiped() {
    let house = House::new();
    for call in 0..3 {
        let ledger = house.open().await;
        ledger.keep(came(call)).await.unwrap();
        ledger.close(Duration::MAX).await.unwrap();
    }
    let places = database::Query::new("SELECT name FROM journals");
    assert_eq!(house.database().await.read(places).await.unwrap(), []);
    once_each(&house.trail().await, 0..3);
}

fn is_used(house: &House) -> bool {
    fs::read(house.journal()).unwrap().iter().any(|byte| *byte != 0)
}

fn assert_wiped(house: &House) {
    assert!(!is_used(house), "something is left in the journal");
}
