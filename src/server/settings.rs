//! What the operator of this server has decided, read once at start.
//!
//! Invariant: either a whole Twilio account is configured, or nothing of one and this is a rehearsal; there is no third way.

mod base_url;
mod keeping;
mod source;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use secrecy::SecretString;

pub use base_url::BaseUrl;
pub use keeping::Keeping;
pub use source::{Problem, Source};

/// Every setting.
#[derive(Debug)]
pub struct Settings {
    /// Where we listen and what we serve from.
    pub listen: Listen,
    /// Who carries the calls.
    pub cloud: Cloud,
    /// How operators' tokens are made and given out.
    pub tokens: Tokens,
    /// `INTERNAL_API_BASE`: the company's own API that knows whose number it is. By default our own directory does.
    pub company: Option<BaseUrl>,
    /// Where customers, records and keys are kept.
    pub keeping: Keeping,
}

/// Where we listen and what we serve from.
#[derive(Debug)]
pub struct Listen {
    /// `HITOKU_ADDR`, default `127.0.0.1:3000`.
    pub addr: SocketAddr,
    /// `LEPTOS_SITE_ROOT`, default `target/site`: the page's files, unless the binary carries them.
    pub site_root: PathBuf,
    /// The port of `cargo leptos watch`'s live reload (`LEPTOS_RELOAD_PORT`), when that runs us (`LEPTOS_WATCH`).
    pub live_reload: Option<u16>,
}

/// Who carries the calls.
#[derive(Debug)]
pub enum Cloud {
    /// Twilio, with an account of its own.
    Twilio {
        /// The account.
        account: Account,
        /// `PUBLIC_BASE_URL`: where Twilio reaches this server.
        public: BaseUrl,
    },
    /// Our stand-in on this machine.
    Rehearsal {
        /// `REHEARSAL_ADDR`, default `127.0.0.1:3001`.
        addr: SocketAddr,
    },
}

/// The credentials of a Twilio account.
#[derive(Clone, Debug)]
pub struct Account {
    /// `ACCOUNT_SID`.
    pub account_sid: String,
    /// `API_KEY_SID`.
    pub api_key_sid: String,
    /// `API_KEY_SECRET`, which signs tokens.
    pub api_key_secret: SecretString,
    /// `AUTH_TOKEN`, which signs webhooks: one, and while it is changed at Twilio the other too.
    pub auth_tokens: Vec<SecretString>,
}

/// How operators' tokens are made and given out.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// `TOKEN_TTL_SEC`, default 3600, at least a minute and at most a day.
    pub ttl_seconds: u64,
    /// `CORS_ALLOW_ORIGIN`: other origins whose pages may ask for a token, separated by commas.
    pub allowed_origins: Vec<String>,
}

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

impl Settings {
    /// Reads every setting.
    ///
    /// # Errors
    /// The first one that is not what it should be.
    pub fn read(source: &Source) -> Result<Self, Problem> {
        let cloud = Cloud::read(source)?;
        let listen = Listen::read(source)?;
        let company = source.parsed("INTERNAL_API_BASE", BaseUrl::SHOULD_BE, BaseUrl::parse)?;
        match &cloud {
            Cloud::Rehearsal { .. } if listen.addr.ip() != LOOPBACK => Err(Problem::Bad {
                variable: "HITOKU_ADDR".to_owned(),
                should_be: "a port of 127.0.0.1 such as 127.0.0.1:3000, as long as no Twilio account is configured: \
                            a rehearsal is for this machine only",
            }),
            _ => {
                let tokens = Tokens::read(source)?;
                let keeping = Keeping::read(source, matches!(cloud, Cloud::Rehearsal { .. }))?;
                Ok(Self { listen, cloud, tokens, company, keeping })
            }
        }
    }
}

impl Listen {
    fn read(source: &Source) -> Result<Self, Problem> {
        let addr = address(source, "HITOKU_ADDR", 3000)?;
        let site_root = source.text("LEPTOS_SITE_ROOT")?.unwrap_or_else(|| "target/site".to_owned());
        let port = source.parsed("LEPTOS_RELOAD_PORT", "a port", |text| text.parse().ok())?;
        let live_reload = source.text("LEPTOS_WATCH")?.and(port);
        Ok(Self { addr, site_root: site_root.into(), live_reload })
    }
}

impl Cloud {
    fn read(source: &Source) -> Result<Self, Problem> {
        let account_sid = source.parsed("ACCOUNT_SID", "AC and 32 hexadecimal digits", sid("AC"))?;
        let api_key_sid = source.parsed("API_KEY_SID", "SK and 32 hexadecimal digits", sid("SK"))?;
        let api_key_secret = source.text("API_KEY_SECRET")?.map(SecretString::from);
        let auth_tokens = source.parsed(
            "AUTH_TOKEN",
            "the account's auth token, or while you change it the old and the new one, separated by a comma",
            auth_tokens,
        )?;
        let public = source.parsed("PUBLIC_BASE_URL", BaseUrl::SHOULD_BE_HOST, BaseUrl::parse_host)?;
        let (present, missing): (Vec<_>, Vec<_>) = [
            ("ACCOUNT_SID", account_sid.is_some()),
            ("API_KEY_SID", api_key_sid.is_some()),
            ("API_KEY_SECRET", api_key_secret.is_some()),
            ("AUTH_TOKEN", auth_tokens.is_some()),
            ("PUBLIC_BASE_URL", public.is_some()),
        ]
        .into_iter()
        .partition(|(_, there)| *there);
        match (account_sid, api_key_sid, api_key_secret, auth_tokens, public) {
            (Some(account_sid), Some(api_key_sid), Some(api_key_secret), Some(auth_tokens), Some(public)) => {
                let account = Account { account_sid, api_key_sid, api_key_secret, auth_tokens };
                Ok(Self::Twilio { account, public })
            }
            _ if present.is_empty() => {
                let addr = address(source, "REHEARSAL_ADDR", 3001)?;
                if addr.ip() == LOOPBACK {
                    return Ok(Self::Rehearsal { addr });
                }
                let should_be =
                    "a port of 127.0.0.1 such as 127.0.0.1:3001: a rehearsal is for this machine only";
                Err(Problem::Bad { variable: "REHEARSAL_ADDR".to_owned(), should_be })
            }
            _ => {
                let names = |settings: Vec<(&'static str, bool)>| settings.into_iter().map(|(name, _)| name);
                Err(Problem::Missing { present: names(present).collect(), missing: names(missing).collect() })
            }
        }
    }
}

impl Tokens {
    fn read(source: &Source) -> Result<Self, Problem> {
        let ttl = source.parsed("TOKEN_TTL_SEC", "a number of seconds from 60 to 86400", |text| {
            text.parse().ok().filter(|seconds| (60..=86_400).contains(seconds))
        })?;
        let allowed_origins = source.parsed(
            "CORS_ALLOW_ORIGIN",
            "an origin such as https://console.example.com, or several separated by commas; not *, \
             which would give every page on the internet a token",
            |text| text.split(',').map(origin).collect(),
        )?;
        Ok(Self { ttl_seconds: ttl.unwrap_or(3600), allowed_origins: allowed_origins.unwrap_or_default() })
    }
}

fn address(source: &Source, name: &str, port: u16) -> Result<SocketAddr, Problem> {
    let read =
        source.parsed(name, "an address and a port such as 127.0.0.1:3000", |text| text.parse().ok())?;
    Ok(read.unwrap_or_else(|| (LOOPBACK, port).into()))
}

fn sid(prefix: &'static str) -> impl Fn(&str) -> Option<String> {
    move |text| {
        let digits = text.strip_prefix(prefix)?;
        let hexadecimal = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        hexadecimal.then(|| text.to_owned())
    }
}

fn auth_tokens(text: &str) -> Option<Vec<SecretString>> {
    let one = |token: &str| (!token.is_empty()).then(|| SecretString::from(token));
    text.split(',').map(|token| one(token.trim())).collect()
}

/// As browsers write it.
fn origin(text: &str) -> Option<String> {
    Some(BaseUrl::parse_host(text.trim())?.url().origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AC: &str = "AC00000000000000000000000000000000";
    const SK: &str = "SK00000000000000000000000000000000";

    fn problem<const N: usize>(variables: [(&str, &str); N]) -> String {
        Settings::read(&Source::of(variables)).unwrap_err().to_string()
    }

    #[test]
    fn without_settings_it_is_a_rehearsal_on_loopback() {
        let settings = Settings::read(&Source::of([("HOME", "/home/a")])).unwrap();
        assert!(matches!(settings.cloud, Cloud::Rehearsal { addr } if addr.to_string() == "127.0.0.1:3001"));
        assert_eq!(settings.listen.addr.to_string(), "127.0.0.1:3000");
        assert_eq!(settings.tokens.ttl_seconds, 3600);
        assert!(settings.tokens.allowed_origins.is_empty());
    }

    #[test]
    fn a_whole_account_is_production_and_no_debug_output_holds_a_secret() {
        let settings = Settings::read(&Source::of([
            ("ACCOUNT_SID", AC),
            ("API_KEY_SID", SK),
            ("API_KEY_SECRET", "hush-1"),
            ("AUTH_TOKEN", "hush-2, hush-3"),
            ("PUBLIC_BASE_URL", "https://calls.example.com/"),
            ("INTERNAL_API_BASE", "http://10.0.0.1/api"),
            ("HITOKU_ADDR", "0.0.0.0:80"),
            ("HOME", "/home/a"),
            ("TOKEN_TTL_SEC", "60"),
            ("CORS_ALLOW_ORIGIN", "https://a.example, http://localhost:8080"),
        ]))
        .unwrap();
        assert!(
            matches!(&settings.cloud, Cloud::Twilio { public, .. } if public.as_str() == "https://calls.example.com")
        );
        assert!(matches!(&settings.cloud, Cloud::Twilio { account, .. } if account.auth_tokens.len() == 2));
        assert_eq!(settings.tokens.allowed_origins, ["https://a.example", "http://localhost:8080"]);
        assert!(!format!("{settings:?}").contains("hush"));
    }

    #[test]
    fn part_of_an_account_names_what_is_missing() {
        assert_eq!(
            problem([("ACCOUNT_SID", AC), ("AUTH_TOKEN", "x")]),
            "ACCOUNT_SID, AUTH_TOKEN are set, and Twilio needs API_KEY_SID, API_KEY_SECRET, PUBLIC_BASE_URL too; to rehearse \
             without Twilio, set none of them"
        );
        assert!(problem([("PUBLIC_BASE_URL", "https://a.example")]).starts_with("PUBLIC_BASE_URL is set"));
    }

    #[test]
    fn a_bad_value_names_its_variable() {
        for (variable, value) in [
            ("HITOKU_ADDR", "3000"),
            ("HITOKU_ADDR", "0.0.0.0:3000"),
            ("REHEARSAL_ADDR", "0.0.0.0:3001"),
            ("TOKEN_TTL_SEC", "59"),
            ("TOKEN_TTL_SEC", "86401"),
            ("TOKEN_TTL_SEC", "an hour"),
            ("CORS_ALLOW_ORIGIN", "*"),
            ("CORS_ALLOW_ORIGIN", "https://a.example/path"),
            ("CORS_ALLOW_ORIGIN", "https://*.example.com"),
            ("CORS_ALLOW_ORIGIN", "https://a.example, https://u:p@b.example"),
            ("INTERNAL_API_BASE", "internal"),
            ("ACCOUNT_SID", "AC1"),
            ("API_KEY_SID", AC),
            ("AUTH_TOKEN", "old,,new"),
            ("PUBLIC_BASE_URL", "calls.example.com"),
        ] {
            let problem = problem([(variable, value)]);
            assert!(problem.starts_with(&format!("{variable} should be ")), "{problem}");
        }
    }
}
