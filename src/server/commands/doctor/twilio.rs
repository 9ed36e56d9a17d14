//! What Twilio says, and whether its webhooks reach us.
//!
//! It is asked only for what changes nothing. Invariant: nothing that it answers is printed, since numbers are in it.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE};
use reqwest::{Client, RequestBuilder, Response, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use server::clock::Clock;
use server::settings::{Account, BaseUrl};
use server::voice::{Signatures, to_be_told};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::Finding::{self, Bad, Good, Mind};

/// Whose clock judges our tokens, and who knows its accounts.
const TWILIO: &str = "https://api.twilio.com";
const PATIENCE: Duration = Duration::from_secs(5);
/// Tokens of a clock that is further off are refused.
const FAR_OFF_S: i64 = 60;
const OFF_S: i64 = 5;
const SET_IT: &str = "set the clock by NTP (`timedatectl set-ntp true`)";

/// A number of the account, as Twilio describes it. Source: Twilio's IncomingPhoneNumbers resource.
#[derive(Deserialize)]
struct Number {
    voice_url: Option<String>,
    /// Where either of these is set, the addresses do not count.
    voice_application_sid: Option<String>,
    trunk_sid: Option<String>,
    voice_fallback_url: Option<String>,
    status_callback: Option<String>,
}

#[derive(Deserialize)]
struct Numbers {
    incoming_phone_numbers: Vec<Number>,
}

/// Whether an account may take calls. Source: Twilio's Accounts resource.
#[derive(Deserialize)]
struct Standing {
    status: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Standing {
    fn finding(&self) -> Option<Finding> {
        match (&self.status[..], &self.kind[..]) {
            ("active", "Trial") => Some(Mind(
                "Twilio: this is a trial account: only numbers that are verified there can call, and a call ends after ten \
                 minutes; upgrade it"
                    .to_owned(),
            )),
            ("suspended" | "closed", _) => {
                Some(Bad(format!("Twilio: the account is {}, so that no call comes in; see its console", self.status)))
            }
            _ => None,
        }
    }
}

pub(super) async fn look(account: &Account, public: &BaseUrl) -> Vec<Finding> {
    let mut findings = vec![clock(TWILIO).await];
    findings.extend(encrypted(public));
    findings.push(reached(public, &account.auth_tokens).await);
    findings.extend(known(TWILIO, account, public).await);
    findings
}

async fn clock(twilio: &str) -> Finding {
    let date = match asked(|client| client.get(twilio)).await {
        Ok(answer) => answer.headers().get(DATE).and_then(|date| read(date.to_str().ok()?)),
        Err(why) => {
            return Mind(format!(
                "clock: {twilio} does not answer ({why}), so the clock was not compared with it"
            ));
        }
    };
    let Some(theirs) = date else {
        return Mind(format!("clock: {twilio} does not say what time it is"));
    };
    let ours = i64::try_from(Clock::of_the_machine().seconds()).unwrap_or_default();
    difference_from_twilio(theirs - ours)
}

fn difference_from_twilio(seconds: i64) -> Finding {
    match seconds.abs() {
        0..=OFF_S => Good("clock: as Twilio's".to_owned()),
        off if off <= FAR_OFF_S => Mind(format!("clock: {off} seconds off Twilio's; {SET_IT}")),
        off => Bad(format!("clock: {off} seconds off Twilio's, which will refuse tokens; {SET_IT}")),
    }
}

/// Nothing depends on that one: it is a second opinion.
pub(super) fn difference_from_database(seconds: i64) -> Finding {
    match seconds.abs() {
        0..=OFF_S => Good("clock: as the database's".to_owned()),
        off => Mind(format!(
            "clock: {off} seconds off the database's, so one of the two is wrong, and what is kept has this machine's times; \
             {SET_IT}"
        )),
    }
}

/// `Tue, 31 Aug 2010 20:36:28 GMT`, in seconds.
fn read(date: &str) -> Option<i64> {
    Some(OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822).ok()?.unix_timestamp())
}

fn encrypted(public: &BaseUrl) -> Option<Finding> {
    (!public.is_secure()).then(|| {
        Bad(format!(
            "PUBLIC_BASE_URL: {public} is not https: browsers give no microphone to its page, and callers' numbers come to it \
             for everybody to read; put a TLS proxy in front"
        ))
    })
}

/// Asks as Twilio does, signed, at one of the addresses that must be public. An empty form is of no call, so nothing comes of it.
async fn reached(public: &BaseUrl, auth_tokens: &[SecretString]) -> Finding {
    let address = format!("{public}/status");
    let signature = match Signatures::new(auth_tokens, public) {
        Ok(signatures) => signatures.sign("/status").unwrap_or_default(),
        Err(error) => return Bad(error.to_string()),
    };
    let ask = |client: Client| {
        let form = client.post(&address).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        form.header("X-Twilio-Signature", signature)
    };
    match asked(ask).await {
        Ok(answer) if answer.status().is_success() => {
            let ours = answer.text().await.is_ok_and(|text| text.contains("<Response"));
            if ours {
                Good(format!("PUBLIC_BASE_URL: webhooks that Twilio signs reach Hitoku at {public}"))
            } else {
                Bad(format!(
                    "PUBLIC_BASE_URL: at {public} something else than Hitoku answers; check the proxy"
                ))
            }
        }
        Ok(answer) if answer.status().as_u16() == 403 => Bad(format!(
            "PUBLIC_BASE_URL: {address} refuses what Twilio would sign: the Hitoku that runs there has another AUTH_TOKEN or \
             PUBLIC_BASE_URL than these settings, or the proxy refuses it"
        )),
        Ok(answer) => Bad(format!(
            "PUBLIC_BASE_URL: {address} answers with status {}; start Hitoku, and let the proxy pass /incoming, /dialed and \
             /status on to it",
            answer.status().as_u16()
        )),
        Err(why) => Bad(format!(
            "PUBLIC_BASE_URL: {address} cannot be reached ({why}); check the name, the certificate and the proxy, and that \
             Hitoku runs"
        )),
    }
}

async fn standing(twilio: &str, account: &Account) -> Option<Finding> {
    let address = format!("{twilio}/2010-04-01/Accounts/{}.json", account.account_sid);
    asked_by_token(&address, account).await.ok()?.json::<Standing>().await.ok()?.finding()
}

/// Whether Twilio knows the account and its key, and what it was told to do with calls.
async fn known(twilio: &str, account: &Account, public: &BaseUrl) -> Vec<Finding> {
    // Not the account itself, for which a Standard key may not ask.
    let address = format!(
        "{twilio}/2010-04-01/Accounts/{}/IncomingPhoneNumbers.json?PageSize=1000",
        account.account_sid
    );
    let mut findings = vec![];
    match asked_as(&address, &account.api_key_sid, &account.api_key_secret).await {
        Ok(answer) if answer.status().as_u16() == 401 => findings.push(Bad(
            "API_KEY_SECRET: Twilio refuses it for API_KEY_SID and ACCOUNT_SID, and so it will refuse tokens; make another key"
                .to_owned(),
        )),
        Ok(answer) if answer.status().is_success() => {
            findings.push(Good("API_KEY_SID, API_KEY_SECRET: Twilio knows the key".to_owned()));
        }
        other => findings.push(Mind(format!("API_KEY_SID, API_KEY_SECRET: {}", not_checked(&other)))),
    }
    let answer = match asked_by_token(&address, account).await {
        Ok(answer) if answer.status().as_u16() == 401 => {
            findings.push(Bad(
                "AUTH_TOKEN: Twilio refuses it for ACCOUNT_SID, so every webhook would be refused here; copy it again".to_owned(),
            ));
            None
        }
        Ok(answer) if answer.status().is_success() => {
            findings.push(Good("ACCOUNT_SID, AUTH_TOKEN: Twilio knows the account".to_owned()));
            answer.json::<Numbers>().await.ok()
        }
        other => {
            findings.push(Mind(format!("ACCOUNT_SID, AUTH_TOKEN: {}", not_checked(&other))));
            None
        }
    };
    if answer.is_some() {
        findings.extend(standing(twilio, account).await);
    }
    findings.push(match answer {
        Some(numbers) => told(&numbers.incoming_phone_numbers, public),
        None => Mind(format!(
            "Twilio: what it was told could not be looked at; see yourself, at the number's voice configuration: {}",
            what(public)
        )),
    });
    findings
}

fn not_checked(answer: &Result<Response, String>) -> String {
    let why = match answer {
        Ok(answer) => format!("Twilio answered with status {}", answer.status().as_u16()),
        Err(why) => format!("Twilio was not reached: {why}"),
    };
    format!("not checked ({why}); run doctor again where, and when, Twilio can be reached")
}

fn what(public: &BaseUrl) -> String {
    to_be_told(public).map(|(name, value)| format!("{name}: {value}")).join("; ")
}

/// Holds what Twilio was told against what it must be told.
fn told(numbers: &[Number], public: &BaseUrl) -> Finding {
    let is = |told: &Option<String>, path: &str| {
        told.as_deref().is_some_and(|told| told.trim_end_matches('/') == format!("{public}{path}"))
    };
    let is_set = |told: &Option<String>| told.as_deref().is_some_and(|told| !told.is_empty());
    let (elsewhere, by_address): (Vec<_>, Vec<_>) =
        numbers.iter().partition(|number| is_set(&number.voice_application_sid) || is_set(&number.trunk_sid));
    let ours: Vec<_> = by_address.into_iter().filter(|number| is(&number.voice_url, "/incoming")).collect();
    let (ours_count, all) = (ours.len(), numbers.len());
    if ours.is_empty() && !elsewhere.is_empty() {
        return Mind(format!(
            "Twilio: {} of the account's {all} numbers are set through a TwiML App or a trunk; look there whether it is told: {}",
            elsewhere.len(),
            what(public)
        ));
    }
    if ours.is_empty() {
        return Bad(format!(
            "Twilio: none of the account's {all} numbers sends its calls here; tell it, at a number's voice configuration: {}",
            what(public)
        ));
    }
    let without_end = ours.iter().filter(|number| !is(&number.status_callback, "/status")).count();
    let alone =
        ours.iter().filter(|number| number.voice_fallback_url.as_deref().is_none_or(str::is_empty)).count();
    if without_end > 0 {
        return Mind(format!(
            "Twilio: {without_end} of {ours_count} numbers that send calls here do not say how they end; tell it: {}",
            what(public)
        ));
    }
    if alone > 0 {
        return Mind(format!(
            "Twilio: {alone} of {ours_count} numbers that send calls here have nothing for Primary handler fails; write a \
             sentence in a TwiML Bin, which callers hear while this server is restarted"
        ));
    }
    Good(format!(
        "Twilio: {ours_count} of the account's {all} numbers send their calls here, and say how they end"
    ))
}

/// With each of the auth tokens until Twilio knows one: while it is changed there are two.
async fn asked_by_token(address: &str, account: &Account) -> Result<Response, String> {
    let mut answer = Err("AUTH_TOKEN is empty".to_owned());
    for token in &account.auth_tokens {
        answer = asked_as(address, &account.account_sid, token).await;
        if answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
            break;
        }
    }
    answer
}

async fn asked_as(address: &str, user: &str, secret: &SecretString) -> Result<Response, String> {
    asked(|client| client.get(address).basic_auth(user, Some(secret.expose_secret()))).await
}

async fn asked(request: impl FnOnce(Client) -> RequestBuilder) -> Result<Response, String> {
    let client = Client::builder().timeout(PATIENCE).redirect(redirect::Policy::none());
    let sent = request(client.build().map_err(|error| error.to_string())?).send().await;
    sent.map_err(|error| {
        let error = error.without_url();
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        causes.last().map_or_else(|| error.to_string(), ToString::to_string)
    })
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::get;
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    fn public() -> BaseUrl {
        BaseUrl::parse("https://calls.example.com").unwrap()
    }

    fn number(voice: &str, status: &str, fallback: &str) -> Number {
        let some = |url: &str| Some(url.to_owned());
        Number {
            voice_url: some(voice),
            voice_application_sid: some(""),
            trunk_sid: None,
            status_callback: some(status),
            voice_fallback_url: some(fallback),
        }
    }

    #[test]
    fn only_twilios_clock_judges_tokens() {
        assert!(matches!(difference_from_twilio(-61), Bad(text) if text.contains("refuse tokens")));
        assert!(matches!(difference_from_twilio(60), Mind(text) if text.contains("timedatectl")));
        assert!(matches!(difference_from_database(4000), Mind(text) if !text.contains("Twilio")));
        assert!(matches!(difference_from_database(-5), Good(_)));
    }

    #[test]
    fn a_page_without_tls_gets_no_microphone() {
        assert!(encrypted(&public()).is_none());
        let plain = BaseUrl::parse("http://calls.example.com").unwrap();
        assert!(matches!(encrypted(&plain), Some(Bad(text)) if text.contains("microphone")));
    }

    #[test]
    fn what_twilio_was_told_is_held_against_what_it_must_be_told() {
        let (incoming, status) = ("https://calls.example.com/incoming", "https://calls.example.com/status");
        let other = || number("https://demo.twilio.com", "", "");
        let told = |numbers: &[Number]| told(numbers, &public());
        assert!(matches!(told(&[]), Bad(text) if text.contains(incoming)));
        assert!(matches!(told(&[other()]), Bad(_)));
        assert!(matches!(told(&[other(), number(incoming, "", "x")]), Mind(text) if text.contains(status)));
        let by_app =
            Number { voice_application_sid: Some("AP0".to_owned()), ..number(incoming, status, "x") };
        assert!(matches!(told(&[by_app]), Mind(text) if text.contains("TwiML App")));
        assert!(matches!(told(&[number(incoming, status, "")]), Mind(text) if text.contains("TwiML Bin")));
        assert!(
            matches!(told(&[other(), number(incoming, status, "x")]), Good(text) if text.contains("1 of the"))
        );
    }

    #[test]
    fn an_account_that_takes_no_calls_is_named() {
        let finding = |status: &str, kind: &str| {
            Standing { status: status.to_owned(), kind: kind.to_owned() }.finding()
        };
        assert!(finding("active", "Full").is_none());
        assert!(matches!(finding("suspended", "Full"), Some(Bad(text)) if text.contains("suspended")));
    }

    #[tokio::test]
    async fn an_account_and_a_key_that_twilio_does_not_know_are_named() {
        let knows = |headers: HeaderMap| async move {
            let account = BASE64_STANDARD.encode("AC0:right");
            let known = headers["authorization"].to_str().unwrap() == format!("Basic {account}");
            let numbers = r#"{"incoming_phone_numbers":[{"phone_number":"+15005550006","voice_url":null}]}"#;
            if known { Ok(numbers) } else { Err(StatusCode::UNAUTHORIZED) }
        };
        let path = "/2010-04-01/Accounts/AC0/IncomingPhoneNumbers.json";
        let trial = async || r#"{"status":"active","type":"Trial"}"#;
        let routes = Router::new().route(path, get(knows)).route("/2010-04-01/Accounts/AC0.json", get(trial));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let twilio = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        for (auth_token, bad) in [
            ("right", &["API_KEY_SECRET", "none of the account's 1 numbers"][..]),
            ("wrong", &["API_KEY_SECRET", "AUTH_TOKEN"]),
        ] {
            let account = Account {
                account_sid: "AC0".to_owned(),
                api_key_sid: "SK0".to_owned(),
                api_key_secret: "wrong".into(),
                auth_tokens: vec!["another".into(), auth_token.into()],
            };
            let findings = known(&twilio, &account, &public()).await;
            let found: Vec<_> = findings
                .iter()
                .filter_map(|finding| if let Bad(text) = finding { Some(text) } else { None })
                .collect();
            assert_eq!(found.len(), bad.len(), "{found:?}");
            let warned =
                findings.iter().any(|finding| matches!(finding, Mind(text) if text.contains("trial")));
            assert_eq!(warned, auth_token == "right", "{findings:?}");
            assert!(found.iter().zip(bad).all(|(found, bad)| found.contains(bad)), "{found:?}");
            assert!(!findings.iter().any(
                |finding| matches!(finding, Good(text) | Mind(text) | Bad(text) if text.contains("5550006"))
            ));
        }
    }

    #[tokio::test]
    async fn what_twilio_does_not_answer_is_not_called_good() {
        let account = Account {
            account_sid: "AC0".to_owned(),
            api_key_sid: "SK0".to_owned(),
            api_key_secret: "right".into(),
            auth_tokens: vec!["right".into()],
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let twilio = format!("http://{}", listener.local_addr().unwrap());
        let busy = Router::new().fallback(async || StatusCode::SERVICE_UNAVAILABLE);
        let server = tokio::spawn(async move { axum::serve(listener, busy).await });
        for why in ["status 503", "not reached"] {
            let findings = known(&twilio, &account, &public()).await;
            assert!(
                matches!(&findings[..], [Mind(key), Mind(account), Mind(told)]
                    if key.contains(why) && account.contains(why) && told.contains("/incoming")),
                "{findings:?}"
            );
            server.abort();
            while !server.is_finished() {
                tokio::task::yield_now().await;
            }
        }
    }
}
