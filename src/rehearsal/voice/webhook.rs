//! Asking the company's server, as Twilio asks it: signed, with a deadline, and with no patience for nonsense.
//!
//! Whatever comes back is told apart into a document's text and one of Twilio's errors; both are kept for the HTTP API.

use std::{collections::BTreeMap, time::Duration};

use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use url::Url;

use super::{error::TwilioError, signature, twiml};
use crate::sid;

/// Twilio's limit for the whole request.
const DEADLINE: Duration = Duration::from_secs(15);
/// Twilio's limit for reaching the server.
const CONNECT: Duration = Duration::from_secs(5);

/// A form and where it goes.
#[derive(Clone)]
pub(crate) struct Request {
    /// Absolute, without a fragment.
    pub(crate) url: Url,
    /// The fields go into the query instead of the body.
    pub(crate) get: bool,
    /// `CallSid`, `From`, …
    pub(crate) fields: BTreeMap<String, String>,
}

/// What became of a request, as the HTTP API shows it.
#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exchange {
    /// Where it went.
    pub(crate) url: String,
    /// The HTTP status, if there was an answer.
    pub(crate) status: Option<u16>,
    /// Of the answer.
    pub(crate) content_type: Option<String>,
    /// Of the answer.
    pub(crate) body: String,
    /// Twilio's code and a sentence.
    pub(crate) error: Option<String>,
}

/// An HTTP client that behaves like Twilio's.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .user_agent("TwilioProxy/1.1")
        .connect_timeout(CONNECT)
        .timeout(DEADLINE)
        .no_proxy()
        .build()
}

/// Asks for TwiML.
pub(crate) async fn document(
    http: &reqwest::Client,
    auth_token: &str,
    request: &Request,
) -> (Exchange, Result<String, TwilioError>) {
    let mut exchange = Exchange { url: request.url.to_string(), ..Exchange::default() };
    let result = ask(http, auth_token, request, &mut exchange).await.and_then(|()| check(&exchange));
    exchange.error = result.as_ref().err().map(ToString::to_string);
    let result = result.map(|()| exchange.body.clone());
    (exchange, result)
}

/// Tells something; nobody waits for what is answered.
pub(crate) async fn notify(http: &reqwest::Client, auth_token: &str, request: &Request) -> Exchange {
    let mut exchange = Exchange { url: request.url.to_string(), ..Exchange::default() };
    let result = ask(http, auth_token, request, &mut exchange).await;
    exchange.error = result.err().map(|error| error.to_string());
    exchange
}

async fn ask(
    http: &reqwest::Client,
    auth_token: &str,
    request: &Request,
    exchange: &mut Exchange,
) -> Result<(), TwilioError> {
    let failed = |error: reqwest::Error| match error {
        error if error.is_timeout() => TwilioError::new(11200, "HTTP retrieval failure: no answer in time"),
        error if error.is_connect() => TwilioError::new(11205, "HTTP connection failure"),
        _ => TwilioError::new(11200, "HTTP retrieval failure"),
    };
    let mut response = http.execute(signed(http, auth_token, request).map_err(failed)?).await;
    // A connection that fails is tried once more.
    if response.as_ref().is_err_and(|error| error.is_connect() && !error.is_timeout()) {
        response = http.execute(signed(http, auth_token, request).map_err(failed)?).await;
    }
    let mut response = response.map_err(failed)?;
    let status = response.status();
    exchange.status = Some(status.as_u16());
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    exchange.content_type = content_type.map(str::to_owned);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > twiml::LARGEST {
            return Err(TwilioError::new(11750, "TwiML response body too large"));
        }
    }
    exchange.body = String::from_utf8_lossy(&body).into_owned();
    if !status.is_success() {
        return Err(TwilioError::new(11200, format!("HTTP retrieval failure: status {}", status.as_u16())));
    }
    Ok(())
}

/// Each attempt is signed and named anew.
fn signed(http: &reqwest::Client, auth_token: &str, request: &Request) -> reqwest::Result<reqwest::Request> {
    let mut url = request.url.clone();
    url.set_fragment(None);
    let builder = if request.get {
        url.query_pairs_mut().extend_pairs(&request.fields);
        let signature = signature::sign(auth_token, url.as_str(), &BTreeMap::new());
        http.get(url).header("X-Twilio-Signature", signature)
    } else {
        let signature = signature::sign(auth_token, url.as_str(), &request.fields);
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.fields).finish();
        http.post(url)
            .header("X-Twilio-Signature", signature)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8")
            .body(form)
    };
    builder
        .header("Accept", "*/*")
        .header("I-Twilio-Idempotency-Token", sid::uuid())
        .header("X-Home-Region", "us1")
        .build()
}

fn check(exchange: &Exchange) -> Result<(), TwilioError> {
    let content_type = exchange.content_type.as_deref().unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match &kind[..] {
        "text/xml" | "application/xml" | "text/html" => Ok(()),
        "" => Err(TwilioError::new(12300, "Invalid Content-Type: none given")),
        kind => Err(TwilioError::new(12300, format!("Invalid Content-Type: {kind} is not TwiML"))),
    }
}

#[cfg(test)]
mod tests {
    use tokio::{net::TcpListener, time::Instant};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_waited_for_as_long_as_twilio_does() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/incoming", listener.local_addr().unwrap()).parse().unwrap();
        let request = Request { url, get: false, fields: BTreeMap::new() };
        let since = Instant::now();
        let (exchange, answer) = document(&client().unwrap(), "token", &request).await;
        assert_eq!(since.elapsed().as_secs(), 15);
        assert!(answer.is_err() && exchange.status.is_none());
        assert_eq!(exchange.error.as_deref(), Some("11200: HTTP retrieval failure: no answer in time"));
    }
}
