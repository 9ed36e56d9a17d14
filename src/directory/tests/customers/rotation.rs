//! Keys, rotated while others read, begun twice, cut off, given, and ended.

use super::*;

pub(super) async fn keys_rotate_while_others_read(house: &House) {
    let before = house.customers.keys().names();
    let alias = alias_of(&house.customers);
    let reader = Arc::new(house.again().await);
    let importing = house.again().await;
    let reading = tokio::spawn({
        let reader = reader.clone();
        async move {
            for _ in 0..200 {
                assert_eq!(found(&reader, "090-1234-5678").await, person("cm-koshii", "user001"));
            }
        }
    });
    let rotated = house.customers.rotate(&by(), |_, _| {}).await.unwrap();
    reading.await.unwrap();
    assert!(!rotated.resumed && rotated.sealed >= 7, "{rotated:?}");
    assert_eq!(house.customers.keys().names(), std::slice::from_ref(&rotated.key));
    assert_ne!(before, house.customers.keys().names());
    // One that has not looked since, and one that begins now.
    assert_eq!(found(&reader, "03-1234-5678").await, person("cm-sato", "user002"));
    let later = house.again().await;
    assert_eq!(found(&later, "+447700900101").await, person("cm-koshii", "user001"));
    assert_eq!(later.show("cm-koshii").await.unwrap().note.as_deref(), Some("calls on Mondays"));
    assert_eq!((alias_of(&later), alias_of(&house.customers)), (alias.clone(), alias));
    assert_eq!(house.import(FILE).await, Imported { unchanged: 3, ..Imported::default() });
    // An import that had read its file when the rotation began, and writes when the old key has ended.
    let sheet = sheet("id,name,operator,numbers\ncm-late,late,user001,03-9999-0011;03-1234-5678\n");
    let late = importing.import(&sheet, &by(), |_| {}).await.unwrap();
    assert_eq!(late.taken.len(), 1, "{late:?}");
    assert_eq!(found(&house.again().await, "03-9999-0011").await, person("cm-late", "user001"));
    assert_eq!(found(&house.again().await, "03-1234-5678").await, person("cm-late", "user001"));
    house.erase("cm-late").await.unwrap();
    house.import(FILE).await;
}

pub(super) async fn two_rotations_at_once_lose_nothing(house: &House) {
    let (one, two) = (house.again().await, house.again().await);
    let (by_one, by_two) = (by(), by());
    let (done, also) = tokio::join!(one.rotate(&by_one, |_, _| {}), two.rotate(&by_two, |_, _| {}));
    // Whoever comes late begins another.
    let last = house.again().await.keys().names();
    assert!(last == [done.unwrap().key] || last == [also.unwrap().key], "{last:?}");
    assert_eq!(found(&house.again().await, "090-1234-5678").await, person("cm-koshii", "user001"));
}

pub(super) async fn a_rotation_that_was_cut_off_is_finished(house: &House) {
    // As it is found after a cut: a new key in front, and everything under the old one still.
    let path = house.folder.path().join("number.key");
    let old = fs::read_to_string(&path).unwrap();
    let fresh = secrecy::ExposeSecret::expose_secret(&Keys::fresh()).to_owned();
    fs::write(&path, format!("{fresh}\n{old}")).unwrap();
    let cut = house.again().await;
    cut.import(&sheet("id,name,operator,numbers\ncm-mid,mid,user001,03-9999-0010\n"), &by(), |_| {})
        .await
        .unwrap();
    assert_eq!(found(&cut, "090-1234-5678").await, person("cm-koshii", "user001"));
    assert_eq!(
        cut.import(&sheet(FILE), &by(), |_| {}).await.unwrap().unchanged,
        3,
        "under the old key they are the same"
    );
    let rotated = cut.rotate(&by(), |_, _| {}).await.unwrap();
    assert!(rotated.resumed && rotated.sealed >= 7, "{rotated:?}");
    assert_eq!(fs::read_to_string(&path).unwrap().trim(), fresh);
    assert_eq!(house.found("03-9999-0010").await, person("cm-mid", "user001"));
    assert_eq!(house.found("090-1234-5678").await, person("cm-koshii", "user001"));
}

#[tokio::test]
async fn a_key_that_is_given_is_rotated_by_whoever_gives_it() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&Place::Sqlite(folder.path().join("hitoku.db"))).await.unwrap();
    let (old, new) = (Keys::fresh(), Keys::fresh());
    let customers = Customers::open(database.clone(), Keys::given(&old).unwrap()).await.unwrap();
    customers.import(&sheet(FILE), &by(), |_| {}).await.unwrap();
    assert!(matches!(customers.rotate(&by(), |_, _| {}).await, Err(Trouble::OneKey)));
    let both = async || Customers::open(database.clone(), given(&[&new, &old])).await.unwrap();
    assert!(!both().await.are_rotated().await.unwrap());
    let cut_off = both().await;
    let cut_off = tokio::spawn(async move { cut_off.rotate(&by(), |_, _| panic!("cut off")).await });
    assert!(cut_off.await.unwrap_err().is_panic());
    // Some customers are still under the old key, and would be strangers.
    assert!(!both().await.are_rotated().await.unwrap());
    let only = Customers::open(database.clone(), Keys::given(&new).unwrap()).await;
    let old_name = Keys::given(&old).unwrap().names().remove(0);
    assert!(matches!(&only, Err(Trouble::WrongKey { needed, .. }) if *needed == old_name), "{only:?}");
    let rotated = both().await.rotate(&by(), |_, _| {}).await.unwrap();
    assert!(rotated.resumed && rotated.sealed == 1, "{rotated:?}");
    assert!(both().await.are_rotated().await.unwrap());
    let only = Customers::open(database, Keys::given(&new).unwrap()).await.unwrap();
    assert_eq!(found(&only, "090-1234-5678").await, person("cm-koshii", "user001"));
}

/// Several keys, as they are given in this order.
fn given(keys: &[&secrecy::SecretString]) -> Keys {
    let texts: Vec<&str> = keys.iter().map(|key| secrecy::ExposeSecret::expose_secret(*key)).collect();
    Keys::given(&texts.join(",").into()).unwrap()
}

#[tokio::test]
async fn whoever_still_has_the_old_key_first_seals_with_the_new_one_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    still_has_the_old_key_first(&Place::Sqlite(folder.path().join("hitoku.db"))).await;
}

#[tokio::test]
async fn whoever_still_has_the_old_key_first_seals_with_the_new_one_on_postgresql() {
    let server = Server::start();
    still_has_the_old_key_first(&server.database()).await;
}

async fn still_has_the_old_key_first(place: &Place) {
    let (old, new) = (Keys::fresh(), Keys::fresh());
    let with = async |keys: &[&secrecy::SecretString]| {
        Customers::open(Database::open(place).await.unwrap(), given(keys)).await.unwrap()
    };
    let customer = |id: &str, number: &str| {
        sheet(&format!("id,name,operator,numbers,group,note\n{id},name,user001,{number},,a note\n"))
    };
    with(&[&old]).await.import(&sheet(FILE), &by(), |_| {}).await.unwrap();
    // Before it, whoever has the new key first seals with the old one: some servers may not have the other yet.
    let late = with(&[&old, &new]).await;
    let both = with(&[&new, &old]).await;
    both.import(&customer("cm-before", "03-9999-0031"), &by(), |_| {}).await.unwrap();
    assert_eq!(found(&with(&[&old]).await, "03-9999-0031").await, person("cm-before", "user001"));
    // In its midst, and after it.
    let during = customer("cm-during", "03-9999-0032");
    let (by_one, by_other) = (by(), by());
    let (rotated, imported) =
        tokio::join!(both.rotate(&by_one, |_, _| {}), late.import(&during, &by_other, |_| {}));
    assert!(rotated.unwrap().sealed >= 7 && imported.unwrap().added == 1);
    late.import(&customer("cm-after", "03-9999-0033"), &by(), |_| {}).await.unwrap();
    late.import(&customer("cm-sato", "03-1234-5678"), &by(), |_| {}).await.unwrap();
    let only = with(&[&new]).await;
    for (id, number) in [
        ("cm-koshii", "090-1234-5678"),
        ("cm-sato", "03-1234-5678"),
        ("cm-before", "03-9999-0031"),
        ("cm-during", "03-9999-0032"),
        ("cm-after", "03-9999-0033"),
    ] {
        assert_eq!(found(&only, number).await, person(id, "user001"), "{id}");
        assert!(only.show(id).await.unwrap().note.is_some(), "{id}");
    }
}

#[tokio::test]
async fn a_database_that_lost_its_secrets_is_not_a_new_one() {
    for table in ["customers", "audit", "audit_head"] {
        let house = House::sqlite().await;
        house.import(FILE).await;
        let mut transaction = house.database.begin().await.unwrap();
        for other in ["secrets", "numbers", "customers", "audit", "audit_head"] {
            if other != table && (table != "customers" || other != "numbers") {
                transaction.run(Query::new(format!("DELETE FROM {other}"))).await.unwrap();
            }
        }
        transaction.commit().await.unwrap();
        assert!(matches!(Customers::are_new(&house.database).await, Err(Trouble::NoSecret(_))), "{table}");
        let keys = Keys::in_file(&house.folder.path().join("number.key")).unwrap();
        let opened = Customers::open(house.database.clone(), keys).await;
        assert!(matches!(opened, Err(Trouble::NoSecret(_))), "{table}: {opened:?}");
    }
}

#[tokio::test]
async fn keys_that_have_ended_seal_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&Place::Sqlite(folder.path().join("hitoku.db"))).await.unwrap();
    let path = folder.path().join("number.key");
    assert!(Customers::are_new(&database).await.unwrap());
    let customers = Customers::open(database.clone(), Keys::made_in_file(&path).unwrap()).await.unwrap();
    assert!(!Customers::are_new(&database).await.unwrap());
    customers.import(&sheet(FILE), &by(), |_| {}).await.unwrap();
    // A server whose key is given, and who has not heard of the rotation.
    let old = secrecy::SecretString::from(fs::read_to_string(&path).unwrap());
    let deaf = Customers::open(database.clone(), Keys::given(&old).unwrap()).await.unwrap();
    // And one who looks at the file for the first time when something else is in its place.
    let late = Customers::open(database, Keys::in_file(&path).unwrap()).await.unwrap();
    customers.rotate(&by(), |_, _| {}).await.unwrap();
    let imported = deaf
        .import(&sheet("id,name,operator,numbers\ncm-late,late,user001,03-9999-0011\n"), &by(), |_| {})
        .await;
    assert!(matches!(imported, Err(Trouble::WrongKey { .. })), "{imported:?}");
    // Nor are its customers strangers to it, who would be told that they are.
    let number = PhoneNumber::parse("+819012345678").unwrap();
    assert!(matches!(deaf.look_up(&number).await, Err(Silent::Nonsense(_))));
    let revealed = deaf.reveal("cm-koshii", &reason(), 9, &by()).await;
    assert!(matches!(revealed, Err(Trouble::WrongKey { .. })), "{revealed:?}");
    // Another file in the key's place makes no stranger of a customer.
    let kept = fs::read_to_string(&path).unwrap();
    fs::write(&path, secrecy::ExposeSecret::expose_secret(&Keys::fresh())).unwrap();
    assert!(matches!(late.look_up(&number).await, Err(Silent::Nonsense(_))));
    assert_eq!(found(&customers, "03-9999-0012").await, None);
    assert_eq!(found(&customers, "090-1234-5678").await, person("cm-koshii", "user001"));
    fs::write(&path, kept).unwrap();
    assert_eq!(found(&customers, "03-9999-0012").await, None);
    assert_eq!(found(&customers, "090-1234-5678").await, person("cm-koshii", "user001"));
}
