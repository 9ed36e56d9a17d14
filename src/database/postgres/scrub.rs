//! Tables written anew, since a deleted row's bytes stay in PostgreSQL's files until others are written over them.
//!
//! Small tables PostgreSQL writes anew itself: whoever calls meanwhile waits for some tenths of a second. Large ones are
//! copied while others read, and the copy takes the table's place in a moment.

use std::time::Duration;

use futures::TryStreamExt as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::sleep;

use super::connect;
use crate::Failure;

type Tables = &'static [&'static str];

/// Those that refer to each other are copied together, and in the order in which lookups lock them: two that lock in another
/// order could each wait for the other.
const GROUPS: [Tables; 2] = [&["numbers", "customers"], &["calls"]];
/// In bytes, with its indexes: PostgreSQL holds up callers for some tenths of a second while it writes so much.
const SMALL: i64 = 32 << 20;

/// Writes the tables anew in which somebody was.
pub(super) async fn scrub(options: &PgConnectOptions) -> Result<(), Failure> {
    let mut connection = connect(options).await?;
    let readers = readers_stay(&mut connection).await?.then_some(Failure::Busy);
    let mut failure = None;
    for tables in GROUPS {
        let written = match is_large(&mut connection, tables).await? {
            false => in_place(&mut connection, tables).await,
            true => copied(&mut connection, options, tables).await,
        };
        let Err(error) = written else { continue };
        failure = Some(error);
        for table in tables {
            // It has noted some of what stands in each column, to plan its queries by: names among it.
            run(&mut connection, &format!("VACUUM (ANALYZE) {table}")).await?;
        }
    }
    // A table too, and what it noted before is a deleted row of it.
    let noted = run(&mut connection, "VACUUM (FULL) pg_statistic").await;
    let _closed = connection.close().await;
    failure.or(noted.err()).or(readers).map_or(Ok(()), Err)
}

/// Whether somebody goes on reading who began before now: for them PostgreSQL keeps what is deleted when it writes
/// a table anew.
async fn readers_stay(connection: &mut PgConnection) -> Result<bool, Failure> {
    let now: String =
        sqlx::query_scalar("SELECT CAST(clock_timestamp() AS TEXT)").fetch_one(&mut *connection).await?;
    for wait in [0, 10, 50, 250, 500].map(Duration::from_millis) {
        sleep(wait).await;
        let reading = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                       AND backend_xmin IS NOT NULL AND pid <> pg_backend_pid() \
                       AND xact_start <= CAST($1 AS TIMESTAMPTZ)";
        let reading: i64 = sqlx::query_scalar(reading).bind(&now).fetch_one(&mut *connection).await?;
        if reading == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn is_large(connection: &mut PgConnection, tables: Tables) -> Result<bool, Failure> {
    let size = "SELECT MAX(pg_total_relation_size(to_regclass(name))) FROM unnest($1) name";
    let size: Option<i64> = sqlx::query_scalar(size).bind(tables).fetch_one(connection).await?;
    Ok(size.unwrap_or_default() > SMALL)
}

async fn in_place(connection: &mut PgConnection, tables: Tables) -> Result<(), Failure> {
    for table in tables {
        run(connection, &format!("VACUUM (FULL, ANALYZE) {table}")).await?;
    }
    Ok(())
}

/// A copy in a schema of its own: all in it is called there as it is called at home, and moves as it is.
async fn copied(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
    tables: Tables,
) -> Result<(), Failure> {
    let mut copying = connection.begin().await?;
    let home = "SELECT CAST(relnamespace AS REGNAMESPACE)::TEXT FROM pg_class WHERE oid = to_regclass($1)";
    let home: String = sqlx::query_scalar(home).bind(tables.first()).fetch_one(&mut *copying).await?;
    // So that definitions are told with the schema's name in them.
    run(&mut copying, "SET LOCAL search_path TO pg_catalog").await?;
    // Who writes waits from here on, and who reads does not.
    let originals = all(&home, tables);
    patiently(&mut copying, &format!("LOCK TABLE {originals} IN SHARE ROW EXCLUSIVE MODE")).await?;
    run(&mut copying, &format!("CREATE SCHEMA {AWAY}")).await?;
    for table in tables {
        let like = format!("(LIKE {home}.{table} INCLUDING ALL EXCLUDING INDEXES)");
        run(&mut copying, &format!("CREATE TABLE {AWAY}.{table} {like}")).await?;
    }
    if let Some(what) = told(&mut copying, TIED, tables, &home).await?.pop() {
        return Err(Failure::Tied(what));
    }
    let mut reading = connect(options).await?;
    for table in tables {
        fill(&mut copying, table, &mut reading, &home).await?;
    }
    let _closed = reading.close().await;
    for definitions in [INDEXES, REFERENCES] {
        for definition in told(&mut copying, definitions, tables, &home).await? {
            run(&mut copying, &definition).await?;
        }
    }
    run(&mut copying, &format!("ANALYZE {}", all(AWAY, tables))).await?;
    patiently(&mut copying, &format!("LOCK TABLE {originals} IN ACCESS EXCLUSIVE MODE")).await?;
    run(&mut copying, &format!("DROP TABLE {originals}")).await?;
    for table in tables {
        run(&mut copying, &format!("ALTER TABLE {AWAY}.{table} SET SCHEMA {home}")).await?;
    }
    run(&mut copying, &format!("DROP SCHEMA {AWAY}")).await?;
    Ok(copying.commit().await?)
}

/// Through this program and not by an INSERT, because only so rows are *frozen*, which is to say there also for whoever began to
/// read before: a backup that has just begun would otherwise find an empty table.
async fn fill(
    copying: &mut PgConnection,
    table: &str,
    reading: &mut PgConnection,
    home: &str,
) -> Result<(), Failure> {
    let out = format!("COPY {home}.{table} TO STDOUT (FORMAT binary)");
    let mut rows = reading.copy_out_raw(&out).await?;
    let into = format!("COPY {AWAY}.{table} FROM STDIN (FORMAT binary, FREEZE)");
    let mut copy = copying.copy_in_raw(&into).await?;
    while let Some(some) = rows.try_next().await? {
        copy.send(some).await?;
    }
    copy.finish().await?;
    Ok(())
}

/// Where the copies are made. In one transaction, so that nobody else ever sees it.
const AWAY: &str = "hitoku_anew";

/// What a copy of these tables would lack, if there is something.
const TIED: &str = "\
    WITH ours AS (
        SELECT name, to_regclass($2 || '.' || name) AS old, to_regclass($3 || '.' || name) AS new FROM unnest($1) name
    )
    SELECT ours.name || ' has ' || what FROM ours JOIN pg_class old ON old.oid = old JOIN pg_class new ON new.oid = new,
    LATERAL (
        SELECT 'an owner or privileges of its own'
        WHERE old.relowner <> new.relowner
           OR CAST(COALESCE(old.relacl, acldefault('r', old.relowner)) AS TEXT)
              <> CAST(COALESCE(new.relacl, acldefault('r', new.relowner)) AS TEXT)
           OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = old.oid AND attacl IS NOT NULL)
        UNION ALL SELECT 'settings of its own'
        WHERE (old.reloptions, old.reltablespace, old.relreplident, old.relam, old.relpersistence)
              IS DISTINCT FROM (new.reloptions, new.reltablespace, new.relreplident, new.relam, new.relpersistence)
        UNION ALL SELECT 'a trigger' FROM pg_trigger WHERE tgrelid = old.oid AND NOT tgisinternal
        UNION ALL SELECT 'a policy' WHERE old.relrowsecurity
        UNION ALL SELECT 'a policy' FROM pg_policy WHERE polrelid = old.oid
        UNION ALL SELECT 'a publication' FROM pg_publication_tables
        WHERE tablename = old.relname AND quote_ident(schemaname) = $2
        UNION ALL SELECT 'a view or a rule' FROM pg_depend
        WHERE refclassid = CAST('pg_class' AS REGCLASS) AND refobjid = old.oid AND classid = CAST('pg_rewrite' AS REGCLASS)
        UNION ALL SELECT 'another table that refers to it, or to which it refers' FROM pg_constraint
        WHERE contype = 'f' AND old.oid IN (conrelid, confrelid)
          AND NOT (conrelid IN (SELECT old FROM ours) AND confrelid IN (SELECT old FROM ours))
        UNION ALL SELECT 'a table that inherits from it, or from which it inherits' FROM pg_inherits
        WHERE old.oid IN (inhrelid, inhparent)
    ) AS tied (what)
    LIMIT 1";

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

/// What PostgreSQL's catalogue says of these tables, at home and away.
async fn told(
    connection: &mut PgConnection,
    question: &str,
    tables: Tables,
    home: &str,
) -> Result<Vec<String>, Failure> {
    Ok(sqlx::query_scalar(question).bind(tables).bind(home).bind(AWAY).fetch_all(connection).await?)
}

fn all(schema: &str, tables: Tables) -> String {
    tables.iter().map(|table| format!("{schema}.{table}")).collect::<Vec<_>>().join(", ")
}

async fn run(connection: &mut PgConnection, statement: &str) -> Result<(), Failure> {
    // Of text alone, so that it is no prepared statement.
    connection.execute(statement).await?;
    Ok(())
}

/// Waits for others for a moment at a time, since whoever comes meanwhile waits behind whoever waits.
async fn patiently(connection: &mut PgConnection, statement: &str) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        let mut attempt = connection.begin().await?;
        match run(&mut attempt, statement).await {
            Err(Failure::Busy) => attempt.rollback().await?,
            done => return done.and(Ok(attempt.commit().await?)),
        }
        sleep(BETWEEN).await;
    }
    Err(Failure::Busy)
}

const ATTEMPTS: u32 = 10;
const BETWEEN: Duration = Duration::from_millis(200);
