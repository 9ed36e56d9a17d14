//! A copy of tables that takes their place.

use std::time::Duration;

use futures::TryStreamExt as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

use super::{Tables, open, run};
use crate::Failure;

/// Where the copies are made: all in it is called there as it is called at home, and moves as it is. In one transaction, so that
/// nobody else ever sees it.
const AWAY: &str = "hitoku_anew";

/// Puts copies in the place of these tables, of what is in them now. `writers`: under which name whoever writes to them is alone.
pub(super) async fn replace(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
    writers: &str,
    tables: Tables,
) -> Result<(), Failure> {
    let home = "SELECT CAST(relnamespace AS REGNAMESPACE)::TEXT FROM pg_class WHERE oid = to_regclass($1)";
    let home: String = sqlx::query_scalar(home).bind(tables.first()).fetch_one(&mut *connection).await?;
    run(connection, "BEGIN").await?;
    let replaced = copied(connection, options, writers, &home, tables).await;
    if replaced.is_err() {
        // Where even that fails the connection is gone, and the transaction with it.
        let _ended = run(connection, "ROLLBACK").await;
    }
    replaced
}

/// Ends the transaction if it succeeds.
async fn copied(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
    writers: &str,
    home: &str,
    tables: Tables,
) -> Result<(), Failure> {
    let originals = all(home, tables);
    // Who writes waits from here on, before they hold what is waited for below; and who reads does not.
    let alone = format!("SELECT pg_advisory_xact_lock(hashtext('{writers}'))");
    patiently(connection, &alone).await?;
    patiently(connection, &format!("LOCK TABLE {originals} IN SHARE ROW EXCLUSIVE MODE")).await?;
    // So that definitions are told with the schema's name in them.
    run(connection, "SET LOCAL search_path TO pg_catalog").await?;
    // Empty, to see what it lacks before much is written.
    run(connection, "SAVEPOINT trial").await?;
    begin(connection, home, tables).await?;
    define(connection, home, tables).await?;
    if let Some(what) = told(connection, LACKS, home, tables).await?.into_iter().next() {
        return Err(Failure::Tied(what));
    }
    run(connection, "ROLLBACK TO SAVEPOINT trial").await?;
    begin(connection, home, tables).await?;
    let mut reading = open(options).await?;
    for table in tables {
        fill(connection, table, &mut reading, home).await?;
    }
    let _closed = reading.close().await;
    define(connection, home, tables).await?;
    run(connection, &format!("ANALYZE {}", all(AWAY, tables))).await?;
    // In one message, which the server carries out to its end even if nobody is here any more: whoever calls waits meanwhile.
    let moved: String =
        tables.iter().map(|table| format!("ALTER TABLE {AWAY}.{table} SET SCHEMA {home}; ")).collect();
    let swap = format!(
        "SET LOCAL lock_timeout TO '500ms'; LOCK TABLE {originals} IN ACCESS EXCLUSIVE MODE; DROP TABLE {originals}; \
         {moved}DROP SCHEMA {AWAY}; COMMIT"
    );
    patiently(connection, &swap).await
}

/// The schema and the tables, without rows and indexes.
async fn begin(connection: &mut PgConnection, home: &str, tables: Tables) -> Result<(), Failure> {
    run(connection, &format!("CREATE SCHEMA {AWAY}")).await?;
    for table in tables {
        let like = format!("(LIKE {home}.{table} INCLUDING ALL EXCLUDING INDEXES)");
        run(connection, &format!("CREATE TABLE {AWAY}.{table} {like}")).await?;
    }
    Ok(())
}

/// Through this program and not by an INSERT, because only so rows are *frozen*, which is to say there also for whoever began to
/// read before: a backup that has just begun would otherwise find an empty table.
async fn fill(
    connection: &mut PgConnection,
    table: &str,
    reading: &mut PgConnection,
    home: &str,
) -> Result<(), Failure> {
    let out = format!("COPY {home}.{table} TO STDOUT (FORMAT binary)");
    let mut rows = reading.copy_out_raw(&out).await?;
    let into = format!("COPY {AWAY}.{table} FROM STDIN (FORMAT binary, FREEZE)");
    let mut copy = connection.copy_in_raw(&into).await?;
    while let Some(some) = rows.try_next().await? {
        copy.send(some).await?;
    }
    copy.finish().await?;
    Ok(())
}

/// Indexes and constraints.
async fn define(connection: &mut PgConnection, home: &str, tables: Tables) -> Result<(), Failure> {
    for definitions in [INDEXES, REFERENCES] {
        for definition in told(connection, definitions, home, tables).await? {
            run(connection, &definition).await?;
        }
    }
    Ok(())
}

const INDEXES: &str = "\
    SELECT COALESCE(
        (SELECT format('ALTER TABLE %s.%I ADD CONSTRAINT %I %s', $3, name, conname, pg_get_constraintdef(oid))
         FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid AND contype IN ('p', 'u', 'x')),
        replace(pg_get_indexdef(indexrelid), format(' ON %s.%I ', $2, name), format(' ON %s.%I ', $3, name))
    )
    FROM unnest($1) name JOIN pg_index ON indrelid = to_regclass($2 || '.' || name)";

const REFERENCES: &str = "\
    SELECT format('ALTER TABLE %s.%I ADD CONSTRAINT %I %s', $3, name, conname,
                  replace(pg_get_constraintdef(oid), format(' REFERENCES %s.', $2), format(' REFERENCES %s.', $3)))
    FROM unnest($1) name JOIN pg_constraint ON conrelid = to_regclass($2 || '.' || name) AND contype = 'f'";

/// What the copies lack: whatever the catalogue says of the tables, their columns, indexes and constraints and not, but for its
/// own numbers, of the copies; and whatever else hangs on the tables.
const LACKS: &str = include_str!("lacks.sql");

/// What PostgreSQL's catalogue says of these tables, at home and away.
async fn told(
    connection: &mut PgConnection,
    question: &str,
    home: &str,
    tables: Tables,
) -> Result<Vec<String>, Failure> {
    Ok(sqlx::query_scalar(question).bind(tables).bind(home).bind(AWAY).fetch_all(connection).await?)
}

fn all(schema: &str, tables: Tables) -> String {
    tables.iter().map(|table| format!("{schema}.{table}")).collect::<Vec<_>>().join(", ")
}

/// Waits for others for a moment at a time, since whoever comes meanwhile may wait behind whoever waits.
async fn patiently(connection: &mut PgConnection, statements: &str) -> Result<(), Failure> {
    run(connection, "SAVEPOINT attempt").await?;
    for _ in 0..ATTEMPTS {
        match run(connection, statements).await {
            Err(Failure::Busy) => run(connection, "ROLLBACK TO SAVEPOINT attempt").await?,
            done => return done,
        }
        sleep(BETWEEN).await;
    }
    Err(Failure::Busy)
}

const ATTEMPTS: u32 = 10;
const BETWEEN: Duration = Duration::from_millis(200);
