//! Old calls are forgotten: whose they were, who answered and when. The trail stays, and says so.

use database::{Database, Failure, Query};
use domain::Millis;

use crate::Audit;
use crate::audit::{ALONE, Actor, Entry};
use crate::record::in_table;

/// So many in one transaction: who writes calls waits for it no longer than for anybody else.
const AT_ONCE: i64 = 10_000;
const A_DAY: u64 = 24 * 60 * 60 * 1000;

/// How many calls came more than so many days before `at`.
///
/// # Errors
/// The database cannot be read.
pub async fn older(database: &Database, days: u32, at: Millis) -> Result<u64, Failure> {
    let count = Query::new("SELECT COUNT(*) FROM calls WHERE first_at < $1").with(before(days, at));
    let mut rows = database.read(count).await?;
    Ok(rows.pop().map_or(Ok(0), |mut row| row.int(0))?.unsigned_abs())
}

/// Forgets the calls that came more than so many days before `at`, some at a time: each time an entry of the trail says how many.
/// `progress` is told how many are gone so far. At least a day, so that nothing comes of them any more.
///
/// # Errors
/// The database cannot be written. What `progress` was told is gone.
pub async fn forget(
    audit: &Audit,
    days: u32,
    actor: &Actor,
    at: Millis,
    mut progress: impl FnMut(u64),
) -> Result<(), Failure> {
    let mut forgotten = 0;
    loop {
        let mut transaction = audit.database().begin().await?;
        // Before the rows, as who writes calls has it: two that wait for each other would never end.
        transaction.alone(ALONE).await?;
        let some = "DELETE FROM calls WHERE call_sid IN \
                    (SELECT call_sid FROM calls WHERE first_at < $1 ORDER BY first_at LIMIT $2) RETURNING call_sid";
        let some = transaction.run(Query::new(some).with(before(days.max(1), at)).with(AT_ONCE)).await?;
        if some.is_empty() {
            return Ok(());
        }
        let count = some.len() as u64;
        audit.append(&mut *transaction, Entry::forgotten(at, actor, count, days)).await?;
        transaction.commit().await?;
        forgotten += count;
        progress(forgotten);
    }
}

fn before(days: u32, at: Millis) -> i64 {
    in_table(at.saturating_sub(u64::from(days) * A_DAY))
}
