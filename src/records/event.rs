//! What happened: to a call, as a webhook said, or at a console; and how it is written in the journal.
//!
//! Invariant: an event that was written can be read by every later version. Numbers of kinds are never used again.

use domain::{CallRef, Identity, Millis};

use crate::digits::{DIGITS_OF_A_NUMBER, holds_a_number};
use crate::{CallSid, Outcome};

/// What is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Something happened to a call.
    Call(CallEvent),
    /// A console may be rung.
    Token(TokenGiven),
}

/// An operator's console was given a token: until it expires, whoever has it can take that operator's calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenGiven {
    pub(crate) at: Millis,
    /// The operator, in words that hold no telephone number of nine digits or more.
    pub(crate) operator: String,
}

/// What a webhook said of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallEvent {
    /// Whose.
    pub call_sid: CallSid,
    /// When it happened: by Twilio's clock if Twilio says so, otherwise when the webhook came.
    pub at: Millis,
    /// What happened.
    pub what: What,
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It came in.
    Came(Came),
    /// The operator's telephone rings.
    Rang,
    /// The operator answered.
    Answered,
    /// Dialling is over, and this is what became of it. Not of the caller's own leg: Twilio calls that one `completed` also
    /// when it only heard that nobody is there. For that one there is [`What::Over`].
    Ended(Outcome),
    /// The caller is gone. It says when, not how.
    Over,
}

/// How a call came in, and what was done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// Our own name for it.
    pub call_ref: CallRef,
    /// The customer's id, if it is one.
    pub customer: Option<String>,
    /// What an unknown caller is called.
    pub alias: Option<String>,
    /// Who was dialled.
    pub operator: Option<Identity>,
    /// What is known already: [`Outcome::Ringing`] if somebody was dialled.
    pub outcome: Outcome,
}

const CAME: u8 = 1;
const RANG: u8 = 2;
const ANSWERED: u8 = 3;
const ENDED: u8 = 4;
const OVER: u8 = 5;
const TOKEN: u8 = 6;

impl TokenGiven {
    /// To this operator. An identity is what a browser asks for, and may be a telephone number: one with as many digits is
    /// kept without them.
    #[must_use]
    pub fn new(at: Millis, operator: &Identity) -> Self {
        Self { at, operator: shown(operator) }
    }
}

/// An operator as the audit trail calls them: without digits if there are as many as a telephone number has.
pub(crate) fn shown(operator: &Identity) -> String {
    let operator = operator.as_str();
    let hidden = holds_a_number(operator, DIGITS_OF_A_NUMBER);
    operator.chars().map(|c| if hidden && c.is_ascii_digit() { '#' } else { c }).collect()
}

impl Event {
    pub(crate) fn write(&self) -> Vec<u8> {
        match self {
            Self::Call(event) => event.write(),
            Self::Token(given) => {
                let mut bytes = Vec::with_capacity(80);
                bytes.push(TOKEN);
                bytes.extend(given.at.to_le_bytes());
                write_text(&mut bytes, Some(&given.operator));
                bytes
            }
        }
    }

    /// How a call came in, if that is what it says.
    pub(crate) fn came(&self) -> Option<&Came> {
        match self {
            Self::Call(CallEvent { what: What::Came(came), .. }) => Some(came),
            _ => None,
        }
    }

    /// `None` if this is no event, or one of a later version.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let Some((&TOKEN, mut rest)) = bytes.split_first() else {
            return CallEvent::read(bytes).map(Self::Call);
        };
        let at = read_millis(&mut rest)?;
        let operator = read_text(&mut rest)??;
        rest.is_empty().then_some(Self::Token(TokenGiven { at, operator }))
    }
}

impl From<CallEvent> for Event {
    fn from(event: CallEvent) -> Self {
        Self::Call(event)
    }
}

impl From<TokenGiven> for Event {
    fn from(given: TokenGiven) -> Self {
        Self::Token(given)
    }
}

impl CallEvent {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(160);
        bytes.push(match self.what {
            What::Came(_) => CAME,
            What::Rang => RANG,
            What::Answered => ANSWERED,
            What::Ended(_) => ENDED,
            What::Over => OVER,
        });
        bytes.extend(self.call_sid.digits());
        bytes.extend(self.at.to_le_bytes());
        match &self.what {
            What::Came(came) => {
                bytes.push(came.outcome.number());
                write_text(&mut bytes, Some(&came.call_ref.0));
                write_text(&mut bytes, came.customer.as_deref());
                write_text(&mut bytes, came.alias.as_deref());
                write_text(&mut bytes, came.operator.as_ref().map(Identity::as_str));
            }
            What::Ended(outcome) => bytes.push(outcome.number()),
            What::Rang | What::Answered | What::Over => {}
        }
        bytes
    }

    fn read(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let kind = read_byte(rest)?;
        let call_sid = CallSid::from_digits(read(rest, CallSid::DIGITS)?)?;
        let at = read_millis(rest)?;
        let what = match kind {
            CAME => What::Came(Came {
                outcome: Outcome::from_number(read_byte(rest)?.into())?,
                call_ref: CallRef(read_text(rest)??),
                customer: read_text(rest)?,
                alias: read_text(rest)?,
                operator: match read_text(rest)? {
                    Some(text) => Some(Identity::parse(&text).ok()?),
                    None => None,
                },
            }),
            RANG => What::Rang,
            ANSWERED => What::Answered,
            ENDED => What::Ended(Outcome::from_number(read_byte(rest)?.into())?),
            OVER => What::Over,
            _ => return None,
        };
        rest.is_empty().then_some(Self { call_sid, at, what })
    }
}

/// Its length and one, so that nothing and an empty text differ.
fn write_text(bytes: &mut Vec<u8>, text: Option<&str>) {
    let length = text.map_or(0, |text| u32::try_from(text.len() + 1).unwrap_or(u32::MAX));
    bytes.extend(length.to_le_bytes());
    bytes.extend(text.unwrap_or_default().as_bytes());
}

fn read_text(rest: &mut &[u8]) -> Option<Option<String>> {
    let length = u32::from_le_bytes(read(rest, 4)?.try_into().ok()?) as usize;
    let Some(length) = length.checked_sub(1) else { return Some(None) };
    Some(Some(String::from_utf8(read(rest, length)?.to_owned()).ok()?))
}

fn read_millis(rest: &mut &[u8]) -> Option<Millis> {
    Some(Millis::from_le_bytes(read(rest, 8)?.try_into().ok()?))
}

fn read_byte(rest: &mut &[u8]) -> Option<u8> {
    Some(read(rest, 1)?[0])
}

fn read<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (read, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(read)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_event_is_read_as_it_was_written(event in prop_oneof![events().prop_map(Event::Call), tokens()]) {
            let written = event.write();
            prop_assert_eq!(Event::read(&written), Some(event));
            for cut in 0..written.len() {
                prop_assert_eq!(Event::read(&written[..cut]), None);
            }
        }
    }

    /// As they lie in journals that an earlier version has left.
    #[test]
    fn what_an_earlier_version_wrote_is_read() {
        let call_sid = CallSid::parse("CA0123456789abcdef0123456789abcdef").unwrap();
        let came = Came {
            call_ref: CallRef("r".to_owned()),
            customer: Some("c".to_owned()),
            alias: None,
            operator: Some(Identity::parse("o").unwrap()),
            outcome: Outcome::Ringing,
        };
        let what = [What::Came(came), What::Rang, What::Answered, What::Ended(Outcome::Busy), What::Over];
        let events = what.map(|what| Event::Call(CallEvent { call_sid, at: 258, what }));
        let token = Event::Token(TokenGiven { at: 258, operator: "o".to_owned() });
        let (call, at) =
            ("3031323334353637383961626364656630313233343536373839616263646566", "0201000000000000");
        let written = [
            format!("01{call}{at}0a0200000072020000006300000000020000006f"),
            format!("02{call}{at}"),
            format!("03{call}{at}"),
            format!("04{call}{at}50"),
            format!("05{call}{at}"),
            format!("06{at}020000006f"),
        ];
        for (event, written) in events.into_iter().chain([token]).zip(written) {
            let hex: String = event.write().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, written, "{event:?}");
        }
    }

    /// Events of a few calls at a few times, so that many meet.
    pub(crate) fn events() -> impl Strategy<Value = CallEvent> {
        (0_u8..3, 0_u64..5, whats()).prop_map(|(call, at, what)| {
            let call_sid = CallSid::parse(&format!("CA{call:032x}")).unwrap();
            CallEvent { call_sid, at, what }
        })
    }

    fn tokens() -> impl Strategy<Value = Event> {
        (any::<u64>(), "[a-z]{0,64}").prop_map(|(at, operator)| Event::Token(TokenGiven { at, operator }))
    }

    fn whats() -> impl Strategy<Value = What> {
        let outcome = || proptest::sample::select(&Outcome::ALL[..]);
        let text = || proptest::option::of("[a-b]{0,2}|越井");
        let operator = proptest::option::of("op_[12]".prop_map(|text| Identity::parse(&text).unwrap()));
        let came = ("[a-b]{1,2}", text(), text(), operator, outcome()).prop_map(
            |(call_ref, customer, alias, operator, outcome)| {
                What::Came(Came { call_ref: CallRef(call_ref), customer, alias, operator, outcome })
            },
        );
        prop_oneof![
            3 => came,
            1 => Just(What::Rang),
            1 => Just(What::Answered),
            1 => Just(What::Over),
            2 => outcome().prop_map(What::Ended),
        ]
    }
}
