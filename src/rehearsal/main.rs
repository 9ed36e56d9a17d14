//! The rehearsal as a program of its own: for tests that configure the product as if it had a Twilio account.
//!
//! Settings come from the environment, once, at start; it ends on SIGTERM or Ctrl-C.

use std::{
    env,
    io::{self, Write},
};

use anyhow::{Context, Result};
use rehearsal::{Account, Person, Settings};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

#[tokio::main]
async fn main() -> Result<()> {
    let asked = EnvFilter::new(std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned()));
    let lines =
        tracing_subscriber::fmt::layer().with_writer(io::stderr).with_filter(filter_fn(may_be_logged));
    tracing_subscriber::registry().with(asked).with(lines).init();

    let mut terminate = signal(SignalKind::terminate())?;
    let rehearsal = rehearsal::start(settings()?).await?;
    let mut out = io::stdout();
    writeln!(out, "  customer's phone  http://localhost:{}", rehearsal.addr().port())?;
    if let Some(addr) = rehearsal.tls_addr() {
        writeln!(out, "  signalling (TLS)  {addr}")?;
    }
    out.flush()?;

    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    rehearsal.stop().await;
    Ok(())
}

/// A socket's frames never are, whatever is asked for: the customer's phone sends its number over one.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let socket = ["tungstenite", "tokio_tungstenite"].iter().any(|name| metadata.target().starts_with(name));
    !socket || *metadata.level() <= Level::INFO
}

fn settings() -> Result<Settings> {
    let addr = optional("REHEARSAL_ADDR").unwrap_or_else(|| "127.0.0.1:3001".into());
    let tls_addr = optional("REHEARSAL_TLS_ADDR");
    let tls_addr =
        tls_addr.map(|addr| addr.parse().context("REHEARSAL_TLS_ADDR should be like 127.0.0.1:8443"));
    Ok(Settings {
        addr: addr.parse().context("REHEARSAL_ADDR should be like 127.0.0.1:3001")?,
        tls_addr: tls_addr.transpose()?,
        account: Account {
            account_sid: required("ACCOUNT_SID")?,
            auth_token: required("AUTH_TOKEN")?,
            api_key_sid: required("API_KEY_SID")?,
            api_key_secret: required("API_KEY_SECRET")?,
        },
        number: required("REHEARSAL_NUMBER")?,
        voice_url: required("VOICE_URL")?,
        voice_fallback_url: optional("VOICE_FALLBACK_URL"),
        status_callback_url: optional("STATUS_CALLBACK_URL"),
        people: people(),
    })
}

fn required(name: &str) -> Result<String> {
    optional(name).with_context(|| format!("{name} is not set"))
}

fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The demonstration directory's customers. The numbers are of ranges kept for fiction.
fn people() -> Vec<Person> {
    [
        ("越井 琢巳", "+447700900101"),
        ("佐藤 美咲", "+447700900102"),
        ("O'Neil & Sons <K>", "+12025550143"),
        ("鈴木 一郎", "+447700900104"),
        ("María José 🌸", "+61491570156"),
    ]
    .map(|(label, number)| Person { label: label.into(), number: number.into(), operator: None })
    .into()
}
