//! What the rehearsal is told at start: where to listen, which account it plays, whom it lets call.
//!
//! No secret and no phone number is shown by any `Debug` here.

use std::{fmt, net::SocketAddr};

/// All of it. The defaults of a first run are composed by whoever starts the rehearsal.
#[derive(Clone)]
pub struct Settings {
    /// Where the phone, the HTTP API and plain signalling are. Loopback; port 0 picks a free one.
    pub addr: SocketAddr,
    /// Where signalling is reached as production reaches it, with TLS. Loopback.
    pub tls_addr: Option<SocketAddr>,
    /// The account whose tokens are accepted and whose webhooks are signed.
    pub account: Account,
    /// The company's number, in E.164: what customers dial.
    pub number: String,
    /// Asked for TwiML when a call comes in ("A call comes in" of a Twilio number).
    pub voice_url: String,
    /// Asked when [`Settings::voice_url`] fails ("Primary handler fails").
    pub voice_fallback_url: Option<String>,
    /// Told what becomes of each call ("Call status changes").
    pub status_callback_url: Option<String>,
    /// Who may be chosen as the caller on the customer's phone.
    pub people: Vec<Person>,
}

/// The account and its API key.
#[derive(Clone)]
pub struct Account {
    /// `AC…`: a token's `sub`.
    pub account_sid: String,
    /// Signs webhooks.
    pub auth_token: String,
    /// `SK…`: a token's `iss`.
    pub api_key_sid: String,
    /// Signs tokens.
    pub api_key_secret: String,
}

/// Somebody who may call.
#[derive(Clone)]
pub struct Person {
    /// Shown on the customer's phone.
    pub label: String,
    /// E.164, or `anonymous`.
    pub number: String,
    /// Who answers them, if that is known beforehand: shown beside the label.
    pub operator: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("addr", &self.addr)
            .field("tls_addr", &self.tls_addr)
            .field("account", &self.account)
            .field("people", &self.people.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("account_sid", &self.account_sid).finish_non_exhaustive()
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("label", &self.label).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_secrets_nor_numbers() {
        let settings = Settings {
            addr: ([127, 0, 0, 1], 0).into(),
            tls_addr: None,
            account: Account {
                account_sid: "AC1".into(),
                auth_token: "hush-auth".into(),
                api_key_sid: "SK1".into(),
                api_key_secret: "hush-key".into(),
            },
            number: "+15005550006".into(),
            voice_url: "http://localhost/incoming".into(),
            voice_fallback_url: None,
            status_callback_url: None,
            people: vec![Person { label: "越井".into(), number: "+447700900101".into(), operator: None }],
        };
        let shown = format!("{settings:?} {:?}", settings.people);
        assert!(
            !shown.contains("hush") && !shown.contains("+15005550006") && !shown.contains("+447700900101")
        );
    }
}
