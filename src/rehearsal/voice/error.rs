//! What Twilio would write into its debugger: a code and a sentence.
//!
//! Every such error sends the call to the fallback URL, or makes the caller hear an apology.

use std::fmt;

/// One of Twilio's error codes with what went wrong. The text holds no number and no body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TwilioError {
    /// `11200`, `12100`, …
    pub(crate) code: u32,
    /// For people.
    pub(crate) message: String,
}

impl TwilioError {
    /// Puts the two together.
    pub(crate) fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for TwilioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
