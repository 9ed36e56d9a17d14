//! Why somebody did it, in their own words.
//!
//! Invariant: it holds no telephone number, in whatever digits, and however it is spaced.

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
        if text.chars().count() > LONGEST || text.contains('\0') {
            return Err(NoReason::Long);
        }
        let runs = text.split(char::is_alphabetic);
        let digits = |run: &str| run.chars().filter(|c| c.is_numeric()).count();
        if runs.map(digits).any(|digits| digits >= DIGITS_OF_A_NUMBER) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_words_and_no_number() {
        for good in ["left a bag in car 4711", " 忘れ物 ", "order 123456, part 2 of 3", "called back twice"]
        {
            assert_eq!(Reason::parse(good).unwrap().as_str(), good.trim());
        }
        for bad in
            ["call 090-1234-5678", "+44 7700 900101", "０９０１２３４５６７８", "(020) 79.46/0958", "٠٩٠١٢٣٤"]
        {
            assert_eq!(Reason::parse(bad), Err(NoReason::Number), "{bad}");
        }
        assert_eq!(Reason::parse(" \t"), Err(NoReason::Empty));
        assert_eq!(Reason::parse(&"a".repeat(201)), Err(NoReason::Long));
    }
}
