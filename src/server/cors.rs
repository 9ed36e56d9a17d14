//! What surrounds `/token`: which other origins' pages may ask, which methods, and how its errors look.
//!
//! Invariant: an origin is named in an answer only if the settings name it; and what a browser asks for another's page leaves
//! no trace, not even in the audit trail.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use console::token::TokenError;
use leptos::server_fn::error::FromServerFnError;
use tokio::time::timeout;

use crate::settings::BaseUrl;

/// The origins that may ask for tokens besides our own.
#[derive(Clone, Debug)]
pub(crate) struct AllowedOrigins {
    others: Arc<[HeaderValue]>,
    own: String,
}

/// For a form that trickles in. What is kept of a token takes no longer either.
const FORM_WITHIN: Duration = Duration::from_secs(10);
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, OPTIONS");
const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl AllowedOrigins {
    pub(crate) fn new(others: &[String], public: &BaseUrl) -> Self {
        let others = others.iter().filter_map(|origin| HeaderValue::try_from(origin).ok()).collect();
        Self { others, own: public.url().origin().ascii_serialization() }
    }

    /// Whether a browser says that it asks for a page of somebody else: one reads no answer, but a token that it asked for would
    /// be in the trail.
    fn is_strange(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(ORIGIN);
        let elsewhere = match headers.get(FETCH_SITE) {
            Some(site) => site == "cross-site" || site == "same-site",
            // Of an older browser, or without TLS.
            None => origin.is_some_and(|origin| !self.is_own(origin, headers.get(HOST))),
        };
        elsewhere && !origin.is_some_and(|origin| self.others.contains(origin))
    }

    /// By the public address, or by the one that was asked, as `localhost` in a rehearsal.
    fn is_own(&self, origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let asked = origin.split_once("://").map(|(_, host)| host.as_bytes());
        origin == self.own || asked.is_some_and(|asked| host.is_some_and(|host| host.as_bytes() == asked))
    }

    fn allow(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        headers.insert(VARY, HeaderValue::from_static("Origin, Sec-Fetch-Site"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(origin) = origin.filter(|origin| self.others.contains(origin)) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type"));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
            headers.insert(RESOURCE, HeaderValue::from_static("cross-origin"));
        }
    }
}

/// Answers `OPTIONS` and unknown methods, and lets the server functions answer the rest.
pub(crate) async fn around_token(
    State(origins): State<AllowedOrigins>,
    mut request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    // Leptos answers what a page without scripts asks by a redirect to that page; who asks here is a program.
    request.headers_mut().remove(ACCEPT);
    let strange = origins.is_strange(request.headers());
    let mut response = match *request.method() {
        Method::GET | Method::POST if strange => refused(TokenError::OriginNotAllowed).into_response(),
        Method::GET | Method::POST => match timeout(FORM_WITHIN, next.run(request)).await {
            Ok(answer) => answer,
            Err(_) => told(StatusCode::REQUEST_TIMEOUT, TokenError::Unavailable).into_response(),
        },
        Method::OPTIONS => (StatusCode::NO_CONTENT, [(ALLOW, METHODS)]).into_response(),
        _ => ([(ALLOW, METHODS)], refused(TokenError::MethodNotAllowed)).into_response(),
    };
    origins.allow(origin.as_ref(), response.headers_mut());
    response
}

fn refused(why: TokenError) -> impl IntoResponse {
    told(StatusCode::from_u16(why.status()).unwrap_or(StatusCode::BAD_REQUEST), why)
}

fn told(status: StatusCode, why: TokenError) -> impl IntoResponse {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], why.ser())
}
