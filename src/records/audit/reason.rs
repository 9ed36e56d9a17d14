//! Why somebody did it, in their own words.
//!
//! Invariant: it is one line of plain text that holds no telephone number, in whatever digits, and however it is spaced.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

use crate::digits::holds_a_number;

/// Why somebody did it, in their own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

/// The text is no reason that can be kept. It is not repeated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoReason {
    /// It says nothing.
    #[error("a reason is needed, in a few words")]
    Empty,
    /// It is too long.
    #[error("a reason has at most 200 characters")]
    Long,
    /// A terminal would not show it as it is.
    #[error("a reason is one line of plain text, without control and formatting characters")]
    NotPlain,
    /// There may be a number in it.
    #[error("a reason must not hold a telephone number: leave out whatever has seven or more digits")]
    Number,
}

const LONGEST: usize = 200;
/// Shorter ones are dates, order numbers and extensions more often than telephones.
const DIGITS_OF_A_NUMBER: usize = 7;

impl Reason {
    /// What a person wrote; white space around it does not count.
    ///
    /// # Errors
    /// Nothing, too much, or perhaps a number.
    pub fn parse(text: &str) -> Result<Self, NoReason> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NoReason::Empty);
        }
        if text.chars().count() > LONGEST {
            return Err(NoReason::Long);
        }
        if !text.chars().all(is_plain) {
            return Err(NoReason::NotPlain);
        }
        if holds_a_number(text, DIGITS_OF_A_NUMBER) {
            return Err(NoReason::Number);
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_plain(c: char) -> bool {
    use GeneralCategory as Is;
    !matches!(
        c.general_category(),
        Is::Control
            | Is::Format
            | Is::LineSeparator
            | Is::ParagraphSeparator
            | Is::PrivateUse
            | Is::Unassigned
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_words_and_no_number() {
        for good in ["left a bag in car 4711", " 忘れ物 ", "order 123456, part 2 of 3", "9 call backs 12 345"]
        {
            assert_eq!(Reason::parse(good).unwrap().as_str(), good.trim());
        }
        assert_eq!(Reason::parse("call 090-1234-5678"), Err(NoReason::Number));
        assert_eq!(Reason::parse(" \t"), Err(NoReason::Empty));
        assert_eq!(Reason::parse(&"a".repeat(201)), Err(NoReason::Long));
        for sly in ["a\nb", "a\u{1b}[2Jb", "a\0b", "a\u{202e}b", "a\u{200b}b", "a\u{2028}b", "a\u{e000}b"] {
            assert_eq!(Reason::parse(sly), Err(NoReason::NotPlain), "{sly:?}");
        }
    }
}
