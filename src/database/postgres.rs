//! PostgreSQL, through `sqlx`'s driver: it knows the addresses and the TLS that hosted databases want.

mod address;
mod lent;
mod scrub;

use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{
    Arguments as _, Column as _, ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool,
    Row as _, TypeInfo as _,
};
use tokio::time::timeout;

use crate::engine::{Deleted, Engine, Transaction};
use crate::{Failure, Query, Row, Value, Watch};
use lent::Lent;

/// Enough for what is asked at once, and far from the server's hundred.
const CONNECTIONS: u32 = 8;
/// For a connection; a caller waits no longer for the whole answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// PostgreSQL counts values in sixteen bits.
const MOST_VALUES: usize = 30_000;

pub(crate) struct Postgres(PgPool);

impl Postgres {
    pub(crate) async fn open(url: &SecretString) -> Result<Self, Failure> {
        let options = address::read(url.expose_secret())?
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
        let mut alone = connect(&options).await?;
        let encoding: String = sqlx::query_scalar("SHOW server_encoding").fetch_one(&mut alone).await?;
        alone.close().await?;
        // The latter takes bytes as they come.
        if encoding != "UTF8" && encoding != "SQL_ASCII" {
            return Err(Failure::Encoding(encoding));
        }
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
        let mut lent = Lent::by(&self.0).await?;
        let found = fetch(lent.connection(), query).await;
        lent.give_back();
        found
    }

    async fn begin(&self) -> Result<Box<dyn Transaction>, Failure> {
        let mut lent = Lent::by(&self.0).await?;
        lent.connection().execute("BEGIN").await?;
        Ok(Box::new(Writing(lent)))
    }

    async fn scrub(&self, deleted: Deleted) -> Result<(), Failure> {
        scrub::scrub(&self.0.connect_options(), deleted).await
    }

    async fn damage(&self) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    async fn clock(&self) -> Result<Option<i64>, Failure> {
        let now = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
        let mut rows = self.read(Query::new(now)).await?;
        rows.pop().map(|mut row| row.int(0)).transpose()
    }

    async fn watch(&self) -> Option<Watch> {
        None
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Failure> {
    let connected = timeout(PATIENCE, options.connect()).await;
    Ok(connected.map_err(|_| Failure::Unreachable("it does not answer".to_owned()))??)
}

/// Dropped before its commit, its connection ends, and with it the transaction.
struct Writing(Lent);

#[async_trait]
impl Transaction for Writing {
    async fn run(&mut self, query: Query) -> Result<Vec<Row>, Failure> {
        fetch(self.0.connection(), query).await
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
            sqlx::query_with(&sql, arguments(values)?).execute(self.0.connection()).await?;
        }
        Ok(())
    }

    async fn alone(&mut self, name: &'static str) -> Result<(), Failure> {
        let lock = Query::new("SELECT 1 FROM pg_advisory_xact_lock(hashtext($1))").with(name);
        self.run(lock).await.map(|_| ())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), Failure> {
        self.0.connection().execute("COMMIT").await?;
        self.0.give_back();
        Ok(())
    }
}

async fn fetch(connection: &mut PgConnection, query: Query) -> Result<Vec<Row>, Failure> {
    let found = sqlx::query_with(&query.sql, arguments(query.values)?).fetch_all(connection).await?;
    found.iter().map(row).collect()
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
