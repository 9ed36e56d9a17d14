//! TwiML, parsed: a document becomes verbs, and what Twilio would refuse becomes its error.
//!
//! Only what a company that takes calls in browsers needs. An unknown verb is an error rather than skipped,
//! so that what passes here passes at Twilio. Unknown attributes are ignored, as there.

use std::{fmt, time::Duration};

use roxmltree::{Document, Node};

use super::error::TwilioError;

/// Twilio's limit on a document, in bytes.
pub(crate) const LARGEST: usize = 64 * 1024;
/// How many `<Client>`s may ring at once.
const MOST_CLIENTS: usize = 10;

/// One instruction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verb {
    /// Read a text out.
    Say(Say),
    /// Play a recording, or digits.
    Play(Play),
    /// Wait.
    Pause(Duration),
    /// Ring somebody.
    Dial(Dial),
    /// End the call without answering it.
    Reject {
        /// As busy, otherwise as a number not in service.
        busy: bool,
    },
    /// End the call.
    Hangup,
    /// Go on with another document.
    Redirect(Link),
}

/// `<Say>`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Say {
    /// The sentence, without markup.
    pub(crate) text: String,
    /// A language tag such as `ja-JP`.
    pub(crate) language: String,
    /// How often; `None` until the caller hangs up.
    pub(crate) times: Option<u32>,
}

/// `<Play>`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Play {
    /// Where the recording is, or the digits.
    pub(crate) what: Sound,
    /// How often; `None` until the caller hangs up.
    pub(crate) times: Option<u32>,
}

/// What `<Play>` plays.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sound {
    /// A recording, relative to the document.
    Url(String),
    /// DTMF tones.
    Digits(String),
}

/// `<Dial>` with its `<Client>`s.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dial {
    /// Whom to ring.
    pub(crate) clients: Vec<Client>,
    /// For how long.
    pub(crate) timeout: Duration,
    /// How long they may talk.
    pub(crate) time_limit: Duration,
    /// Whether the caller's call is answered only when somebody here answers.
    pub(crate) answer_on_bridge: bool,
    /// What is shown instead of the caller's number.
    pub(crate) caller_id: Option<CallerId>,
    /// One after the other instead of all at once.
    pub(crate) sequential: bool,
    /// Where to go afterwards.
    pub(crate) action: Option<Link>,
    /// A country's ringing tone, or a recording.
    pub(crate) ring_tone: Option<String>,
}

/// `callerId`: `client:…`, or a number, which `Debug` does not show.
#[derive(Clone, PartialEq)]
pub(crate) struct CallerId(pub(crate) String);

impl fmt::Debug for CallerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallerId(…)")
    }
}

/// `<Client>`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Client {
    /// The identity of the access token.
    pub(crate) identity: String,
    /// `<Parameter>`s, in order.
    pub(crate) parameters: Vec<(String, String)>,
    /// What the operator hears before the two are connected.
    pub(crate) whisper: Option<Link>,
    /// Who is told about this leg.
    pub(crate) callback: Option<LegCallback>,
}

/// `statusCallback` of a `<Client>`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LegCallback {
    /// Where.
    pub(crate) link: Link,
    /// `initiated`, `ringing`, `answered`, `completed`.
    pub(crate) events: Vec<String>,
}

/// An address and how to ask it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Link {
    /// Relative to the document; empty for the document itself.
    pub(crate) url: String,
    /// POST unless the document says GET.
    pub(crate) get: bool,
}

/// Reads a document.
pub(crate) fn parse(xml: &str) -> Result<Vec<Verb>, TwilioError> {
    let document = Document::parse(xml)
        .map_err(|error| TwilioError::new(12100, format!("Document parse failure: {error}")))?;
    let root = document.root_element();
    if root.tag_name().name() != "Response" {
        return Err(invalid(format!("the root element is <{}>, not <Response>", root.tag_name().name())));
    }
    elements(root)?.map(verb).collect()
}

fn verb(node: Node<'_, '_>) -> Result<Verb, TwilioError> {
    match node.tag_name().name() {
        "Say" => Ok(Verb::Say(Say {
            text: text(node),
            language: node.attribute("language").unwrap_or("en-US").to_owned(),
            times: times(node)?,
        })),
        "Play" => play(node),
        "Pause" => Ok(Verb::Pause(Duration::from_secs(number(node, "length", 1, 12200)?))),
        "Dial" => dial(node).map(Verb::Dial),
        "Reject" => Ok(Verb::Reject { busy: node.attribute("reason") == Some("busy") }),
        "Hangup" => Ok(Verb::Hangup),
        "Redirect" => Ok(Verb::Redirect(Link { url: text(node), get: is_get(node, "method") })),
        other => Err(invalid(format!("the verb <{other}> is unknown here"))),
    }
}

fn play(node: Node<'_, '_>) -> Result<Verb, TwilioError> {
    let what = match node.attribute("digits") {
        Some(digits) => Sound::Digits(digits.to_owned()),
        None => Sound::Url(text(node)),
    };
    if what == Sound::Url(String::new()) {
        return Err(invalid("<Play> names neither a recording nor digits".to_owned()));
    }
    Ok(Verb::Play(Play { what, times: times(node)? }))
}

fn dial(node: Node<'_, '_>) -> Result<Dial, TwilioError> {
    if node.children().any(|child| child.is_text() && !child.text().unwrap_or_default().trim().is_empty()) {
        return Err(TwilioError::new(13224, "Dial: only <Client> can be called here"));
    }
    let clients = elements(node)?.map(client).collect::<Result<Vec<_>, _>>()?;
    let sequential = is_true(node, "sequential");
    if clients.len() > MOST_CLIENTS && !sequential {
        return Err(TwilioError::new(13215, "Dial: more than 10 <Client> nouns"));
    }
    Ok(Dial {
        clients,
        timeout: Duration::from_secs(number(node, "timeout", 30, 13212)?),
        time_limit: Duration::from_secs(number(node, "timeLimit", 14_400, 13216)?),
        answer_on_bridge: is_true(node, "answerOnBridge"),
        caller_id: node.attribute("callerId").map(|id| CallerId(id.to_owned())),
        sequential,
        action: link(node, "action", "method"),
        ring_tone: node.attribute("ringTone").map(str::to_owned),
    })
}

fn client(node: Node<'_, '_>) -> Result<Client, TwilioError> {
    if node.tag_name().name() != "Client" {
        let message = format!("Dial: invalid nested element <{}>", node.tag_name().name());
        return Err(TwilioError::new(13215, message));
    }
    let mut identity = None;
    let mut parameters = Vec::new();
    for child in node.children().filter(Node::is_element) {
        match (child.tag_name().name(), child.attribute("name"), child.attribute("value")) {
            ("Identity", _, _) => identity = Some(text(child)),
            ("Parameter", Some(name), Some(value)) => parameters.push((name.to_owned(), value.to_owned())),
            (other, _, _) => {
                return Err(invalid(format!("<{other}> is incomplete or unknown within <Client>")));
            }
        }
    }
    let callback = link(node, "statusCallback", "statusCallbackMethod").map(|link| {
        let events = node.attribute("statusCallbackEvent").unwrap_or("completed");
        LegCallback { link, events: events.split_whitespace().map(str::to_owned).collect() }
    });
    Ok(Client {
        identity: identity.unwrap_or_else(|| own_text(node)),
        parameters,
        whisper: link(node, "url", "method"),
        callback,
    })
}

/// The child elements; text between them is an error.
fn elements<'a, 'input>(
    node: Node<'a, 'input>,
) -> Result<impl Iterator<Item = Node<'a, 'input>>, TwilioError> {
    match node.children().find(|child| child.is_text() && !child.text().unwrap_or_default().trim().is_empty())
    {
        Some(_) => {
            Err(invalid(format!("there is text between the elements of <{}>", node.tag_name().name())))
        }
        None => Ok(node.children().filter(Node::is_element)),
    }
}

/// All text below the element, that of markup within a sentence included.
fn text(node: Node<'_, '_>) -> String {
    let pieces = node.descendants().filter(Node::is_text).filter_map(|piece| piece.text());
    pieces.collect::<String>().trim().to_owned()
}

fn own_text(node: Node<'_, '_>) -> String {
    let pieces = node.children().filter(Node::is_text).filter_map(|piece| piece.text());
    pieces.collect::<String>().trim().to_owned()
}

fn times(node: Node<'_, '_>) -> Result<Option<u32>, TwilioError> {
    let times = number(node, "loop", 1, 12200)?;
    Ok(u32::try_from(times).ok().filter(|times| *times > 0))
}

fn number(node: Node<'_, '_>, attribute: &str, default: u64, code: u32) -> Result<u64, TwilioError> {
    let Some(value) = node.attribute(attribute) else { return Ok(default) };
    value.trim().parse().map_err(|_| {
        TwilioError::new(code, format!("{attribute} of <{}> is not a number", node.tag_name().name()))
    })
}

fn link(node: Node<'_, '_>, url: &str, method: &str) -> Option<Link> {
    let url = node.attribute(url)?.to_owned();
    Some(Link { url, get: is_get(node, method) })
}

fn is_get(node: Node<'_, '_>, attribute: &str) -> bool {
    node.attribute(attribute).is_some_and(|method| method.eq_ignore_ascii_case("get"))
}

fn is_true(node: Node<'_, '_>, attribute: &str) -> bool {
    node.attribute(attribute).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn invalid(message: String) -> TwilioError {
    TwilioError::new(12200, format!("Schema validation: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dial_of_a_company_that_hides_numbers() {
        let verbs = parse(
            r#"<?xml version="1.0" encoding="UTF-8"?>
            <Response><Dial answerOnBridge="true" timeLimit="3600" callerId="client:masked" action="/dialed">
              <Client url="/whisper" statusCallback="/leg" statusCallbackEvent="initiated answered">
                <Identity>user001</Identity>
                <Parameter name="customerName" value="O'Neil &amp; Sons &lt;K&gt;"/>
                <Parameter name="customerId" value="cm-oneil"/>
              </Client></Dial></Response>"#,
        )
        .unwrap();
        let [Verb::Dial(dial)] = &verbs[..] else { panic!("{verbs:?}") };
        assert!(dial.answer_on_bridge && !dial.sequential);
        assert_eq!(dial.time_limit, Duration::from_secs(3600));
        assert_eq!(dial.timeout, Duration::from_secs(30));
        assert_eq!(dial.caller_id, Some(CallerId("client:masked".into())));
        assert_eq!(dial.action, Some(Link { url: "/dialed".into(), get: false }));
        let [client] = &dial.clients[..] else { panic!("{dial:?}") };
        assert_eq!(client.identity, "user001");
        assert_eq!(client.parameters[0], ("customerName".into(), "O'Neil & Sons <K>".into()));
        assert_eq!(client.callback.as_ref().unwrap().events, ["initiated", "answered"]);
    }

    #[test]
    fn the_articles_dial_with_the_identity_as_text() {
        let verbs = parse(
            r#"<Response><Dial><Client>user001<Parameter name="a" value="b"/></Client></Dial></Response>"#,
        );
        let Ok([Verb::Dial(dial)]) = verbs.as_deref() else { panic!("{verbs:?}") };
        assert_eq!(dial.clients[0].identity, "user001");
        assert_eq!(dial.caller_id, None);
    }

    #[test]
    fn sentences_sounds_and_pauses() {
        let verbs = parse(
            r#"<Response>
                <Say language="ja-JP" loop="2">担当に<emphasis>接続</emphasis>できません。</Say>
                <Play loop="0">/sounds/hold.mp3</Play><Play digits="1w2"/><Pause length="3"/><Pause/>
                <Redirect method="GET">/next?a=1&amp;b=2</Redirect><Reject reason="busy"/><Hangup/>
            </Response>"#,
        )
        .unwrap();
        assert_eq!(
            verbs,
            [
                Verb::Say(Say {
                    text: "担当に接続できません。".into(),
                    language: "ja-JP".into(),
                    times: Some(2)
                }),
                Verb::Play(Play { what: Sound::Url("/sounds/hold.mp3".into()), times: None }),
                Verb::Play(Play { what: Sound::Digits("1w2".into()), times: Some(1) }),
                Verb::Pause(Duration::from_secs(3)),
                Verb::Pause(Duration::from_secs(1)),
                Verb::Redirect(Link { url: "/next?a=1&b=2".into(), get: true }),
                Verb::Reject { busy: true },
                Verb::Hangup,
            ]
        );
    }

    #[test]
    fn what_twilio_refuses_is_refused_with_its_code() {
        let eleven = "<Client>a</Client>".repeat(11);
        let cases = [
            ("", 12100),
            ("An error page", 12100),
            ("<Response><Say>", 12100),
            ("<Response><Say>&nbsp;</Say></Response>", 12100),
            ("<html><body>Oops</body></html>", 12200),
            ("<Response>Oops</Response>", 12200),
            ("<Response><Sing>la</Sing></Response>", 12200),
            ("<Response><say>lower case</say></Response>", 12200),
            ("<Response><Play/></Response>", 12200),
            ("<Response><Dial timeout=\"soon\"><Client>a</Client></Dial></Response>", 13212),
            ("<Response><Dial timeLimit=\"\"><Client>a</Client></Dial></Response>", 13216),
            ("<Response><Dial><Say>a</Say></Dial></Response>", 13215),
            ("<Response><Dial>+15005550006</Dial></Response>", 13224),
            (&format!("<Response><Dial>{eleven}</Dial></Response>"), 13215),
            ("<Response><Dial><Client><Parameter name=\"a\"/></Client></Dial></Response>", 12200),
        ];
        for (xml, code) in cases {
            assert_eq!(parse(xml).unwrap_err().code, code, "{xml}");
        }
        assert!(parse(&format!("<Response><Dial sequential=\"true\">{eleven}</Dial></Response>")).is_ok());
    }

    #[test]
    fn nothing_to_do_is_a_document_too() {
        assert_eq!(parse("<Response/>"), Ok(Vec::new()));
        assert_eq!(parse("<Response><!-- nobody --></Response>"), Ok(Vec::new()));
    }
}
