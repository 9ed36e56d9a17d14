//! The frames of Twilio's signalling: one JSON object per WebSocket text message.
//!
//! What a client sends is parsed at the door; a frame that is unknown or malformed is nobody's and is dropped.

use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

/// What the SDK sends. Its `version` is ignored, as Twilio ignores ours.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", content = "payload", rename_all = "lowercase")]
pub(crate) enum ClientFrame {
    /// Who it is; on every opened socket and on every new token.
    #[serde(rename_all = "camelCase")]
    Listen {
        /// The access token.
        token: String,
        /// For how many seconds a call shall be held when the socket is lost.
        #[serde(default)]
        reconnect_timeout: u64,
    },
    /// Wants to be rung, or no longer.
    Register {
        /// `{"audio": true}` or `{"audio": false}`.
        media: RegisterMedia,
    },
    /// An outgoing call, or with a token the return to a call.
    Invite {
        /// The call, or for an outgoing call a temporary name.
        callsid: String,
        /// The browser's session description.
        sdp: String,
        /// From an earlier `invite` or `answer` of ours.
        reconnect: Option<String>,
    },
    /// The operator accepts.
    Answer {
        /// The child call.
        callsid: String,
        /// The browser's answer.
        sdp: String,
    },
    /// The operator declines.
    Reject {
        /// The child call.
        callsid: String,
    },
    /// The operator hangs up, or the SDK gives up.
    Hangup {
        /// The child call.
        callsid: String,
    },
    /// Digits, when telephone-event was not negotiated.
    Dtmf {
        /// The child call.
        callsid: String,
        /// Digits, `*`, `#` and `w`.
        dtmf: String,
    },
    /// An ICE restart.
    Reinvite {
        /// The child call.
        callsid: String,
        /// The browser's new offer.
        sdp: String,
    },
    /// A message within a call.
    Message {
        /// The child call.
        callsid: String,
        /// The SDK's name for the message.
        voiceeventsid: String,
    },
}

/// The media that a device registers for.
#[derive(Debug, Deserialize)]
pub(crate) struct RegisterMedia {
    /// Whether it wants calls.
    pub(crate) audio: bool,
}

impl ClientFrame {
    /// `None` for a heartbeat and for anything that is not one of the above.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// What we send.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ServerFrame {
    /// The reply to every good `listen`.
    Connected { identity: String, ttl: u64 },
    /// The reply to every `register` with audio.
    Ready,
    /// The reply to `register` without audio.
    Offline,
    /// A call comes in.
    Invite(Invite),
    /// A ringing call is over before it was answered.
    Cancel { callsid: String },
    /// An answered call is over.
    Hangup { callsid: String, error: Option<(u32, &'static str)> },
    /// The reply to `reinvite` (with a description) and to a reconnecting `invite`.
    Answer { callsid: String, sdp: Option<String>, reconnect: Option<String> },
    /// The reply to `message`.
    MessageAck { callsid: String, voiceeventsid: String },
    /// Something was refused.
    Error { code: u32, message: String },
    /// Go away and do not come back by yourself.
    Close,
}

/// The payload of an incoming call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Invite {
    /// The child call.
    pub(crate) callsid: String,
    /// Our offer.
    pub(crate) sdp: String,
    /// What lets the SDK come back after its socket was lost.
    pub(crate) reconnect: Option<String>,
    /// Becomes `call.parameters`.
    pub(crate) parameters: InviteParameters,
}

/// What the SDK shows as `call.parameters`.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct InviteParameters {
    /// `AC…`.
    pub(crate) account_sid: String,
    /// `callerId`, or without it the caller's own number.
    pub(crate) from: String,
    /// `client:<identity>`.
    pub(crate) to: String,
    /// Custom parameters as a query string; empty when there are none.
    pub(crate) params: String,
}

impl fmt::Debug for InviteParameters {
    /// `from` may be a number and `params` a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InviteParameters").field("to", &self.to).finish_non_exhaustive()
    }
}

impl ServerFrame {
    /// As it goes over the wire.
    pub(crate) fn text(&self) -> String {
        let (kind, payload) = match self {
            Self::Connected { identity, ttl } => (
                "connected",
                json!({
                    "region": "US_EAST_VIRGINIA", "edge": "ashburn", "home": "us1", "gateway": "rehearsal",
                    "token": {"identity": identity, "ttl": ttl},
                }),
            ),
            Self::Ready => ("ready", json!({})),
            Self::Offline => ("offline", json!({})),
            Self::Invite(invite) => ("invite", invite.payload()),
            Self::Cancel { callsid } => ("cancel", json!({"callsid": callsid})),
            Self::Hangup { callsid, error: None } => ("hangup", json!({"callsid": callsid})),
            Self::Hangup { callsid, error: Some((code, message)) } => {
                ("hangup", json!({"callsid": callsid, "error": {"code": code, "message": message}}))
            }
            Self::Answer { callsid, sdp, reconnect } => {
                let mut payload = json!({"callsid": callsid});
                set(&mut payload, "sdp", sdp.as_deref());
                set(&mut payload, "reconnect", reconnect.as_deref());
                ("answer", payload)
            }
            Self::MessageAck { callsid, voiceeventsid } => {
                ("ack", json!({"acktype": "message", "callsid": callsid, "voiceeventsid": voiceeventsid}))
            }
            Self::Error { code, message } => ("error", json!({"error": {"code": code, "message": message}})),
            Self::Close => ("close", json!({})),
        };
        json!({"type": kind, "version": "1.6", "payload": payload}).to_string()
    }
}

impl Invite {
    fn payload(&self) -> Value {
        let InviteParameters { account_sid, from, to, params } = &self.parameters;
        let mut parameters = json!({
            "CallSid": self.callsid, "AccountSid": account_sid, "ApiVersion": "2010-04-01",
            "From": from, "To": to,
        });
        set(&mut parameters, "Params", Some(params.as_str()).filter(|params| !params.is_empty()));
        let mut payload = json!({"callsid": self.callsid, "sdp": self.sdp, "parameters": parameters});
        set(&mut payload, "reconnect", self.reconnect.as_deref());
        payload
    }
}

fn set(object: &mut Value, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        object[key] = value.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_sdk_are_read() {
        let listen = r#"{"payload":{"browserinfo":{"p":"browser"},"reconnectTimeout":30,"token":"eyJ"},"type":"listen","version":"1.6"}"#;
        assert!(
            matches!(ClientFrame::parse(listen), Some(ClientFrame::Listen { token, reconnect_timeout: 30 }) if token == "eyJ")
        );
        let back = r#"{"payload":{"callsid":"CA1","reconnect":"RT","sdp":"v=0","twilio":{}},"type":"invite","version":"1.6"}"#;
        assert!(
            matches!(ClientFrame::parse(back), Some(ClientFrame::Invite { reconnect: Some(token), .. }) if token == "RT")
        );
        let hangup = r#"{"payload":{"callsid":"CA1","message":"gone"},"type":"hangup","version":"1.6"}"#;
        assert!(matches!(ClientFrame::parse(hangup), Some(ClientFrame::Hangup { .. })));
    }

    #[test]
    fn anything_else_is_dropped() {
        for text in
            ["\n", "", "[]", r#"{"type":"presence","payload":{}}"#, r#"{"type":"answer","payload":{}}"#]
        {
            assert!(ClientFrame::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_invite_has_the_keys_that_the_sdk_reads() {
        let invite = Invite {
            callsid: "CA1".into(),
            sdp: "v=0".into(),
            reconnect: Some("RT".into()),
            parameters: InviteParameters {
                account_sid: "AC1".into(),
                from: "client:masked".into(),
                to: "client:op".into(),
                params: "a=b".into(),
            },
        };
        let frame: Value = serde_json::from_str(&ServerFrame::Invite(invite).text()).unwrap();
        assert_eq!(
            frame,
            json!({"type": "invite", "version": "1.6", "payload": {
                "callsid": "CA1", "sdp": "v=0", "reconnect": "RT",
                "parameters": {"CallSid": "CA1", "AccountSid": "AC1", "ApiVersion": "2010-04-01",
                               "From": "client:masked", "To": "client:op", "Params": "a=b"},
            }})
        );
    }
}
