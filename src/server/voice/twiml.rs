//! TwiML, written: the few verbs that we answer with.
//!
//! Invariant: it is well-formed XML 1.0 whatever a name holds.

use domain::{CallRef, Identity};

use crate::settings::BaseUrl;

/// A whole TwiML document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Twiml(String);

/// What the operator's console is told of the caller, as parameters of the call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) customer_name: Option<&'a str>,
    pub(crate) customer_id: Option<&'a str>,
    pub(crate) caller_alias: Option<&'a str>,
    pub(crate) call_ref: &'a CallRef,
}

/// Twilio cuts or refuses longer values.
const LONGEST_VALUE: usize = 128;
const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Response>"#;
const TAIL: &str = "</Response>";

impl Twiml {
    /// Nothing to do.
    pub(crate) fn nothing() -> Self {
        Self([HEAD, TAIL].concat())
    }

    /// Ends the call without a word.
    pub(crate) fn hang_up() -> Self {
        Self([HEAD, "<Hangup/>", TAIL].concat())
    }

    /// Says a sentence and ends the call.
    pub(crate) fn say(sentence: &str) -> Self {
        let mut xml = String::with_capacity(256);
        xml.push_str(HEAD);
        // With a voice, since without one it is the account's own that speaks, which may know no Japanese. Source: the voices that
        // Twilio's library lists.
        xml.push_str(r#"<Say language="ja-JP" voice="Polly.Mizuki">"#);
        escape(sentence, &mut xml);
        xml.push_str("</Say><Hangup/>");
        xml.push_str(TAIL);
        Self(xml)
    }

    /// Rings an operator's browser. The caller is announced by our own name for the call: without it the browser would be
    /// told the caller's number.
    pub(crate) fn dial(operator: &Identity, told: Told<'_>, public: &BaseUrl) -> Self {
        let mut xml = String::with_capacity(896);
        xml.push_str(HEAD);
        xml.push_str(r#"<Dial answerOnBridge="true" timeLimit="3600" timeout="20" callerId="client:"#);
        escape(&told.call_ref.0, &mut xml);
        xml.push_str(r#"" action=""#);
        escape(public.as_str(), &mut xml);
        xml.push_str(r#"/dialed"><Client statusCallback=""#);
        escape(public.as_str(), &mut xml);
        xml.push_str(r#"/status" statusCallbackEvent="ringing answered completed"><Identity>"#);
        escape(&operator.dialled(), &mut xml);
        xml.push_str("</Identity>");
        let parameters = [
            ("customerName", told.customer_name),
            ("customerId", told.customer_id),
            ("callerAlias", told.caller_alias),
            ("callRef", Some(told.call_ref.0.as_str())),
        ];
        for (name, value) in parameters {
            let Some(value) = value else { continue };
            xml.push_str(r#"<Parameter name=""#);
            xml.push_str(name);
            xml.push_str(r#"" value=""#);
            let (value, more) = shortened(value);
            escape(value, &mut xml);
            xml.push_str(more);
            xml.push_str(r#""/>"#);
        }
        xml.push_str("</Client></Dial>");
        xml.push_str(TAIL);
        Self(xml)
    }

    /// The document.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// As much of it as Twilio carries, and what shows that there is more: a name that is cut may be another's.
fn shortened(value: &str) -> (&str, &'static str) {
    const MORE: &str = "…";
    if value.len() <= LONGEST_VALUE {
        return (value, "");
    }
    (&value[..value.floor_char_boundary(LONGEST_VALUE - MORE.len())], MORE)
}

/// Appends text as it may stand in an attribute or an element; characters that XML 1.0 has no way to write are left out.
fn escape(text: &str, xml: &mut String) {
    // As nearly every text may: a look at its bytes is cheaper than one at each character. 0xef begins the last two.
    if !text.bytes().any(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | ..b' ' | 0xef)) {
        return xml.push_str(text);
    }
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\t' => xml.push_str("&#9;"),
            '\n' => xml.push_str("&#10;"),
            '\r' => xml.push_str("&#13;"),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {}
            c => xml.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roxmltree::Document;

    use domain::TIME_LIMIT;

    use super::*;

    fn dial(name: &str, id: &str) -> Twiml {
        let operator = Identity::parse("taro.yamada").unwrap();
        let call_ref = CallRef::from_bytes([7; 10]);
        let told = Told {
            customer_name: Some(name),
            customer_id: Some(id),
            caller_alias: None,
            call_ref: &call_ref,
        };
        Twiml::dial(&operator, told, &BaseUrl::parse("https://calls.example.com").unwrap())
    }

    #[test]
    fn a_dial_says_who_and_never_the_number() {
        insta::assert_snapshot!(dial("O'Neil & Sons <K>", "cm-oneil").into_string(), @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Dial answerOnBridge="true" timeLimit="3600" timeout="20" callerId="client:0w3ge1r70w3ge1r7" action="https://calls.example.com/dialed"><Client statusCallback="https://calls.example.com/status" statusCallbackEvent="ringing answered completed"><Identity>taro_2Eyamada</Identity><Parameter name="customerName" value="O'Neil &amp; Sons &lt;K&gt;"/><Parameter name="customerId" value="cm-oneil"/><Parameter name="callRef" value="0w3ge1r70w3ge1r7"/></Client></Dial></Response>"#);
    }

    #[test]
    fn a_call_is_dialled_for_as_long_as_its_caller_is_told() {
        let limit = format!("timeLimit=\"{TIME_LIMIT}\"");
        assert!(dial("a", "b").into_string().contains(&limit));
        assert_eq!(TIME_LIMIT, 60 * 60, "an hour, as the sentence says");
    }

    #[test]
    fn a_sentence_is_said_in_japanese() {
        insta::assert_snapshot!(Twiml::say("お電話ありがとうございます。").into_string(), @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Say language="ja-JP" voice="Polly.Mizuki">お電話ありがとうございます。</Say><Hangup/></Response>"#);
    }

    #[test]
    fn a_long_value_ends_between_two_characters_and_shows_it() {
        let xml = dial(&"越".repeat(100), "x").into_string();
        let document = Document::parse(&xml).unwrap();
        let name = document.descendants().find_map(|node| node.attribute("value")).unwrap();
        assert_eq!(name, format!("{}…", "越".repeat(41)));
    }

    proptest! {
        #[test]
        fn every_name_makes_xml_that_reads_back(name in any::<String>(), id in "\\PC*|[\\x00-\\x1f\"'<>&\u{fffe}]*") {
            let xml = dial(&name, &id).into_string();
            let document = Document::parse(&xml).unwrap();
            let values = document.descendants().filter_map(|node| node.attribute("value"));
            let values: Vec<_> = values.map(str::to_owned).collect();
            let kept = |text: &str| -> String {
                let (text, more) = shortened(text);
                let writable = |c: &char| matches!(c, '\t' | '\n' | '\r') || (*c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'));
                text.chars().filter(writable).chain(more.chars()).collect()
            };
            prop_assert_eq!(values, [kept(&name), kept(&id), CallRef::from_bytes([7; 10]).0]);
        }
    }
}
