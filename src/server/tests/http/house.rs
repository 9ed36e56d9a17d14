//! A server as tests want it, and requests as Twilio and browsers make them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use directory::{Demonstration, Directory, Entry, Guarded, PhoneNumber, Region, Silent};
use domain::Identity;
use records::Ledger;
use server::chance::Chance;
use server::clock::Clock;
use server::kept::Kept;
use server::late::Late;
use server::policy::Signalling;
use server::settings::{Account, BaseUrl, Keeping, Settings, Source};
use server::site::Site;
use server::token::TokenDesk;
use server::voice::{Reception, Signatures};
use server::{Parts, router};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::canary;
use crate::twilio::{AUTH_TOKEN, PUBLIC, signature};

/// A server, its address book, and what it keeps.
pub(crate) struct House {
    router: Router,
    pub(crate) kept: Kept,
    pub(crate) ledger: Ledger,
    folder: TempDir,
}

/// What a test wants otherwise.
pub(crate) struct Wanted {
    pub(crate) directory: Guarded,
    pub(crate) signalling: Signalling,
    pub(crate) unknown_callers: Option<Identity>,
}

/// The demonstration's people.
struct People(Demonstration);

#[async_trait]
impl Directory for People {
    async fn look_up(&self, number: &PhoneNumber) -> Result<Option<Entry>, Silent> {
        let person = self.0.people().iter().find(|person| person.number == *number);
        Ok(person.map(|person| person.entry.clone()))
    }
}

impl Default for Wanted {
    fn default() -> Self {
        let directory = Guarded::without_memory(People(Demonstration::new()), Region::JAPAN);
        Self { directory, signalling: Signalling::Twilio, unknown_callers: None }
    }
}

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
        Self::built(Wanted::default())
    }

    /// With this directory.
    pub(crate) fn with(directory: impl Directory) -> Self {
        Self::built(Wanted {
            directory: Guarded::without_memory(directory, Region::JAPAN),
            ..Wanted::default()
        })
    }

    /// In rehearsal at this address.
    pub(crate) fn in_rehearsal(at: &str) -> Self {
        Self::built(Wanted { signalling: Signalling::Rehearsal(at.to_owned()), ..Wanted::default() })
    }

    /// As it is wanted.
    pub(crate) fn built(wanted: Wanted) -> Self {
        canary::listen();
        let account = Account {
            account_sid: format!("AC{}", "0".repeat(32)),
            api_key_sid: format!("SK{}", "1".repeat(32)),
            api_key_secret: "the-api-key-secret".into(),
            auth_tokens: vec![AUTH_TOKEN.into()],
        };
        let public = BaseUrl::parse(PUBLIC).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (clock, keeping) = (Clock::standing_at(1_800_000_000), keeping(folder.path()));
        // On threads of its own, so it may be waited for here; unconstrained, since nobody would give the task another turn.
        let kept = futures::executor::block_on(tokio::task::unconstrained(Kept::open(&keeping))).unwrap();
        let ledger = Ledger::open(&keeping.folder, kept.customers.audit()).unwrap();
        let router = router(Parts {
            desk: Arc::new(TokenDesk::new(&account, 3600, ledger.clone(), clock.clone())),
            allowed_origins: vec!["https://console.example.com".to_owned()],
            signatures: Signatures::new(&account.auth_tokens, &public).unwrap(),
            reception: Reception {
                directory: wanted.directory,
                aliases: Late::here(kept.customers.aliases()),
                unknown_callers: wanted.unknown_callers,
                ledger: Arc::new(ledger.clone()),
                public,
                chance: Chance::seeded(1),
                clock,
            },
            signalling: wanted.signalling,
            // As it is released, if without files.
            site: Site::Carried,
            live_reload: None,
            secure: true,
        });
        Self { router, kept, ledger, folder }
    }

    /// Where it keeps things.
    pub(crate) fn folder(&self) -> PathBuf {
        keeping(self.folder.path()).folder
    }

    /// Any request.
    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
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

/// In this folder, as without settings.
pub(crate) fn keeping(folder: &Path) -> Keeping {
    let path = folder.display().to_string();
    let home = ("HITOKU_DATA", path.as_str());
    Settings::read(&Source::of([home])).unwrap().keeping
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

/// A request without a body.
pub(crate) fn bare(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).unwrap();
        request.headers_mut().append(name, HeaderValue::try_from(*value).unwrap());
    }
    request
}
