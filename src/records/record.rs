//! What is known of a call, and how two accounts of it become one.
//!
//! Invariant: [`Record::merge`] is commutative, associative and idempotent, and the statement in [`calls`](crate::calls) does
//! the same in the database: of times the earliest, of ends the most telling, and who it was, with what became of it before it
//! ended, from the arrival that dialled, the earliest if there are several: a repeated webhook may find another directory.

use domain::Millis;
use sha2::{Digest as _, Sha256};

use crate::{CallEvent, Came, Outcome, What};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The earliest time that anything says.
    pub(crate) first_at: i64,
    pub(crate) arrival: Option<Arrival>,
    pub(crate) rang_at: Option<i64>,
    pub(crate) answered_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) outcome: Outcome,
}

/// Who called, and who was dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) at: i64,
    /// Decides between two at one time, in the same way everywhere. A number, because databases order text as they like.
    pub(crate) tie: i64,
    pub(crate) call_ref: String,
    pub(crate) customer: Option<String>,
    pub(crate) alias: Option<String>,
    pub(crate) operator: Option<String>,
}

impl Record {
    pub(crate) fn merge(self, other: Self) -> Self {
        let others = match (&self.arrival, &other.arrival) {
            (Some(one), Some(two)) => two.order() < one.order(),
            (one, _) => one.is_none(),
        };
        let most_telling = self.outcome.max(other.outcome);
        let (arrival, arrived) =
            if others { (other.arrival, other.outcome) } else { (self.arrival, self.outcome) };
        Self {
            first_at: self.first_at.min(other.first_at),
            arrival,
            rang_at: earliest(self.rang_at, other.rang_at),
            answered_at: earliest(self.answered_at, other.answered_at),
            ended_at: earliest(self.ended_at, other.ended_at),
            outcome: if most_telling.is_an_end() { most_telling } else { arrived },
        }
    }
}

impl From<&CallEvent> for Record {
    fn from(event: &CallEvent) -> Self {
        let at = in_table(event.at);
        let mut record = Self {
            first_at: at,
            arrival: None,
            rang_at: None,
            answered_at: None,
            ended_at: None,
            outcome: Outcome::Ringing,
        };
        // Nothing that arrives is an end, and no end is an arrival, whatever a journal holds.
        match &event.what {
            What::Came(came) => {
                record.outcome = came.outcome.min(Outcome::UnknownCaller);
                record.arrival = Some(Arrival::new(at, came, event));
            }
            What::Rang => record.rang_at = Some(at),
            What::Answered => record.answered_at = Some(at),
            What::Over => record.ended_at = Some(at),
            What::Ended(outcome) => {
                record.ended_at = Some(at);
                record.outcome = (*outcome).max(Outcome::Failed);
            }
        }
        record
    }
}

impl Arrival {
    /// One that dialled somebody says who it was; of two that did, or did not, the earlier counts.
    fn order(&self) -> (bool, i64, i64) {
        (self.operator.is_none(), self.at, self.tie)
    }

    fn new(at: i64, came: &Came, event: &CallEvent) -> Self {
        let tie =
            Sha256::digest(event.write()).iter().take(8).fold(0, |tie, byte| tie << 8 | i64::from(*byte));
        let text = |text: &Option<String>| text.as_deref().map(without_zeros);
        Self {
            at,
            tie,
            call_ref: without_zeros(&came.call_ref.0),
            customer: text(&came.customer),
            alias: text(&came.alias),
            operator: came.operator.as_ref().map(|operator| operator.as_str().to_owned()),
        }
    }
}

/// Tables hold signed numbers.
pub(crate) fn in_table(at: Millis) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

/// PostgreSQL takes no text with a zero in it, and one such would hold up all that follow.
pub(crate) fn without_zeros(text: &str) -> String {
    text.replace('\0', "")
}

fn earliest(one: Option<i64>, two: Option<i64>) -> Option<i64> {
    one.into_iter().chain(two).min()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::tests::events;

    proptest! {
        #[test]
        fn the_order_of_accounts_does_not_matter(a in events(), b in events(), c in events()) {
            let [a, b, c] = [&a, &b, &c].map(Record::from);
            let merge = |one: &Record, two: &Record| one.clone().merge(two.clone());
            prop_assert_eq!(merge(&a, &b), merge(&b, &a));
            prop_assert_eq!(merge(&merge(&a, &b), &c), merge(&a, &merge(&b, &c)));
            prop_assert_eq!(merge(&a, &a), a.clone());
            prop_assert_eq!(merge(&merge(&a, &b), &a), merge(&a, &b));
        }
    }
}
