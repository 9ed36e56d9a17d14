//! What a directory may say of a caller, after it has been held against the caller's number.
//!
//! Invariant: a [`Found`] that leaves this crate holds no number. Many a company's own API shows a number where there is no
//! name, or keys its customers by number; what it answers goes to a browser.

use domain::Identity;

use crate::written::is_a_number;
use crate::{PhoneNumber, Region, Silent};

/// So many last digits tell a number from an id by chance: it is the same in every way of writing a number.
const TELLING_DIGITS: usize = 8;

/// A customer, as far as others than the directory may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The operator who looks after this customer.
    pub operator: Identity,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// The customer's id, in the company's own terms.
    pub customer_id: Option<String>,
}

impl Found {
    /// The same without this number: a name or an id that holds it is dropped.
    ///
    /// # Errors
    /// The operator's identity holds it, so that nobody can be dialled without telling it.
    pub fn without(self, number: &PhoneNumber) -> Result<Self, Silent> {
        // Also another's: many a company keeps the number that a customer had first as the id.
        let tells = |text: &String| tells(text, number) || is_a_number(text, Region::JAPAN);
        if tells(&self.operator.to_string()) {
            return Err(Silent::Nonsense("its appId holds the caller's number"));
        }
        Ok(Self {
            operator: self.operator,
            customer_name: self.customer_name.filter(|name| !tells(name)),
            customer_id: self.customer_id.filter(|id| !tells(id)),
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "what goes to a browser is held against the number")]
pub(crate) fn tells(text: &str, number: &PhoneNumber) -> bool {
    let exposed = number.expose();
    let telling = &exposed[exposed.len().saturating_sub(TELLING_DIGITS).max(1)..];
    text.chars().filter_map(digit).collect::<String>().contains(telling)
}

/// A digit as people in Japan write them: half or full width.
fn digit(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(operator: &str, name: &str, id: &str) -> Found {
        let operator = Identity::parse(operator).unwrap();
        Found { operator, customer_name: Some(name.to_owned()), customer_id: Some(id.to_owned()) }
    }

    #[test]
    fn a_number_is_no_name_and_no_id() {
        let number = PhoneNumber::parse("+447700900101").unwrap();
        for written in [
            "+447700900101",
            "447700900101",
            "07700 900101",
            "(07700) 900-101",
            "０７７００９００１０１",
            "tel:+44-7700-900101",
        ] {
            let kept = found("user001", written, written).without(&number).unwrap();
            assert_eq!((kept.customer_name, kept.customer_id), (None, None), "{written}");
        }
        let old = found("user001", "越井 琢巳", "090-9999-8888").without(&number).unwrap();
        assert_eq!(old.customer_id, None);
        let kept = found("user001", "越井 琢巳", "cm-2026-0101").without(&number).unwrap();
        assert_eq!(kept, found("user001", "越井 琢巳", "cm-2026-0101"));
    }

    #[test]
    fn a_number_is_nobody_to_dial() {
        let number = PhoneNumber::parse("+447700900101").unwrap();
        assert!(matches!(found("447700900101", "a", "b").without(&number), Err(Silent::Nonsense(_))));
    }
}
