//! Twilio's name for a call.

use std::fmt;

/// `CA` and 32 hexadecimal digits, as Twilio wrote them. Anything else might be a number, and is none of these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallSid([u8; CallSid::DIGITS]);

impl CallSid {
    pub(crate) const DIGITS: usize = 32;

    /// Reads one; `None` if the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_digits(text.strip_prefix("CA")?.as_bytes())
    }

    pub(crate) fn from_digits(digits: &[u8]) -> Option<Self> {
        let digits: [u8; Self::DIGITS] = digits.try_into().ok()?;
        digits.iter().all(u8::is_ascii_hexdigit).then_some(Self(digits))
    }

    pub(crate) fn digits(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for CallSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CA")?;
        f.write_str(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl fmt::Debug for CallSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_twilios_name_of_a_call_is_one() {
        let sid = format!("CA{}", "0a9F".repeat(8));
        assert_eq!(CallSid::parse(&sid).unwrap().to_string(), sid);
        let long = format!("{sid}0");
        for bad in [
            "",
            "CA",
            "+447700900101",
            &sid[1..],
            &sid[..33],
            &long,
            &sid.replace('a', "é"),
            &sid.replace("CA", "ca"),
        ] {
            assert_eq!(CallSid::parse(bad), None, "{bad}");
        }
    }
}
