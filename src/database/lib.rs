//! Where things are kept: SQLite in a file of our own, or PostgreSQL, behind one set of queries.
//!
//! Statements are written once, in the part of SQL that both understand, with `$1` for the first value. Everything that is
//! written is written in a transaction, and is on disk when [`Transaction::commit`] returns.
//!
//! Invariant: no phone number comes here. What is to be kept of one arrives sealed and hashed.

pub mod at_once;
mod engine;
mod failure;
mod migration;
mod place;
mod postgres;
#[cfg(feature = "scratch")]
pub mod scratch;
mod sqlite;
mod value;

use std::fmt;
use std::sync::Arc;

pub use engine::{Deleted, Transaction, alone};
pub use failure::Failure;
pub use place::{NotAPlace, Place};
pub use sqlite::{Since, Watch};
pub use value::{Query, Row, Value};

use crate::engine::Engine;

/// A database, open and with every table in place. Clones share it.
#[derive(Clone)]
pub struct Database(Arc<dyn Engine>);

impl Database {
    /// Opens it, makes it if it is a file that is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// It cannot be reached, opened or written, or a newer version of this program has changed its tables.
    pub async fn open(place: &Place) -> Result<Self, Failure> {
        let engine: Arc<dyn Engine> = match place {
            Place::Sqlite(file) => {
                let file = file.clone();
                // A disk that hangs, or another program that writes, holds up who waits for this, and nobody else.
                let opened = tokio::task::spawn_blocking(move || sqlite::Sqlite::open(&file)).await;
                Arc::new(
                    opened.unwrap_or_else(|_| Err(Failure::Unreachable("opening it panicked".to_owned())))?,
                )
            }
            Place::Postgres(url) => Arc::new(postgres::Postgres::open(url).await?),
        };
        migration::run(&*engine).await?;
        Ok(Self(engine))
    }

    /// What a query finds.
    ///
    /// # Errors
    /// The database cannot be read, or the query is wrong.
    pub async fn read(&self, query: Query) -> Result<Vec<Row>, Failure> {
        self.0.read(query).await
    }

    /// Begins a transaction. On SQLite it is the only one until it ends, in this process and in all others.
    ///
    /// # Errors
    /// The database cannot be written, or another transaction does not end.
    pub async fn begin(&self) -> Result<Box<dyn Transaction>, Failure> {
        self.0.begin().await
    }

    /// Removes what deleted rows have left behind, as far as this program can reach it: in the file and in its log.
    ///
    /// # Errors
    /// It cannot be written, or others keep what was deleted open.
    pub async fn scrub(&self, deleted: Deleted) -> Result<(), Failure> {
        self.0.scrub(deleted).await
    }

    /// What is wrong with its file, as far as a quick look tells; always nothing with PostgreSQL, whose files are its own.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn damage(&self) -> Result<Option<String>, Failure> {
        self.0.damage().await
    }

    /// The time by its own clock, in milliseconds since the Unix epoch; `None` if it is this machine's.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn clock(&self) -> Result<Option<i64>, Failure> {
        self.0.clock().await
    }

    /// Tells whether customers were changed, without asking the database; `None` with PostgreSQL, where the machine cannot tell
    /// without waiting for a disk, and if it just cannot be told now.
    pub async fn watch(&self) -> Option<Watch> {
        self.0.watch().await
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.0.name()).finish()
    }
}
