//! Customers in both databases: imported, found, changed, erased, revealed, and sealed anew.

#![expect(clippy::unwrap_used, reason = "a test that fails here fails")]

mod erasure;
mod rotation;
mod sealed;
mod written;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use database::scratch::Server;
use database::{Database, Place, Query};
use directory::{
    By, Customer, Customers, Directory, Imported, Keys, PhoneNumber, Receipt, Region, Shared, Sheet, Silent,
    Taken, Trouble, Written,
};
use domain::Identity;
use records::audit::{Actor, Reason};
use tempfile::TempDir;

const FILE: &str = "id,name,operator,numbers,group,note\n\
                    cm-koshii,越井 琢巳,user001,090-1234-5678;+44 7700 900101,tokyo,calls on Mondays\n\
                    cm-sato,佐藤 美咲,user002,０３－１２３４－５６７８,,\n\
                    cm-oneil,O'Neil & Sons <K>,user.2@example,(+1) 202-555-0143,,\n";
/// The significant digits of every number in [`FILE`].
const DIGITS: [&str; 4] = ["9012345678", "7700900101", "312345678", "2025550143"];

/// Every column of every table in which something of a customer could be.
const COLUMNS: [(&str, &[&str]); 5] = [
    ("customers", &["id", "name", "operator", "team", "note_key", "note"]),
    ("numbers", &["hash", "customer", "key_id", "sealed"]),
    ("secrets", &["name", "key_id", "sealed"]),
    ("calls", &["call_sid", "first_at", "came_tie", "call_ref", "customer", "alias", "operator"]),
    ("audit", &["actor", "action", "subject", "detail", "hash"]),
];

/// A directory and where it is.
struct House {
    customers: Customers,
    database: Database,
    place: Place,
    folder: TempDir,
}

async fn erase(customers: &Customers, id: &str, by: impl FnOnce() -> By) -> Result<Receipt, Trouble> {
    customers.erase(&[id.to_owned()], by).await?.remove(0)
}

impl House {
    async fn at(place: impl FnOnce(&Path) -> Place) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        let database = Database::open(&place).await.unwrap();
        let keys = Keys::made_in_file(&folder.path().join("number.key")).unwrap();
        let customers = Customers::open(database.clone(), keys).await.unwrap();
        Self { customers, database, place, folder }
    }

    async fn erase(&self, id: &str) -> Result<Receipt, Trouble> {
        erase(&self.customers, id, by).await
    }

    async fn sqlite() -> Self {
        Self::at(|folder| Place::Sqlite(folder.join("hitoku.db"))).await
    }

    /// As another process sees it, with the keys of now.
    async fn again(&self) -> Customers {
        let keys = Keys::in_file(&self.folder.path().join("number.key")).unwrap();
        Customers::open(Database::open(&self.place).await.unwrap(), keys).await.unwrap()
    }

    async fn import(&self, text: &str) -> Imported {
        self.customers.import(&sheet(text), &by(), |_| {}).await.unwrap()
    }

    async fn found(&self, number: &str) -> Option<(String, String)> {
        found(&self.customers, number).await
    }

    /// Everything that is kept, row by row.
    async fn kept(&self) -> String {
        let mut kept = String::new();
        for table in ["customers", "numbers", "secrets", "audit", "audit_head"] {
            let query = Query::new(format!("SELECT * FROM {table} ORDER BY 1"));
            kept += &format!("{:?}\n", self.database.read(query).await.unwrap());
        }
        kept
    }

    /// Everything that is kept, each value's own bytes; those of numbers in both orders.
    async fn values(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (table, columns) in COLUMNS {
            let rows = self.database.read(Query::new(format!("SELECT {} FROM {table}", columns.join(", "))));
            for mut row in rows.await.unwrap() {
                for column in 0..columns.len() {
                    let value = row
                        .maybe_bytes(column)
                        .or_else(|_| row.maybe_text(column).map(|text| text.map(String::into_bytes)));
                    let value = value.or_else(|_| {
                        let both = |int: i64| [int.to_be_bytes(), int.to_le_bytes()].concat();
                        row.maybe_int(column).map(|int| int.map(both))
                    });
                    bytes.extend(value.unwrap().unwrap_or_default());
                    bytes.push(0xff);
                }
            }
        }
        bytes
    }

    /// Every byte on the disk.
    fn bytes(&self) -> Vec<u8> {
        let files = fs::read_dir(self.folder.path()).unwrap();
        let paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        paths.iter().flat_map(|path| fs::read(path).unwrap()).collect()
    }
}

fn sheet(text: &str) -> Sheet {
    Sheet::read(text.as_bytes(), Region::JAPAN, |_| {}).unwrap()
}

fn by() -> By {
    By { actor: actor(), at: 1_800_000_000_000 }
}

fn actor() -> Actor {
    Actor::Shell(Identity::parse("tests").unwrap())
}

async fn found(customers: &Customers, number: &str) -> Option<(String, String)> {
    let number = PhoneNumber::written(number, Region::JAPAN).unwrap();
    let found = customers.look_up(&number).await.unwrap()?;
    Some((found.customer_id.unwrap(), found.operator.to_string()))
}

fn reason() -> Reason {
    Reason::parse("a court order").unwrap()
}

fn person(id: &str, operator: &str) -> Option<(String, String)> {
    Some((id.to_owned(), operator.to_owned()))
}

#[tokio::test]
async fn sqlite() {
    let house = House::sqlite().await;
    everything(&house).await;
}

#[tokio::test]
async fn postgresql() {
    let server = Server::start();
    let house = House::at(|_| server.database()).await;
    everything(&house).await;
    let mut reading = house.database.begin().await.unwrap();
    for sql in ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SELECT COUNT(*) FROM secrets"] {
        reading.run(Query::new(sql)).await.unwrap();
    }
    house.erase("cm-koshii").await.unwrap();
    let left = house.database.scrub(database::Deleted::Customers).await;
    assert_eq!(left, Err(database::Failure::Kept), "what it noted is kept for who reads");
    drop(reading);
    house.database.scrub(database::Deleted::Customers).await.unwrap();
    house.database.read(Query::new("CHECKPOINT")).await.unwrap();
    assert!(!tables_hold(&server.folder().join("base"), "越井"), "who was erased is in none of its files");
    assert!(tables_hold(&server.folder().join("base"), "佐藤"), "and would be found there");
}

fn tables_hold(folder: &std::path::Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let holds = |bytes: Vec<u8>| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        if path.is_dir() { tables_hold(&path, text) } else { std::fs::read(path).is_ok_and(holds) }
    })
}

async fn everything(house: &House) {
    customers_are_imported_and_found(house).await;
    the_same_file_again_changes_nothing(house).await;
    a_changed_file_changes_what_it_says(house).await;
    the_newest_assignment_of_a_number_wins(house).await;
    one_is_added_and_given_to_another(house).await;
    they_are_listed_without_numbers(house).await;
    numbers_are_revealed_only_with_an_entry_and_within_the_allowance(house).await;
    rotation::keys_rotate_while_others_read(house).await;
    rotation::two_rotations_at_once_lose_nothing(house).await;
    rotation::a_rotation_that_was_cut_off_is_finished(house).await;
    erasure::erased_is_gone(house).await;
    erasure::several_are_erased_together(house).await;
    another_key_is_refused(house).await;
    assert!(!shows_a_number(&house.values().await));
    a_number_in_the_clear_would_be_seen(house).await;
}

/// Whether a number is in these bytes: as text, packed or as a whole number.
fn shows_a_number(bytes: &[u8]) -> bool {
    DIGITS.iter().any(|number| {
        let digits: Vec<u8> = number.bytes().map(|digit| digit - b'0').collect();
        let packed = |digits: &[u8]| -> Vec<u8> {
            digits.chunks(2).map(|two| two[0] << 4 | two.get(1).copied().unwrap_or(0xf)).collect()
        };
        let whole = number.parse::<u64>().unwrap();
        let ways = [
            number.as_bytes().to_vec(),
            digits.clone(),
            // Without the first or the last, which may share a byte with what is not shown here.
            packed(&digits[1..9]),
            packed(&digits[..8]),
            whole.to_be_bytes()[3..].to_vec(),
            whole.to_le_bytes()[..5].to_vec(),
        ];
        ways.iter().any(|way| bytes.windows(way.len()).any(|window| window == way))
    })
}

/// In each column that could hold one.
async fn a_number_in_the_clear_would_be_seen(house: &House) {
    let number = "+12025550143";
    house.import(FILE).await;
    for (column, value) in [
        ("note", database::Value::from(number.as_bytes())),
        ("note", [0x12_u8, 0x02, 0x55, 0x50, 0x14, 0x3f][..].into()),
        ("team", number.into()),
    ] {
        let mut planting = house.database.begin().await.unwrap();
        let update = format!("UPDATE customers SET {column} = $1 WHERE id = 'cm-sato' RETURNING {column}");
        assert_eq!(planting.run(Query::new(update).with(value)).await.unwrap().len(), 1);
        planting.commit().await.unwrap();
        assert!(shows_a_number(&house.values().await), "{column}");
        let mut cleaning = house.database.begin().await.unwrap();
        cleaning
            .run(Query::new("UPDATE customers SET note = NULL, note_key = NULL, team = NULL"))
            .await
            .unwrap();
        cleaning.commit().await.unwrap();
        assert!(!shows_a_number(&house.values().await));
    }
}

async fn customers_are_imported_and_found(house: &House) {
    assert_eq!(house.found("090-1234-5678").await, None);
    let imported = house.import(FILE).await;
    assert_eq!(imported, Imported { added: 3, ..Imported::default() });
    for number in ["+819012345678", "０９０ー１２３４ー５６７８", "+447700900101"] {
        assert_eq!(house.found(number).await, person("cm-koshii", "user001"), "{number}");
    }
    assert_eq!(house.found("+12025550143").await, person("cm-oneil", "user.2@example"));
    assert_eq!(house.found("+12025550144").await, None);
}

async fn the_same_file_again_changes_nothing(house: &House) {
    let before = house.kept().await;
    assert_eq!(house.import(FILE).await, Imported { unchanged: 3, ..Imported::default() });
    assert_eq!(house.kept().await, before);
}

#[tokio::test]
async fn an_import_says_how_far_it_is_and_not_further() {
    let house = House::sqlite().await;
    let (sheet, mut said) = (sheet(FILE), Vec::new());
    assert_eq!(sheet.work(), 3 + 4);
    house.customers.import(&sheet, &by(), |done| said.push(done)).await.unwrap();
    assert_eq!(said, [3, 7], "customers, and then their numbers");
    said.clear();
    house.customers.import(&sheet, &by(), |done| said.push(done)).await.unwrap();
    assert_eq!(said, [7], "numbers that are there already are done with their customers");
}

async fn a_changed_file_changes_what_it_says(house: &House) {
    let changed = "id,name,operator,numbers,group,note\n\
                   cm-koshii,越井 琢巳,user001,090-1234-5678,tokyo,calls on Mondays\n\
                   cm-sato,佐藤 美咲,user003,03-1234-5678,,\n";
    assert_eq!(house.import(changed).await, Imported { changed: 2, ..Imported::default() });
    assert_eq!(house.found("+447700900101").await, None, "a number that is not in the row any more");
    assert_eq!(house.found("03-1234-5678").await, person("cm-sato", "user003"));
    assert_eq!(
        house.found("+12025550143").await,
        person("cm-oneil", "user.2@example"),
        "who is not in the file stays"
    );
    assert_eq!(house.import(FILE).await, Imported { changed: 2, unchanged: 1, ..Imported::default() });
}

async fn the_newest_assignment_of_a_number_wins(house: &House) {
    let taking = "id,name,operator,numbers\ncm-new,new,user009,+44 7700 900101\n";
    let taken = vec![Taken { from: "cm-koshii".to_owned(), to: "cm-new".to_owned() }];
    assert_eq!(house.import(taking).await, Imported { added: 1, taken, ..Imported::default() });
    assert_eq!(house.found("+447700900101").await, person("cm-new", "user009"));
    let moved =
        "id,name,operator,numbers\ncm-new,new,user009,03-9999-0001\ncm-koshii,k,user001,+447700900101\n";
    let taken = vec![Taken { from: "cm-new".to_owned(), to: "cm-koshii".to_owned() }];
    assert_eq!(house.import(moved).await.taken, taken, "also by the row that had it");
    assert_eq!(house.found("+447700900101").await, person("cm-koshii", "user001"));
    let twice = "id,name,operator,numbers\ncm-a,a,user001,03-9999-0002\ncm-b,b,user002,+81 3 9999 0002;03-9999-0003\n";
    assert_eq!(sheet(twice).shared, [Shared { line: 2, later: 3 }]);
    house.import(twice).await;
    assert_eq!(house.found("03-9999-0002").await, person("cm-b", "user002"));
    let before = house.kept().await;
    house.import(twice).await;
    assert_eq!(house.kept().await, before);
}

async fn one_is_added_and_given_to_another(house: &House) {
    let customer = |id, numbers| -> Customer {
        let written = Written { id, name: "somebody", operator: "user001", numbers, ..Written::default() };
        written.read(Region::JAPAN).unwrap()
    };
    let one = || customer("cm-one", "03-9999-0009");
    house.customers.add(one(), &by()).await.unwrap();
    assert!(matches!(house.customers.add(one(), &by()).await, Err(Trouble::Known(id)) if id == "cm-one"));
    // Two at once, who both have seen that nobody has this id.
    let two = || customer("cm-two", "03-9999-0008");
    let other = house.again().await;
    let (by_one, by_other) = (by(), by());
    let added = tokio::join!(house.customers.add(two(), &by_one), other.add(two(), &by_other));
    assert!(matches!(added, (Ok(_), Err(Trouble::Known(_))) | (Err(Trouble::Known(_)), Ok(_))), "{added:?}");
    house.erase("cm-two").await.unwrap();
    let assign = async |id: &str, operator: &str| {
        let operator = Identity::parse(operator).unwrap();
        house.customers.assign(id, &operator, Region::JAPAN, &by()).await
    };
    assign("cm-one", "user007").await.unwrap();
    for number in ["0399990009", "user-399990009", "090-1234-5678"] {
        assert!(matches!(assign("cm-one", number).await, Err(Trouble::Unfit(_))), "{number}");
    }
    assert_eq!(house.found("03-9999-0009").await, person("cm-one", "user007"));
    let nobody = assign("cm-nobody", "user007").await;
    assert!(matches!(nobody, Err(Trouble::Nobody(_))));
}

async fn they_are_listed_without_numbers(house: &House) {
    house.import(FILE).await;
    let all = house.customers.list(None, "", 100).await.unwrap();
    assert_eq!(i64::try_from(all.len()).unwrap(), house.customers.count().await.unwrap());
    assert!(all.is_sorted_by_key(|listed| listed.id.clone()));
    let second = house.customers.list(None, &all[0].id, 1).await.unwrap();
    assert_eq!(second, all[1..2]);
    let own = house.customers.list(Some(&Identity::parse("user002").unwrap()), "", 100).await.unwrap();
    assert!(own.iter().all(|listed| listed.operator == "user002") && own.len() == 2, "{own:?}");
    let koshii = house.customers.show("cm-koshii").await.unwrap();
    assert_eq!(
        (koshii.numbers, koshii.team.as_deref(), koshii.note.as_deref()),
        (2, Some("tokyo"), Some("calls on Mondays"))
    );
    assert!(matches!(house.customers.show("cm-nobody").await, Err(Trouble::Nobody(_))));
}

async fn numbers_are_revealed_only_with_an_entry_and_within_the_allowance(house: &House) {
    let reveal = |at: u64, allowance| async move {
        let by = By { actor: actor(), at };
        house.customers.reveal("cm-koshii", &reason(), allowance, &by).await
    };
    let now = by().at;
    let revealed = reveal(now, 2).await.unwrap();
    let mut expected = ["+819012345678", "+447700900101"].map(|number| PhoneNumber::parse(number).unwrap());
    let hashed = |number: &PhoneNumber| format!("{:?}", revealed.iter().position(|other| other == number));
    expected.sort_by_key(hashed);
    assert_eq!(revealed, expected);
    reveal(now + 1, 2).await.unwrap();
    let a_day = 24 * 60 * 60 * 1000;
    for at in [now + 2, now + a_day] {
        assert!(matches!(reveal(at, 2).await, Err(Trouble::Allowance { used: 2, allowed: 2 })));
    }
    reveal(now + a_day + 2, 2).await.unwrap();
    let entries = Query::new("SELECT detail FROM audit WHERE detail LIKE '% of 2: a court order'");
    assert_eq!(house.database.read(entries).await.unwrap().len(), 3);
    let asked = async |id: &str, reason: &str| {
        house.customers.reveal(id, &Reason::parse(reason).unwrap(), 9, &by()).await
    };
    assert!(matches!(asked("cm-nobody", "a court order").await, Err(Trouble::Nobody(_))));
    for reason in ["越井 琢巳 asked", "越井さんの依頼", "a court asked for CM-Koshii"] {
        assert!(matches!(asked("cm-koshii", reason).await, Err(Trouble::Named)), "{reason}");
    }
    for reason in ["07700 no 900 no 101", "090 tel 1234 tel 5678"] {
        assert!(matches!(asked("cm-koshii", reason).await, Err(Trouble::Numbered)), "{reason}");
    }
    house.import("id,name,operator,numbers\ncm-poor,poor,user001,03-9999-0021\n").await;
    house.import("id,name,operator,numbers\ncm-rich,rich,user001,03-9999-0021\n").await;
    assert!(matches!(asked("cm-poor", "a court order").await, Err(Trouble::NoNumber(_))));
    for id in ["cm-poor", "cm-rich"] {
        house.erase(id).await.unwrap();
    }
}

async fn another_key_is_refused(house: &House) {
    let keys = Keys::given(&Keys::fresh()).unwrap();
    let database = Database::open(&house.place).await.unwrap();
    let refused = Customers::open(database, keys).await.unwrap_err().to_string();
    assert!(
        refused.contains(&house.customers.keys().names()[0]) && refused.contains("NUMBER_KEY"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_database_that_fails_makes_no_stranger_of_a_customer() {
    let house = House::sqlite().await;
    house.import(FILE).await;
    house.again().await.rotate(&by(), |_, _| {}).await.unwrap();
    let rename = async |from: &str, to: &str| {
        let mut transaction = house.database.begin().await.unwrap();
        transaction.run(Query::new(format!("ALTER TABLE {from} RENAME TO {to}"))).await.unwrap();
        transaction.commit().await.unwrap();
    };
    rename("secrets", "away").await;
    let number = PhoneNumber::parse("+447700900101").unwrap();
    for _ in 0..2 {
        let silent = house.customers.look_up(&number).await;
        assert!(matches!(silent, Err(Silent::Database(_))), "{silent:?}");
    }
    rename("away", "secrets").await;
    assert_eq!(house.found("+447700900101").await, person("cm-koshii", "user001"));
}

#[tokio::test]
async fn a_trail_that_was_emptied_is_no_new_one() {
    let house = House::sqlite().await;
    let audit = house.customers.audit();
    assert!(audit.verify().await.unwrap().is_sound());
    house.import(FILE).await;
    for table in ["audit", "audit_head"] {
        let mut transaction = house.database.begin().await.unwrap();
        transaction.run(Query::new(format!("DELETE FROM {table}"))).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(!audit.verify().await.unwrap().is_sound(), "without {table}");
    }
    let mut transaction = house.database.begin().await.unwrap();
    transaction.run(Query::new("DELETE FROM secrets WHERE name = 'audit'")).await.unwrap();
    transaction.commit().await.unwrap();
    let keys = Keys::in_file(&house.folder.path().join("number.key")).unwrap();
    let opened = Customers::open(house.database.clone(), keys).await;
    assert!(matches!(opened, Err(Trouble::NoSecret("audit"))), "{opened:?}");
}

fn alias_of(customers: &Customers) -> String {
    customers.aliases().alias(&PhoneNumber::parse("+447700900199").unwrap())
}
