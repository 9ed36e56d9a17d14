//! What SQLite and PostgreSQL must each be able to do.

use async_trait::async_trait;

use crate::{Failure, Query, Row, Value, Watch};

#[async_trait]
pub(crate) trait Engine: Send + Sync + 'static {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// Text of a table's definition, with its own words for what the two call differently.
    fn definition(&self, text: &str) -> String;

    async fn read(&self, query: Query) -> Result<Vec<Row>, Failure>;

    async fn begin(&self) -> Result<Box<dyn Transaction>, Failure>;

    async fn scrub(&self, deleted: Deleted) -> Result<(), Failure>;

    async fn damage(&self) -> Result<Option<String>, Failure>;

    async fn clock(&self) -> Result<Option<i64>, Failure>;

    async fn watch(&self) -> Option<Watch>;
}

/// Under which names those are [alone](Transaction::alone) who write to some of the tables.
pub mod alone {
    /// To customers and their numbers.
    pub const CUSTOMERS: &str = "customers";
    /// To the audit trail and to calls.
    pub const AUDIT: &str = "audit";
}

/// Whose rows were deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// Some customers, their numbers, and what calls said of them.
    Customers,
    /// Calls alone.
    Calls,
}

/// Statements that happen all or not at all. Dropped before its commit, it has not happened.
#[async_trait]
pub trait Transaction: Send {
    /// Runs one statement, and gives what it returns.
    ///
    /// # Errors
    /// The statement is wrong or cannot be carried out; the transaction is then of no more use.
    async fn run(&mut self, query: Query) -> Result<Vec<Row>, Failure>;

    /// Inserts many rows: `head` is `INSERT INTO … VALUES`, `tail` whatever follows the values, such as `ON CONFLICT …`.
    /// All rows have as many values as the first. No two may have the same key.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    async fn insert(
        &mut self,
        head: &'static str,
        tail: &'static str,
        rows: Vec<Vec<Value>>,
    ) -> Result<(), Failure>;

    /// Lets only one transaction of this name pass at a time, in all processes, until it ends.
    ///
    /// # Errors
    /// The database cannot be reached.
    async fn alone(&mut self, name: &'static str) -> Result<(), Failure>;

    /// Makes it happen. When this returns it is on disk.
    ///
    /// # Errors
    /// It did not happen; or the connection was lost in this instant, and nobody knows.
    async fn commit(self: Box<Self>) -> Result<(), Failure>;
}
