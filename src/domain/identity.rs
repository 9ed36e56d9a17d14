//! Who an operator is to Twilio.
//!
//! The company's rule (1–64 of letters, digits, `_ - . @`) is wider than Twilio's, which dials only letters, digits and `_`,
//! at most 121 of them. [`Identity::dialled`] is the one place where the first becomes the second, for the token and the
//! `<Client>` alike: were they to differ, the console would look available and never ring.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An operator's identity (`appId`), already known to be well formed and diallable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Identity(String);

/// The text is not an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidIdentity;

const LONGEST: usize = 64;
const LONGEST_DIALLED: usize = 121;
const ESCAPED: [(char, &str); 4] = [('-', "2D"), ('.', "2E"), ('@', "40"), ('_', "5F")];

impl Identity {
    /// Parses what a person or a directory wrote; surrounding white space does not count.
    ///
    /// # Errors
    /// Empty, longer than 64, another character than letters, digits, `_ - . @`, or so many of the last three that
    /// Twilio's 121 characters do not hold it.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentity> {
        let text = text.trim();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@');
        if text.is_empty() || text.len() > LONGEST || !text.chars().all(allowed) {
            return Err(InvalidIdentity);
        }
        let identity = Self(text.to_owned());
        if identity.dialled().len() > LONGEST_DIALLED { Err(InvalidIdentity) } else { Ok(identity) }
    }

    /// As the company writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As Twilio dials it: letters, digits and `_` only. `-`, `.` and `@` become `_2D`, `_2E` and `_40`;
    /// an `_` that would read as one of those becomes `_5F`, and every other one stays as it is.
    #[must_use]
    pub fn dialled(&self) -> String {
        let mut dialled = String::with_capacity(self.0.len());
        for (at, c) in self.0.char_indices() {
            let rest = &self.0[at + 1..];
            let ambiguous = c == '_' && ESCAPED.iter().any(|(_, code)| rest.starts_with(code));
            match ESCAPED.iter().find(|(escaped, _)| *escaped == c && (c != '_' || ambiguous)) {
                Some((_, code)) => {
                    dialled.push('_');
                    dialled.push_str(code);
                }
                None => dialled.push(c),
            }
        }
        dialled
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Identity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for InvalidIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identity is 1 to 64 letters, digits, `_`, `-`, `.` or `@`")
    }
}

impl std::error::Error for InvalidIdentity {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_twilio_dials_already_stays_as_it_is() {
        for plain in ["user001", "op_7", "_", "a__b", "tail_"] {
            assert_eq!(Identity::parse(plain).unwrap().dialled(), plain);
        }
        assert_eq!(Identity::parse("taro.yamada@example").unwrap().dialled(), "taro_2Eyamada_40example");
        assert_eq!(Identity::parse("a_2Db").unwrap().dialled(), "a_5F2Db");
    }

    #[test]
    fn what_is_no_identity_is_refused() {
        let long = "a".repeat(65);
        for bad in ["", "  ", "a b", "山田", "a/b", long.as_str(), "-".repeat(64).as_str()] {
            assert_eq!(Identity::parse(bad), Err(InvalidIdentity), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn dialling_is_reversible_and_diallable(text in "[A-Za-z0-9_.@-]{1,28}|(_|2D|5F|40|2E|-){1,14}") {
            let identity = Identity::parse(&text).unwrap();
            let dialled = identity.dialled();
            prop_assert!(dialled.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
            prop_assert_eq!(undialled(&dialled), identity);
        }
    }

    /// The identity that `dialled` made: there is only one.
    fn undialled(dialled: &str) -> Identity {
        let mut text = String::new();
        let mut rest = dialled;
        while let Some(c) = rest.chars().next() {
            let tail = &rest[c.len_utf8()..];
            let escape = ESCAPED.iter().find(|(_, code)| c == '_' && tail.starts_with(code));
            text.push(escape.map_or(c, |(escaped, _)| *escaped));
            rest = if escape.is_some() { &tail[2..] } else { tail };
        }
        Identity::parse(&text).unwrap()
    }
}
