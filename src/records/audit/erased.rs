//! What the trail says of an erasure, so that nobody who was erased comes back with what is still in a journal.

use std::collections::BTreeMap;
use std::fmt;

use super::Opaque;

/// What an erasure removed, in figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// So many numbers.
    pub numbers: u64,
    /// Out of so many calls.
    pub calls: u64,
    /// What the customer was called before they were one, once for each number.
    pub aliases: Vec<Mark>,
}

/// An alias, for those who have the key: enough to know calls by that lie in a journal still, and not enough to find the number
/// from, since of all the numbers of a country like Japan a hundred have the same. A stranger who calls in the same minute has it once
/// in a million times, and is without an alias in that call's record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub(super) String);

/// Who was erased lately, and when last, in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Lately {
    customers: BTreeMap<String, i64>,
    aliases: BTreeMap<String, i64>,
}

impl Erased {
    /// What the detail of an entry says that an [`Entry::erased`](super::Entry::erased) made. The first ones had no aliases.
    #[must_use]
    pub fn parse(detail: &str) -> Option<Self> {
        let (numbers, rest) = detail.strip_prefix("numbers=")?.split_once(" calls=")?;
        let (calls, aliases) = rest.split_once(" aliases=").unwrap_or((rest, ""));
        let aliases = aliases.split(',').filter(|mark| !mark.is_empty());
        Some(Self {
            numbers: numbers.parse().ok()?,
            calls: calls.parse().ok()?,
            aliases: aliases.map(|mark| Mark(mark.to_owned())).collect(),
        })
    }
}

impl fmt::Display for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "numbers={} calls={}", self.numbers, self.calls)?;
        for (at, Mark(mark)) in self.aliases.iter().enumerate() {
            let before = if at == 0 { " aliases=" } else { "," };
            write!(f, "{before}{mark}")?;
        }
        Ok(())
    }
}

impl Lately {
    pub(super) fn add(&mut self, customer: Option<String>, erased: Option<Erased>, at: i64) {
        let last = |known: &mut BTreeMap<String, i64>, who: String| {
            known.entry(who).and_modify(|last| *last = at.max(*last)).or_insert(at);
        };
        if let Some(customer) = customer {
            last(&mut self.customers, customer);
        }
        for Mark(mark) in erased.map(|erased| erased.aliases).unwrap_or_default() {
            last(&mut self.aliases, mark);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.customers.is_empty() && self.aliases.is_empty()
    }

    pub(crate) fn customer(&self, customer: &Opaque) -> Option<i64> {
        self.customers.get(&customer.0).copied()
    }

    pub(crate) fn alias(&self, mark: &Mark) -> Option<i64> {
        self.aliases.get(&mark.0).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_erased_is_read_as_it_was_written() {
        for (marks, text) in [
            (&[][..], "numbers=0 calls=12"),
            (&["3fa1"], "numbers=1 calls=12 aliases=3fa1"),
            (&["3fa1", "07c0"], "numbers=2 calls=12 aliases=3fa1,07c0"),
        ] {
            let aliases: Vec<_> = marks.iter().map(|mark| Mark((*mark).to_owned())).collect();
            let erased = Erased { numbers: aliases.len() as u64, calls: 12, aliases };
            assert_eq!(erased.to_string(), text);
            assert_eq!(Erased::parse(text), Some(erased));
        }
        assert_eq!(Erased::parse("numbers=many calls=12"), None);
    }
}
