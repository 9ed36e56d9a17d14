//! What deleted rows leave behind: removed as far as this program can, and told where they are still.

use database::{Database, Failure, Place};

use crate::say;

const LEFT_IN_TABLES: &str = "\
    No query finds it any more, but PostgreSQL keeps the bytes in its own files until it writes over them. Say the same \
    again when that is over; or, when nobody calls, `VACUUM FULL customers, numbers, calls`, which holds up everybody.";
const LEFT_IN_LOG: &str = "\
    PostgreSQL's write-ahead log has it until there is no more use for that: `CHECKPOINT` hurries it. Replicas follow; a log \
    that is archived keeps it as backups do.";

/// Where what was erased is still.
pub(crate) struct Left {
    in_files: Option<Failure>,
    on_postgres: bool,
}

impl Left {
    /// After the database's files have been cleaned: once for all that was erased, since they are written anew.
    pub(crate) async fn after(database: &Database, place: &Place) -> Self {
        Self { in_files: database.scrub().await.err(), on_postgres: matches!(place, Place::Postgres(_)) }
    }

    /// Says where, and how it goes from there too.
    pub(crate) fn tell(&self) {
        if let Some(why) = &self.in_files {
            say(&if self.on_postgres {
                format!("It is not gone from PostgreSQL's files yet: {why}. {LEFT_IN_TABLES}")
            } else {
                format!(
                    "What was erased may still be in the database's file and its log: {why}. When that is over, say the same again."
                )
            });
        }
        if self.on_postgres {
            say(LEFT_IN_LOG);
        }
        say("Backups of the database still have it: let them expire, or erase there too.");
    }
}
