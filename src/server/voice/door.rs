//! The door of the voice webhooks: lets in what Twilio signed, and nobody out without TwiML.
//!
//! Invariant: an answer is 403 before the signature fits, and 200 with TwiML after, whatever panics, fails or is malformed.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use leptos::prelude::{Owner, provide_context};
use leptos::reactive::computed::ScopedFuture;
use leptos::server_fn::axum::get_server_fn_service;
use tokio::time::{Instant, timeout};

use super::phrases;
use super::reception::Reception;
use super::refusals::Refusals;
use super::signature::Signatures;
use super::twiml::Twiml;

/// What the door knows.
pub(crate) struct Door {
    signatures: Signatures,
    /// Where the server functions find the reception. They make nothing that would stay in it, so one is enough for all calls.
    context: Owner,
    refusals: Refusals,
}

const SIGNATURE: HeaderName = HeaderName::from_static("x-twilio-signature");
/// Twilio's forms are a few kilobytes.
const LARGEST_BODY: usize = 256 * 1024;
/// A body that trickles in slower than this is not Twilio's.
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// Before every address but the webhooks': what Twilio sends there is answered too, since a caller is not to hear of a slip.
pub(crate) async fn astray(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    if request.headers().contains_key(SIGNATURE) {
        enter(State(door), request).await
    } else {
        next.run(request).await
    }
}

/// Answers any request to a voice webhook.
pub(crate) async fn enter(State(door): State<Arc<Door>>, request: Request) -> Response {
    match AssertUnwindSafe(door.answer(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("a voice webhook panicked; the caller was asked to call again");
            courteous()
        }
    }
}

impl Door {
    pub(crate) fn new(signatures: Signatures, reception: Reception) -> Self {
        let context = Owner::new();
        context.with(|| provide_context(Arc::new(reception)));
        Self { signatures, context, refusals: Refusals::default() }
    }

    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let path_and_query = parts.uri.path_and_query().map_or("/", |whole| whole.as_str());
        // First: who signs nothing is not waited for.
        let Some(signature) = parts.headers.get(SIGNATURE) else {
            return self.refuse(path_and_query, "it has no X-Twilio-Signature");
        };
        // Of a GET, Twilio signs the address alone, and its query is the form.
        let (form, fields) = if parts.method == Method::POST {
            let body = timeout(BODY_WITHIN, to_bytes(body, LARGEST_BODY)).await;
            let Ok(Ok(body)) = body else { return self.refuse(path_and_query, "its body cannot be read") };
            (body.clone(), body)
        } else {
            (Bytes::copy_from_slice(parts.uri.query().unwrap_or_default().as_bytes()), Bytes::new())
        };
        if !self.signatures.fit(signature.as_bytes(), path_and_query, &fields) {
            return self.refuse(path_and_query, "its X-Twilio-Signature does not fit");
        }
        let path = parts.uri.path().trim_end_matches('/');
        let Some(mut function) = get_server_fn_service(path, Method::POST) else {
            let url = self.signatures.address(path_and_query);
            tracing::error!(
                url,
                "Twilio was told a wrong address: that of a call that comes in ends with /incoming"
            );
            return courteous();
        };
        // Not by `leptos_axum`, which serves browsers: it would copy the request, and answer some headers by a redirect.
        let answer = function.run(Request::new(Body::from(form)));
        let answered = ScopedFuture { owner: self.context.clone(), observer: None, fut: answer }.await;
        if answered.status() == StatusCode::OK { answered } else { courteous() }
    }

    fn refuse(&self, path_and_query: &str, why: &'static str) -> Response {
        let Some(others) = self.refusals.count(Instant::now()) else {
            return StatusCode::FORBIDDEN.into_response();
        };
        let url = self.signatures.address(path_and_query);
        tracing::warn!(
            url,
            why,
            others,
            "refused a voice webhook that Twilio did not sign for this address: compare it with the one at Twilio, \
             and AUTH_TOKEN with the account's"
        );
        StatusCode::FORBIDDEN.into_response()
    }
}

fn courteous() -> Response {
    let twiml = Twiml::say(phrases::TROUBLE).into_string();
    ([(CONTENT_TYPE, "text/xml; charset=utf-8")], twiml).into_response()
}
