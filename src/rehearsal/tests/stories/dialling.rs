//! Several operators, and several devices of one operator.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{house::House, sdk::Sdk};

#[tokio::test]
async fn every_device_of_an_identity_rings_and_the_first_takes_it() {
    let house = House::open().await;
    house.twiml("/incoming", "<Response><Dial><Client>user001</Client></Dial></Response>");
    let mut one = Sdk::register(&house, "user001").await;
    let mut two = Sdk::register(&house, "user001").await;
    let sid = house.call().await;
    let invite = one.expect("invite").await;
    two.accept().await;
    assert_eq!(one.expect("cancel").await["callsid"], invite["callsid"]);
    house.until(&sid, "in-progress").await;
    house.hang_up(&sid).await;
    two.expect("hangup").await;
    let over = house.until(&sid, "completed").await;
    assert_eq!(over["legs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn declined_on_one_device_stops_the_other() {
    let house = House::open().await;
    house.twiml(
        "/incoming",
        r#"<Response><Dial answerOnBridge="true"><Client>user001</Client></Dial></Response>"#,
    );
    let mut one = Sdk::register(&house, "user001").await;
    let mut two = Sdk::register(&house, "user001").await;
    let sid = house.call().await;
    two.expect("invite").await;
    let invite = one.expect("invite").await;
    one.send("reject", json!({"callsid": invite["callsid"]})).await;
    two.expect("cancel").await;
    assert_eq!(house.until(&sid, "busy").await["status"], "busy");
}

#[tokio::test]
async fn a_microphone_that_fails_on_one_device_ends_the_leg_and_no_colleagues() {
    let house = House::open().await;
    house.twiml(
        "/incoming",
        r#"<Response><Dial answerOnBridge="true"><Client>user001</Client><Client>user002</Client></Dial></Response>"#,
    );
    let mut one = Sdk::register(&house, "user001").await;
    let mut two = Sdk::register(&house, "user001").await;
    let mut colleague = Sdk::register(&house, "user002").await;
    let sid = house.call().await;
    two.expect("invite").await;
    let invite = one.expect("invite").await;
    one.send("hangup", json!({"callsid": invite["callsid"]})).await;
    assert_eq!(two.expect("cancel").await["callsid"], invite["callsid"]);
    let taken = colleague.accept().await;
    colleague.send("hangup", json!({"callsid": taken["callsid"]})).await;
    assert_eq!(statuses(&house.until(&sid, "completed").await), ["no-answer", "completed"]);
}

#[tokio::test]
async fn colleagues_ring_together_and_one_takes_it() {
    let house = House::open().await;
    house.twiml(
        "/incoming",
        "<Response><Dial><Client>user001</Client><Client>user002</Client><Client>away</Client></Dial></Response>",
    );
    let mut one = Sdk::register(&house, "user001").await;
    let mut two = Sdk::register(&house, "user002").await;
    let sid = house.call().await;
    let first = one.expect("invite").await;
    let second = two.accept().await;
    assert_ne!(first["callsid"], second["callsid"]);
    one.expect("cancel").await;
    two.send("hangup", json!({"callsid": second["callsid"]})).await;
    let over = house.until(&sid, "completed").await;
    assert_eq!(statuses(&over), ["no-answer", "completed", "no-answer"]);
}

#[tokio::test]
async fn colleagues_ring_one_after_the_other() {
    let mut house = House::open().await;
    house.twiml(
        "/incoming",
        r#"<Response><Dial sequential="true" action="/dialed"><Client>away</Client><Client>user001</Client><Client>user002</Client></Dial></Response>"#,
    );
    house.twiml("/dialed", "<Response/>");
    let mut one = Sdk::register(&house, "user001").await;
    let mut two = Sdk::register(&house, "user002").await;
    let sid = house.call().await;
    let invite = one.expect("invite").await;
    one.send("reject", json!({"callsid": invite["callsid"]})).await;
    let invite = two.accept().await;
    two.send("hangup", json!({"callsid": invite["callsid"]})).await;
    assert_eq!(house.post("/dialed").await.form["DialCallSid"], invite["callsid"].as_str().unwrap());
    assert_eq!(statuses(&house.until(&sid, "completed").await), ["no-answer", "busy", "completed"]);
}

#[tokio::test]
async fn what_the_operator_hears_first_can_end_it() {
    let mut house = House::open().await;
    house.twiml("/incoming", r#"<Response><Dial answerOnBridge="true" action="/dialed"><Client url="/whisper">user001</Client></Dial></Response>"#);
    house.twiml("/whisper", "<Response><Say>A call for you</Say><Hangup/></Response>");
    house.twiml("/dialed", "<Response><Say language=\"ja-JP\">失礼いたしました。</Say></Response>");
    let mut sdk = Sdk::register(&house, "user001").await;
    let sid = house.call().await;
    let invite = sdk.accept().await;
    let asked = house.post("/whisper").await;
    assert_eq!(asked.form["CallSid"], invite["callsid"].as_str().unwrap());
    assert_eq!(asked.form["Direction"], "outbound-dial");
    sdk.expect("hangup").await;
    assert_eq!(house.post("/dialed").await.form["DialBridged"], "false");
    house.until(&sid, "completed").await;
}

#[tokio::test]
async fn nothing_is_left_over_after_many_calls() {
    let house = House::open().await;
    house.twiml("/incoming", "<Response><Dial><Client>user001</Client></Dial></Response>");
    let mut sdk = Sdk::register(&house, "user001").await;
    for round in 0..20 {
        let sid = house.call().await;
        let invite = sdk.expect("invite").await;
        if round % 2 == 0 {
            sdk.answer(&invite).await;
            sdk.send("hangup", json!({"callsid": invite["callsid"]})).await;
        } else {
            house.hang_up(&sid).await;
            sdk.expect("cancel").await;
        }
        house.until(&sid, "completed").await;
    }
    assert_eq!(house.api(Method::GET, "/media", None).await["legs"], 0);
}

fn statuses(call: &Value) -> Vec<&str> {
    call["legs"].as_array().unwrap().iter().map(|leg| leg["status"].as_str().unwrap()).collect()
}
