//! What deleted rows leave behind: removed as far as this program can, and told where they are still.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use database::{Database, Deleted, Failure, Place};
use records::audit::Mark;
use records::{Audit, Ledger};
use tokio::time::{Instant, sleep};

use crate::say;

const LEFT_IN_TABLES: &str = "\
    No query finds it any more. Say the same again when that is over; where a table has what would be lost, say `VACUUM FULL \
    customers, numbers, calls` when nobody calls, because it holds up everybody, and is not seen here";
const LEFT_IN_LOG: &str = "\
    PostgreSQL's write-ahead log has it until there is no more use for that: `CHECKPOINT` hurries it. Replicas follow; a log \
    that is archived keeps it as backups do.";

/// Where what was deleted is still.
pub(crate) struct Left {
    in_files: Option<Failure>,
    on_postgres: bool,
}

impl Left {
    /// After the database's files have been cleaned: once for all that was deleted, since they are written anew.
    pub(crate) async fn after(deleted: Deleted, database: &Database, place: &Place) -> Self {
        let in_files = database.scrub(deleted).await.err();
        Self { in_files, on_postgres: matches!(place, Place::Postgres(_)) }
    }

    /// Says where, and how it goes from there too.
    ///
    /// # Errors
    /// It is in the database's own files, so that whoever has asked must ask again.
    pub(crate) fn tell(&self) -> anyhow::Result<()> {
        if self.on_postgres {
            say(LEFT_IN_LOG);
        }
        say("Backups of the database still have it: let them expire, or erase there too.");
        match &self.in_files {
            None => Ok(()),
            Some(why) if self.on_postgres => {
                bail!("it is not gone from PostgreSQL's files yet: {why}. {LEFT_IN_TABLES}")
            }
            Some(why) => bail!(
                "what was erased may still be in the database's file and its log: {why}. When that is over, say the same again"
            ),
        }
    }
}

/// Writes into the database what a killed server has left in the journal in this folder, as its next start would do.
///
/// # Errors
/// It is still there.
pub(crate) async fn settle_killed(folder: &Path, audit: &Audit) -> anyhow::Result<()> {
    let file = Ledger::file_in(folder);
    if !file.exists() || Ledger::is_in_use(folder) != Some(false) {
        return Ok(());
    }
    let settled = Ledger::open(folder, audit.clone())?.close(PATIENCE).await;
    settled.with_context(|| format!("{}: {AS_THE_SERVERS_USER}", file.display()))
}

/// Waits until the journal in this folder does not say any more that these customers called, or a caller whom nobody knew and who
/// was called as they were before: a server wipes it a second or two after its database has it. What one that was killed
/// meanwhile has left is settled first.
///
/// # Errors
/// It still does.
pub(crate) async fn from_journal(
    ids: &[String],
    aliases: &BTreeSet<&Mark>,
    folder: &Path,
    audit: &Audit,
) -> anyhow::Result<()> {
    let file = Ledger::file_in(folder);
    let until = Instant::now() + PATIENCE;
    loop {
        let named = Ledger::names(folder, ids, |alias| aliases.contains(&audit.mark(alias)));
        let named = named.with_context(|| {
            format!("{} may still say who was erased; {AS_THE_SERVERS_USER}", file.display())
        })?;
        if !named {
            return Ok(());
        }
        let unsettled = settle_killed(folder, audit).await.err();
        if Instant::now() >= until {
            let why = unsettled.map_or_else(|| WIPED_SOON.to_owned(), |error| format!("{error:#}"));
            bail!("{} still names them: {why}", file.display());
        }
        sleep(MOMENT).await;
    }
}

const AS_THE_SERVERS_USER: &str =
    "say the same again as the user who runs the server, or start the server once more";
const WIPED_SOON: &str = "\
    it is wiped a second or two after the server has written it into the database: say the same again then, and look at the \
    server's log if it still is not";
/// For a server that has just taken a call, and whose keeper has found its database away a moment ago.
const PATIENCE: Duration = Duration::from_secs(8);
const MOMENT: Duration = Duration::from_millis(200);
