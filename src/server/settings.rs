//! What the operator of this server has decided, read once at start.
//!
//! Invariant: either a whole Twilio account is configured, or nothing of one and this is a rehearsal; there is no third way.

mod base_url;
mod keeping;
mod reading;
mod source;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use secrecy::SecretString;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};

use reading::{Noted, Reading};

pub use base_url::BaseUrl;
pub use keeping::Keeping;
pub use reading::Problems;
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
    /// `RUST_LOG`: what the server logs, by default what is `info` or worse.
    pub log: EnvFilter,
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
/// With one of them, Twilio carries the calls, and needs the others too.
const ACCOUNT: [&str; 5] = ["ACCOUNT_SID", "API_KEY_SID", "API_KEY_SECRET", "AUTH_TOKEN", "PUBLIC_BASE_URL"];

impl Settings {
    /// Reads every setting.
    ///
    /// # Errors
    /// All that are not what they should be.
    pub fn read(source: &Source) -> Result<Self, Problems> {
        let mut reading = Reading::of(source);
        let read = Self::all(&mut reading);
        reading.end(read)
    }

    fn all(reading: &mut Reading<'_>) -> Result<Self, Noted> {
        let rehearsal = !ACCOUNT.iter().any(|name| reading.source.has(name));
        let cloud = if rehearsal { Cloud::rehearsal(reading) } else { Cloud::twilio(reading) };
        let listen = Listen::read(reading, rehearsal);
        let company = reading.parsed("INTERNAL_API_BASE", BaseUrl::SHOULD_BE, BaseUrl::parse);
        let tokens = Tokens::read(reading);
        let keeping = Keeping::read(reading, rehearsal);
        let log = reading.parsed(
            "RUST_LOG",
            "a level: off, error, warn, info, debug or trace, or such as server=debug,info",
            log,
        );
        Ok(Self {
            listen: listen?,
            cloud: cloud?,
            tokens: tokens?,
            company: company?,
            keeping: keeping?,
            log: log?.unwrap_or_else(|| EnvFilter::new("info")),
        })
    }
}

/// A word that is no level would be the name of a part, and nothing of the others would be logged.
fn log(text: &str) -> Option<EnvFilter> {
    // The library takes a space for a part of the name.
    let words: Vec<&str> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    let fits = |word: &&str| word.parse::<LevelFilter>().is_ok() || word.contains(['=', '[', ']']);
    if words.iter().all(fits) { EnvFilter::try_new(words.join(",")).ok() } else { None }
}

impl Listen {
    fn read(reading: &mut Reading<'_>, rehearsal: bool) -> Result<Self, Noted> {
        let addr = address(reading, "HITOKU_ADDR", 3000);
        let addr = match addr {
            Ok(addr) if rehearsal && addr.ip() != LOOPBACK => Err(reading.bad(
                "HITOKU_ADDR",
                "a port of 127.0.0.1 such as 127.0.0.1:3000, as long as no Twilio account is configured: \
                 a rehearsal is for this machine only",
            )),
            addr => addr,
        };
        let site_root = reading.text("LEPTOS_SITE_ROOT");
        let port = reading.parsed("LEPTOS_RELOAD_PORT", "a port", |text| text.parse().ok());
        let live_reload = reading.text("LEPTOS_WATCH")?.and(port?);
        Ok(Self {
            addr: addr?,
            site_root: site_root?.unwrap_or_else(|| "target/site".to_owned()).into(),
            live_reload,
        })
    }
}

impl Cloud {
    fn rehearsal(reading: &mut Reading<'_>) -> Result<Self, Noted> {
        let addr = address(reading, "REHEARSAL_ADDR", 3001)?;
        if addr.ip() == LOOPBACK {
            return Ok(Self::Rehearsal { addr });
        }
        let should_be = "a port of 127.0.0.1 such as 127.0.0.1:3001: a rehearsal is for this machine only";
        Err(reading.bad("REHEARSAL_ADDR", should_be))
    }

    fn twilio(reading: &mut Reading<'_>) -> Result<Self, Noted> {
        let (present, missing): (Vec<_>, Vec<_>) =
            ACCOUNT.into_iter().partition(|name| reading.source.has(name));
        if !missing.is_empty() {
            reading.note(Problem::Missing { present, missing });
        }
        let account_sid = reading.parsed("ACCOUNT_SID", "AC and 32 hexadecimal digits", sid("AC"));
        let api_key_sid = reading.parsed("API_KEY_SID", "SK and 32 hexadecimal digits", sid("SK"));
        let api_key_secret = reading.text("API_KEY_SECRET");
        let auth_tokens = reading.parsed(
            "AUTH_TOKEN",
            "the account's auth token, or while you change it the old and the new one, separated by a comma",
            auth_tokens,
        );
        let public = reading.parsed("PUBLIC_BASE_URL", BaseUrl::SHOULD_BE_HOST, BaseUrl::parse_host);
        // What is not there has been noted as missing.
        let account = Account {
            account_sid: account_sid?.ok_or(Noted)?,
            api_key_sid: api_key_sid?.ok_or(Noted)?,
            api_key_secret: api_key_secret?.ok_or(Noted)?.into(),
            auth_tokens: auth_tokens?.ok_or(Noted)?,
        };
        Ok(Self::Twilio { account, public: public?.ok_or(Noted)? })
    }
}

impl Tokens {
    fn read(reading: &mut Reading<'_>) -> Result<Self, Noted> {
        let ttl = reading.parsed("TOKEN_TTL_SEC", "a number of seconds from 60 to 86400", |text| {
            text.parse().ok().filter(|seconds| (60..=86_400).contains(seconds))
        });
        let allowed_origins = reading.parsed(
            "CORS_ALLOW_ORIGIN",
            "an origin such as https://console.example.com, or several separated by commas; not *, \
             which would give every page on the internet a token",
            |text| text.split(',').map(origin).collect(),
        );
        Ok(Self { ttl_seconds: ttl?.unwrap_or(3600), allowed_origins: allowed_origins?.unwrap_or_default() })
    }
}

fn address(reading: &mut Reading<'_>, name: &str, port: u16) -> Result<SocketAddr, Noted> {
    let read =
        reading.parsed(name, "an address and a port such as 127.0.0.1:3000", |text| text.parse().ok())?;
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
        let at_home = variables.into_iter().chain([("HOME", "/home/a")]);
        Settings::read(&Source::of(at_home)).unwrap_err().to_string()
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
            ("HITOKU_DATA", "/data/\u{fffd}"),
            ("RUST_LOG", "warning"),
            ("RUST_LOG", "server=debug,verbose"),
        ] {
            let problem = problem([(variable, value)]);
            assert!(problem.contains(&format!("{variable} should be ")), "{problem}");
        }
    }

    #[test]
    fn a_list_of_levels_may_have_spaces_in_it() {
        for (text, read) in [("warn, server=info", "server=info,warn"), ("debug,", "debug")] {
            let settings = Settings::read(&Source::of([("HOME", "/home/a"), ("RUST_LOG", text)])).unwrap();
            assert_eq!(settings.log.to_string(), read);
        }
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let problem = problem([
            ("ACCOUNT_SID", "AC1"),
            ("HITOKU_ADDR", "3000"),
            ("TOKEN_TTL_SEC", "0"),
            ("DATABASE_URL", "mysql://a"),
            ("PHONE_REGION", "Japan"),
        ]);
        let named: Vec<_> =
            problem.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        let expected =
            ["ACCOUNT_SID", "ACCOUNT_SID", "HITOKU_ADDR", "TOKEN_TTL_SEC", "DATABASE_URL", "PHONE_REGION"];
        assert_eq!(named, expected, "{problem}");
    }
}
