//! Who may register, who is refused and with which code, and what becomes of a token whose time is over.

use reqwest::Method;
use serde_json::json;

use crate::{
    house::{House, guard},
    sdk::{Sdk, token, token_with},
};

#[tokio::test]
async fn a_device_registers_and_unregisters() {
    let house = House::open().await;
    let mut sdk = Sdk::connect(&house).await;
    sdk.listen(&token("user001", 3600)).await;
    let connected = sdk.expect("connected").await;
    assert_eq!(connected["token"]["identity"], "user001");
    assert!(connected["token"]["ttl"].as_u64().unwrap() > 3590, "{connected}");
    sdk.send("register", json!({"media": {"audio": true}})).await;
    sdk.expect("ready").await;
    let devices = house.api(Method::GET, "/devices", None).await;
    assert_eq!(devices[0]["identity"], "user001");
    assert_eq!(devices[0]["registered"], true);
    sdk.send("register", json!({"media": {"audio": false}})).await;
    sdk.expect("offline").await;
    assert_eq!(house.api(Method::GET, "/devices", None).await[0]["registered"], false);
    house.close().await;
}

#[tokio::test]
async fn register_before_listen_is_refused_and_can_be_made_good() {
    let house = House::open().await;
    let mut sdk = Sdk::connect(&house).await;
    sdk.send("register", json!({"media": {"audio": true}})).await;
    assert_eq!(sdk.expect("error").await["error"]["code"], 31204);
    sdk.listen(&token("user001", 3600)).await;
    sdk.expect("connected").await;
}

#[tokio::test]
async fn a_bad_token_is_refused_with_its_code_and_the_socket_closed() {
    let house = House::open().await;
    let good = token("user001", 3600);
    let cases = [
        ("nonsense".to_owned(), 31204),
        (good.replace('A', "B"), 31204),
        (token("user001", -5), 31205),
        (token("user001", 25 * 3600), 31207),
        (token("first.last@example.com", 3600), 31201),
    ];
    for (token, code) in cases {
        let mut sdk = Sdk::connect(&house).await;
        sdk.listen(&token).await;
        assert_eq!(sdk.expect("error").await["error"]["code"], code);
        assert_eq!(sdk.next().await, None);
    }
}

#[tokio::test]
async fn without_the_incoming_grant_one_may_connect_but_not_register() {
    let house = House::open().await;
    let mut sdk = Sdk::connect(&house).await;
    sdk.listen(&token_with("user001", 3600, json!({"outgoing": {"application_sid": "AP1"}}))).await;
    sdk.expect("connected").await;
    sdk.send("register", json!({"media": {"audio": true}})).await;
    assert_eq!(sdk.expect("error").await["error"]["code"], 31201);
}

#[tokio::test]
async fn a_token_that_runs_out_rings_no_more_and_only_a_new_one_registers() {
    let house = House::open().await;
    let mut sdk = Sdk::connect(&house).await;
    let register = json!({"media": {"audio": true}});
    sdk.listen(&token("user001", 2)).await;
    sdk.expect("connected").await;
    sdk.send("register", register.clone()).await;
    sdk.expect("ready").await;
    let registered = async || house.api(Method::GET, "/devices", None).await[0]["registered"] == true;
    guard(async { while registered().await {} }).await;
    sdk.send("register", register.clone()).await;
    let refused = sdk.expect("error").await;
    assert_eq!(refused["error"], json!({"code": 31205, "message": "Cannot register. Token is expired"}));
    // The socket is open still, and a new token alone does not register.
    sdk.listen(&token("user001", 3600)).await;
    sdk.expect("connected").await;
    assert!(!registered().await);
    sdk.send("register", register).await;
    sdk.expect("ready").await;
    assert!(registered().await);
}

#[tokio::test]
async fn a_new_token_in_time_keeps_the_registration() {
    let house = House::open().await;
    let mut sdk = Sdk::connect(&house).await;
    sdk.listen(&token("user001", 60)).await;
    sdk.expect("connected").await;
    sdk.send("register", json!({"media": {"audio": true}})).await;
    sdk.expect("ready").await;
    sdk.listen(&token("user001", 3600)).await;
    assert!(sdk.expect("connected").await["token"]["ttl"].as_u64().unwrap() > 3590);
    let devices = house.api(Method::GET, "/devices", None).await;
    assert_eq!(devices[0]["registered"], true);
    assert!(devices[0]["tokenExpiresIn"].as_u64().unwrap() > 3590, "{devices}");
}

#[tokio::test]
async fn a_call_outlives_the_token() {
    let house = House::open().await;
    house.twiml("/incoming", "<Response><Dial><Client>user001</Client></Dial></Response>");
    let mut sdk = Sdk::connect(&house).await;
    sdk.listen(&token("user001", 5)).await;
    sdk.expect("connected").await;
    sdk.send("register", json!({"media": {"audio": true}})).await;
    sdk.expect("ready").await;
    let sid = house.call().await;
    let invite = sdk.accept().await;
    guard(async { while house.api(Method::GET, "/devices", None).await[0]["registered"] == true {} }).await;
    assert_eq!(house.until(&sid, "in-progress").await["status"], "in-progress");
    sdk.send("hangup", json!({"callsid": invite["callsid"]})).await;
    assert_eq!(house.until(&sid, "completed").await["status"], "completed");
}

#[tokio::test]
async fn refused_capped_and_offline_on_demand() {
    let house = House::open().await;
    house.fault(json!({"refuseTokens": true})).await;
    let mut sdk = Sdk::connect(&house).await;
    sdk.listen(&token("user001", 3600)).await;
    assert_eq!(sdk.expect("error").await["error"]["code"], 31204);

    house.fault(json!({"refuseTokens": false, "tokenTtlCap": 60})).await;
    let mut sdk = Sdk::connect(&house).await;
    sdk.listen(&token("user001", 3600)).await;
    assert!((50..=60).contains(&sdk.expect("connected").await["token"]["ttl"].as_u64().unwrap()));

    house.fault(json!({"offline": true})).await;
    assert_eq!(sdk.next().await, None);
    let url = format!("ws://{}/signal", house.addr);
    assert!(tokio_tungstenite::connect_async(&url).await.is_err());
    house.fault(json!({"offline": false, "tokenTtlCap": null})).await;
    Sdk::register(&house, "user001").await;
}
