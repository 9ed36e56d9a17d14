//! PostgreSQL, through `sqlx`'s driver: it knows the addresses and the TLS that hosted databases want.

use std::str::FromStr as _;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{
    Arguments as _, Column as _, ConnectOptions as _, Connection as _, PgPool, Row as _, TypeInfo as _,
};
use tokio::time::timeout;

use crate::engine::{Engine, Transaction};
use crate::{Failure, Query, Row, Value};

/// Enough for what is asked at once, and far from the server's hundred.
const CONNECTIONS: u32 = 8;
/// For a connection; a caller waits no longer for the whole answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// In bytes: some tenths of a second.
const REWRITTEN: i64 = 32 << 20;
/// PostgreSQL counts values in sixteen bits.
const MOST_VALUES: usize = 30_000;

pub(crate) struct Postgres(PgPool);

impl Postgres {
    pub(crate) async fn open(url: &SecretString) -> Result<Self, Failure> {
        let options = PgConnectOptions::from_str(url.expose_secret())
            // The error would repeat the address, and with it the password.
            .map_err(|_| Failure::Address)?
            .application_name("hitoku")
            .options([
                ("lock_timeout", "5s"),
                ("idle_in_transaction_session_timeout", "10min"),
                // What is committed is on disk, and what is read is what is there, whatever the server's own settings are.
                ("synchronous_commit", "on"),
                ("default_transaction_isolation", "read\\ committed"),
            ])
            .disable_statement_logging();
        // Alone, because a pool tries again and again, and in the end says only that it took too long.
        let first = timeout(PATIENCE, options.connect()).await;
        first.map_err(|_| Failure::Unreachable("it does not answer".to_owned()))??.close().await?;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
        Ok(Self(pool.connect_lazy_with(options)))
    }
}

#[async_trait]
impl Engine for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn definition(&self, text: &str) -> String {
        text.replace("{bytes}", "BYTEA").replace("{by key}", "")
    }

    async fn read(&self, query: Query) -> Result<Vec<Row>, Failure> {
        let found = sqlx::query_with(&query.sql, arguments(query.values)?).fetch_all(&self.0).await?;
        found.iter().map(row).collect()
    }

    async fn begin(&self) -> Result<Box<dyn Transaction>, Failure> {
        Ok(Box::new(Writing(self.0.begin().await?)))
    }

    async fn scrub(&self) -> Result<(), Failure> {
        // Callers wait behind whoever waits for a table of its own: on a connection that does so for a moment only.
        let options = self.0.connect_options().as_ref().clone().options([("lock_timeout", "500ms")]);
        let pool =
            PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).connect_lazy_with(options);
        let rewritten = rewrite(&pool).await;
        pool.close().await;
        rewritten
    }

    async fn damage(&self) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    async fn clock(&self) -> Result<Option<i64>, Failure> {
        let now = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
        let mut rows = self.read(Query::new(now)).await?;
        rows.pop().map(|mut row| row.int(0)).transpose()
    }
}

/// Writes the tables anew in which somebody was, since a deleted row's bytes stay until others are written over them. Whoever calls
/// meanwhile waits: not for long, or else it is left to whoever can choose the hour.
async fn rewrite(pool: &PgPool) -> Result<(), Failure> {
    let readers = readers_stay(pool).await?.then_some(Failure::Busy);
    let (mut large, mut failure) = (vec![], None);
    for table in ["customers", "numbers", "calls"] {
        let size: i64 =
            sqlx::query_scalar(&format!("SELECT pg_total_relation_size('{table}')")).fetch_one(pool).await?;
        if size > REWRITTEN {
            large.push(table);
        } else {
            let whole = format!("VACUUM (FULL, ANALYZE) {table}");
            match sqlx::raw_sql(&whole).execute(pool).await.map_err(Failure::from) {
                Ok(_) => continue,
                Err(error) => failure = Some(error),
            }
        }
        // It has noted some of what stands in each column, to plan its queries by: names among it.
        sqlx::raw_sql(&format!("VACUUM (ANALYZE) {table}")).execute(pool).await?;
    }
    // A table too, and what it noted before is a deleted row of it.
    let noted = sqlx::raw_sql("VACUUM (FULL) pg_statistic").execute(pool).await;
    let failure = failure.or(noted.err().map(Failure::from));
    let large = (!large.is_empty()).then(|| Failure::Large(large.join(", ")));
    failure.or(readers).or(large).map_or(Ok(()), Err)
}

/// Whether somebody goes on reading who began before now: for them what is deleted is kept, also by who writes a table anew.
async fn readers_stay(pool: &PgPool) -> Result<bool, Failure> {
    let now: String = sqlx::query_scalar("SELECT CAST(clock_timestamp() AS TEXT)").fetch_one(pool).await?;
    for wait in [0, 10, 50, 250, 500].map(Duration::from_millis) {
        tokio::time::sleep(wait).await;
        let reading = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                       AND backend_xmin IS NOT NULL AND pid <> pg_backend_pid() \
                       AND xact_start <= CAST($1 AS TIMESTAMPTZ)";
        let reading: i64 = sqlx::query_scalar(reading).bind(&now).fetch_one(pool).await?;
        if reading == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

struct Writing(sqlx::Transaction<'static, sqlx::Postgres>);

#[async_trait]
impl Transaction for Writing {
    async fn run(&mut self, query: Query) -> Result<Vec<Row>, Failure> {
        let found = sqlx::query_with(&query.sql, arguments(query.values)?).fetch_all(&mut *self.0).await?;
        found.iter().map(row).collect()
    }

    async fn insert(
        &mut self,
        head: &'static str,
        tail: &'static str,
        rows: Vec<Vec<Value>>,
    ) -> Result<(), Failure> {
        let Some(columns) = rows.first().map(Vec::len) else { return Ok(()) };
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let values: Vec<Value> = rows.by_ref().take(MOST_VALUES / columns).flatten().collect();
            let places: Vec<_> = (0..values.len() / columns)
                .map(|row| format!("({})", Query::places(row * columns + 1, columns)))
                .collect();
            let sql = format!("{head} {} {tail}", places.join(", "));
            sqlx::query_with(&sql, arguments(values)?).execute(&mut *self.0).await?;
        }
        Ok(())
    }

    async fn alone(&mut self, name: &'static str) -> Result<(), Failure> {
        let lock = Query::new("SELECT 1 FROM pg_advisory_xact_lock(hashtext($1))").with(name);
        self.run(lock).await.map(|_| ())
    }

    async fn commit(self: Box<Self>) -> Result<(), Failure> {
        Ok(self.0.commit().await?)
    }
}

fn arguments(values: Vec<Value>) -> Result<PgArguments, Failure> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Int(int) => arguments.add(int),
            Value::Text(text) => arguments.add(text),
            Value::Bytes(bytes) => arguments.add(bytes),
        }
        .map_err(|error| Failure::Refused(error.to_string()))?;
    }
    Ok(arguments)
}

fn row(found: &PgRow) -> Result<Row, Failure> {
    let value = |column: &sqlx::postgres::PgColumn| {
        let at = column.ordinal();
        Ok(match column.type_info().name() {
            "INT8" => Value::Int(found.try_get(at)?),
            "INT4" => Value::Int(found.try_get::<Option<i32>, _>(at)?.map(i64::from)),
            "BYTEA" => Value::Bytes(found.try_get(at)?),
            _ => Value::Text(found.try_get(at)?),
        })
    };
    Ok(Row(found.columns().iter().map(value).collect::<Result<_, sqlx::Error>>()?))
}
