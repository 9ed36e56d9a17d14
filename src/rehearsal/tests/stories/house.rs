//! A rehearsal, and a company's server that answers as a story wants.
//!
//! Every webhook's signature is checked on arrival.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{OriginalUri, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use rehearsal::{Account, Person, Rehearsal, Settings};
use serde_json::{Value, json};
use sha1::Sha1;
use tokio::{net::TcpListener, sync::mpsc, time};

pub(crate) const NUMBER: &str = "+15005550006";
pub(crate) const CALLER: &str = "+447700900101";
const AUTH_TOKEN: &str = "auth-token";

/// A rehearsal with everything around it.
pub(crate) struct House {
    pub(crate) addr: SocketAddr,
    pub(crate) tls_addr: SocketAddr,
    pub(crate) company: SocketAddr,
    pub(crate) http: reqwest::Client,
    rehearsal: Rehearsal,
    answers: Answers,
    posts: mpsc::UnboundedReceiver<Post>,
}

type Answers = Arc<Mutex<HashMap<String, Answer>>>;

/// What the company's server answers.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// A webhook that arrived.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) path: String,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) form: BTreeMap<String, String>,
}

impl House {
    /// With `/incoming` as the voice URL and nothing else configured.
    pub(crate) async fn open() -> Self {
        Self::open_with(|_, _| {}).await
    }

    /// With other settings; the second argument is the company's base URL.
    pub(crate) async fn open_with(change: impl FnOnce(&mut Settings, &str)) -> Self {
        let answers = Answers::default();
        let (sender, posts) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let company = listener.local_addr().unwrap();
        let routes = Router::new().fallback(answer).with_state((answers.clone(), sender, company));
        tokio::spawn(axum::serve(listener, routes).into_future());

        let base = format!("http://{company}");
        let mut settings = Settings {
            addr: ([127, 0, 0, 1], 0).into(),
            tls_addr: Some(([127, 0, 0, 1], 0).into()),
            account: account(),
            number: NUMBER.into(),
            voice_url: format!("{base}/incoming"),
            voice_fallback_url: None,
            status_callback_url: None,
            people: vec![Person {
                label: "越井 琢巳".into(),
                number: CALLER.into(),
                operator: Some("user001".into()),
            }],
        };
        change(&mut settings, &base);
        let rehearsal = rehearsal::start(settings).await.unwrap();
        let http =
            reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().unwrap();
        Self {
            addr: rehearsal.addr(),
            tls_addr: rehearsal.tls_addr().unwrap(),
            company,
            http,
            rehearsal,
            answers,
            posts,
        }
    }

    /// What `path` answers from now on.
    pub(crate) fn twiml(&self, path: &str, body: &str) {
        self.answer(path, Answer { status: 200, content_type: "text/xml", body: body.into() });
    }

    /// The same, with everything said.
    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.into(), answer);
    }

    /// The next webhook to `path`; others before it are dropped.
    pub(crate) async fn post(&mut self, path: &str) -> Post {
        guard(async {
            loop {
                let post = self.posts.recv().await.unwrap();
                if post.path == path {
                    return post;
                }
            }
        })
        .await
    }

    /// A customer calls.
    pub(crate) async fn call(&self) -> String {
        self.call_from(CALLER).await
    }

    pub(crate) async fn call_from(&self, from: &str) -> String {
        let placed = self.api(Method::POST, "/calls", Some(json!({"from": from, "toneHz": 440}))).await;
        placed["callSid"].as_str().unwrap().to_owned()
    }

    /// The call, as soon as it has that status or is over.
    pub(crate) async fn until(&self, sid: &str, status: &str) -> Value {
        self.api(Method::GET, &format!("/calls/{sid}?until={status}"), None).await
    }

    pub(crate) async fn hang_up(&self, sid: &str) {
        self.api(Method::POST, &format!("/calls/{sid}/hangup"), None).await;
    }

    pub(crate) async fn fault(&self, patch: Value) {
        self.api(Method::PATCH, "/cloud", Some(patch)).await;
    }

    /// The HTTP API; `null` where it answers nothing.
    pub(crate) async fn api(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("http://{}/api{path}", self.addr);
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let response = guard(request.send()).await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default()
    }

    /// Everything that was said on the signalling, for what must never have been said.
    pub(crate) async fn frames(&self) -> String {
        self.api(Method::GET, "/frames", None).await.to_string()
    }

    /// Ends it.
    pub(crate) async fn close(self) {
        guard(self.rehearsal.stop()).await;
    }
}

/// The account of every story.
pub(crate) fn account() -> Account {
    Account {
        account_sid: "AC1".into(),
        auth_token: AUTH_TOKEN.into(),
        api_key_sid: "SK1".into(),
        api_key_secret: "key-secret".into(),
    }
}

/// Fails a story that waits in vain.
pub(crate) async fn guard<F: Future>(future: F) -> F::Output {
    time::timeout(Duration::from_secs(20), future).await.expect("waited in vain")
}

type Shared = (Answers, mpsc::UnboundedSender<Post>, SocketAddr);

async fn answer(
    State((answers, posts, company)): State<Shared>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let signed = sign(&format!("http://{company}{uri}"), &form);
    assert_eq!(headers.get("x-twilio-signature").unwrap(), &signed, "{uri}");
    let found = answers.lock().unwrap().get(uri.path()).cloned();
    drop(posts.send(Post { path: uri.path().into(), method, headers, form }));
    match found {
        Some(Answer { status, content_type, body }) => {
            (StatusCode::from_u16(status).unwrap(), [(header::CONTENT_TYPE, content_type)], body)
                .into_response()
        }
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

fn sign(url: &str, form: &BTreeMap<String, String>) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(AUTH_TOKEN.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    for (name, value) in form {
        mac.update(format!("{name}{value}").as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}
