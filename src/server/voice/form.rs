//! What Twilio posts, as domain types: parsed at the door, so that nothing below sees a form, and a number stays a
//! [`PhoneNumber`].

use std::borrow::Cow;
use std::fmt;

use directory::PhoneNumber;

/// A call that has come in.
#[derive(Clone, Debug)]
pub(crate) struct IncomingCall {
    pub(crate) call_sid: CallSid,
    /// Who calls; `None` when the number is withheld, missing, or none (`sip:…`, `client:…`).
    pub(crate) from: Option<PhoneNumber>,
}

/// A call whose dialling is over.
#[derive(Clone, Debug)]
pub(crate) struct DialedCall {
    pub(crate) call_sid: CallSid,
    pub(crate) status: DialCallStatus,
}

/// Twilio's name for a call, if it really is one: anything else might be a number, and this goes into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallSid(Option<Box<str>>);

/// What became of a `<Dial>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DialCallStatus {
    /// They talked, and one of them hung up.
    Completed,
    /// The operator declined, or is in a call.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// The caller gave up while it rang.
    Canceled,
    /// The operator could not be reached, or Twilio says something new.
    Failed,
}

impl IncomingCall {
    pub(crate) fn read(form: &[u8]) -> Self {
        let [call_sid, from] = fields(form, ["CallSid", "From"]);
        Self { call_sid: CallSid::read(call_sid), from: from.and_then(|from| PhoneNumber::parse(&from).ok()) }
    }
}

impl DialedCall {
    pub(crate) fn read(form: &[u8]) -> Self {
        let [call_sid, status] = fields(form, ["CallSid", "DialCallStatus"]);
        let status = match status.as_deref().unwrap_or_default() {
            "completed" | "answered" => DialCallStatus::Completed,
            "busy" => DialCallStatus::Busy,
            "no-answer" => DialCallStatus::NoAnswer,
            "canceled" => DialCallStatus::Canceled,
            _ => DialCallStatus::Failed,
        };
        Self { call_sid: CallSid::read(call_sid), status }
    }
}

impl CallSid {
    fn read(text: Option<Cow<'_, str>>) -> Self {
        let is_one = |text: &str| {
            text.len() == 34
                && text.strip_prefix("CA").is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        Self(text.filter(|text| is_one(text)).map(|text| text.into_owned().into_boxed_str()))
    }
}

impl fmt::Display for CallSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("none"))
    }
}

/// The first value of each of these fields, named as Twilio writes them. What cannot be read is not there.
fn fields<'a, const N: usize>(form: &'a [u8], names: [&str; N]) -> [Option<Cow<'a, str>>; N] {
    let mut values = [const { None }; N];
    for pair in form.split(|byte| *byte == b'&') {
        let named =
            |name: &&str| pair.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="));
        let Some(at) = names.iter().position(named) else { continue };
        if values[at].is_none() {
            values[at] = form_urlencoded::parse(pair).next().map(|(_, value)| value);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_is_a_number() {
        let from = |form: &str| IncomingCall::read(form.as_bytes()).from.is_some();
        assert!(from("From=%2B447700900101"));
        assert!(from("x=1&From=%2B447700900101&From=anonymous"));
        for odd in [
            "",
            "From=",
            "From=anonymous",
            "From=sip%3Aa%40example.com",
            "From=client%3Aop_7",
            "From=%ff",
            "&&=&",
            "from=%2B447700900101",
        ] {
            assert!(!from(odd), "{odd}");
        }
    }

    #[test]
    fn a_call_sid_that_is_none_is_not_repeated() {
        let shown = |form: &str| IncomingCall::read(form.as_bytes()).call_sid.to_string();
        let sid = format!("CA{}", "0a".repeat(16));
        assert_eq!(shown(&format!("CallSid={sid}")), sid);
        assert_eq!(shown("CallSid=%2B447700900101"), "none");
    }

    #[test]
    fn what_twilio_may_say_one_day_is_a_failure() {
        let status = |form: &str| DialedCall::read(form.as_bytes()).status;
        assert_eq!(status("DialCallStatus=answered"), DialCallStatus::Completed);
        assert_eq!(status("DialCallStatus=no-answer"), DialCallStatus::NoAnswer);
        assert_eq!(status("DialCallStatus=teleported"), DialCallStatus::Failed);
        assert_eq!(status(""), DialCallStatus::Failed);
    }
}
