//! What documents make a caller hear, and where they lead.

use serde_json::{Value, json};

use crate::{house::House, sdk::Sdk};

#[tokio::test]
async fn a_courteous_sentence() {
    let house = House::open().await;
    house.twiml(
        "/incoming",
        r#"<Response><Say language="ja-JP">担当に接続できません。</Say><Play>/sounds/bye.mp3</Play><Pause length="0"/></Response>"#,
    );
    let sid = house.call_from("anonymous").await;
    let over = house.until(&sid, "completed").await;
    assert_eq!(over["status"], "completed");
    let sound = format!("http://{}/sounds/bye.mp3", house.company);
    assert_eq!(
        over["heard"],
        json!([
            {"kind": "say", "text": "担当に接続できません。", "language": "ja-JP"},
            {"kind": "play", "text": sound, "language": null},
            {"kind": "pause", "text": "0", "language": null},
        ])
    );
    assert_eq!(over["error"], Value::Null);
}

#[tokio::test]
async fn redirected_rejected_and_hung_up() {
    let mut house = House::open().await;
    house.twiml(
        "/incoming",
        r#"<Response><Redirect method="GET">next?step=2</Redirect><Say>never</Say></Response>"#,
    );
    house.twiml("/next", r#"<Response><Reject reason="busy"/></Response>"#);
    let sid = house.call().await;
    assert_eq!(house.post("/next").await.method, reqwest::Method::GET);
    let over = house.until(&sid, "busy").await;
    assert_eq!((&over["status"], &over["heard"]), (&json!("busy"), &json!([])));

    house.twiml("/incoming", "<Response><Hangup/><Say>never</Say></Response>");
    let sid = house.call().await;
    assert_eq!(house.until(&sid, "completed").await["heard"], json!([]));
}

#[tokio::test]
async fn after_the_dial_its_action_says_what_follows() {
    let mut house = House::open().await;
    house.twiml(
        "/incoming",
        r#"<Response><Dial answerOnBridge="true" action="/dialed"><Client>user001</Client></Dial><Say>never</Say></Response>"#,
    );
    house.twiml("/dialed", r#"<Response><Say language="ja-JP">後ほどおかけ直しください。</Say></Response>"#);
    let mut sdk = Sdk::register(&house, "user001").await;

    let sid = house.call().await;
    let invite = sdk.expect("invite").await;
    sdk.send("reject", json!({"callsid": invite["callsid"]})).await;
    let action = house.post("/dialed").await;
    assert_eq!(action.form["DialCallStatus"], "busy");
    assert_eq!(action.form["DialCallSid"], invite["callsid"].as_str().unwrap());
    assert_eq!(action.form["DialBridged"], "false");
    assert_eq!(action.form["CallStatus"], "ringing");
    assert!(!action.form.contains_key("DialCallDuration"));
    let over = house.until(&sid, "completed").await;
    assert_eq!((&over["status"], &over["heard"][1]["kind"]), (&json!("completed"), &json!("say")));

    let sid = house.call().await;
    let invite = sdk.accept().await;
    sdk.send("hangup", json!({"callsid": invite["callsid"]})).await;
    let action = house.post("/dialed").await;
    assert_eq!(action.form["DialCallStatus"], "completed");
    assert_eq!(action.form["DialBridged"], "true");
    assert!(action.form["DialCallDuration"].parse::<u64>().is_ok());
    house.until(&sid, "completed").await;

    // A caller who is gone hears nothing more, and the action is told all the same.
    let sid = house.call().await;
    sdk.accept().await;
    house.until(&sid, "in-progress").await;
    house.hang_up(&sid).await;
    assert_eq!(house.post("/dialed").await.form["CallStatus"], "completed");
    assert_eq!(house.until(&sid, "completed").await["heard"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_dial_without_action_goes_on_with_the_next_verb() {
    let house = House::open().await;
    house.twiml(
        "/incoming",
        r#"<Response><Dial answerOnBridge="true"><Client>away</Client></Dial><Say>Sorry</Say></Response>"#,
    );
    let sid = house.call().await;
    let over = house.until(&sid, "completed").await;
    assert_eq!(over["heard"][1]["text"], "Sorry");
}

#[tokio::test]
async fn the_caller_hangs_up_in_the_middle_of_waiting() {
    let house = House::open().await;
    house.twiml("/incoming", r#"<Response><Say loop="0">Please hold the line</Say></Response>"#);
    let sid = house.call().await;
    house.until(&sid, "in-progress").await;
    house.hang_up(&sid).await;
    assert_eq!(house.until(&sid, "completed").await["status"], "completed");
}
