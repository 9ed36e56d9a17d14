//! Access tokens, verified as Twilio does: a refusal carries the code that the SDK would see.
//!
//! Nothing of a token is believed before its signature is checked.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use crate::settings::Account;

/// A day: longer-lived tokens are refused.
const LONGEST: u64 = 24 * 3600;
/// How far the issuer's clock may be ahead of ours.
const LEEWAY: u64 = 60;
/// Twilio's limit on an identity.
const LONGEST_IDENTITY: usize = 121;

/// What a valid token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Who the device is.
    pub(crate) identity: String,
    /// Whether it may register, that is, be rung.
    pub(crate) incoming: bool,
    /// Unix seconds.
    pub(crate) issued_at: u64,
    /// Unix seconds.
    pub(crate) expires_at: u64,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// Not a token, not signed with our key, or not one of Twilio's.
    #[error("JWT is invalid: {0}")]
    Invalid(&'static str),
    /// Its time is over.
    #[error("JWT is expired")]
    Expired,
    /// It would live for more than a day.
    #[error("JWT expiration period is too long")]
    TooLong,
    /// `sub` is somebody else's account.
    #[error("no valid account")]
    WrongAccount,
    /// Genuine, but it does not grant what is asked.
    #[error("not authorised: {0}")]
    NotAuthorised(&'static str),
}

impl TokenError {
    /// The code of the `error` frame.
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::NotAuthorised(_) => 31201,
            Self::WrongAccount => 31203,
            Self::Invalid(_) => 31204,
            Self::Expired => 31205,
            Self::TooLong => 31207,
        }
    }
}

/// Checks `jwt` at the time `now`, in Unix seconds.
pub(crate) fn verify(jwt: &str, account: &Account, now: u64) -> Result<Claims, TokenError> {
    let mut segments = jwt.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return Err(TokenError::Invalid("not three segments"));
    };
    let header: Header = parse(header)?;
    if header.alg != "HS256" {
        return Err(TokenError::Invalid("algorithm is not HS256"));
    }
    if header.cty.as_deref() != Some("twilio-fpa;v=1") {
        return Err(TokenError::Invalid("content type is not twilio-fpa;v=1"));
    }
    let signed = &jwt[..jwt.len() - signature.len() - 1];
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Invalid("signature"))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(account.api_key_secret.as_bytes())
        .map_err(|_| TokenError::Invalid("key"))?;
    mac.update(signed.as_bytes());
    mac.verify_slice(&signature).map_err(|_| TokenError::Invalid("signature"))?;
    claims(parse(payload)?, account, now)
}

fn claims(payload: Payload, account: &Account, now: u64) -> Result<Claims, TokenError> {
    if payload.iss != account.api_key_sid {
        return Err(TokenError::Invalid("issuer is not our API key"));
    }
    if payload.sub != account.account_sid {
        return Err(TokenError::WrongAccount);
    }
    let issued_at = payload.iat.or(payload.nbf).unwrap_or(now);
    if payload.exp <= now {
        return Err(TokenError::Expired);
    }
    if payload.exp.saturating_sub(issued_at) > LONGEST {
        return Err(TokenError::TooLong);
    }
    if issued_at.max(payload.nbf.unwrap_or(0)) > now + LEEWAY {
        return Err(TokenError::Invalid("not yet valid"));
    }
    let identity = payload.grants.identity.ok_or(TokenError::NotAuthorised("no identity"))?;
    if !is_identity(&identity) {
        return Err(TokenError::NotAuthorised("identity is not alphanumeric and underscore, or too long"));
    }
    let voice = payload.grants.voice.ok_or(TokenError::NotAuthorised("no voice grant"))?;
    let incoming = voice.incoming.is_some_and(|incoming| incoming.allow);
    Ok(Claims { identity, incoming, issued_at, expires_at: payload.exp })
}

/// Twilio places and receives calls only for such identities.
fn is_identity(text: &str) -> bool {
    (1..=LONGEST_IDENTITY).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn parse<T: for<'de> Deserialize<'de>>(segment: &str) -> Result<T, TokenError> {
    let json = URL_SAFE_NO_PAD.decode(segment).map_err(|_| TokenError::Invalid("not base64url"))?;
    serde_json::from_slice(&json).map_err(|_| TokenError::Invalid("claims are missing or malformed"))
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    cty: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    sub: String,
    exp: u64,
    iat: Option<u64>,
    nbf: Option<u64>,
    grants: Grants,
}

#[derive(Deserialize)]
struct Grants {
    identity: Option<String>,
    voice: Option<Voice>,
}

#[derive(Deserialize)]
struct Voice {
    incoming: Option<Incoming>,
}

#[derive(Deserialize)]
struct Incoming {
    #[serde(default)]
    allow: bool,
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn a_token_as_twilios_library_makes_it_is_accepted() {
        let claims = verify(&sign(&header(), &payload()), &account(), NOW).unwrap();
        assert_eq!(
            claims,
            Claims { identity: "user001".into(), incoming: true, issued_at: NOW, expires_at: NOW + 3600 }
        );
    }

    #[test]
    fn each_fault_has_its_code() {
        let cases: [(&str, Value, u32); 10] = [
            ("/iss", json!("SKother"), 31204),
            ("/sub", json!("ACother"), 31203),
            ("/exp", json!(NOW), 31205),
            ("/exp", json!(NOW + 24 * 3600 + 1), 31207),
            ("/iat", json!(NOW + 600), 31204),
            ("/grants/identity", json!("no-hyphen"), 31201),
            ("/grants/identity", json!("a".repeat(122)), 31201),
            ("/grants/identity", Value::Null, 31201),
            ("/grants/voice", Value::Null, 31201),
            ("/exp", json!("tomorrow"), 31204),
        ];
        for (pointer, value, code) in cases {
            let mut payload = payload();
            *payload.pointer_mut(pointer).unwrap() = value;
            let refusal = verify(&sign(&header(), &payload), &account(), NOW).unwrap_err();
            assert_eq!(refusal.code(), code, "{pointer}: {refusal}");
        }
    }

    #[test]
    fn what_is_not_signed_as_twilio_asks_is_invalid() {
        let good = sign(&header(), &payload());
        let tampered = format!("{}x", &good[..good.len() - 1]);
        let without_type = sign(&json!({"alg": "HS256", "typ": "JWT"}), &payload());
        let unsigned = sign(&json!({"alg": "none", "cty": "twilio-fpa;v=1"}), &payload());
        let more = format!("{good}.more");
        for jwt in ["", "a.b", "é.é.é", &tampered, &without_type, &unsigned, &more] {
            assert_eq!(verify(jwt, &account(), NOW).unwrap_err().code(), 31204, "{jwt}");
        }
    }

    #[test]
    fn without_incoming_it_may_connect_but_not_register() {
        let mut payload = payload();
        payload["grants"]["voice"] = json!({"outgoing": {"application_sid": "AP1"}});
        assert!(!verify(&sign(&header(), &payload), &account(), NOW).unwrap().incoming);
    }

    /// The account that these tests and the session's play.
    pub(crate) fn account() -> Account {
        Account {
            account_sid: "AC1".into(),
            auth_token: "auth".into(),
            api_key_sid: "SK1".into(),
            api_key_secret: "key".into(),
        }
    }

    /// A token of [`account`] for `identity`.
    pub(crate) fn token(identity: &str, issued_at: u64, lifetime: u64) -> String {
        let mut payload = payload();
        payload["grants"]["identity"] = json!(identity);
        payload["iat"] = json!(issued_at);
        payload["exp"] = json!(issued_at + lifetime);
        sign(&header(), &payload)
    }

    fn header() -> Value {
        json!({"alg": "HS256", "typ": "JWT", "cty": "twilio-fpa;v=1"})
    }

    fn payload() -> Value {
        json!({
            "jti": "SK1-1", "iss": "SK1", "sub": "AC1", "iat": NOW, "exp": NOW + 3600,
            "grants": {"identity": "user001", "voice": {"incoming": {"allow": true}}},
        })
    }

    fn sign(header: &Value, payload: &Value) -> String {
        let segment = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", segment(header), segment(payload));
        let mut mac = Hmac::<Sha256>::new_from_slice(b"key").unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }
}
