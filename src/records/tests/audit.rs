//! The trail, in both databases: every way to change it is found, and named.

#![expect(clippy::unwrap_used, reason = "a test that fails here fails")]

use database::scratch::Server;
use database::{Database, Place, Query};
use domain::Identity;
use records::audit::{Action, Actor, Entry, Erased, Fault, Filter, Noted, Reason, Verdict};
use records::{Audit, TokenGiven};

#[tokio::test]
async fn sqlite_keeps_the_trail() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Sqlite(folder.path().join("hitoku.db"));
    trail(&place).await;
    what_is_of_another_kind_is_named_and_holds_nobody_up(&Database::open(&place).await.unwrap()).await;
}

#[tokio::test]
async fn postgresql_keeps_the_trail() {
    let server = Server::start();
    trail(&server.database()).await;
}

async fn trail(place: &Place) {
    let database = Database::open(place).await.unwrap();
    what_is_wrong_is_named(&database).await;
    an_end_that_was_changed_stays_known(&database).await;
    a_trail_begins_once(&database).await;
    an_older_state_is_found_by_whoever_noted_the_head(&database).await;
    many_append_at_once(place, &database).await;
    what_people_do_is_counted_and_listed(&database).await;
    entries_at_the_places_of_others_are_counted(&database).await;
}

async fn what_is_wrong_is_named(database: &Database) {
    let changes: [(&str, &[Fault]); 17] = [
        ("UPDATE audit SET at = at + 1 WHERE seq = 3", &[Fault::Changed(3)]),
        ("UPDATE audit SET actor = 'operator op_8' WHERE seq = 1", &[Fault::Changed(1)]),
        ("UPDATE audit SET action = 'signed in' WHERE seq = 8", &[Fault::Changed(8)]),
        // What moves from one text to the next is seen too.
        (
            "UPDATE audit SET subject = subject || 'n', detail = 'umbers=0' WHERE seq = 4",
            &[Fault::Changed(4)],
        ),
        (
            "UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 5) WHERE seq = 4",
            &[Fault::Changed(4)],
        ),
        (
            "UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 5) WHERE seq = 8",
            &[Fault::Changed(8)],
        ),
        ("DELETE FROM audit WHERE seq BETWEEN 2 AND 4", &[Fault::Missing { from: 2, to: 4 }]),
        ("DELETE FROM audit WHERE seq > 6", &[Fault::CutOff { from: 7, to: 8 }]),
        ("DELETE FROM audit", &[Fault::CutOff { from: 1, to: 8 }]),
        (
            "INSERT INTO audit SELECT 9, at, actor, action, subject, detail, hash FROM audit WHERE seq = 8",
            &[Fault::Inserted(9)],
        ),
        (
            "INSERT INTO audit SELECT 0, at, actor, action, subject, detail, hash FROM audit WHERE seq = 8",
            &[Fault::Inserted(0)],
        ),
        // Where nothing can follow it.
        (
            "INSERT INTO audit SELECT 9223372036854775807, at, actor, action, subject, detail, hash FROM audit WHERE seq = 8",
            &[Fault::Inserted(i64::MAX)],
        ),
        // Where nothing can be before it.
        (
            "INSERT INTO audit SELECT -9223372036854775807 - 1, at, actor, action, subject, detail, hash FROM audit WHERE seq = 8",
            &[Fault::WithoutPlace(1)],
        ),
        ("UPDATE audit_head SET seq = 7", &[Fault::Head]),
        ("UPDATE audit_head SET seq = 7, hash = (SELECT hash FROM audit WHERE seq = 7)", &[Fault::Head]),
        ("DELETE FROM audit_head", &[Fault::Head]),
        // As a trail that was never begun.
        ("DELETE FROM audit_head; DELETE FROM audit", &[Fault::Head]),
    ];
    for (change, faults) in changes {
        let audit = fresh(database).await;
        let sound = fill(&audit, database).await;
        assert_eq!((sound.entries, sound.faults.as_slice()), (8, [].as_slice()));
        run(database, change).await;
        assert_eq!(audit.verify().await.unwrap().faults, faults, "{change}");
        for at in 10..12 {
            append(&audit, database, Entry::keys_rotated(at, &Actor::Hitoku, 1)).await;
        }
        assert!(!audit.verify().await.unwrap().is_sound(), "{change}: what follows does not hide it");
    }
    let audit = fresh(database).await;
    let head = fill(&audit, database).await.head.to_string();
    assert_eq!(head, "8:21e9b9614d310398", "a trail that an earlier version has written is sound");
    let without_key = Audit::new(database.clone(), Box::new([8; 32]).into()).verify().await.unwrap();
    assert!(without_key.faults.contains(&Fault::Head) && without_key.faults.contains(&Fault::Changed(1)));
}

/// SQLite takes anything in any column.
async fn what_is_of_another_kind_is_named_and_holds_nobody_up(database: &Database) {
    let changes: [(&str, &[Fault]); 10] = [
        ("UPDATE audit SET detail = x'00' WHERE seq = 3", &[Fault::Changed(3)]),
        ("UPDATE audit SET at = 'then' WHERE seq = 3", &[Fault::Changed(3)]),
        ("UPDATE audit SET at = 1.5 WHERE seq = 8", &[Fault::Changed(8)]),
        ("UPDATE audit SET hash = 'none' WHERE seq = 3", &[Fault::Changed(3)]),
        ("UPDATE audit SET hash = 'none' WHERE seq = 8", &[Fault::Changed(8)]),
        (
            "UPDATE audit SET seq = 'last' WHERE seq = 8",
            &[Fault::WithoutPlace(1), Fault::CutOff { from: 8, to: 8 }],
        ),
        (
            "INSERT INTO audit SELECT 7.5, at, actor, action, subject, detail, hash FROM audit WHERE seq = 8",
            &[Fault::WithoutPlace(1)],
        ),
        ("UPDATE audit_head SET seq = 'none'", &[Fault::Head]),
        ("UPDATE audit_head SET hash = 1.5", &[Fault::Head]),
        ("UPDATE audit_head SET bound = 'none'", &[Fault::Head]),
    ];
    for (change, faults) in changes {
        let audit = fresh(database).await;
        fill(&audit, database).await;
        run(database, change).await;
        assert_eq!(audit.verify().await.unwrap().faults, faults, "{change}");
        assert!(audit.list(&Filter::default(), 10).await.unwrap().len() >= 8, "{change}");
        append(&audit, database, Entry::keys_rotated(9, &Actor::Hitoku, 1)).await;
        assert!(!audit.verify().await.unwrap().is_sound(), "{change}: what follows does not hide it");
    }
}

/// A table that somebody has made anew takes two of the same place, and one without. It is not made whole here: this is the last.
async fn entries_at_the_places_of_others_are_counted(database: &Database) {
    let audit = fresh(database).await;
    fill(&audit, database).await;
    run(
        database,
        "CREATE TABLE other AS SELECT * FROM audit; DROP TABLE audit; ALTER TABLE other RENAME TO audit; \
         INSERT INTO audit SELECT * FROM audit WHERE seq = 4; \
         INSERT INTO audit SELECT NULL, at, actor, action, subject, detail, hash FROM audit WHERE seq = 8",
    )
    .await;
    let faults = [Fault::WithoutPlace(1), Fault::AtOthersPlace(1)];
    assert_eq!(audit.verify().await.unwrap().faults, faults);
}

async fn an_end_that_was_changed_stays_known(database: &Database) {
    let changes = [
        "DELETE FROM audit_head",
        "DELETE FROM audit_head; DELETE FROM audit",
        "UPDATE audit_head SET seq = 6, hash = (SELECT hash FROM audit WHERE seq = 6)",
        "INSERT INTO audit SELECT 9, at, actor, action, subject, detail, hash FROM audit WHERE seq = 8",
    ];
    for change in changes {
        let audit = fresh(database).await;
        fill(&audit, database).await;
        run(database, change).await;
        append(&audit, database, Entry::keys_rotated(9, &Actor::Hitoku, 1)).await;
        let verdict = audit.verify().await.unwrap();
        assert!(
            verdict.faults.iter().any(|fault| matches!(fault, Fault::EndChanged(_))),
            "{change}: {verdict:?}"
        );
    }
    // With entries cut off, those that follow leave the gap open.
    let audit = fresh(database).await;
    fill(&audit, database).await;
    run(database, "DELETE FROM audit WHERE seq > 6").await;
    append(&audit, database, Entry::keys_rotated(9, &Actor::Hitoku, 1)).await;
    assert_eq!(audit.verify().await.unwrap().faults, [Fault::Missing { from: 7, to: 8 }]);
}

async fn a_trail_begins_once(database: &Database) {
    let audit = fresh(database).await;
    begin(&audit, database).await;
    let empty = audit.verify().await.unwrap();
    assert_eq!((empty.entries, empty.faults.as_slice()), (0, [].as_slice()));
    let sound = fill(&audit, database).await;
    begin(&audit, database).await;
    assert_eq!(audit.verify().await.unwrap(), sound);
    run(database, "DELETE FROM audit_head").await;
    begin(&audit, database).await;
    assert_eq!(audit.verify().await.unwrap().faults, [Fault::Head], "what was removed is not made good");
}

async fn an_older_state_is_found_by_whoever_noted_the_head(database: &Database) {
    let audit = fresh(database).await;
    let nothing = audit.verify().await.unwrap();
    let old = fill(&audit, database).await;
    let noted: Noted = old.head.to_string().parse().unwrap();
    assert!(noted.to_string().starts_with("8:") && noted == old.head);
    append(&audit, database, Entry::keys_rotated(9, &Actor::Hitoku, 1)).await;
    assert!(audit.verify_from(&[noted]).await.unwrap().is_sound());
    assert!(audit.verify_from(&[nothing.head.to_string().parse().unwrap()]).await.unwrap().is_sound());
    let newer = audit.verify().await.unwrap().head;
    // As a backup of before: the same entries, and nothing to find in them.
    let audit = fresh(database).await;
    fill(&audit, database).await;
    assert!(audit.verify().await.unwrap().is_sound());
    assert_eq!(audit.verify_from(&[newer]).await.unwrap().faults, [Fault::PutBack(newer)]);
    assert_eq!(audit.verify_from(&[noted, newer]).await.unwrap().faults, [Fault::PutBack(newer)]);
    append(&audit, database, Entry::keys_rotated(9, &Actor::Hitoku, 2)).await;
    assert_eq!(audit.verify_from(&[newer]).await.unwrap().faults, [Fault::Rewritten(newer)]);
    // As it needs no backup: one row of before, and the entries since deleted.
    let audit = fresh(database).await;
    fill(&audit, database).await;
    run(database, "DELETE FROM audit").await;
    run(database, "DELETE FROM audit_head").await;
    begin(&audit, database).await;
    assert!(audit.verify().await.unwrap().is_sound());
    assert_eq!(audit.verify_from(&[noted]).await.unwrap().faults, [Fault::PutBack(noted)]);
    for bad in ["", "8", "8:", "-1:0123456789abcdef", "8:0123456789abcde", "8:+123456789abcdef"] {
        assert!(bad.parse::<Noted>().is_err(), "{bad}");
    }
}

async fn many_append_at_once(place: &Place, database: &Database) {
    let audit = fresh(database).await;
    let mut writers = tokio::task::JoinSet::new();
    for at in 0..8 {
        let database = Database::open(place).await.unwrap();
        let audit = Audit::new(database.clone(), key());
        writers.spawn(async move {
            for _ in 0..8 {
                append(&audit, &database, Entry::keys_rotated(at, &Actor::Hitoku, at)).await;
            }
        });
    }
    writers.join_all().await;
    let verdict = audit.verify().await.unwrap();
    assert_eq!((verdict.entries, verdict.faults), (64, vec![]));
}

async fn what_people_do_is_counted_and_listed(database: &Database) {
    let audit = fresh(database).await;
    fill(&audit, database).await;
    let mut transaction = database.begin().await.unwrap();
    for (since, count) in [(0, 2), (7, 1), (8, 0)] {
        assert_eq!(audit.count(&mut *transaction, Action::Revealed, since).await.unwrap(), count);
    }
    drop(transaction);
    let opaque = audit.opaque("cust-1").to_string();
    assert!(opaque.len() == 16 && opaque != audit.opaque("cust-2").to_string() && !opaque.contains("cust"));
    let filter = Filter { action: Some(Action::Revealed), ..Filter::default() };
    let listed = audit.list(&filter, 10).await.unwrap();
    assert_eq!(listed.iter().map(|kept| kept.seq).collect::<Vec<_>>(), [7, 6]);
    assert_eq!((listed[1].subject.as_str(), listed[1].detail.as_str()), (opaque.as_str(), "1 of 2: 忘れ物"));
    let filter = Filter { subject: Some(audit.opaque("cust-1")), ..Filter::default() };
    assert_eq!(audit.list(&filter, 2).await.unwrap().iter().map(|kept| kept.seq).collect::<Vec<_>>(), [7, 6]);
}

async fn fill(audit: &Audit, database: &Database) -> Verdict {
    let (shell, other) = (Actor::Shell(operator()), Actor::Shell(Identity::parse("root").unwrap()));
    let customer = || audit.opaque("cust-1");
    let reason = Reason::parse("忘れ物").unwrap();
    let entries = [
        Entry::of(&TokenGiven::new(1, &operator()).into()),
        Entry::imported(2, &shell, 1_000_000, 1_200_000),
        Entry::added(3, &shell, customer(), &operator()),
        Entry::erased(4, &shell, customer(), &Erased { numbers: 2, calls: 3, aliases: vec![] }),
        Entry::assigned(5, &shell, customer(), &operator()),
        Entry::revealed(6, &shell, customer(), &reason, (1, 2)),
        Entry::revealed(7, &other, customer(), &reason, (2, 2)),
        Entry::keys_rotated(8, &shell, 2),
    ];
    for entry in entries {
        append(audit, database, entry).await;
    }
    audit.verify().await.unwrap()
}

async fn append(audit: &Audit, database: &Database, entry: Entry) {
    let mut transaction = database.begin().await.unwrap();
    audit.append(&mut *transaction, entry).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn fresh(database: &Database) -> Audit {
    run(database, "DELETE FROM audit; DELETE FROM audit_head").await;
    let audit = Audit::new(database.clone(), key());
    begin(&audit, database).await;
    audit
}

async fn begin(audit: &Audit, database: &Database) {
    let mut transaction = database.begin().await.unwrap();
    audit.begin(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn run(database: &Database, statements: &'static str) {
    let mut transaction = database.begin().await.unwrap();
    for statement in statements.split("; ") {
        transaction.run(Query::new(statement)).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

fn key() -> secrecy::SecretBox<[u8; 32]> {
    Box::new([7; 32]).into()
}

fn operator() -> Identity {
    Identity::parse("op_7").unwrap()
}
