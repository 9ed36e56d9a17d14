//! Access tokens for Twilio's SDK, byte for byte as Twilio's own library makes them.
//!
//! Invariant: a token lets its operator be called and nothing else; there is deliberately no outgoing grant. Each that is
//! given comes into the audit trail, unless the disk is gone.

use std::fmt;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use console::Desk;
use console::desk::{AccessToken, Unavailable};
use domain::Identity;
use jsonwebtoken::{Algorithm, EncodingKey};
use records::{Ledger, TokenGiven};
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::clock::Clock;
use crate::record;
use crate::settings::Account;

/// Gives out tokens.
pub struct TokenDesk {
    mint: Mint,
    ledger: Ledger,
    clock: Clock,
}

/// Makes tokens.
struct Mint {
    account_sid: String,
    api_key_sid: String,
    key: EncodingKey,
    ttl_seconds: u64,
}

impl TokenDesk {
    /// For this account, each token good for so many seconds, and noted in this ledger.
    #[must_use]
    pub fn new(account: &Account, ttl_seconds: u64, ledger: Ledger, clock: Clock) -> Self {
        Self { mint: Mint::new(account, ttl_seconds), ledger, clock }
    }
}

#[async_trait]
impl Desk for TokenDesk {
    async fn token(&self, identity: Identity) -> Result<AccessToken, Unavailable> {
        let now = self.clock.now();
        match self.mint.sign(&identity, now / 1000) {
            Ok(token) => {
                let given = TokenGiven::new(now, &identity);
                record::keep(&self.ledger, given, "a token").await;
                Ok(AccessToken { identity, token })
            }
            Err(error) => {
                tracing::error!(%error, "a token could not be signed");
                Err(Unavailable)
            }
        }
    }
}

impl Mint {
    fn new(account: &Account, ttl_seconds: u64) -> Self {
        Self {
            account_sid: account.account_sid.clone(),
            api_key_sid: account.api_key_sid.clone(),
            key: EncodingKey::from_secret(account.api_key_secret.expose_secret().as_bytes()),
            ttl_seconds: ttl_seconds.min(LONGEST_SECONDS),
        }
    }

    fn sign(&self, identity: &Identity, now: u64) -> anyhow::Result<String> {
        let claims = Claims {
            jti: format!("{}-{now}", self.api_key_sid),
            grants: Grants {
                identity: identity.dialled(),
                voice: VoiceGrant { incoming: Incoming { allow: true } },
            },
            iat: now,
            exp: now + self.ttl_seconds,
            iss: &self.api_key_sid,
            sub: &self.account_sid,
        };
        let encode = |json: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(json);
        let mut token = format!("{}.{}", encode(HEADER), encode(&serde_json::to_vec(&claims)?));
        let signature = jsonwebtoken::crypto::sign(token.as_bytes(), &self.key, Algorithm::HS256)?;
        token.push('.');
        token.push_str(&signature);
        Ok(token)
    }
}

impl fmt::Debug for TokenDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenDesk").field("api_key_sid", &self.mint.api_key_sid).finish_non_exhaustive()
    }
}

/// Twilio refuses what is good for more than a day by its own clock (31207), which may be a little behind ours.
const LONGEST_SECONDS: u64 = 24 * 3600 - 60;

/// The fields in the order of Twilio's library, which `jsonwebtoken` would change.
const HEADER: &[u8] = br#"{"alg":"HS256","typ":"JWT","cty":"twilio-fpa;v=1"}"#;

#[derive(Serialize)]
struct Claims<'a> {
    jti: String,
    grants: Grants,
    iat: u64,
    exp: u64,
    iss: &'a str,
    sub: &'a str,
}

#[derive(Serialize)]
struct Grants {
    identity: String,
    voice: VoiceGrant,
}

#[derive(Serialize)]
struct VoiceGrant {
    incoming: Incoming,
}

#[derive(Serialize)]
struct Incoming {
    allow: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(identity: &str) -> String {
        token_for(3600, identity)
    }

    fn token_for(ttl_seconds: u64, identity: &str) -> String {
        let account = Account {
            account_sid: format!("AC{}", "0".repeat(32)),
            api_key_sid: format!("SK{}", "1".repeat(32)),
            api_key_secret: "secret".into(),
            auth_tokens: vec![],
        };
        Mint::new(&account, ttl_seconds).sign(&Identity::parse(identity).unwrap(), 1_800_000_000).unwrap()
    }

    #[test]
    fn a_token_is_what_twilios_library_makes() {
        // Made by the npm package twilio 6.2.0 from the same account, identity and time.
        insta::assert_snapshot!(token("user001"), @"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImN0eSI6InR3aWxpby1mcGE7dj0xIn0.eyJqdGkiOiJTSzExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExLTE4MDAwMDAwMDAiLCJncmFudHMiOnsiaWRlbnRpdHkiOiJ1c2VyMDAxIiwidm9pY2UiOnsiaW5jb21pbmciOnsiYWxsb3ciOnRydWV9fX0sImlhdCI6MTgwMDAwMDAwMCwiZXhwIjoxODAwMDAzNjAwLCJpc3MiOiJTSzExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExIiwic3ViIjoiQUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMCJ9.Endz-GjGZzycSYtOz1PXljwO-MstDC3xnYOJ3LLRsPw");
    }

    #[test]
    fn no_token_is_good_for_more_than_a_day_by_a_clock_that_is_a_little_behind() {
        let token = token_for(24 * 3600, "user001");
        let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 24 * 3600 - 60);
    }

    #[test]
    fn its_claims_let_the_operator_be_called_as_the_cloud_dials_them() {
        let token = token("taro.yamada@example");
        let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        insta::assert_snapshot!(String::from_utf8(claims).unwrap(), @r#"{"jti":"SK11111111111111111111111111111111-1800000000","grants":{"identity":"taro_2Eyamada_40example","voice":{"incoming":{"allow":true}}},"iat":1800000000,"exp":1800003600,"iss":"SK11111111111111111111111111111111","sub":"AC00000000000000000000000000000000"}"#);
    }
}
