//! A PostgreSQL's address, as `DATABASE_URL` says it.

use std::borrow::Cow;
use std::str::FromStr as _;
use std::sync::Once;

use sqlx::postgres::PgConnectOptions;

use crate::Failure;

/// What `sqlx` 0.8 knows. Of others it would log the value, which may be a secret.
const KNOWN: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];
/// What hosted databases put into the addresses that they give out: `sqlx` cannot do it, and nobody need mend it.
const DISPENSABLE: &str = "channel_binding";

/// Reads it. A parameter that has no effect is named in the log, once: an address is read as often as it is tried.
pub(super) fn read(url: &str) -> Result<PgConnectOptions, Failure> {
    let (address, asked) = url.split_once('?').unwrap_or((url, ""));
    let (known, others): (Vec<&str>, Vec<&str>) =
        asked.split('&').filter(|pair| !pair.is_empty()).partition(|pair| is_known(&key(pair)));
    // It may be the rest of a password.
    if others.iter().any(|pair| pair.contains('@') || !is_word(&key(pair))) {
        return Err(Failure::Address);
    }
    let url = format!("{address}?{}", known.join("&"));
    // The error would repeat the address, and with it the password.
    let options = PgConnectOptions::from_str(&url).map_err(|_| Failure::Address)?;
    SAID.call_once(|| {
        for parameter in others.into_iter().map(key).filter(|key| key != DISPENSABLE) {
            tracing::warn!(%parameter, "a parameter of DATABASE_URL is not known, and has no effect");
        }
    });
    Ok(options)
}

static SAID: Once = Once::new();

fn key(pair: &str) -> Cow<'_, str> {
    form_urlencoded::parse(pair.as_bytes()).next().unwrap_or_default().0
}

fn is_known(key: &str) -> bool {
    KNOWN.contains(&key) || key.starts_with("options[")
}

fn is_word(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_nobody_knows_do_not_get_to_sqlx() {
        for good in [
            "postgres://hitoku@db.example/hitoku",
            "postgres://hitoku:hush@db.example/hitoku?sslmode=require&options[lock_timeout]=5s",
            "postgres://hitoku:hush@db.example/hitoku?options%5block_timeout%5d=5s&&pool_size=3",
            "postgres://hitoku:hush@db.example/hitoku?sslmode=require&channel_binding=require&pasword=hush",
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
        for bad in [
            "postgres://hitoku:hush@db.example:port/hitoku",
            "postgres://hitoku@db.example/hitoku?sslmode=perhaps",
            // A password with a question mark, whose rest would be named.
            "postgres://hitoku:12?34@db.example/hitoku",
            "postgres://hitoku:12?ab=cd@db.example/hitoku",
        ] {
            assert!(matches!(read(bad), Err(Failure::Address)), "{bad}");
        }
    }
}
