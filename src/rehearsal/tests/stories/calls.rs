//! A call between one customer and one operator, to each of its ends.

use std::net::UdpSocket;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    house::{CALLER, House, NUMBER},
    sdk::Sdk,
};

const DIAL: &str = r#"<Response><Dial answerOnBridge="true" callerId="client:masked"><Client><Identity>user001</Identity>
    <Parameter name="customerName" value="O'Neil &amp; Sons &lt;K&gt;"/></Client></Dial></Response>"#;

/// A customer's call that rings at user001: where it does, the device, the call's sid, and what the device was told.
async fn ringing(twiml: &str) -> (House, Sdk, String, Value) {
    let house = House::open().await;
    house.twiml("/incoming", twiml);
    let mut sdk = Sdk::register(&house, "user001").await;
    let sid = house.call().await;
    let invite = sdk.expect("invite").await;
    (house, sdk, sid, invite)
}

#[tokio::test]
async fn ring_accept_and_the_operator_hangs_up() {
    let (mut house, mut sdk, sid, invite) = ringing(DIAL).await;
    let asked = house.post("/incoming").await;
    assert_eq!(asked.headers["user-agent"], "TwilioProxy/1.1");
    for (field, value) in [
        ("CallSid", &sid[..]),
        ("AccountSid", "AC1"),
        ("From", CALLER),
        ("Caller", CALLER),
        ("To", NUMBER),
        ("Called", NUMBER),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("ApiVersion", "2010-04-01"),
        ("FromCountry", "GB"),
        ("ToCountry", "US"),
    ] {
        assert_eq!(asked.form[field], value, "{field}");
    }

    let parameters = &invite["parameters"];
    assert_eq!(parameters["From"], "client:masked");
    assert_eq!(parameters["To"], "client:user001");
    assert_eq!(parameters["CallSid"], invite["callsid"]);
    assert_eq!(parameters["Params"], "customerName=O%27Neil+%26+Sons+%3CK%3E");
    assert_ne!(invite["callsid"], sid);
    assert!(invite["reconnect"].is_string());
    // A telephone speaks G.711 and nothing else.
    assert!(!invite["sdp"].as_str().unwrap().contains("opus"));
    assert_eq!(house.until(&sid, "ringing").await["legs"][0]["status"], "ringing");

    sdk.answer(&invite).await;
    assert_eq!(house.until(&sid, "in-progress").await["legs"][0]["status"], "in-progress");
    sdk.send("hangup", json!({"callsid": invite["callsid"]})).await;
    let over = house.until(&sid, "completed").await;
    assert_eq!(over["status"], "completed");
    assert_eq!(over["legs"][0]["status"], "completed");
    assert_eq!(over["heard"][0]["kind"], "ringback");
    let frames = house.frames().await;
    assert!(frames.contains("client:masked") && !frames.contains("7700900101"), "{frames}");
    assert_eq!(house.api(Method::GET, "/media", None).await["legs"], 0);
    house.close().await;
}

#[tokio::test]
async fn the_caller_hangs_up() {
    let (house, mut sdk, sid, invite) = ringing(DIAL).await;
    sdk.answer(&invite).await;
    house.until(&sid, "in-progress").await;
    house.hang_up(&sid).await;
    assert_eq!(sdk.expect("hangup").await["callsid"], invite["callsid"]);
    assert_eq!(house.until(&sid, "completed").await["status"], "completed");
}

#[tokio::test]
async fn the_caller_gives_up() {
    let (house, mut sdk, sid, invite) = ringing(DIAL).await;
    house.hang_up(&sid).await;
    assert_eq!(sdk.expect("cancel").await["callsid"], invite["callsid"]);
    let over = house.until(&sid, "canceled").await;
    assert_eq!((&over["status"], &over["legs"][0]["status"]), (&json!("canceled"), &json!("canceled")));
    // An answer that comes too late finds no call.
    sdk.answer(&invite).await;
    assert_eq!(sdk.expect("hangup").await["callsid"], invite["callsid"]);
}

#[tokio::test]
async fn the_operator_declines() {
    let (house, mut sdk, sid, invite) = ringing(DIAL).await;
    sdk.send("reject", json!({"callsid": invite["callsid"]})).await;
    assert_eq!(house.until(&sid, "busy").await["status"], "busy");
}

#[tokio::test]
async fn the_operators_microphone_fails() {
    let (house, mut sdk, sid, invite) = ringing(DIAL).await;
    sdk.send("hangup", json!({"callsid": invite["callsid"]})).await;
    assert_eq!(house.until(&sid, "no-answer").await["status"], "no-answer");
}

#[tokio::test]
async fn nobody_is_registered() {
    let house = House::open().await;
    house.twiml("/incoming", DIAL);
    let sid = house.call().await;
    let over = house.until(&sid, "no-answer").await;
    assert_eq!((&over["status"], &over["legs"][0]["status"]), (&json!("no-answer"), &json!("no-answer")));
}

#[tokio::test]
async fn nobody_answers_in_time() {
    let (house, mut sdk, sid, _) = ringing(
        r#"<Response><Dial answerOnBridge="true" timeout="1"><Client>user001</Client></Dial></Response>"#,
    )
    .await;
    sdk.expect("cancel").await;
    assert_eq!(house.until(&sid, "no-answer").await["status"], "no-answer");
}

#[tokio::test]
async fn they_talk_for_too_long() {
    let dial = r#"<Response><Dial timeLimit="1"><Client>user001</Client></Dial></Response>"#;
    let (house, mut sdk, sid, invite) = ringing(dial).await;
    sdk.answer(&invite).await;
    sdk.expect("hangup").await;
    assert_eq!(house.until(&sid, "completed").await["status"], "completed");
}

#[tokio::test]
async fn without_caller_id_the_number_is_passed_on_as_twilio_does() {
    let dial = "<Response><Dial><Client>user001</Client></Dial></Response>";
    let (_house, _sdk, _, invite) = ringing(dial).await;
    assert_eq!(invite["parameters"]["From"], CALLER);
    assert!(invite["parameters"].get("Params").is_none());
}

#[tokio::test]
async fn digits_messages_and_outgoing_calls() {
    let (house, mut sdk, sid, invite) = ringing(DIAL).await;
    sdk.answer(&invite).await;
    house.until(&sid, "in-progress").await;
    sdk.send("dtmf", json!({"callsid": invite["callsid"], "dtmf": "1w2#"})).await;
    sdk.send("message", json!({"callsid": invite["callsid"], "voiceeventsid": "KX1", "content": "{}"})).await;
    assert_eq!(sdk.expect("ack").await["voiceeventsid"], "KX1");
    sdk.send("invite", json!({"callsid": "TJSout", "sdp": "v=0", "twilio": {}})).await;
    assert_eq!(sdk.expect("hangup").await["error"]["code"], 31201);
    sdk.send("hangup", json!({"callsid": invite["callsid"]})).await;
    assert_eq!(house.until(&sid, "completed").await["digits"], "1w2#");
}

/// Firefox sends sound from no loopback address and to none, and it seems that Safari does not either.
#[tokio::test]
async fn all_but_chromium_are_offered_more_than_loopback() {
    for (browser, most) in [
        ("Mozilla/5.0 Gecko/20100101 Firefox/153.0", 2),
        ("Mozilla/5.0 Version/26.0 Safari/605.1.15", 2),
        ("Mozilla/5.0 HeadlessChrome/156.0 Safari/537.36", 1),
    ] {
        let house = House::open().await;
        house.twiml("/incoming", DIAL);
        let mut sdk = Sdk::register_from(&house, "user001", browser).await;
        house.call().await;
        let invite = sdk.expect("invite").await;
        let offered = invite["sdp"].as_str().unwrap().lines().filter(|line| line.starts_with("a=candidate"));
        // A machine without a network has no other address.
        let there = if has_network() { most } else { 1 };
        assert_eq!(offered.count(), there, "{browser}: {invite}");
    }
}

fn has_network() -> bool {
    UdpSocket::bind("0.0.0.0:0").unwrap().connect("203.0.113.1:9").is_ok()
}
