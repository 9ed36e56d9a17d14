//! What one signalling connection has said so far, and what that entitles it to.
//!
//! Pure: the time comes in, effects go out. A token is verified before anything else is granted,
//! so that a `register` which overtakes its `listen` earns 31204, as at Twilio.

use super::{
    frame::{ClientFrame, ServerFrame},
    token::{self, Claims, TokenError},
};
use crate::settings::Account;

/// One connection's standing.
#[derive(Debug, Default)]
pub(crate) enum Session {
    /// The socket is open; no good token was presented.
    #[default]
    Unknown,
    /// A good token was presented.
    Connected(Claims),
    /// The token has expired, or a later one was refused: calls go on, and no new ones come.
    Lapsed,
}

/// What a connection's owner has to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Effect {
    /// Send a frame to the client.
    Send(ServerFrame),
    /// The connection speaks for `identity` until `expires_at` (Unix seconds), and wants a call held for `hold` seconds.
    Identify { identity: String, expires_at: u64, hold: u64 },
    /// Ring this connection from now on.
    Register,
    /// Ring it no longer.
    Unregister,
    /// Pass a signal to the call that has the leg `callsid`.
    Signal { callsid: String, signal: LegSignal },
    /// End the connection, once no call needs it.
    Close,
}

/// What an operator's device says about one leg of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LegSignal {
    /// Accepted, with the browser's session description.
    Answer { sdp: String },
    /// Declined.
    Reject,
    /// Hung up, or given up for want of media.
    Hangup,
    /// Digits as text.
    Digits(String),
    /// An ICE restart.
    Reinvite { sdp: String },
    /// Back after a lost socket, or merely after a new token.
    Return { token: String, sdp: String },
}

/// What decides about tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    /// Whose tokens are good.
    pub(crate) account: &'a Account,
    /// Unix seconds.
    pub(crate) now: u64,
    /// Refuse every token.
    pub(crate) refuse: bool,
    /// No token lives longer than this many seconds from its `iat`.
    pub(crate) ttl_cap: Option<u64>,
}

impl Session {
    /// A frame came in.
    pub(crate) fn on(&mut self, frame: ClientFrame, rules: Rules<'_>) -> Vec<Effect> {
        match (frame, &*self) {
            (ClientFrame::Listen { token, reconnect_timeout }, _) => {
                self.listen(&token, reconnect_timeout, rules)
            }
            (ClientFrame::Register { .. }, Self::Unknown) => {
                vec![refusal(TokenError::Invalid("register came before connected"))]
            }
            (ClientFrame::Register { media }, Self::Connected(claims)) => {
                register(media.audio, claims, rules.now)
            }
            (ClientFrame::Register { .. }, Self::Lapsed) => vec![lapsed()],
            // Calls belong to whoever has shown a token.
            (_, Self::Unknown) => Vec::new(),
            (frame, Self::Connected(_) | Self::Lapsed) => in_call(frame),
        }
    }

    /// The time of [`Effect::Identify`] has come, and no newer token with it. Twilio does not say so: it refuses the next
    /// `register`, and leaves the socket open.
    pub(crate) fn expire(&mut self) -> Vec<Effect> {
        *self = Self::Lapsed;
        vec![Effect::Unregister]
    }

    fn listen(&mut self, token: &str, hold: u64, rules: Rules<'_>) -> Vec<Effect> {
        let verified = match token::verify(token, rules.account, rules.now) {
            _ if rules.refuse => Err(TokenError::Invalid("refused by the rehearsal")),
            verified => verified.and_then(|claims| capped(claims, rules)),
        };
        match verified {
            Ok(claims) => {
                let identity = claims.identity.clone();
                let expires_at = claims.expires_at;
                let ttl = expires_at - rules.now;
                *self = Self::Connected(claims);
                vec![
                    Effect::Identify { identity: identity.clone(), expires_at, hold },
                    Effect::Send(ServerFrame::Connected { identity, ttl }),
                ]
            }
            Err(error) => {
                if !matches!(self, Self::Unknown) {
                    *self = Self::Lapsed;
                }
                vec![refusal(error), Effect::Unregister, Effect::Close]
            }
        }
    }
}

fn capped(mut claims: Claims, rules: Rules<'_>) -> Result<Claims, TokenError> {
    if let Some(cap) = rules.ttl_cap {
        claims.expires_at = claims.expires_at.min(claims.issued_at + cap);
    }
    if claims.expires_at > rules.now { Ok(claims) } else { Err(TokenError::Expired) }
}

fn register(audio: bool, claims: &Claims, now: u64) -> Vec<Effect> {
    if !audio {
        return vec![Effect::Unregister, Effect::Send(ServerFrame::Offline)];
    }
    if claims.expires_at <= now {
        return vec![lapsed()];
    }
    if !claims.incoming {
        return vec![refusal(TokenError::NotAuthorised("incoming calls are not granted"))];
    }
    vec![Effect::Register, Effect::Send(ServerFrame::Ready)]
}

fn in_call(frame: ClientFrame) -> Vec<Effect> {
    let (callsid, signal) = match frame {
        ClientFrame::Answer { callsid, sdp } => (callsid, LegSignal::Answer { sdp }),
        ClientFrame::Reject { callsid } => (callsid, LegSignal::Reject),
        ClientFrame::Hangup { callsid } => (callsid, LegSignal::Hangup),
        ClientFrame::Dtmf { callsid, dtmf } => (callsid, LegSignal::Digits(dtmf)),
        ClientFrame::Reinvite { callsid, sdp } => (callsid, LegSignal::Reinvite { sdp }),
        ClientFrame::Invite { callsid, sdp, reconnect: Some(token) } => {
            (callsid, LegSignal::Return { token, sdp })
        }
        ClientFrame::Invite { callsid, reconnect: None, .. } => {
            // There is no TwiML application here to take an outgoing call.
            let error = Some((31201, "Outgoing calls are not granted"));
            return vec![Effect::Send(ServerFrame::Hangup { callsid, error })];
        }
        ClientFrame::Message { callsid, voiceeventsid } => {
            return vec![Effect::Send(ServerFrame::MessageAck { callsid, voiceeventsid })];
        }
        ClientFrame::Listen { .. } | ClientFrame::Register { .. } => return Vec::new(),
    };
    vec![Effect::Signal { callsid, signal }]
}

/// In Twilio's own words.
fn lapsed() -> Effect {
    let message = "Cannot register. Token is expired".into();
    Effect::Send(ServerFrame::Error { code: TokenError::Expired.code(), message })
}

fn refusal(error: TokenError) -> Effect {
    Effect::Send(ServerFrame::Error { code: error.code(), message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            frame::RegisterMedia,
            token::tests::{account, token},
        },
        *,
    };

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn listen_then_register() {
        let account = account();
        let mut session = Session::default();
        let effects = session.on(listen(3600), rules(&account, NOW));
        assert_eq!(
            effects[1],
            Effect::Send(ServerFrame::Connected { identity: "user001".into(), ttl: 3600 })
        );
        assert_eq!(
            effects[0],
            Effect::Identify { identity: "user001".into(), expires_at: NOW + 3600, hold: 30 }
        );
        let effects = session.on(register_frame(true), rules(&account, NOW));
        assert_eq!(effects, [Effect::Register, Effect::Send(ServerFrame::Ready)]);
        let effects = session.on(register_frame(false), rules(&account, NOW));
        assert_eq!(effects, [Effect::Unregister, Effect::Send(ServerFrame::Offline)]);
    }

    #[test]
    fn register_before_connected_is_refused() {
        let account = account();
        let effects = Session::default().on(register_frame(true), rules(&account, NOW));
        assert_eq!(codes(&effects), [31204]);
    }

    #[test]
    fn a_refused_token_ends_registration_and_connection() {
        let account = account();
        let mut session = Session::default();
        session.on(listen(3600), rules(&account, NOW));
        let effects = session.on(listen(3600), rules(&account, NOW + 3600));
        assert_eq!(codes(&effects), [31205]);
        assert_eq!(effects[1..], [Effect::Unregister, Effect::Close]);
        assert_eq!(codes(&session.on(register_frame(true), rules(&account, NOW))), [31205]);
    }

    #[test]
    fn after_expiry_one_may_still_hang_up() {
        let account = account();
        let mut session = Session::default();
        session.on(listen(3600), rules(&account, NOW));
        assert_eq!(session.expire(), [Effect::Unregister]);
        assert_eq!(codes(&session.on(register_frame(true), rules(&account, NOW + 3600))), [31205]);
        let effects = session.on(ClientFrame::Hangup { callsid: "CA1".into() }, rules(&account, NOW + 3600));
        assert_eq!(effects, [Effect::Signal { callsid: "CA1".into(), signal: LegSignal::Hangup }]);
    }

    #[test]
    fn the_cap_counts_from_the_time_of_issue() {
        let account = account();
        let capped = Rules { ttl_cap: Some(15), ..rules(&account, NOW + 5) };
        let effects = Session::default().on(listen(3600), capped);
        assert_eq!(effects[1], Effect::Send(ServerFrame::Connected { identity: "user001".into(), ttl: 10 }));
        let late = Rules { now: NOW + 15, ..capped };
        assert_eq!(codes(&Session::default().on(listen(3600), late)), [31205]);
    }

    #[test]
    fn calls_are_nobodys_before_a_token_is_shown() {
        let account = account();
        let hangup = ClientFrame::Hangup { callsid: "CA1".into() };
        assert_eq!(Session::default().on(hangup, rules(&account, NOW)), []);
    }

    fn rules(account: &Account, now: u64) -> Rules<'_> {
        Rules { account, now, refuse: false, ttl_cap: None }
    }

    fn listen(lifetime: u64) -> ClientFrame {
        ClientFrame::Listen { token: token("user001", NOW, lifetime), reconnect_timeout: 30 }
    }

    fn register_frame(audio: bool) -> ClientFrame {
        ClientFrame::Register { media: RegisterMedia { audio } }
    }

    fn codes(effects: &[Effect]) -> Vec<u32> {
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send(ServerFrame::Error { code, .. }) => Some(*code),
                _ => None,
            })
            .collect()
    }
}
