//! Who calls, as Twilio writes it: a number only ever in E.164, however somebody typed it here.

use serde::Deserialize;
use thiserror::Error;

/// A number in E.164, or what Twilio sends for a caller who has none. It has no `Debug`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct CallerId(String);

/// The text is neither. It does not say what the text was.
#[derive(Debug, Error)]
#[error("neither a telephone number in E.164 nor a word for a caller without one")]
pub(crate) struct NoCallerId;

impl CallerId {
    /// As it goes into the forms.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl TryFrom<String> for CallerId {
    type Error = NoCallerId;

    fn try_from(typed: String) -> Result<Self, NoCallerId> {
        let number: String = typed.chars().filter(|sign| !is_between(*sign)).map(half_width).collect();
        if is_e164(&number) {
            Ok(Self(number))
        } else if is_numberless(&typed) {
            Ok(Self(typed))
        } else {
            Err(NoCallerId)
        }
    }
}

/// What people write between the digits: spaces, hyphens and what looks like one, dots, brackets.
fn is_between(sign: char) -> bool {
    let hyphen = matches!(sign, '-' | '－' | '‐'..='―' | '−' | 'ー');
    sign.is_whitespace()
        || hyphen
        || matches!(sign, '.' | '．' | '(' | ')' | '（' | '）' | '[' | ']' | '［' | '］')
}

fn half_width(sign: char) -> char {
    match sign {
        '＋' => '+',
        '０'..='９' => char::from_u32(u32::from(sign) - u32::from('０') + u32::from('0')).unwrap_or(sign),
        _ => sign,
    }
}

fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}

/// Nothing, a word such as `anonymous`, or an address that is not a telephone's.
fn is_numberless(text: &str) -> bool {
    text.bytes().all(|letter| letter.is_ascii_alphabetic())
        || ["sip:", "client:"].iter().any(|scheme| text.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(typed: &str) -> Option<String> {
        CallerId::try_from(typed.to_owned()).ok().map(CallerId::into_string)
    }

    #[test]
    fn a_number_is_in_e164_however_it_was_typed() {
        for typed in [
            "+819012345678",
            "+81 90 1234 5678",
            " +81-90-1234-5678 ",
            "+81 (90) 1234.5678",
            "＋８１　９０－１２３４－５６７８",
            "＋８１（９０）１２３４ー５６７８",
            "+81‑90–1234−5678",
        ] {
            assert_eq!(from(typed).as_deref(), Some("+819012345678"), "{typed}");
        }
    }

    #[test]
    fn a_caller_without_a_number_stays_as_it_is() {
        for typed in ["", "anonymous", "Restricted", "sip:a@example.com", "client:op_7"] {
            assert_eq!(from(typed).as_deref(), Some(typed));
        }
    }

    #[test]
    fn what_twilio_never_sends_is_nobody() {
        for typed in
            ["090-1234-5678", "+", "+123456", "+1234567890123456", "+0447700900101", "+44 7700 90010x", "１"]
        {
            assert!(from(typed).is_none(), "{typed}");
        }
    }
}
