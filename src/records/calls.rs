//! The table of calls: a row a call, and never a number.

mod forget;

use std::collections::BTreeMap;

use database::{Database, Failure, Query, Row, Transaction, Value};
use domain::{CallRef, Identity, Millis};
use tokio::task::consume_budget;

use crate::audit::ALONE;
use crate::record::Record;
use crate::{CallSid, Event, Outcome};

pub use forget::{forget, older};

macro_rules! earliest {
    ($time:literal) => {
        concat!(
            $time,
            " = CASE WHEN calls.",
            $time,
            " IS NULL OR excluded.",
            $time,
            " < calls.",
            $time,
            " THEN excluded.",
            $time,
            " ELSE calls.",
            $time,
            " END, "
        )
    };
}

/// Whether the arrival that comes says who it was, and not the one that is there.
macro_rules! tells {
    () => {
        "calls.came_at IS NULL OR (calls.operator IS NULL AND excluded.operator IS NOT NULL) \
         OR ((calls.operator IS NULL) = (excluded.operator IS NULL) AND (excluded.came_at < calls.came_at \
         OR (excluded.came_at = calls.came_at AND excluded.came_tie < calls.came_tie)))"
    };
}

macro_rules! of_the_telling_arrival {
    ($column:literal) => {
        concat!(
            $column,
            " = CASE WHEN ",
            tells!(),
            " THEN excluded.",
            $column,
            " ELSE calls.",
            $column,
            " END, "
        )
    };
}

/// What is kept of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Twilio's name for it.
    pub call_sid: CallSid,
    /// Our own name for it; not known if only later webhooks came.
    pub call_ref: Option<CallRef>,
    /// The customer's id; `None` also after the customer was erased.
    pub customer: Option<String>,
    /// What an unknown caller is called.
    pub alias: Option<String>,
    /// Who was dialled.
    pub operator: Option<Identity>,
    /// The earliest that is known of it.
    pub first_at: Millis,
    /// When it rang at the operator's.
    pub rang_at: Option<Millis>,
    /// When the operator answered.
    pub answered_at: Option<Millis>,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// How it ended.
    pub outcome: Outcome,
}

/// The newest calls, the newest first.
///
/// # Errors
/// The database cannot be read.
pub async fn latest(database: &Database, limit: u32) -> Result<Vec<Call>, Failure> {
    let query = "SELECT call_sid, call_ref, customer, alias, operator, first_at, rang_at, answered_at, ended_at, outcome \
                 FROM calls ORDER BY first_at DESC, call_sid LIMIT $1";
    database.read(Query::new(query).with(i64::from(limit))).await?.into_iter().map(call).collect()
}

/// How many calls there are.
///
/// # Errors
/// The database cannot be read.
pub async fn count(database: &Database) -> Result<u64, Failure> {
    let mut rows = database.read(Query::new("SELECT COUNT(*) FROM calls")).await?;
    let count = rows.pop().map_or(Ok(0), |mut row| row.int(0))?;
    Ok(count.unsigned_abs())
}

/// Takes customers out of every call, and the aliases that they had before they were some, and leaves times and outcomes. Says of
/// how many calls of each. What is in a journal still is not counted; it comes without a customer's id if the same transaction adds
/// [`Entry::erased`](crate::audit::Entry::erased), of a time after this, and without the aliases that this has a mark of.
///
/// # Errors
/// The database cannot be written.
pub async fn erase(
    transaction: &mut dyn Transaction,
    whose: Vec<(&str, &[String])>,
) -> Result<Vec<u64>, Failure> {
    // Who writes calls looks for erasures: before this one has begun, or after it is done.
    transaction.alone(ALONE).await?;
    let mut counts = vec![0; whose.len()];
    let (mut customers, mut aliases) = (BTreeMap::new(), BTreeMap::new());
    for (at, (customer, some)) in whose.into_iter().enumerate() {
        customers.entry(customer).or_insert(at);
        aliases.extend(some.iter().map(|alias| (alias.as_str(), at)));
    }
    let names: Vec<&str> = customers.keys().chain(aliases.keys()).copied().collect();
    for some in names.chunks(NAMES) {
        let places = Query::places(1, some.len());
        let (after, most) = (some.len() + 1, some.len() + 2);
        let calls = format!(
            "SELECT call_sid, customer, alias FROM calls WHERE (customer IN ({places}) OR alias IN ({places})) \
             AND call_sid > ${after} ORDER BY call_sid LIMIT ${most}"
        );
        let mut last = String::new();
        loop {
            let query = Query::new(calls.clone()).with_all(some.iter().copied());
            let page = transaction
                .run(query.with(last.as_str()).with(i64::try_from(CALLS).unwrap_or(i64::MAX)))
                .await?;
            let (mut theirs, found) = (Vec::with_capacity(page.len()), page.len());
            for mut row in page {
                let (call_sid, customer, alias) = (row.text(0)?, row.maybe_text(1)?, row.maybe_text(2)?);
                last.clone_from(&call_sid);
                // A customer may have an id like somebody's alias.
                let at = customer.and_then(|customer| customers.get(customer.as_str()));
                let at = at.or_else(|| alias.and_then(|alias| aliases.get(alias.as_str())));
                if let Some(at) = at {
                    counts[*at] += 1;
                    theirs.push(call_sid);
                }
            }
            // The tie is a hash of the customer too; the least of all lets no repeated webhook of the same time bring them back.
            let update = "UPDATE calls SET customer = NULL, alias = NULL, came_tie = $1 WHERE call_sid IN";
            let update = Query::new(format!("{update} ({})", Query::places(2, theirs.len()))).with(i64::MIN);
            if !theirs.is_empty() {
                transaction.run(update.with_all(theirs.iter().map(String::as_str))).await?;
            }
            if found < CALLS {
                break;
            }
        }
    }
    Ok(counts)
}

/// So many customers and aliases are looked for at once.
const NAMES: usize = 500;
/// So many of their calls are taken at once, so that no more of them are in memory.
const CALLS: usize = 1000;

/// Adds what these events say, as far as they are of calls.
pub(crate) async fn write(transaction: &mut dyn Transaction, events: &[Event]) -> Result<(), Failure> {
    // PostgreSQL takes a key only once in a statement; in one order, so that two servers cannot each wait for the other.
    let mut records = BTreeMap::<CallSid, Record>::new();
    for event in events {
        consume_budget().await;
        let Event::Call(event) = event else { continue };
        let record = Record::from(event);
        let record = match records.remove(&event.call_sid) {
            Some(known) => known.merge(record),
            None => record,
        };
        records.insert(event.call_sid, record);
    }
    transaction.insert(INSERT, MERGE, records.into_iter().map(values).collect()).await
}

const INSERT: &str = "INSERT INTO calls (call_sid, first_at, came_at, came_tie, call_ref, customer, alias, operator, \
                      rang_at, answered_at, ended_at, outcome) VALUES";

/// As [`Record::merge`]. A comparison with nothing is not true, and what is in the table stays.
const MERGE: &str = concat!(
    "ON CONFLICT (call_sid) DO UPDATE SET ",
    earliest!("first_at"),
    earliest!("rang_at"),
    earliest!("answered_at"),
    earliest!("ended_at"),
    of_the_telling_arrival!("came_at"),
    of_the_telling_arrival!("came_tie"),
    of_the_telling_arrival!("call_ref"),
    of_the_telling_arrival!("customer"),
    of_the_telling_arrival!("alias"),
    of_the_telling_arrival!("operator"),
    // From 50 on they are ends.
    "outcome = CASE WHEN calls.outcome >= 50 AND calls.outcome >= excluded.outcome THEN calls.outcome ",
    "WHEN excluded.outcome >= 50 THEN excluded.outcome WHEN ",
    tells!(),
    " THEN excluded.outcome ELSE calls.outcome END",
);

fn values((call_sid, record): (CallSid, Record)) -> Vec<Value> {
    let (came, who) = match record.arrival {
        Some(it) => ((Some(it.at), Some(it.tie)), [Some(it.call_ref), it.customer, it.alias, it.operator]),
        None => ((None, None), [const { None }; 4]),
    };
    let [call_ref, customer, alias, operator] = who.map(Value::Text);
    vec![
        call_sid.to_string().into(),
        record.first_at.into(),
        came.0.into(),
        came.1.into(),
        call_ref,
        customer,
        alias,
        operator,
        record.rang_at.into(),
        record.answered_at.into(),
        record.ended_at.into(),
        i64::from(record.outcome.number()).into(),
    ]
}

fn call(mut row: Row) -> Result<Call, Failure> {
    let strange = |what: &str| Failure::Refused(format!("a call has a {what} that is none"));
    let time = |at: Option<i64>| at.map(i64::unsigned_abs);
    let mut call = Call {
        call_sid: CallSid::parse(&row.text(0)?).ok_or_else(|| strange("CallSid"))?,
        call_ref: row.maybe_text(1)?.map(CallRef),
        customer: row.maybe_text(2)?,
        alias: row.maybe_text(3)?,
        operator: match row.maybe_text(4)? {
            Some(operator) => Some(Identity::parse(&operator).map_err(|_| strange("operator"))?),
            None => None,
        },
        first_at: row.int(5)?.unsigned_abs(),
        rang_at: time(row.maybe_int(6)?),
        answered_at: time(row.maybe_int(7)?),
        ended_at: time(row.maybe_int(8)?),
        outcome: Outcome::from_number(row.int(9)?).ok_or_else(|| strange("outcome"))?,
    };
    call.outcome = call.became();
    Ok(call)
}

impl Call {
    /// Nobody may have said how it ended; but one that was answered and is over was talked in.
    fn became(&self) -> Outcome {
        match self.outcome {
            Outcome::Ringing if self.answered_at.is_some() && self.ended_at.is_some() => Outcome::Completed,
            outcome => outcome,
        }
    }
}

#[cfg(test)]
mod tests;
