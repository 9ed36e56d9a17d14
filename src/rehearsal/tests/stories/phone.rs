//! The customer's phone: its page, and the socket that the page dials with.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{
    house::{CALLER, House, NUMBER, guard},
    sdk::{Sdk, offer_like},
};

#[tokio::test]
async fn the_page_runs_nothing_but_its_own_files() {
    let house = House::open().await;
    let page = house.http.get(format!("http://{}/", house.addr)).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let html = page.text().await.unwrap();
    assert!(!html.contains("<style") && !html.contains("style=") && !html.contains("onclick"));
    for file in ["phone.css", "phone.js", "sounds.js", "texts.js", "phone.svg"] {
        let response = house.http.get(format!("http://{}/{file}", house.addr)).send().await.unwrap();
        assert!(response.status().is_success(), "{file}");
    }
}

#[tokio::test]
async fn a_call_from_the_phone() {
    let mut house = House::open().await;
    house.twiml("/incoming", DIAL_AFTER_A_SENTENCE);
    let mut sdk = Sdk::register(&house, "user001").await;
    let mut phone = Phone::open(&house).await;
    let offer = phone_offer(&house, &mut sdk).await;

    phone.send(json!({"type": "dial", "from": CALLER, "sdp": offer})).await;
    let dialled = phone.until("dialled").await;
    assert!(dialled["sdp"].as_str().unwrap().contains("m=audio"));
    assert_eq!(house.post("/incoming").await.form["From"], CALLER);
    let say = phone.until("say").await;
    assert_eq!((&say["text"], &say["language"]), (&json!("お待ちください。"), &json!("ja-JP")));
    phone.send(json!({"type": "spoken", "id": say["id"]})).await;
    assert_eq!(phone.until("ringback").await, json!({"type": "ringback", "on": true, "tone": "jp"}));

    let invite = sdk.accept().await;
    // Two browsers may agree on better than a telephone.
    assert!(invite["sdp"].as_str().unwrap().contains("opus"));
    assert_eq!(phone.until("ringback").await["on"], false);
    assert_eq!(phone.until("talking").await["on"], true);
    sdk.send("dtmf", json!({"callsid": invite["callsid"], "dtmf": "7"})).await;
    assert_eq!(phone.until("digit").await["digit"], "7");
    phone.send(json!({"type": "hangup"})).await;
    sdk.expect("hangup").await;
    assert_eq!(phone.until("status").await["status"], "completed");
}

#[tokio::test]
async fn a_page_that_is_closed_hangs_up() {
    let house = House::open().await;
    house.twiml("/incoming", DIAL_AFTER_A_SENTENCE);
    let mut sdk = Sdk::register(&house, "user001").await;
    let mut phone = Phone::open(&house).await;
    let offer = phone_offer(&house, &mut sdk).await;
    phone.send(json!({"type": "dial", "from": "anonymous", "sdp": offer})).await;
    let say = phone.until("say").await;
    phone.send(json!({"type": "spoken", "id": say["id"]})).await;
    sdk.expect("invite").await;
    drop(phone);
    sdk.expect("cancel").await;
}

#[tokio::test]
async fn a_recording_that_cannot_be_played_is_not_tried_again() {
    let house = House::open().await;
    house.twiml("/incoming", DIAL_AFTER_A_SENTENCE);
    let mut sdk = Sdk::register(&house, "user001").await;
    let mut phone = Phone::open(&house).await;
    let offer = phone_offer(&house, &mut sdk).await;
    house.twiml("/incoming", r#"<Response><Play loop="0">/gone.mp3</Play><Say>After it</Say></Response>"#);
    phone.send(json!({"type": "dial", "from": "+44 7700 900101", "sdp": offer})).await;
    let play = phone.until("play").await;
    phone.send(json!({"type": "spoken", "id": play["id"], "failed": true})).await;
    assert_eq!(phone.until("say").await["text"], "After it");
}

#[tokio::test]
async fn a_phone_without_usable_sound_is_told() {
    let house = House::open().await;
    let mut phone = Phone::open(&house).await;
    phone.send(json!({"type": "dial", "from": CALLER, "sdp": "nonsense"})).await;
    phone.until("refused").await;
}

const DIAL_AFTER_A_SENTENCE: &str = r#"<Response><Say language="ja-JP">お待ちください。</Say>
    <Dial callerId="client:masked" ringTone="jp"><Client>user001</Client></Dial></Response>"#;

struct Phone {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Phone {
    async fn open(house: &House) -> Self {
        let (socket, _) = guard(connect_async(format!("ws://{}/phone", house.addr))).await.unwrap();
        let mut phone = Self { socket };
        let hello = phone.until("hello").await;
        assert_eq!(hello["number"], NUMBER);
        assert_eq!(hello["people"], json!([{"label": "越井 琢巳", "number": CALLER, "operator": "user001"}]));
        phone
    }

    async fn send(&mut self, message: Value) {
        self.socket.send(Message::Text(message.to_string().into())).await.unwrap();
    }

    /// The next message of that kind; others before it are dropped.
    async fn until(&mut self, kind: &str) -> Value {
        guard(async {
            loop {
                let message = self.socket.next().await.unwrap().unwrap();
                let Message::Text(text) = message else { continue };
                let message: Value = serde_json::from_str(text.as_str()).unwrap();
                if message["type"] == kind {
                    return message;
                }
            }
        })
        .await
    }
}

/// What a browser would offer: the rehearsal's own offer to a device, seen from the other side.
async fn phone_offer(house: &House, sdk: &mut Sdk) -> String {
    let sid = house.call().await;
    let invite = sdk.expect("invite").await;
    house.hang_up(&sid).await;
    sdk.expect("cancel").await;
    offer_like(invite["sdp"].as_str().unwrap())
}
