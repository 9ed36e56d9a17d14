//! Who an operator is to Twilio.
//!
//! The company's rule (1–64 of letters, digits, `_ - . @`) is wider than Twilio's, which dials only letters, digits and `_`,
//! at most 121 of them. [`Identity::dialled`] is the one place where the first becomes the second, for the token and the
//! `<Client>` alike: were they to differ, the console would look available and never ring.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An operator's identity (`appId`), already known to be well formed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Identity(String);

/// The text is not an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidIdentity;

const LONGEST: usize = 64;
const LONGEST_DIALLED: usize = 121;
const ESCAPED: [(char, &str); 4] = [('-', "2D"), ('.', "2E"), ('@', "40"), ('_', "5F")];
/// Nothing escaped holds this: there `_5F` stands before one of the codes.
const PACKED: &str = "_5F_";
const BASE_32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

impl Identity {
    /// Parses what a person or a directory wrote; surrounding white space does not count.
    ///
    /// # Errors
    /// Empty, longer than 64, or another character than letters, digits, `_ - . @`.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentity> {
        let text = text.trim();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@');
        if text.is_empty() || text.len() > LONGEST || !text.chars().all(allowed) {
            return Err(InvalidIdentity);
        }
        Ok(Self(text.to_owned()))
    }

    /// As the company writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As Twilio dials it: letters, digits and `_` only. `-`, `.` and `@` become `_2D`, `_2E` and `_40`;
    /// an `_` that would read as one of those becomes `_5F`, and every other one stays as it is. What that makes too long for
    /// Twilio is packed instead: `_5F_`, and its seven-bit characters in base 32.
    #[must_use]
    pub fn dialled(&self) -> String {
        let escaped = self.escaped();
        if escaped.len() > LONGEST_DIALLED { self.packed() } else { escaped }
    }

    fn escaped(&self) -> String {
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

    /// 64 characters are 94 so.
    fn packed(&self) -> String {
        let bits: Vec<u8> =
            self.0.bytes().flat_map(|byte| (0..7).rev().map(move |at| byte >> at & 1)).collect();
        let fives =
            bits.chunks(5).map(|five| five.iter().fold(0, |value, bit| value << 1 | bit) << (5 - five.len()));
        PACKED.chars().chain(fives.map(|five| char::from(BASE_32[usize::from(five)]))).collect()
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
        for bad in ["", "  ", "a b", "山田", "a/b", long.as_str()] {
            assert_eq!(Identity::parse(bad), Err(InvalidIdentity), "{bad:?}");
        }
    }

    #[test]
    fn what_would_be_too_long_for_twilio_is_packed() {
        let (fits, packed) = (format!("{}{}", "-".repeat(28), "a".repeat(36)), "-".repeat(64));
        assert_eq!(Identity::parse(&fits).unwrap().dialled().len(), 28 * 3 + 36);
        assert_eq!(Identity::parse(&packed).unwrap().dialled().len(), 94);
        // Who is called as another is packed is somebody else.
        let (packed, plain) = (Identity::parse(&packed).unwrap(), "_5F_LK2");
        assert!(packed.dialled().starts_with("_5F_LK2"));
        assert_eq!(Identity::parse(plain).unwrap().dialled(), "_5F5F_LK2");
    }

    proptest! {
        #[test]
        fn dialling_is_reversible_and_diallable(
            text in "[A-Za-z0-9_.@-]{1,64}|(_|2D|5F|40|2E|-){1,32}|[a_.@-]{48,64}|(_5F|_5F_[A-Z2-7]{5}){1,7}"
        ) {
            let identity = Identity::parse(&text).unwrap();
            let dialled = identity.dialled();
            prop_assert!(dialled.len() <= LONGEST_DIALLED);
            prop_assert!(dialled.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
            prop_assert_eq!(undialled(&dialled), identity);
        }
    }

    /// The identity that `dialled` made: there is only one.
    fn undialled(dialled: &str) -> Identity {
        if let Some(packed) = dialled.strip_prefix(PACKED) {
            let value = |c: char| BASE_32.iter().position(|of| char::from(*of) == c).unwrap();
            let bits: Vec<usize> = packed
                .chars()
                .map(value)
                .flat_map(|five| (0..5).rev().map(move |at| five >> at & 1))
                .collect();
            let byte = |seven: &[usize]| seven.iter().fold(0, |value, bit| value << 1 | bit);
            let text = bits.chunks_exact(7).map(|seven| char::from(u8::try_from(byte(seven)).unwrap()));
            return Identity::parse(&text.collect::<String>()).unwrap();
        }
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
