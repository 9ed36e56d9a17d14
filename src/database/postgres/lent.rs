//! A connection of the pool's, lent for one question or one transaction.
//!
//! `sqlx` takes a connection back by asking the server over it, and waits for the answer as long as the system waits for a
//! machine that is silent: minutes. A server that vanishes, as at a failover, would so keep every connection that was in use,
//! and none would be left for the one that takes its place.

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

use crate::Failure;

/// Whoever drops it without giving it back has given up in the middle of something: the connection ends then, and the pool may
/// make another.
pub(super) struct Lent(Option<PoolConnection<Postgres>>);

impl Lent {
    pub(super) async fn by(pool: &PgPool) -> Result<Self, Failure> {
        Ok(Self(Some(pool.acquire().await?)))
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.0.as_mut().unwrap_or_else(|| unreachable!("it is given back by value"))
    }

    pub(super) fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // Closed without a word: nobody may hear it.
        drop(self.0.take().map(PoolConnection::detach));
    }
}
