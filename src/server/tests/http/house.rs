//! A server as tests want it, and requests as Twilio and browsers make them.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use directory::{Demonstration, Directory};
use hmac::{Hmac, KeyInit, Mac};
use server::chance::Chance;
use server::clock::Clock;
use server::policy::Signalling;
use server::settings::{Account, BaseUrl};
use server::site::Site;
use server::token::TokenDesk;
use server::voice::{Reception, Signatures};
use server::{Parts, router};
use sha1::Sha1;
use tower::ServiceExt;

use crate::canary;

pub(crate) const PUBLIC: &str = "https://calls.example.com";
const AUTH_TOKEN: &str = "the-auth-token";

/// A server and its address book.
pub(crate) struct House(Router);

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl House {
    /// With the demonstration's people.
    pub(crate) fn new() -> Self {
        Self::with(Demonstration::new())
    }

    /// With this directory.
    pub(crate) fn with(directory: impl Directory) -> Self {
        Self::built(Arc::new(directory), Signalling::Twilio)
    }

    /// In rehearsal at this address.
    pub(crate) fn in_rehearsal(at: &str) -> Self {
        Self::built(Arc::new(Demonstration::new()), Signalling::Rehearsal(at.to_owned()))
    }

    fn built(directory: Arc<dyn Directory>, signalling: Signalling) -> Self {
        canary::listen();
        let account = Account {
            account_sid: format!("AC{}", "0".repeat(32)),
            api_key_sid: format!("SK{}", "1".repeat(32)),
            api_key_secret: "the-api-key-secret".into(),
            auth_token: AUTH_TOKEN.into(),
        };
        let public = BaseUrl::parse(PUBLIC).unwrap();
        Self(router(Parts {
            desk: Arc::new(TokenDesk::new(&account, 3600, Clock::standing_at(1_800_000_000))),
            allowed_origins: vec!["https://console.example.com".to_owned()],
            signatures: Signatures::new(&account.auth_token, &public).unwrap(),
            reception: Reception::new(directory, public, Chance::seeded(1)),
            signalling,
            site: Site::Disk("no/such/folder".into()),
            live_reload: None,
            secure: true,
        }))
    }

    /// Any request.
    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.0.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        canary::assert_silent();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// A webhook with these fields, as Twilio posts and signs it.
    pub(crate) async fn webhook(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.ask(signed(path, body.into_bytes())).await
    }
}

impl Answer {
    /// A header's text; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What a caller hears, from TwiML that must be valid.
    pub(crate) fn sentence(&self) -> String {
        assert_eq!((self.status, self.header("content-type")), (StatusCode::OK, "text/xml; charset=utf-8"));
        let document = roxmltree::Document::parse(&self.body).unwrap();
        let response = document.root_element();
        assert_eq!(response.tag_name().name(), "Response");
        let say = response.first_element_child().unwrap();
        assert_eq!(
            (say.tag_name().name(), say.attribute("language")),
            ("Say", Some("ja-JP")),
            "{}",
            self.body
        );
        say.text().unwrap().to_owned()
    }
}

/// A POST with any body, signed as Twilio would.
pub(crate) fn signed(path: &str, body: Vec<u8>) -> Request<Body> {
    let signature = signature(path, &body);
    Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
        .header("x-twilio-signature", signature)
        .body(Body::from(body))
        .unwrap()
}

/// Twilio's signature of a form posted to this path.
pub(crate) fn signature(path: &str, form: &[u8]) -> String {
    let mut fields: Vec<_> = form_urlencoded::parse(form).into_owned().collect();
    fields.sort();
    fields.dedup();
    let text =
        fields.into_iter().fold(format!("{PUBLIC}{path}"), |text, (name, value)| text + &name + &value);
    let mut mac = Hmac::<Sha1>::new_from_slice(AUTH_TOKEN.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

/// A request without a body.
pub(crate) fn bare(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).unwrap();
        request.headers_mut().append(name, HeaderValue::try_from(*value).unwrap());
    }
    request
}
