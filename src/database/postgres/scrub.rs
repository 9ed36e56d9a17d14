//! What deleted rows leave in PostgreSQL's files, where their bytes stay until others are written over them.
//!
//! The tables are copied while others read, and the copies take their place in a moment: so nobody who calls waits, and nothing
//! that was deleted is left, whoever reads or has read. A table that has what its copy would lack is written anew by PostgreSQL
//! itself if it is small, which holds up whoever calls for some tenths of a second, and is otherwise left as it is.
//!
//! Invariant: it never says that nothing is left when something may be.

mod copy;

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::sleep;

use super::connect;
use crate::{Deleted, Failure, alone};

/// Tables that refer to each other, in the order in which lookups lock them: two that lock in another order could each wait for
/// the other.
type Tables = &'static [&'static str];

/// Each with the name under which whoever writes to them is alone.
const GROUPS: [(&str, Tables); 2] =
    [(alone::CUSTOMERS, &["numbers", "customers"]), (alone::AUDIT, &["calls"])];
/// In bytes, with its indexes: PostgreSQL holds up callers for some tenths of a second while it writes so much.
const SMALL: i64 = 32 << 20;

pub(super) async fn scrub(options: &PgConnectOptions, deleted: Deleted) -> Result<(), Failure> {
    let options = options.clone().options([
        ("lock_timeout", LOCKS_WITHIN),
        // Whoever vanishes in the middle is not waited for: others wait behind it.
        ("idle_in_transaction_session_timeout", "10s"),
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
        // A replica that is behind would hold up callers.
        ("synchronous_commit", "local"),
    ]);
    let mut connection = open(&options).await?;
    one_at_a_time(&mut connection).await?;
    let mut failures = vec![];
    for (writers, tables) in GROUPS {
        if deleted == Deleted::Customers || tables.contains(&"calls") {
            let copied = copy::replace(&mut connection, &options, writers, tables).await;
            let written = match copied {
                Err(why @ (Failure::Tied(_) | Failure::NotAllowed(_))) => {
                    uncopied(&mut connection, tables, why).await
                }
                copied => copied,
            };
            failures.extend(written.err());
        }
    }
    // What it has noted of each column, to plan its queries by: names among it.
    failures.extend(in_place(&mut connection, NOTES).await.err());
    let _closed = connection.close().await;
    failures.into_iter().next().map_or(Ok(()), Err)
}

const NOTES: Tables = &["pg_statistic", "pg_statistic_ext_data"];
/// Longer than PostgreSQL waits before it calls off its own cleaning, which may take hours.
const LOCKS_WITHIN: &str = "2s";

async fn open(options: &PgConnectOptions) -> Result<PgConnection, Failure> {
    let mut connection = connect(options).await?;
    // Those of the role or the database are for statements that answer in milliseconds. One is not known before version 17.
    let limits = "SELECT set_config(name, '10min', false) FROM pg_settings \
                  WHERE name IN ('statement_timeout', 'transaction_timeout')";
    run(&mut connection, limits).await?;
    Ok(connection)
}

/// Asked for again and again, since whoever waits in a statement keeps deleted rows from being removed.
async fn one_at_a_time(connection: &mut PgConnection) -> Result<(), Failure> {
    for _ in 0..300 {
        let alone = "SELECT pg_try_advisory_lock(hashtext('scrub'))";
        if sqlx::query_scalar(alone).fetch_one(&mut *connection).await? {
            return Ok(());
        }
        sleep(Duration::from_millis(200)).await;
    }
    Err(Failure::Busy)
}

/// What can be done with tables that cannot be copied, for the reason given.
async fn uncopied(connection: &mut PgConnection, tables: Tables, why: Failure) -> Result<(), Failure> {
    // Holds up nobody, and replaces what is noted of rows that are gone.
    run(connection, &format!("ANALYZE {}", tables.join(", "))).await?;
    if is_large(connection, tables).await? {
        return Err(why);
    }
    in_place(connection, tables).await?;
    // Unless there are no rows any more, or nothing is noted of a column any more.
    let stale = "SELECT EXISTS (SELECT FROM unnest($1) name JOIN pg_class ON oid = to_regclass(name) \
                 JOIN pg_namespace n ON n.oid = relnamespace \
                 WHERE (EXISTS (SELECT FROM pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = relname) \
                        OR EXISTS (SELECT FROM pg_stats_ext s WHERE s.schemaname = n.nspname AND s.tablename = relname)) \
                 AND (reltuples <= 0 OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND attstattarget = 0)))";
    let stale: bool = sqlx::query_scalar(stale).bind(tables).fetch_one(&mut *connection).await?;
    if stale { Err(why) } else { Ok(()) }
}

async fn is_large(connection: &mut PgConnection, tables: Tables) -> Result<bool, Failure> {
    let size = "SELECT MAX(pg_total_relation_size(to_regclass(name))) FROM unnest($1) name";
    let size: Option<i64> = sqlx::query_scalar(size).bind(tables).fetch_one(connection).await?;
    Ok(size.unwrap_or_default() > SMALL)
}

/// By PostgreSQL itself, which leaves out what it need not keep for others.
async fn in_place(connection: &mut PgConnection, tables: Tables) -> Result<(), Failure> {
    if is_kept_for_others(connection, tables == NOTES).await? {
        return Err(Failure::Kept);
    }
    for table in tables {
        let before = file(connection, table).await?;
        // Calls off what PostgreSQL cleans by itself; callers wait behind whoever waits for a table of its own.
        run(connection, &format!("VACUUM {table}")).await?;
        run(connection, "SET lock_timeout TO '500ms'").await?;
        let written = run(connection, &format!("VACUUM (FULL) {table}")).await;
        run(connection, &format!("SET lock_timeout TO '{LOCKS_WITHIN}'")).await?;
        written?;
        // Somebody else's it passes over, and only warns.
        if file(connection, table).await? == before {
            return Err(Failure::NotAllowed(format!("only its owner may write {table} anew")));
        }
    }
    Ok(())
}

async fn file(connection: &mut PgConnection, table: &str) -> Result<i64, Failure> {
    let file = "SELECT CAST(pg_relation_filenode(to_regclass($1)) AS BIGINT)";
    Ok(sqlx::query_scalar(file).bind(table).fetch_one(connection).await?)
}

/// Whether PostgreSQL goes on keeping what is deleted now, for whoever began before: another session, a prepared transaction, a
/// replica. Not every user may see all of them, so that it is tried out.
async fn is_kept_for_others(connection: &mut PgConnection, is_catalog: bool) -> Result<bool, Failure> {
    for statement in [
        "DROP TABLE IF EXISTS hitoku_probe",
        "CREATE UNLOGGED TABLE hitoku_probe AS SELECT generate_series(1, 2) AS row",
        "DELETE FROM hitoku_probe WHERE row = 1",
    ] {
        run(connection, statement).await?;
    }
    let mut kept = true;
    // PostgreSQL itself keeps what is deleted while it looks at a table that has become another.
    for wait in [0, 10, 50, 250, 500, 1000, 2000].map(Duration::from_millis) {
        sleep(wait).await;
        run(connection, "VACUUM hitoku_probe").await?;
        // Of a catalogue, which is what replicas read their changes by, more is kept.
        let is_kept = "SELECT NOT (relpages > 0 AND relpages = relallvisible) \
                       OR $1 AND EXISTS (SELECT FROM pg_replication_slots WHERE catalog_xmin IS NOT NULL) \
                       FROM pg_class WHERE oid = to_regclass('hitoku_probe')";
        kept = sqlx::query_scalar(is_kept).bind(is_catalog).fetch_one(&mut *connection).await?;
        if !kept {
            break;
        }
    }
    run(connection, "DROP TABLE hitoku_probe").await?;
    Ok(kept)
}

async fn run(connection: &mut PgConnection, statement: &str) -> Result<(), Failure> {
    // Of text alone, so that it is no prepared statement.
    connection.execute(statement).await?;
    Ok(())
}
