//! What is sealed opens for whom it was sealed, and whoever has the file alone sees nothing.

use super::*;

#[tokio::test]
async fn a_number_that_is_given_to_another_by_hand_opens_for_nobody() {
    let house = House::sqlite().await;
    house.import(FILE).await;
    let mut transaction = house.database.begin().await.unwrap();
    transaction.run(Query::new("UPDATE numbers SET customer = 'cm-sato'")).await.unwrap();
    transaction.commit().await.unwrap();
    let revealed = house.customers.reveal("cm-sato", &reason(), 9, &by()).await;
    assert!(
        matches!(&revealed, Err(Trouble::Forged { what, .. }) if what == "a number of `cm-sato`"),
        "{revealed:?}"
    );
}

#[tokio::test]
async fn what_is_sealed_opens_in_its_own_place_alone() {
    let house = House::sqlite().await;
    house.import(FILE).await;
    let change = async |sql: &'static str| {
        let mut transaction = house.database.begin().await.unwrap();
        transaction.run(Query::new(sql)).await.unwrap();
        transaction.commit().await.unwrap();
    };
    change("UPDATE customers SET (note_key, note) = (SELECT note_key, note FROM customers WHERE id = 'cm-koshii')").await;
    assert!(house.customers.show("cm-koshii").await.is_ok());
    let moved = house.customers.show("cm-sato").await;
    assert!(
        matches!(&moved, Err(Trouble::Forged { what, .. }) if what == "the note of `cm-sato`"),
        "{moved:?}"
    );
    // One number's seal beside the hash of another of the same customer.
    change("UPDATE numbers SET sealed = (SELECT MAX(sealed) FROM numbers WHERE customer = 'cm-koshii') WHERE customer = 'cm-koshii'").await;
    let revealed = house.customers.reveal("cm-koshii", &reason(), 9, &by()).await;
    assert!(matches!(&revealed, Err(Trouble::Forged { .. })), "{revealed:?}");
    change("UPDATE secrets SET sealed = (SELECT MAX(sealed) FROM secrets)").await;
    let keys = Keys::in_file(&house.folder.path().join("number.key")).unwrap();
    let opened = Customers::open(house.database.clone(), keys).await;
    assert!(matches!(&opened, Err(Trouble::Forged { .. })), "{opened:?}");
}

#[tokio::test]
async fn a_note_that_is_damaged_is_named_by_whose_it_is() {
    let house = House::sqlite().await;
    house.import(FILE).await;
    let mut transaction = house.database.begin().await.unwrap();
    let damage = Query::new("UPDATE customers SET note = $1 WHERE id = 'cm-koshii'").with(vec![7; 40]);
    transaction.run(damage).await.unwrap();
    transaction.commit().await.unwrap();
    let listed = house.customers.list(None, "", 10).await.unwrap_err().to_string();
    assert!(listed.contains("the note of `cm-koshii`") && listed.contains("backup"), "{listed}");
}

#[tokio::test]
async fn a_stolen_file_shows_no_number_and_an_erased_customer_is_not_in_it() {
    let house = House::sqlite().await;
    house.import(FILE).await;
    house.found("090-1234-5678").await.unwrap();
    let readable = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let stolen = readable(&house.bytes());
    assert!(stolen.contains("佐藤"), "names are there");
    assert!(!shows_a_number(&house.bytes()));
    assert!(!stolen.contains("Mondays"), "notes are sealed");
    house.erase("cm-sato").await.unwrap();
    house.database.scrub(database::Deleted::Customers).await.unwrap();
    let left = readable(&house.bytes());
    assert!(left.contains("越井") && !left.contains("佐藤") && !left.contains("cm-sato"));
}
