//! A phone number: the one thing that this product keeps from everybody.
//!
//! It cannot be displayed, serialised or printed while debugging, and the only way to its digits is
//! [`expose`](PhoneNumber::expose), which clippy forbids except where a reason is written next to it.

use std::fmt;

/// A phone number in E.164: `+`, a country code, at most fifteen digits in all.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(Box<str>);

/// The text is no phone number: withheld, a SIP or client address, or something else. It is not repeated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("that is not a phone number in E.164")]
pub struct NotANumber;

impl PhoneNumber {
    /// Parses what Twilio sends as `From`.
    ///
    /// # Errors
    /// The text is not in E.164. A withheld number comes as a word such as `anonymous`.
    pub fn parse(text: &str) -> Result<Self, NotANumber> {
        let digits = text.strip_prefix('+').ok_or(NotANumber)?;
        let well_formed = (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if well_formed { Ok(Self(text.into())) } else { Err(NotANumber) }
    }

    /// The number itself, `+` and digits.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_e164_is_a_number() {
        assert!(PhoneNumber::parse("+447700900101").is_ok());
        for other in [
            "",
            "+",
            "anonymous",
            "Restricted",
            "447700900101",
            "+0447700900101",
            "+44 7700 900101",
            "+1234567890123456",
            "sip:a@example.com",
            "client:op_7",
            "+266696687 ",
            "+４４７７００９００１０１",
        ] {
            assert_eq!(PhoneNumber::parse(other), Err(NotANumber), "{other}");
        }
    }

    #[test]
    fn debugging_shows_no_digit() {
        let number = PhoneNumber::parse("+447700900101").unwrap();
        assert!(!format!("{number:?} {:#?}", Some(&number)).contains(|c: char| c.is_ascii_digit()));
    }

    #[test]
    fn a_number_is_neither_displayed_nor_serialised() {
        // A type that is `Display` or `Serialize` has two ways to name `FOUND`, of which the inherent one wins.
        struct Probe<T>(std::marker::PhantomData<T>);
        trait No {
            const FOUND: bool = false;
        }
        impl<T> No for Probe<T> {}
        impl<T: fmt::Display> Probe<T> {
            const FOUND: bool = true;
        }
        struct Sent<T>(std::marker::PhantomData<T>);
        impl<T> No for Sent<T> {}
        impl<T: serde::Serialize> Sent<T> {
            const FOUND: bool = true;
        }
        const { assert!(Probe::<String>::FOUND && Sent::<String>::FOUND) };
        const { assert!(!Probe::<PhoneNumber>::FOUND && !Sent::<PhoneNumber>::FOUND) };
    }
}
