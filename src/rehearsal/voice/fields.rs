//! The fields of Twilio's webhook forms.
//!
//! Named and spelled as Twilio does; what a number's prefix tells about its country is told, the rest is left empty.

use std::collections::BTreeMap;

use super::{call::Call, status::CallStatus};
use crate::{clock, settings::Settings};

/// A form's fields.
pub(crate) type Fields = BTreeMap<String, String>;

/// Of the caller's call.
pub(crate) fn inbound(settings: &Settings, call: &Call, status: CallStatus) -> Fields {
    let mut fields = leg(settings, &call.sid, &call.from, &settings.number, status, "inbound");
    for (side, number) in
        [("From", &call.from), ("Caller", &call.from), ("To", &settings.number), ("Called", &settings.number)]
    {
        for part in ["City", "State", "Zip"] {
            fields.insert(format!("{side}{part}"), String::new());
        }
        fields.insert(format!("{side}Country"), country(number).to_owned());
    }
    fields
}

/// Of an operator's leg.
pub(crate) fn outbound(
    settings: &Settings,
    parent: &Call,
    sid: &str,
    from: &str,
    identity: &str,
    status: CallStatus,
) -> Fields {
    let to = format!("client:{identity}");
    let mut fields = leg(settings, sid, from, &to, status, "outbound-dial");
    fields.insert("ParentCallSid".into(), parent.sid.clone());
    fields
}

/// What makes a form a status callback. `duration` in seconds, once the call is over.
pub(crate) fn progress(mut fields: Fields, sequence: u32, duration: Option<u64>) -> Fields {
    fields.insert("CallbackSource".into(), "call-progress-events".into());
    fields.insert("SequenceNumber".into(), sequence.to_string());
    fields.insert("Timestamp".into(), clock::rfc2822(clock::unix_now()));
    if let Some(seconds) = duration {
        fields.insert("CallDuration".into(), seconds.to_string());
        fields.insert("Duration".into(), seconds.div_ceil(60).to_string());
    }
    fields
}

fn leg(settings: &Settings, sid: &str, from: &str, to: &str, status: CallStatus, direction: &str) -> Fields {
    [
        ("AccountSid", &settings.account.account_sid[..]),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", sid),
        ("CallStatus", status.name()),
        ("Called", to),
        ("Caller", from),
        ("Direction", direction),
        ("From", from),
        ("To", to),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn country(number: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 8] = [
        ("+81", "JP"),
        ("+82", "KR"),
        ("+44", "GB"),
        ("+49", "DE"),
        ("+33", "FR"),
        ("+61", "AU"),
        ("+91", "IN"),
        ("+1", "US"),
    ];
    PREFIXES.iter().find(|(prefix, _)| number.starts_with(prefix)).map_or("", |(_, country)| country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_by_prefix() {
        assert_eq!(country("+447700900101"), "GB");
        assert_eq!(country("+12025550143"), "US");
        assert_eq!(country("anonymous"), "");
    }
}
