//! What both databases promise, asked of both.

#![expect(clippy::unwrap_used, reason = "a test that fails here fails")]

use std::time::Duration;

use database::scratch::Server;
use database::{Database, Deleted, Failure, Place, Query, Value};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const ADD: &str = "INSERT INTO secrets (name, key_id, sealed) VALUES";
const ALL: &str = "SELECT name, key_id, sealed FROM secrets ORDER BY name";

#[tokio::test]
async fn sqlite_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Sqlite(folder.path().join("new/folder/hitoku.db"));
    let database = promises(&place).await;
    assert_eq!(database.clock().await, Ok(None));
    let Place::Sqlite(file) = &place else { unreachable!("it is SQLite") };
    std::fs::rename(file, file.with_extension("moved")).unwrap();
    let Err(gone) = database.begin().await else { panic!("what is written now goes nowhere") };
    assert!(gone.to_string().contains("was moved, removed or replaced"), "{gone}");
    let read = async || database.read(Query::new(ALL)).await;
    while read().await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(
        matches!(read().await, Err(Failure::Unreachable(_))),
        "what is read is not what is kept any more"
    );
    std::fs::rename(file.with_extension("moved"), file).unwrap();
    read().await.unwrap();
    database.begin().await.unwrap().commit().await.unwrap();
    assert_eq!(database.damage().await, Ok(None));
    drop(database);
    assert!(
        !file.with_extension("db-wal").exists(),
        "whoever closes it last leaves one file, which can be copied"
    );
    let mut pages = std::fs::read(file).unwrap();
    let last = pages.len() - 4096;
    pages[last..].fill(b'x');
    std::fs::write(file, pages).unwrap();
    let damage = Database::open(&place).await.unwrap().damage().await;
    assert!(matches!(damage, Ok(Some(_)) | Err(Failure::Damaged(_))), "{damage:?}");
    // As one of another user's cannot, but for root.
    let no_file = Database::open(&Place::Sqlite(folder.path().to_owned())).await.unwrap_err();
    assert!(matches!(no_file, Failure::Unopened(_)) && no_file.to_string().contains("`chown`"), "{no_file}");
}

#[tokio::test]
async fn postgresql_keeps_its_promises() {
    let server = Server::start();
    let latin = Database::open(&server.database_in("LATIN1")).await.unwrap_err();
    assert!(matches!(&latin, Failure::Encoding(of) if of == "LATIN1"), "{latin}");
    let database = promises(&server.database()).await;
    assert!(database.clock().await.unwrap().unwrap() > 1_700_000_000_000);
    for url in [server.url("no_such_database"), server.url("postgres").replace("hitoku@", "no_such_user@")] {
        let refused = Database::open(&Place::Postgres(url.into())).await.unwrap_err();
        assert!(matches!(&refused, Failure::NotLetIn(why) if why.contains("no_such")), "{refused}");
        assert!(refused.to_string().contains("check user, password and database in DATABASE_URL"));
    }
    let role = Query::new("CREATE ROLE stranger LOGIN");
    let mut transaction = database.begin().await.unwrap();
    transaction.run(role).await.unwrap();
    transaction.commit().await.unwrap();
    let stranger = Place::Postgres(server.url("postgres").replace("hitoku@", "stranger@").into());
    let refused = Database::open(&stranger).await.unwrap_err();
    assert!(
        matches!(&refused, Failure::NotAllowed(_)) && refused.to_string().contains("OWNER TO"),
        "{refused}"
    );
    drop(server);
    let gone = tokio::time::timeout(Duration::from_secs(10), database.read(Query::new(ALL))).await.unwrap();
    assert!(matches!(gone, Err(Failure::Unreachable(_))), "{gone:?}");
}

async fn promises(place: &Place) -> Database {
    let database = Database::open(place).await.unwrap();
    values_come_back_as_they_went(&database).await;
    what_is_not_committed_has_not_happened(&database).await;
    many_rows_go_in_at_once_and_the_newest_wins(&database).await;
    a_wrong_statement_is_refused_without_its_values(&database).await;
    one_that_writes_waits_for_the_other(place, &database).await;
    a_newer_programs_tables_are_left_alone(place, &database).await;
    database.scrub(Deleted::Customers).await.unwrap();
    database
}

async fn values_come_back_as_they_went(database: &Database) {
    let select =
        Query::new("SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), name FROM secrets WHERE name <> $3");
    assert_eq!(database.read(select.with(1).with("x").with("y")).await.unwrap(), []);
    let mut transaction = database.begin().await.unwrap();
    let add = Query::new(format!("{ADD} ($2, $1, $3) RETURNING key_id, name, sealed"));
    let mut returned = transaction.run(add.with("k").with("越井 '; --").with(vec![0, 255])).await.unwrap();
    assert_eq!(returned[0].text(0).unwrap(), "k");
    transaction.commit().await.unwrap();
    let mut rows = database.read(Query::new(ALL)).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].text(0).unwrap(), "越井 '; --");
    assert_eq!(rows[0].bytes(2).unwrap(), [0, 255]);
    assert!(rows[0].int(1).is_err() && rows[0].text(9).is_err());
    let nothing = Query::new("SELECT CAST(NULL AS BIGINT), CAST($1 AS TEXT)").with(None::<String>);
    let mut nothing = database.read(nothing).await.unwrap();
    assert_eq!((nothing[0].maybe_int(0).unwrap(), nothing[0].maybe_text(1).unwrap()), (None, None));
    assert!(nothing[0].int(0).is_err());
}

async fn what_is_not_committed_has_not_happened(database: &Database) {
    let before = database.read(Query::new(ALL)).await.unwrap();
    let mut transaction = database.begin().await.unwrap();
    transaction.run(Query::new("DELETE FROM secrets")).await.unwrap();
    drop(transaction);
    assert_eq!(database.read(Query::new(ALL)).await.unwrap(), before);
    database.begin().await.unwrap().commit().await.unwrap();
}

async fn many_rows_go_in_at_once_and_the_newest_wins(database: &Database) {
    let tail = "ON CONFLICT (name) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed";
    let rows = |key: &str| {
        let row = |at| vec![Value::from(format!("row {at}")), Value::from(key), Value::from(vec![7])];
        (0..12_345).map(row).collect::<Vec<_>>()
    };
    for key in ["old", "new"] {
        let mut transaction = database.begin().await.unwrap();
        transaction.insert(ADD, tail, rows(key)).await.unwrap();
        transaction.insert(ADD, tail, vec![]).await.unwrap();
        transaction.commit().await.unwrap();
    }
    let count = Query::new("SELECT COUNT(*) FROM secrets WHERE key_id = $1").with("new");
    assert_eq!(database.read(count).await.unwrap()[0].int(0).unwrap(), 12_345);
}

async fn a_wrong_statement_is_refused_without_its_values(database: &Database) {
    let twice = Query::new(format!("{ADD} ($1, $2, $3)")).with("row 1").with("hush").with(vec![1]);
    let mut transaction = database.begin().await.unwrap();
    let refused = transaction.run(twice).await.unwrap_err();
    assert!(
        matches!(&refused, Failure::Refused(why) if !why.contains("hush") && !why.contains("row 1")),
        "{refused}"
    );
    drop(transaction);
    assert!(matches!(database.read(Query::new("SELECT nonsense")).await, Err(Failure::Refused(_))));
}

async fn one_that_writes_waits_for_the_other(place: &Place, database: &Database) {
    let other = Database::open(place).await.unwrap();
    let mut first = database.begin().await.unwrap();
    first.alone("test").await.unwrap();
    let second = tokio::spawn(async move {
        let mut second = other.begin().await.unwrap();
        second.alone("test").await.unwrap();
        let seen = second.run(Query::new("SELECT key_id FROM secrets WHERE name = $1").with("row 1")).await;
        seen.unwrap()[0].text(0).unwrap()
    });
    first.run(Query::new("UPDATE secrets SET key_id = 'newest' WHERE name = 'row 1'")).await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), "newest");
}

async fn a_newer_programs_tables_are_left_alone(place: &Place, database: &Database) {
    let mut transaction = database.begin().await.unwrap();
    transaction.run(Query::new("INSERT INTO migrations (name) VALUES ('9999_later')")).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(Database::open(place).await.err(), Some(Failure::Newer("9999_later".to_owned())));
    let mut transaction = database.begin().await.unwrap();
    transaction.run(Query::new("DELETE FROM migrations WHERE name = '9999_later'")).await.unwrap();
    transaction.commit().await.unwrap();
}

/// A failover: what was connected hears nothing any more, and who connects anew is answered.
#[tokio::test]
async fn a_postgresql_that_vanishes_in_the_middle_of_questions_keeps_no_connection() {
    let server = Server::start();
    let url = server.url("postgres");
    let (rest, name) = url.rsplit_once('/').unwrap();
    let (rest, port) = rest.rsplit_once(':').unwrap();
    let (before, vanish) = vanishing(port.parse().unwrap()).await;
    let place = Place::Postgres(format!("{rest}:{before}/{name}").into());
    let database = Database::open(&place).await.unwrap();
    let directly = Database::open(&Place::Postgres(url.into())).await.unwrap();
    // As many as there may be connections.
    let slow = || {
        let database = database.clone();
        tokio::spawn(async move { database.read(Query::new(SLOW)).await })
    };
    let asked: Vec<_> = (0..8).map(|_| slow()).collect();
    while directly.read(Query::new(ASKED)).await.unwrap().pop().unwrap().int(0).unwrap() < 8 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    vanish.send_replace(());
    for question in asked {
        question.abort();
        assert!(question.await.unwrap_err().is_cancelled());
    }
    database.read(Query::new(ALL)).await.unwrap();
}

const SLOW: &str = "SELECT CAST(1 AS BIGINT) FROM pg_sleep(60)";
const ASKED: &str =
    "SELECT COUNT(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT CAST(1 %'";

/// A way to this port that keeps silent, when it is told to, towards all who have connected before.
async fn vanishing(port: u16) -> (u16, watch::Sender<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let before = listener.local_addr().unwrap().port();
    let (vanish, vanished) = watch::channel(());
    tokio::spawn(async move {
        loop {
            let (mut from, _) = listener.accept().await.unwrap();
            let mut vanished = vanished.clone();
            vanished.mark_unchanged();
            tokio::spawn(async move {
                let mut to = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut from, &mut to) => {}
                    Ok(()) = vanished.changed() => std::future::pending().await,
                }
            });
        }
    });
    (before, vanish)
}
