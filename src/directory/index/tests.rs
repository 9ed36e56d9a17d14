use std::path::Path;

use database::Place;
use database::scratch::Server;
use domain::Identity;
use records::audit::Actor;
use tempfile::TempDir;

use super::*;
use crate::{By, Keys, Region, Sheet};

const FILE: &str = "id,name,operator,numbers\n\
                    cm-koshii,越井 琢巳,user001,090-1234-5678;+44 7700 900101\n\
                    cm-sato,佐藤 美咲,user002,03-1234-5678\n";
const NUMBERS: [&str; 4] = ["090-1234-5678", "+44 7700 900101", "03-1234-5678", "+1 202-555-0143"];

struct House {
    /// As a server has them.
    indexed: Indexed,
    /// As a command has them, in another process.
    others: Customers,
    place: Place,
    folder: TempDir,
}

impl House {
    async fn at(place: impl FnOnce(&Path) -> Place) -> Self {
        let folder = folder();
        let place = place(folder.path());
        let keys = Keys::made_in_file(&folder.path().join("number.key")).unwrap();
        let customers = Customers::open(Database::open(&place).await.unwrap(), keys).await.unwrap();
        let sheet = Sheet::read(FILE.as_bytes(), Region::JAPAN, |_| {}).unwrap();
        customers.import(&sheet, &by(), |_| {}).await.unwrap();
        let keys = Keys::in_file(&folder.path().join("number.key")).unwrap();
        let others = Customers::open(Database::open(&place).await.unwrap(), keys).await.unwrap();
        Self { indexed: Indexed::new(customers, folder.path()), others, place, folder }
    }

    async fn sqlite() -> Self {
        Self::at(|folder| Place::Sqlite(folder.join("hitoku.db"))).await
    }

    async fn until_it_is_current(&self) {
        while !self.indexed.is_current() {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// How many of the numbers are found in the index, all of them as the database has them.
    async fn found(&self) -> usize {
        let mut found = 0;
        for number in NUMBERS.map(|number| PhoneNumber::written(number, Region::JAPAN).unwrap()) {
            let truth = self.others.look_up(&number).await.unwrap();
            assert!(self.indexed.look_up(&number).await.unwrap() == truth, "another than in the database");
            if let Some(entry) = self.indexed.find(&number) {
                assert!(Some(entry) == truth, "another than in the database");
                found += 1;
            }
        }
        found
    }
}

/// Where this program is: a temporary folder may be on a file system that does not tell what is in memory.
pub(super) fn folder() -> TempDir {
    tempfile::tempdir_in(std::env::current_exe().unwrap().parent().unwrap()).unwrap()
}

fn by() -> By {
    By { actor: Actor::Hitoku, at: 1_800_000_000_000 }
}

#[tokio::test]
async fn customers_are_found_in_it_until_somebody_changes_one() {
    let house = House::sqlite().await;
    house.found().await;
    house.until_it_is_current().await;
    assert_eq!(house.found().await, 3);
    let user = Identity::parse("user009").unwrap();
    house.others.assign("cm-sato", &user, Region::JAPAN, &by()).await.unwrap();
    assert_eq!(house.found().await, 0, "not in what is out of date, from this moment on");
    house.until_it_is_current().await;
    assert_eq!(house.found().await, 3);
    house.others.erase(&["cm-koshii".to_owned()], by).await.unwrap().remove(0).unwrap();
    assert_eq!(house.found().await, 0);
    house.until_it_is_current().await;
    assert_eq!(house.found().await, 1);
    house.others.rotate(&by(), |_, _| {}).await.unwrap();
    assert_eq!(house.found().await, 0);
    house.until_it_is_current().await;
    assert_eq!(house.found().await, 1, "with the new key, which looking for a stranger has brought");
    // By this process too.
    let sheet = Sheet::read(FILE.as_bytes(), Region::JAPAN, |_| {}).unwrap();
    house.indexed.0.shelf.customers.import(&sheet, &by(), |_| {}).await.unwrap();
    assert_eq!(house.found().await, 0);
    house.until_it_is_current().await;
    assert_eq!(house.found().await, 3);
}

#[tokio::test]
async fn what_this_process_keeps_of_calls_leaves_it_as_it_is() {
    let house = House::sqlite().await;
    house.until_it_is_current().await;
    let (audit, database) =
        (house.indexed.0.shelf.customers.audit(), house.indexed.0.shelf.customers.database());
    for _ in 0..3 {
        let mut transaction = database.begin().await.unwrap();
        audit
            .append(&mut *transaction, records::audit::Entry::forgotten(0, &Actor::Hitoku, 1, 1))
            .await
            .unwrap();
        assert_eq!(house.found().await, 3);
        transaction.commit().await.unwrap();
        assert_eq!(house.found().await, 3);
    }
}

#[tokio::test]
async fn a_database_that_was_moved_away_is_not_answered_for() {
    let house = House::sqlite().await;
    house.until_it_is_current().await;
    let Place::Sqlite(file) = &house.place else { unreachable!("it is SQLite") };
    std::fs::rename(file, house.folder.path().join("elsewhere")).unwrap();
    while house.indexed.is_current() {
        sleep(Duration::from_millis(10)).await;
    }
    std::fs::rename(house.folder.path().join("elsewhere"), file).unwrap();
    house.until_it_is_current().await;
    assert_eq!(house.found().await, 3);
}

#[tokio::test]
async fn with_somebodys_triggers_everybody_is_looked_for_in_the_database() {
    let house = House::sqlite().await;
    house.until_it_is_current().await;
    let database = house.others.database();
    let mut transaction = database.begin().await.unwrap();
    let trigger = "CREATE TRIGGER t AFTER INSERT ON audit BEGIN UPDATE customers SET name = 'A'; END";
    transaction.run(Query::new(trigger)).await.unwrap();
    transaction.commit().await.unwrap();
    assert!(matches!(make(database, house.folder.path()).await, Err(NoIndex::Triggers)));
    assert_eq!(house.found().await, 0);
}

#[tokio::test]
async fn with_postgresql_everybody_is_looked_for_there() {
    let server = Server::start();
    let house = House::at(|_| server.database()).await;
    assert!(house.indexed.0.shelf.customers.database().watch().await.is_none());
    assert_eq!(house.found().await, 0);
}
