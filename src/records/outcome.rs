//! How a call ended, as far as is known.
//!
//! Invariant: the order never changes, nor the numbers: of two ends of one call the greater is kept, by every server and by the
//! database, and that is what makes late and repeated webhooks harmless.

use std::fmt;

/// How a call ended, in the order of what is the more telling: each says more than those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Only that it came: an operator was dialled, and what became of it is not known yet.
    Ringing,
    /// The directory did not say who calls. A repeated webhook may have found out more.
    NoDirectory,
    /// The caller's number was withheld: nobody can be found by it.
    Withheld,
    /// The directory knows nobody with this number. It has been asked, which says more than that it was not.
    UnknownCaller,
    /// The operator could not be reached. Whatever follows says that somebody's telephone rang.
    Failed,
    /// The caller gave up while it rang.
    Canceled,
    /// It rang to its end, and nobody answered.
    NoAnswer,
    /// The operator declined, or was in a call: somebody was there.
    Busy,
    /// They talked. Nothing says more.
    Completed,
}

impl Outcome {
    /// All of them, the least telling first.
    pub const ALL: [Self; 9] = [
        Self::Ringing,
        Self::NoDirectory,
        Self::Withheld,
        Self::UnknownCaller,
        Self::Failed,
        Self::Canceled,
        Self::NoAnswer,
        Self::Busy,
        Self::Completed,
    ];

    /// Its number in journals and tables. There is room between them.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Ringing => 10,
            Self::NoDirectory => 20,
            Self::Withheld => 30,
            Self::UnknownCaller => 40,
            Self::Failed => 50,
            Self::Canceled => 60,
            Self::NoAnswer => 70,
            Self::Busy => 80,
            Self::Completed => 90,
        }
    }

    pub(crate) fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| i64::from(outcome.number()) == number)
    }

    /// Whether this became of a call that was dialled. The others are what an arrival came to.
    pub(crate) fn is_an_end(self) -> bool {
        self >= Self::Failed
    }

    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::NoDirectory => "no directory",
            Self::Withheld => "withheld",
            Self::UnknownCaller => "unknown caller",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::NoAnswer => "no answer",
            Self::Busy => "busy",
            Self::Completed => "completed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_order_as_outcomes_do() {
        // As they stand in people's databases.
        assert_eq!(Outcome::ALL.map(Outcome::number), [10, 20, 30, 40, 50, 60, 70, 80, 90]);
        assert!(Outcome::ALL.is_sorted());
        assert!(Outcome::ALL.is_sorted_by_key(|outcome| outcome.number()));
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_number(outcome.number().into()), Some(outcome));
        }
        assert_eq!(Outcome::from_number(11), None);
    }
}
