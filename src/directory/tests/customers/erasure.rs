//! Customers are erased: alone, together, and after they had to wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use database::Query;
use directory::{By, PhoneNumber, Trouble};
use records::audit::Reason;

use super::{FILE, House, by, erase};

pub(super) async fn erased_is_gone(house: &House) {
    // Before they were a customer, they called as somebody whom nobody knows.
    let alias = house.customers.aliases().alias(&PhoneNumber::parse("+447700900101").unwrap());
    let mut transaction = house.database.begin().await.unwrap();
    let call = Query::new("INSERT INTO calls (call_sid, first_at, outcome, alias) VALUES ('CA1', 1, 1, $1)");
    transaction.run(call.with(alias.as_str())).await.unwrap();
    transaction.commit().await.unwrap();
    let receipt = house.erase("cm-koshii").await.unwrap();
    assert_eq!((receipt.erased.numbers, receipt.erased.calls), (2, 1), "{receipt}");
    house.database.scrub(database::Deleted::Customers).await.unwrap();
    let aliases = house.database.read(Query::new("SELECT alias FROM calls")).await.unwrap();
    assert!(!format!("{aliases:?}").contains(&alias));
    assert_eq!(house.found("090-1234-5678").await, None);
    // As after one that was cut off before it gave its receipt.
    let later = By { at: by().at + 1, ..by() };
    assert_eq!(erase(&house.customers, "cm-koshii", || later).await.unwrap(), receipt);
    assert!(matches!(house.erase("cm-nobody").await, Err(Trouble::Nobody(_))));
    assert!(!receipt.to_string().contains("koshii"));
    let kept = house.kept().await;
    assert!(!kept.contains("越井") && !kept.contains("koshii"), "{kept}");
}

pub(super) async fn several_are_erased_together(house: &House) {
    let file = "id,name,operator,numbers\ncm-one,one,user001,03-9999-0031\ncm-two,two,user001,03-9999-0032\n";
    house.import(file).await;
    let ids = ["cm-one", "cm-nobody", "cm-two", "cm-one"].map(str::to_owned);
    let receipts = house.customers.erase(&ids, by).await.unwrap();
    let [Ok(one), Err(Trouble::Nobody(nobody)), Ok(two), Ok(again)] = &receipts[..] else {
        panic!("{receipts:?}")
    };
    assert_eq!((nobody.as_str(), one, one.erased.numbers), ("cm-nobody", again, 1));
    assert_ne!(two.subject, one.subject);
    for number in ["03-9999-0031", "03-9999-0032"] {
        assert_eq!(house.found(number).await, None);
    }
    assert!(house.customers.audit().verify().await.unwrap().is_sound());
}

#[tokio::test]
async fn an_erasure_that_had_to_wait_is_of_the_time_when_it_happened() {
    let house = House::sqlite().await;
    house.import(FILE).await;
    let now = Arc::new(AtomicU64::new(by().at));
    let others = house.database.begin().await.unwrap();
    let erasing = tokio::spawn({
        let (customers, now) = (house.customers.clone(), now.clone());
        async move { erase(&customers, "cm-koshii", || By { at: now.load(Ordering::Relaxed), ..by() }).await }
    });
    tokio::task::yield_now().await;
    let later = now.fetch_add(61_000, Ordering::Relaxed) + 61_000;
    drop(others);
    assert_eq!(erasing.await.unwrap().unwrap().at, later);
}

#[tokio::test]
async fn a_receipt_says_that_a_reason_of_somebody_else_still_names_who_was_erased() {
    let house = House::sqlite().await;
    house.import(FILE).await;
    let reason = Reason::parse("it was 越井さん's bag").unwrap();
    house.customers.reveal("cm-sato", &reason, 2, &by()).await.unwrap();
    let other = house.erase("cm-oneil").await.unwrap();
    assert!(other.reasons == 0 && !other.to_string().contains("reason"), "{other}");
    let receipt = house.erase("cm-koshii").await.unwrap();
    assert!(
        receipt.reasons == 1 && receipt.to_string().contains("1 of the audit trail's reasons"),
        "{receipt}"
    );
}
