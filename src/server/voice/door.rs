//! The door of the voice webhooks: lets in what Twilio signed, and nobody out without TwiML.
//!
//! Invariant: an answer is 403 before the signature fits, and 200 with TwiML after, whatever panics, fails or is malformed.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
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
        enter(door, request).await
    } else {
        next.run(request).await
    }
}

/// Answers any request to a voice webhook.
///
/// No `async fn` and no handler, which would keep the whole request until the answer: its future, and that of the server
/// function, are small enough for an allocator to be at its fastest.
pub(crate) fn enter(door: Arc<Door>, request: Request) -> impl Future<Output = Response> + Send {
    let asked = Asked::of(request);
    let answered = async move { door.answer(asked).await };
    AssertUnwindSafe(answered).catch_unwind().map(|answered| {
        answered.unwrap_or_else(|_| {
            tracing::error!("a voice webhook panicked; the caller was asked to call again");
            courteous()
        })
    })
}

/// Of a request, what is looked at.
struct Asked {
    posted: bool,
    address: PathAndQuery,
    signature: Option<HeaderValue>,
    body: Body,
}

impl Asked {
    fn of(request: Request) -> Self {
        let (mut head, body) = request.into_parts();
        let address = head.uri.into_parts().path_and_query;
        Self {
            posted: head.method == Method::POST,
            address: address.unwrap_or_else(|| PathAndQuery::from_static("/")),
            signature: head.headers.remove(SIGNATURE),
            body,
        }
    }
}

impl Door {
    pub(crate) fn new(signatures: Signatures, reception: Reception) -> Self {
        let context = Owner::new();
        context.with(|| provide_context(Arc::new(reception)));
        Self { signatures, context, refusals: Refusals::default() }
    }

    async fn answer(&self, asked: Asked) -> Response {
        let Asked { posted, address, signature, body } = asked;
        // First: who signs nothing is not waited for.
        let Some(signature) = signature else {
            return self.refuse(&address, "it has no X-Twilio-Signature");
        };
        // Of a GET, Twilio signs the address alone, and its query is the form.
        let (form, fields) = if posted {
            let body = timeout(BODY_WITHIN, to_bytes(body, LARGEST_BODY)).await;
            let Ok(Ok(body)) = body else { return self.refuse(&address, "its body cannot be read") };
            (body.clone(), body)
        } else {
            (Bytes::copy_from_slice(address.query().unwrap_or_default().as_bytes()), Bytes::new())
        };
        if !self.signatures.fit(signature.as_bytes(), address.as_str(), &fields) {
            return self.refuse(&address, "its X-Twilio-Signature does not fit");
        }
        let path = address.path().trim_end_matches('/');
        let Some(mut function) = get_server_fn_service(path, Method::POST) else {
            let url = self.signatures.address(address.as_str());
            tracing::error!(
                url,
                "Twilio was told a wrong address: that of a call that comes in ends with /incoming"
            );
            return courteous();
        };
        // Not by `leptos_axum`, which serves browsers: it would copy the request, and answer some headers by a redirect.
        // A panic is caught inside, or else this thread would stay in this context.
        let answer = AssertUnwindSafe(function.run(Request::new(Body::from(form)))).catch_unwind();
        let answered = ScopedFuture { owner: self.context.clone(), observer: None, fut: answer }.await;
        match answered {
            Ok(answered) if answered.status() == StatusCode::OK => answered,
            Ok(_) => courteous(),
            Err(panic) => resume_unwind(panic),
        }
    }

    fn refuse(&self, address: &PathAndQuery, why: &'static str) -> Response {
        let Some(others) = self.refusals.count(Instant::now()) else {
            return StatusCode::FORBIDDEN.into_response();
        };
        let url = self.signatures.address(address.as_str());
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

#[cfg(test)]
mod tests {
    use leptos::server_fn::ServerFn;

    use super::*;
    use crate::voice::endpoints::Incoming;

    /// Of a larger piece of memory glibc's allocator looks for one in arenas, of which each has a lock, and a task may have moved from one thread to another.
    const LARGEST_OF_A_THREADS_OWN: usize = 1032;

    #[test]
    fn what_a_call_keeps_while_it_waits_is_small() {
        fn size_of_the_future<F: Future>(_: impl FnOnce() -> F) -> usize {
            size_of::<F>()
        }
        let door = || -> Arc<Door> { unreachable!("its future is measured, and not made") };
        assert!(size_of_the_future(|| enter(door(), Request::default())) <= LARGEST_OF_A_THREADS_OWN);
        let run = || Incoming::run_on_server(Request::<Body>::default());
        assert!(size_of_the_future(run) <= LARGEST_OF_A_THREADS_OWN);
    }
}
