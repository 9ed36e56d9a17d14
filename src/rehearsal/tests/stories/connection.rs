//! Sockets that are lost, and foreign pages that would like one.

use futures::StreamExt;
use reqwest::{Method, StatusCode, header};
use serde_json::json;
use tokio_tungstenite::{connect_async, tungstenite::client::IntoClientRequest};

use crate::{
    house::{House, account, guard},
    sdk::{Sdk, answer_to, offer_like, token},
};

const DIAL: &str =
    r#"<Response><Dial answerOnBridge="true" action="/dialed"><Client>user001</Client></Dial></Response>"#;

#[tokio::test]
async fn a_socket_lost_while_ringing_falls_through() {
    let mut house = House::open().await;
    house.twiml("/incoming", DIAL);
    house.twiml("/dialed", "<Response/>");
    let mut sdk = Sdk::register(&house, "user001").await;
    house.call().await;
    sdk.expect("invite").await;
    house.api(Method::POST, "/devices/user001/cut", None).await;
    assert_eq!(sdk.next().await, None);
    assert_eq!(house.post("/dialed").await.form["DialCallStatus"], "no-answer");
}

#[tokio::test]
async fn a_socket_lost_in_a_call_and_back_with_the_token() {
    let house = House::open().await;
    house.twiml("/incoming", DIAL);
    let mut sdk = Sdk::register(&house, "user001").await;
    let sid = house.call().await;
    let invite = sdk.accept().await;
    house.until(&sid, "in-progress").await;
    house.api(Method::POST, "/devices/user001/cut", None).await;
    assert_eq!(sdk.next().await, None);

    let mut sdk = Sdk::register(&house, "user001").await;
    let same_browser = answer_to(invite["sdp"].as_str().unwrap());
    sdk.come_back(&invite["callsid"], &json!("RTwrong"), &same_browser).await;
    assert_eq!(sdk.expect("hangup").await["error"]["code"], 31209);
    sdk.come_back(&invite["callsid"], &invite["reconnect"], &same_browser).await;
    let answer = sdk.expect("answer").await;
    assert_eq!(answer["callsid"], invite["callsid"]);
    assert!(answer.get("sdp").is_none());
    assert_ne!(answer["reconnect"], invite["reconnect"]);
    assert_eq!(house.until(&sid, "in-progress").await["status"], "in-progress");
    house.hang_up(&sid).await;
    sdk.expect("hangup").await;
}

#[tokio::test]
async fn another_device_takes_the_call_over() {
    let house = House::open().await;
    house.twiml("/incoming", DIAL);
    let mut one = Sdk::register(&house, "user001").await;
    let sid = house.call().await;
    let invite = one.accept().await;
    house.until(&sid, "in-progress").await;
    let mut two = Sdk::register(&house, "user001").await;
    let offer = offer_like(invite["sdp"].as_str().unwrap());
    two.come_back(&invite["callsid"], &invite["reconnect"], &offer).await;
    assert!(two.expect("answer").await["sdp"].is_string());
    one.expect("hangup").await;
    house.hang_up(&sid).await;
    two.expect("hangup").await;
    assert_eq!(house.until(&sid, "completed").await["status"], "completed");
}

#[tokio::test]
async fn a_call_whose_operator_stays_away_ends() {
    let mut house = House::open().await;
    house.twiml("/incoming", DIAL);
    house.twiml("/dialed", "<Response/>");
    let mut sdk = Sdk::register(&house, "user001").await;
    // It asked for no time at all.
    sdk.send("listen", json!({"token": token("user001", 3600), "reconnectTimeout": 0})).await;
    sdk.expect("connected").await;
    let sid = house.call().await;
    sdk.accept().await;
    house.until(&sid, "in-progress").await;
    drop(sdk);
    assert_eq!(house.post("/dialed").await.form["DialCallStatus"], "completed");
    house.until(&sid, "completed").await;
}

#[tokio::test]
async fn without_reconnect_tokens_if_asked() {
    let house = House::open().await;
    house.twiml("/incoming", DIAL);
    house.fault(json!({"reconnectTokens": false})).await;
    let mut sdk = Sdk::register(&house, "user001").await;
    house.call().await;
    assert!(sdk.expect("invite").await.get("reconnect").is_none());
}

#[tokio::test]
async fn a_heartbeat_comes_in_time_unless_the_cloud_is_silent() {
    let house = House::open().await;
    let (mut socket, _) = connect_async(format!("ws://{}/signal", house.addr)).await.unwrap();
    let beat = guard(socket.next()).await.unwrap().unwrap();
    assert_eq!(beat.into_text().unwrap().as_str(), "\n");

    house.fault(json!({"silent": true})).await;
    let shown = house.api(Method::GET, "/cloud", None).await;
    assert_eq!(
        shown,
        json!({"refuseTokens": false, "silent": true, "offline": false, "reconnectTokens": true, "tokenTtlCap": null})
    );
    let mut sdk = Sdk::connect(&house).await;
    sdk.listen(&token("user001", 3600)).await;
    guard(async { while !house.frames().await.contains("listen") {} }).await;
    assert_eq!(house.api(Method::GET, "/devices", None).await, json!([]));
    // Had the first one been answered, its answer would come before this one's.
    house.fault(json!({"silent": false, "tokenTtlCap": 60})).await;
    sdk.listen(&token("user001", 3600)).await;
    assert!((50..=60).contains(&sdk.expect("connected").await["token"]["ttl"].as_u64().unwrap()));
}

#[tokio::test]
async fn sent_away_for_good() {
    let house = House::open().await;
    let mut sdk = Sdk::register(&house, "user001").await;
    house.api(Method::POST, "/devices/user001/close", None).await;
    sdk.expect("close").await;
}

#[tokio::test]
async fn foreign_pages_are_refused() {
    let house = House::open().await;
    let get = |path: &str, name: header::HeaderName, value: String| {
        house.http.get(format!("http://{}{path}", house.addr)).header(name, value).send()
    };
    let foreign = || "http://evil.example".to_owned();
    assert_eq!(get("/api/calls", header::ORIGIN, foreign()).await.unwrap().status(), StatusCode::FORBIDDEN);
    let rebound = format!("evil.example:{}", house.addr.port());
    for path in ["/", "/api/calls", "/signal"] {
        assert_eq!(get(path, header::HOST, rebound.clone()).await.unwrap().status(), StatusCode::FORBIDDEN);
    }
    let own = format!("http://{}", house.addr);
    assert_eq!(get("/api/calls", header::ORIGIN, own).await.unwrap().status(), StatusCode::OK);

    let mut request = format!("ws://{}/phone", house.addr).into_client_request().unwrap();
    request.headers_mut().insert("Origin", "http://localhost:3000".parse().unwrap());
    assert!(connect_async(request).await.is_err());
}

#[tokio::test]
async fn with_tls_it_answers_under_twilios_names() {
    let house = House::open().await;
    let url = format!("https://{}/v4/EndpointEvents", house.tls_addr);
    let request = house.http.request(Method::OPTIONS, &url).header(header::HOST, "eventgw.us1.twilio.com");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let response = house.http.post(&url).body("{}").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let rebound = house.http.post(&url).header(header::HOST, "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn no_other_machine_may_reach_it() {
    let settings = rehearsal::Settings {
        addr: ([0, 0, 0, 0], 0).into(),
        tls_addr: None,
        account: account(),
        number: String::new(),
        voice_url: String::new(),
        voice_fallback_url: None,
        status_callback_url: None,
        people: Vec::new(),
    };
    let Err(error) = rehearsal::start(settings).await else { panic!("it started") };
    assert_eq!(
        error.to_string(),
        "the rehearsal listens on loopback only, and 0.0.0.0:0 is not a loopback address"
    );
}
