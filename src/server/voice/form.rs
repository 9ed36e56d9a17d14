//! What Twilio posts, as domain types: parsed at the door, so that nothing below sees a form, and a number stays a
//! [`PhoneNumber`].

use std::borrow::Cow;

use directory::PhoneNumber;
use domain::Millis;
use records::{CallSid, Outcome, What};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// A call that has come in.
#[derive(Clone, Debug)]
pub(crate) struct IncomingCall {
    pub(crate) call_sid: Option<CallSid>,
    /// Who calls; `None` when the number is withheld, also where another stands in for it, missing, or none (`sip:…`,
    /// `client:…`).
    pub(crate) from: Option<PhoneNumber>,
}

/// A call whose dialling is over.
#[derive(Clone, Debug)]
pub(crate) struct DialedCall {
    pub(crate) call_sid: Option<CallSid>,
    pub(crate) status: DialCallStatus,
    /// How long they talked, if they did.
    pub(crate) seconds: Option<u32>,
}

/// How far a call is (`statusCallback`).
#[derive(Clone, Debug)]
pub(crate) struct ProgressedCall {
    /// The caller's, also when it is the operator's leg that has got further.
    pub(crate) call_sid: Option<CallSid>,
    /// When it got so far, if Twilio says so.
    pub(crate) at: Option<Millis>,
    /// How far; `None` if that says nothing to us.
    pub(crate) what: Option<What>,
    /// Whether this is a call that comes in, and waits to be told what happens next: Twilio was told the wrong address for it.
    pub(crate) comes_in: bool,
}

/// What Twilio sends as `From` for a caller without a number: a word, spelled on a telephone's keypad. Source: Twilio's help
/// article "Why am I getting calls from these strange numbers?", which spells one otherwise.
const STAND_INS: [&str; 6] = [
    "266696687",   // ANONYMOUS
    "2562533",     // BLOCKED
    "7378742833",  // RESTRICTED
    "86282452253", // UNAVAILABLE
    "8656696",     // UNKNOWN
    "7378742883",  // RESTRICTED, in the article
];

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
        let from = from.filter(|from| !is_stand_in(from));
        Self { call_sid: sid(call_sid), from: from.and_then(|from| PhoneNumber::parse(&from).ok()) }
    }
}

impl DialedCall {
    pub(crate) fn read(form: &[u8]) -> Self {
        let [call_sid, status, seconds] = fields(form, ["CallSid", "DialCallStatus", "DialCallDuration"]);
        let status = DialCallStatus::read(status.as_deref().unwrap_or_default());
        Self {
            call_sid: sid(call_sid),
            status: status.unwrap_or(DialCallStatus::Failed),
            seconds: seconds.and_then(|seconds| seconds.parse().ok()),
        }
    }
}

impl ProgressedCall {
    pub(crate) fn read(form: &[u8]) -> Self {
        let [call_sid, parent, status, at, direction] =
            fields(form, ["CallSid", "ParentCallSid", "CallStatus", "Timestamp", "Direction"]);
        let status = status.as_deref().unwrap_or_default();
        let parent = sid(parent);
        let comes_in = status == "ringing" && direction.as_deref() == Some("inbound");
        let ended = DialCallStatus::read(status).map(DialCallStatus::outcome);
        let what = match status {
            _ if parent.is_none() => ended.map(|_| What::Over),
            "ringing" => Some(What::Rang),
            "in-progress" => Some(What::Answered),
            _ => ended.map(What::Ended),
        };
        let at = at.and_then(|at| millis(&at));
        Self { call_sid: parent.or_else(|| sid(call_sid)), at, what, comes_in }
    }
}

impl DialCallStatus {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "completed" | "answered" => Self::Completed,
            "busy" => Self::Busy,
            "no-answer" => Self::NoAnswer,
            "canceled" => Self::Canceled,
            "failed" => Self::Failed,
            _ => return None,
        })
    }

    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Completed => Outcome::Completed,
            Self::Busy => Outcome::Busy,
            Self::NoAnswer => Outcome::NoAnswer,
            Self::Canceled => Outcome::Canceled,
            Self::Failed => Outcome::Failed,
        }
    }
}

/// With a country's code before it, too: what was captured of calls to American numbers has `+1`.
fn is_stand_in(from: &str) -> bool {
    let digits = from.strip_prefix("+1").or_else(|| from.strip_prefix('+'));
    digits.is_some_and(|digits| STAND_INS.contains(&digits))
}

/// Twilio's name for a call, if it really is one: anything else might be a number, and this goes into the log.
fn sid(text: Option<Cow<'_, str>>) -> Option<CallSid> {
    CallSid::parse(&text?)
}

/// Twilio writes `Tue, 31 Aug 2010 20:36:28 +0000`.
fn millis(text: &str) -> Option<Millis> {
    let time = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Millis::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
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
    fn a_number_that_spells_that_there_is_none_is_none() {
        let key = |letter: char| match letter {
            'A'..='C' => '2',
            'D'..='F' => '3',
            'G'..='I' => '4',
            'J'..='L' => '5',
            'M'..='O' => '6',
            'P'..='S' => '7',
            'T'..='V' => '8',
            _ => '9',
        };
        let words = ["ANONYMOUS", "BLOCKED", "RESTRICTED", "UNAVAILABLE", "UNKNOWN"];
        assert_eq!(words.map(|word| word.chars().map(key).collect::<String>()), STAND_INS[..5]);
        for stand_in in STAND_INS.iter().flat_map(|digits| [digits.to_string(), format!("1{digits}")]) {
            assert!(PhoneNumber::parse(&format!("+{stand_in}")).is_ok(), "one needs to ask");
            let form = format!("From=%2B{stand_in}");
            assert!(IncomingCall::read(form.as_bytes()).from.is_none(), "{stand_in}");
            let longer = IncomingCall::read(format!("{form}1").as_bytes());
            assert!(longer.from.is_some(), "{stand_in}1");
        }
    }

    #[test]
    fn a_call_sid_that_is_none_is_not_repeated() {
        let shown = |form: &str| Some(IncomingCall::read(form.as_bytes()).call_sid?.to_string());
        let sid = format!("CA{}", "0a".repeat(16));
        assert_eq!(shown(&format!("CallSid={sid}")), Some(sid));
        assert_eq!(shown("CallSid=%2B447700900101"), None);
    }

    #[test]
    fn progress_is_the_callers_calls_whosever_leg_it_is() {
        let (ours, theirs) = (format!("CA{}", "a".repeat(32)), format!("CA{}", "b".repeat(32)));
        let read = |rest: &str| {
            let call = ProgressedCall::read(format!("CallSid={theirs}&{rest}").as_bytes());
            (call.call_sid.unwrap().to_string(), call.what)
        };
        let leg = |status: &str| read(&format!("ParentCallSid={ours}&CallStatus={status}"));
        assert_eq!(leg("ringing"), (ours.clone(), Some(What::Rang)));
        assert_eq!(leg("in-progress"), (ours.clone(), Some(What::Answered)));
        assert_eq!(leg("completed"), (ours.clone(), Some(What::Ended(Outcome::Completed))));
        assert_eq!(leg("no-answer"), (ours.clone(), Some(What::Ended(Outcome::NoAnswer))));
        assert_eq!(leg("queued"), (ours.clone(), None));
        assert_eq!(read("CallStatus=completed"), (theirs.clone(), Some(What::Over)));
        assert_eq!(read("CallStatus=ringing"), (theirs.clone(), None));
        let comes_in = |form: &str| ProgressedCall::read(form.as_bytes()).comes_in;
        assert!(comes_in("CallStatus=ringing&Direction=inbound"));
        assert!(!comes_in("CallStatus=completed&Direction=inbound"));
        assert!(!comes_in(&format!("CallStatus=ringing&Direction=outbound-dial&ParentCallSid={ours}")));
        let at = ProgressedCall::read(b"Timestamp=Tue%2C+31+Aug+2010+20%3A36%3A28+%2B0000").at;
        assert_eq!(at, Some(1_283_286_988_000));
        assert_eq!(ProgressedCall::read(b"Timestamp=soon").at, None);
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
