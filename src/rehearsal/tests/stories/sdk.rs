//! A device that speaks the signalling of the Voice SDK, without a browser and without sound.
//!
//! It answers heartbeats and says nothing that it is not told to say.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::{SinkExt, StreamExt};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use crate::house::{House, guard};

/// A connected socket.
pub(crate) struct Sdk {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Sdk {
    /// A socket on which nothing was said yet.
    pub(crate) async fn connect(house: &House) -> Self {
        Self::connect_from(house, "Chrome/156.0").await
    }

    /// A device that is rung when its identity is dialled.
    pub(crate) async fn register(house: &House, identity: &str) -> Self {
        Self::connect(house).await.registered(identity).await
    }

    /// The same, in a browser that says of itself that it is this.
    pub(crate) async fn register_from(house: &House, identity: &str, browser: &'static str) -> Self {
        Self::connect_from(house, browser).await.registered(identity).await
    }

    async fn connect_from(house: &House, browser: &'static str) -> Self {
        let mut request = format!("ws://{}/signal", house.addr).into_client_request().unwrap();
        request.headers_mut().insert("user-agent", HeaderValue::from_static(browser));
        let (socket, _) = guard(connect_async(request)).await.unwrap();
        Self { socket }
    }

    async fn registered(mut self, identity: &str) -> Self {
        self.listen(&token(identity, 3600)).await;
        self.expect("connected").await;
        self.send("register", json!({"media": {"audio": true}})).await;
        self.expect("ready").await;
        self
    }

    pub(crate) async fn listen(&mut self, token: &str) {
        self.send("listen", json!({"token": token, "reconnectTimeout": 30, "browserinfo": {}})).await;
    }

    pub(crate) async fn send(&mut self, kind: &str, payload: Value) {
        let frame = json!({"type": kind, "version": "1.6", "payload": payload});
        self.socket.send(Message::Text(frame.to_string().into())).await.unwrap();
    }

    /// The next frame's payload; it must be of that kind.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        let frame = self.next().await.unwrap_or_else(|| panic!("closed instead of {kind}"));
        assert_eq!(frame["type"], kind, "{frame}");
        frame["payload"].clone()
    }

    /// The next frame; `None` when the socket is closed.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        guard(async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) if text.as_str() == "\n" => {
                        self.socket.send(Message::Text("\n".into())).await.unwrap();
                    }
                    Some(Ok(Message::Text(text))) => {
                        return Some(serde_json::from_str(text.as_str()).unwrap());
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    Some(Ok(_)) => {}
                }
            }
        })
        .await
    }

    /// Takes the call that is coming; returns its `invite`.
    pub(crate) async fn accept(&mut self) -> Value {
        let invite = self.expect("invite").await;
        self.answer(&invite).await;
        invite
    }

    pub(crate) async fn answer(&mut self, invite: &Value) {
        let sdp = answer_to(invite["sdp"].as_str().unwrap());
        self.send("answer", json!({"callsid": invite["callsid"], "sdp": sdp})).await;
    }

    /// Comes back to a call, as after a lost socket.
    pub(crate) async fn come_back(&mut self, callsid: &Value, reconnect: &Value, sdp: &str) {
        self.send("invite", json!({"callsid": callsid, "reconnect": reconnect, "sdp": sdp, "twilio": {}}))
            .await;
    }
}

/// An access token as Twilio's library makes it.
pub(crate) fn token(identity: &str, lifetime: i64) -> String {
    token_with(identity, lifetime, json!({"incoming": {"allow": true}}))
}

pub(crate) fn token_with(identity: &str, lifetime: i64, voice: Value) -> String {
    let now = i64::try_from(now()).unwrap();
    let header = json!({"alg": "HS256", "typ": "JWT", "cty": "twilio-fpa;v=1"});
    let issued_at = now.min(now + lifetime);
    let payload = json!({
        "jti": "SK1-1", "iss": "SK1", "sub": "AC1", "iat": issued_at, "exp": now + lifetime,
        "grants": {"identity": identity, "voice": voice},
    });
    let segment = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!("{}.{}", segment(header), segment(payload));
    let mut mac = Hmac::<Sha256>::new_from_slice(b"key-secret").unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[expect(clippy::disallowed_methods, reason = "the rehearsal compares tokens with the wall clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What a browser would answer, as far as signalling can tell.
pub(crate) fn answer_to(offer: &str) -> String {
    browser_description(offer, "active")
}

/// What a browser would offer that comes back on another device.
pub(crate) fn offer_like(offer: &str) -> String {
    browser_description(offer, "actpass")
}

fn browser_description(offer: &str, setup: &str) -> String {
    let lines = offer.lines().filter(|line| !line.starts_with("a=candidate") && *line != "a=ice-lite");
    let line = |line: &str| match line.split_once(':') {
        Some(("a=setup", _)) => format!("a=setup:{setup}\r\n"),
        Some(("a=ice-ufrag", _)) => format!("a=ice-ufrag:{setup}\r\n"),
        Some(("a=ice-pwd", _)) => "a=ice-pwd:0123456789abcdef01234567\r\n".to_owned(),
        _ => format!("{line}\r\n"),
    };
    lines.map(line).collect()
}
