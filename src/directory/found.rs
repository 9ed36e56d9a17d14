//! What a directory may say of a caller, after it has been held against the caller's number.
//!
//! Invariant: a [`Found`] holds no number, and only this module makes one. Many a company's own API shows a number where there
//! is no name, or keys its customers by number; what it answers goes to a browser.

use std::fmt;

use domain::Identity;
use phonenumber::metadata::DATABASE;
use records::digits::{DIGITS_OF_A_NUMBER, decimal, has_fewer_digits, holds_a_number};
use unicode_normalization::UnicodeNormalization as _;

use crate::misplaced::{has_a_number, is_whole_number};
use crate::{PhoneNumber, Region, Silent};

/// So many last digits tell a number from an id by chance: they are the same in every way of writing a number.
const TELLING_DIGITS: usize = 8;

/// What a directory has under a number: a name or an id in it may be that number.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// See [`Found::operator`].
    pub operator: Identity,
    /// See [`Found::customer_name`].
    pub customer_name: Option<String>,
    /// See [`Found::customer_id`].
    pub customer_id: Option<String>,
}

/// A customer, as far as others than the directory may know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The operator who looks after this customer.
    pub operator: Identity,
    /// The customer's name.
    pub customer_name: Option<String>,
    /// The customer's id, in the company's own terms.
    pub customer_id: Option<String>,
}

impl Entry {
    /// It without this number, or any other: a name or an id that holds one is dropped. Numbers without a country code are of
    /// this region.
    ///
    /// # Errors
    /// The operator's identity holds it, so that nobody can be dialled without telling it.
    pub(crate) fn without(self, number: &PhoneNumber, region: Region) -> Result<Found, Silent> {
        let tells = |text: &str| tells(text, number);
        let holds_one = |text: &str| holds_a_number(text, DIGITS_OF_A_NUMBER);
        // Only what is a number and nothing else: a caller whose operator has an odd name is put through.
        if tells(self.operator.as_str()) || is_whole_number(self.operator.as_str(), region) {
            return Err(Silent::Nonsense("its appId holds a telephone number"));
        }
        let name = |name: &String| !tells(name) && !has_a_number(name, region) && !holds_one(name);
        // Ids have as many plain digits as they like.
        let id = |id: &String| !tells(id) && !has_a_number(id, region) && (id.is_ascii() || !holds_one(id));
        Ok(Found {
            operator: self.operator,
            customer_name: self.customer_name.filter(name),
            customer_id: self.customer_id.filter(id),
        })
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entry")
    }
}

#[expect(clippy::disallowed_methods, reason = "what goes to a browser is held against the number")]
pub(crate) fn tells(text: &str, number: &PhoneNumber) -> bool {
    let telling = &number.expose()[1..];
    // Without the country's code, as people there write it: in Iceland that leaves seven.
    let telling = &telling[code_of(telling)..];
    let telling = &telling[telling.len().saturating_sub(TELLING_DIGITS)..];
    !has_fewer_digits(text, telling.len())
        && text.nfkc().filter_map(digit).collect::<String>().contains(telling)
}

/// How many digits of E.164 are the country's code, which has at most three.
fn code_of(digits: &str) -> usize {
    const LONGEST: usize = 3;
    if digits.len() >= TELLING_DIGITS + LONGEST {
        return LONGEST;
    }
    let is_one =
        |length: &usize| digits[..*length].parse().is_ok_and(|code| DATABASE.by_code(&code).is_some());
    (1..=LONGEST).find(is_one).unwrap_or_default()
}

/// A digit in whatever script, or as a word, as people in Japan write them.
fn digit(c: char) -> Option<char> {
    let words = "〇一二三四五六七八九";
    let word = || words.chars().position(|word| word == c || word == '〇' && c == '零');
    decimal(c).or_else(|| char::from_digit(u32::try_from(word()?).ok()?, 10))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(operator: &str, name: &str, id: &str) -> Entry {
        let operator = Identity::parse(operator).unwrap();
        Entry { operator, customer_name: Some(name.to_owned()), customer_id: Some(id.to_owned()) }
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
            "〇七七〇〇 九〇〇一〇一",
        ] {
            let kept = entry("user001", written, written).without(&number, Region::JAPAN).unwrap();
            assert_eq!((kept.customer_name, kept.customer_id), (None, None), "{written}");
        }
        for other in
            ["090-9999-8888", "tel:+81-90-9999-8888", "819099998888", "０９０９９９９８８８８", "٠٩٠٩٩٩٩٨٨٨٨"]
        {
            let kept = entry("user001", &format!("越井 {other}"), other).without(&number, Region::JAPAN);
            let kept = kept.unwrap();
            assert_eq!((kept.customer_name, kept.customer_id), (None, None), "{other}");
        }
        for id in ["cm-2026-0101", "1000000012", "100000000012", "2026-11-22-00001"] {
            let kept = entry("user001", "越井 琢巳", id).without(&number, Region::JAPAN).unwrap();
            assert_eq!(
                (kept.customer_name.as_deref(), kept.customer_id.as_deref()),
                (Some("越井 琢巳"), Some(id))
            );
        }
    }

    #[test]
    fn a_short_number_is_told_by_all_that_people_write_of_it() {
        for (number, name) in [
            ("+3545550123", "Jón 555 0123"),
            ("+3725550123", "555 0123"),
            ("+68340123", "Ms 4-0123"),
            ("+6834012", "ニウエ ４０１２"),
            ("+4720550123", "20 55 01 23"),
            ("+447700900101", "07700 900101"),
            ("+447700900101", "零零九零零一零一"),
            ("+96577009001", "٧٧٠٠٩٠٠١"),
            ("+96550123456", "أحمد ٥٠١٢٣٤٥٦"),
            ("+4720550123", "२० ५५ ०१ २३"),
        ] {
            let number = PhoneNumber::parse(number).unwrap();
            assert!(tells(name, &number), "{name}");
            assert!(!tells("user001 2026-11", &number), "{name}");
        }
    }

    #[test]
    fn a_number_is_nobody_to_dial() {
        let number = PhoneNumber::parse("+447700900101").unwrap();
        for operator in ["447700900101", "819099998888"] {
            let found = entry(operator, "a", "b").without(&number, Region::JAPAN);
            assert!(matches!(found, Err(Silent::Nonsense(_))), "{operator}");
        }
    }

    proptest! {
        #[test]
        fn no_number_is_missed_at_a_glance(text in "[0-9零〇一二三四五六七八九０-９ー 越①㍘-]{0,20}") {
            let digits: String = text.nfkc().filter_map(digit).collect();
            for at in 0..digits.len().saturating_sub(TELLING_DIGITS - 1) {
                let number = PhoneNumber::parse(&format!("+1{}", &digits[at..at + TELLING_DIGITS])).unwrap();
                prop_assert!(tells(&text, &number), "{text}");
            }
        }
    }
}
