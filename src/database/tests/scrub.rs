//! PostgreSQL's large tables are written anew while others read: nobody misses a row, and nothing that is there is lost.

#![expect(clippy::unwrap_used, reason = "a test that fails here fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use database::scratch::Server;
use database::{Database, Deleted, Failure, Query, alone};

/// With their indexes, each of the tables is larger than what is written anew in place.
const MANY: [&str; 3] = [
    "INSERT INTO customers SELECT 'cm-' || g, 'somebody ' || g, 'user001' FROM generate_series(1, 210000) g",
    "INSERT INTO numbers SELECT sha256(CAST(CAST(g AS TEXT) AS BYTEA)), 'cm-' || g, 'a key', '\\x00' FROM generate_series(1, 210000) g",
    "INSERT INTO calls (call_sid, first_at, customer, outcome) SELECT 'CA' || g, g, 'cm-' || g, 1 FROM generate_series(1, 300000) g",
];
/// As an erasure leaves them: the name in a row that is deleted, and in what PostgreSQL has noted of the column.
const ERASED: &str = "INSERT INTO customers SELECT 'cm-gone-' || g, 'Namae-Kieta', 'user001' FROM generate_series(1, 5000) g; \
                      ANALYZE customers; DELETE FROM customers WHERE name = 'Namae-Kieta'";
const LOOK_UP: &str = "SELECT c.name FROM numbers n JOIN customers c ON c.id = n.customer WHERE n.hash = $1";
const COUNT: &str =
    "SELECT (SELECT COUNT(*) FROM customers), (SELECT COUNT(*) FROM numbers), (SELECT COUNT(*) FROM calls)";
/// As `sha256('7')`: whom the test looks up.
const SEVENTH: &str = "SELECT hash FROM numbers WHERE customer = 'cm-7'";
/// All that PostgreSQL knows of how the tables are made.
const MADE: [&str; 4] = [
    "SELECT schemaname || ' ' || indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "SELECT CAST(conrelid AS REGCLASS) || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
     WHERE connamespace = CAST('public' AS REGNAMESPACE) ORDER BY 1",
    "SELECT CAST(attrelid AS REGCLASS) || ' ' || attnum || ' ' || attname || ' ' || CAST(atttypid AS REGTYPE) || ' ' || attnotnull \
     FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = CAST('public' AS REGNAMESPACE) ORDER BY 1",
    "SELECT CAST(nspname AS TEXT) FROM pg_namespace WHERE nspname NOT LIKE 'pg_%' ORDER BY 1",
];

#[tokio::test(flavor = "multi_thread")]
async fn large_tables_forget_while_others_read() {
    let server = Server::start();
    let database = Database::open(&server.database()).await.unwrap();
    for statement in MANY {
        write(&database, statement).await;
    }
    write(&database, ERASED).await;
    let (made, rows) = (made(&database).await, rows(&database).await);
    assert!(on_disk(&server, &database, "Namae-Kieta").await, "it is there until then");
    let mut backup = database.begin().await.unwrap();
    for begins in ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SELECT COUNT(*) FROM secrets"] {
        backup.run(Query::new(begins)).await.unwrap();
    }
    let readers = Readers::start(&database).await;
    let kept = database.scrub(Deleted::Customers).await;
    assert_eq!(kept, Err(Failure::Kept), "of what PostgreSQL has noted, for somebody who reads");
    assert!(readers.end().await > 0, "somebody was looked up meanwhile");
    assert_eq!(format!("{:?}", backup.run(Query::new(COUNT)).await.unwrap()), rows);
    drop(backup);
    let mut writer = database.begin().await.unwrap();
    writer.run(Query::new("CREATE TABLE other AS SELECT 1 AS one")).await.unwrap();
    assert_eq!(database.scrub(Deleted::Calls).await, Err(Failure::Kept), "for somebody who writes elsewhere");
    drop(writer);
    // As somebody may have done who wants no statement to hang.
    write(&database, "ALTER ROLE hitoku SET statement_timeout TO '50ms'").await;
    database.scrub(Deleted::Customers).await.unwrap();
    write(&database, "ALTER ROLE hitoku RESET statement_timeout").await;
    assert!(!on_disk(&server, &database, "Namae-Kieta").await);
    assert_eq!(self::made(&database).await, made);
    assert_eq!(self::rows(&database).await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_or_writes_for_long_is_waited_for() {
    let server = Server::start();
    let database = Database::open(&server.database()).await.unwrap();
    let scrub = || {
        let database = database.clone();
        tokio::spawn(async move { database.scrub(Deleted::Customers).await })
    };
    let mut reader = database.begin().await.unwrap();
    reader.run(Query::new("SELECT COUNT(*) FROM customers")).await.unwrap();
    let scrubbing = scrub();
    for waits in [true, false, true] {
        until(
            &database,
            "SELECT COUNT(*) > 0 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted",
            waits,
        )
        .await;
    }
    drop(reader);
    scrubbing.await.unwrap().unwrap();
    // As an import does, or an erasure.
    let mut writer = database.begin().await.unwrap();
    writer.alone(alone::CUSTOMERS).await.unwrap();
    writer.run(Query::new("SELECT COUNT(*) FROM customers")).await.unwrap();
    let scrubbing = scrub();
    until(&database, "SELECT COUNT(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted", true)
        .await;
    writer.run(Query::new("INSERT INTO customers VALUES ('cm-new', 'new', 'user001')")).await.unwrap();
    writer.commit().await.unwrap();
    scrubbing.await.unwrap().unwrap();
    for at_once in [scrub(), scrub(), scrub(), scrub()] {
        at_once.await.unwrap().unwrap();
    }
    let new = database.read(Query::new("SELECT id FROM customers")).await.unwrap();
    assert_eq!(new.len(), 1, "what is written meanwhile is not lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_copy_would_lack_is_named_and_stays() {
    let server = Server::start();
    let database = Database::open(&server.database()).await.unwrap();
    write(&database, MANY[2]).await;
    for (by_hand, undone, has) in [
        ("CREATE VIEW sids AS SELECT call_sid FROM calls", "DROP VIEW sids", "a view"),
        (
            "CREATE FUNCTION first_of(calls) RETURNS BIGINT RETURN 1",
            "DROP FUNCTION first_of",
            "a view, a function",
        ),
        (
            "CREATE ROLE reports; GRANT SELECT ON calls TO reports",
            "DROP OWNED BY reports; DROP ROLE reports",
            "an owner, privileges",
        ),
        ("CREATE PUBLICATION p FOR ALL TABLES", "DROP PUBLICATION p", "a publication"),
        ("CREATE TABLE notes (id TEXT REFERENCES calls)", "DROP TABLE notes", "another table"),
        ("ALTER TABLE calls SET (fillfactor = 90)", "ALTER TABLE calls RESET (fillfactor)", "settings"),
        (
            "ALTER TABLE calls ALTER alias SET STATISTICS 7",
            "ALTER TABLE calls ALTER alias SET STATISTICS -1",
            "a column",
        ),
        (
            "ALTER TABLE calls ADD n BIGINT GENERATED BY DEFAULT AS IDENTITY",
            "ALTER TABLE calls ALTER n DROP IDENTITY",
            "a sequence",
        ),
        ("CREATE STATISTICS s ON alias, customer FROM calls", "DROP STATISTICS s", "statistics"),
        (
            "ALTER INDEX calls_pkey SET (fillfactor = 60)",
            "ALTER INDEX calls_pkey RESET (fillfactor)",
            "settings",
        ),
        ("ALTER TABLE calls CLUSTER ON calls_by_time", "ALTER TABLE calls SET WITHOUT CLUSTER", "an index"),
        (
            "COMMENT ON CONSTRAINT calls_pkey ON calls IS 'x'",
            "COMMENT ON CONSTRAINT calls_pkey ON calls IS NULL",
            "a comment",
        ),
        (
            "ALTER TABLE calls ADD CHECK (outcome < 9999) NOT VALID",
            "ALTER TABLE calls DROP CONSTRAINT calls_outcome_check",
            "a constraint",
        ),
        (
            "ALTER TABLE calls ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE calls DISABLE ROW LEVEL SECURITY",
            "settings",
        ),
    ] {
        write(&database, by_hand).await;
        let (made, before) = (made(&database).await, files(&database).await);
        let tied = database.scrub(Deleted::Calls).await;
        assert!(
            matches!(&tied, Err(Failure::Tied(what)) if what.starts_with("calls has") && what.contains(has)),
            "{by_hand}: {tied:?}"
        );
        assert_eq!((self::made(&database).await, files(&database).await), (made, before), "{by_hand}");
        write(&database, undone).await;
    }
    let before = files(&database).await;
    database.scrub(Deleted::Calls).await.unwrap();
    let after = files(&database).await;
    assert!(before[..2] == after[..2] && before[2] != after[2], "calls, and nothing else");
    // What is small PostgreSQL itself writes anew, but for what it has noted of a table that is empty now.
    let emptied = "INSERT INTO customers SELECT 'cm-' || g, 'Namae', 'user001' FROM generate_series(1, 999) g; \
                   ANALYZE customers; DELETE FROM customers; CREATE VIEW names AS SELECT name FROM customers";
    write(&database, emptied).await;
    let left = database.scrub(Deleted::Customers).await;
    assert!(matches!(&left, Err(Failure::Tied(what)) if what.contains("a view")), "{left:?}");
    write(&database, "INSERT INTO customers VALUES ('cm-1', 'one', 'user001'); DROP VIEW names").await;
    write(&database, "CREATE VIEW names AS SELECT name FROM customers").await;
    database.scrub(Deleted::Customers).await.unwrap();
    assert_ne!(files(&database).await[..2], after[..2]);
}

#[tokio::test]
async fn a_user_who_owns_too_little_is_told() {
    let server = Server::start();
    let place = server.database();
    let database = Database::open(&place).await.unwrap();
    write(&database, "CREATE ROLE poor LOGIN; GRANT ALL ON SCHEMA public TO poor; GRANT ALL ON ALL TABLES IN SCHEMA public TO poor").await;
    let database::Place::Postgres(url) = &place else { unreachable!("it is PostgreSQL") };
    let poor = secrecy::ExposeSecret::expose_secret(url).replace("hitoku@", "poor@");
    let refused = Database::open(&database::Place::Postgres(poor.into()))
        .await
        .unwrap()
        .scrub(Deleted::Customers)
        .await;
    assert!(matches!(refused, Err(Failure::NotAllowed(_))), "{refused:?}");
}

/// Whether PostgreSQL's own files have it.
async fn on_disk(server: &Server, database: &Database, text: &str) -> bool {
    database.read(Query::new("CHECKPOINT")).await.unwrap();
    let mut folders = vec![server.folder().join("base")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            // It may be gone meanwhile.
            } else if let Ok(bytes) = std::fs::read(entry.path())
                && bytes.windows(text.len()).any(|window| window == text.as_bytes())
            {
                return true;
            }
        }
    }
    false
}

async fn until(database: &Database, question: &'static str, answer: bool) {
    while database
        .read(Query::new(format!("SELECT CAST(({question}) AS INT)")))
        .await
        .unwrap()
        .remove(0)
        .int(0)
        .unwrap()
        != i64::from(answer)
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Some who look somebody up, again and again.
struct Readers {
    over: Arc<AtomicBool>,
    found: Arc<AtomicU64>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Readers {
    async fn start(database: &Database) -> Self {
        let hash = database.read(Query::new(SEVENTH)).await.unwrap().remove(0).bytes(0).unwrap();
        let (over, found) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let tasks = (0..4).map(|_| {
            let (database, hash, over, found) = (database.clone(), hash.clone(), over.clone(), found.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let mut rows = database.read(Query::new(LOOK_UP).with(&hash[..])).await.unwrap();
                    assert_eq!(rows.remove(0).text(0).unwrap(), "somebody 7");
                    found.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        Self { tasks: tasks.collect(), over, found }
    }

    async fn end(self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.found.load(Ordering::Relaxed)
    }
}

async fn write(database: &Database, statements: &str) {
    let mut transaction = database.begin().await.unwrap();
    for statement in statements.split("; ") {
        transaction.run(Query::new(statement.to_owned())).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

async fn made(database: &Database) -> Vec<String> {
    let mut made = vec![];
    for question in MADE {
        let rows = database.read(Query::new(question)).await.unwrap();
        made.extend(rows.into_iter().map(|mut row| row.text(0).unwrap()));
    }
    made
}

async fn rows(database: &Database) -> String {
    format!("{:?}", database.read(Query::new(COUNT)).await.unwrap())
}

async fn files(database: &Database) -> Vec<i64> {
    let files = "SELECT CAST(pg_relation_filenode(name) AS BIGINT) FROM unnest(ARRAY['customers', 'numbers', 'calls']) name";
    let rows = database.read(Query::new(files)).await.unwrap();
    rows.into_iter().map(|mut row| row.int(0).unwrap()).collect()
}
