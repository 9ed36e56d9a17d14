//! PostgreSQL's large tables are written anew while others read: nobody misses a row, and nothing that is there is lost.

#![expect(clippy::unwrap_used, reason = "a test that fails here fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use database::scratch::Server;
use database::{Database, Failure, Query};

/// With their indexes, each of the tables is larger than what is written anew in place.
const MANY: [&str; 3] = [
    "INSERT INTO customers SELECT 'cm-' || g, 'somebody ' || g, 'user001' FROM generate_series(1, 210000) g",
    "INSERT INTO numbers SELECT sha256(CAST(CAST(g AS TEXT) AS BYTEA)), 'cm-' || g, 'a key', '\\x00' FROM generate_series(1, 210000) g",
    "INSERT INTO calls (call_sid, first_at, customer, outcome) SELECT 'CA' || g, g, 'cm-' || g, 1 FROM generate_series(1, 300000) g",
];
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
async fn large_tables_are_written_anew_while_others_read() {
    let server = Server::start();
    let database = Database::open(&server.database()).await.unwrap();
    for statement in MANY {
        write(&database, statement).await;
    }
    let (made, rows) = (made(&database).await, rows(&database).await);
    let files = files(&database).await;
    let mut backup = database.begin().await.unwrap();
    for begins in ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SELECT COUNT(*) FROM secrets"] {
        backup.run(Query::new(begins)).await.unwrap();
    }
    let readers = Readers::start(&database).await;
    assert_eq!(
        database.scrub().await,
        Err(Failure::Busy),
        "somebody who reads keeps the smallest as they were"
    );
    let during = readers.end().await;
    assert!(during > 0, "somebody read meanwhile");
    assert_eq!(format!("{:?}", backup.run(Query::new(COUNT)).await.unwrap()), rows);
    drop(backup);
    assert_ne!(self::files(&database).await, files, "all three are others now");
    assert_eq!(self::made(&database).await, made);
    assert_eq!(self::rows(&database).await, rows);

    write(&database, "TRUNCATE calls").await;
    for (by_hand, undone, has) in [
        ("CREATE VIEW names AS SELECT name FROM customers", "DROP VIEW names", "customers has a view"),
        (
            "CREATE ROLE reports; GRANT SELECT ON customers TO reports",
            "DROP OWNED BY reports; DROP ROLE reports",
            "customers has an owner or privileges",
        ),
        ("CREATE PUBLICATION p FOR ALL TABLES", "DROP PUBLICATION p", "has a publication"),
        (
            "CREATE TABLE notes (id TEXT REFERENCES customers)",
            "DROP TABLE notes",
            "customers has another table",
        ),
        (
            "ALTER TABLE numbers SET (fillfactor = 90)",
            "ALTER TABLE numbers RESET (fillfactor)",
            "numbers has settings",
        ),
    ] {
        write(&database, by_hand).await;
        let before = self::files(&database).await;
        let refused = database.scrub().await;
        assert!(matches!(&refused, Err(Failure::Tied(what)) if what.contains(has)), "{by_hand}: {refused:?}");
        let after = self::files(&database).await;
        assert_eq!(before[..2], after[..2], "{by_hand}");
        write(&database, undone).await;
    }
    database.scrub().await.unwrap();
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
