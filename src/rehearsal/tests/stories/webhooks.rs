//! A company's server that fails, and one that wants to be told everything.

use serde_json::json;

use crate::{
    house::{Answer, CALLER, House},
    sdk::Sdk,
};

#[tokio::test]
async fn whatever_is_wrong_with_the_answer_the_fallback_is_asked() {
    let xml = "text/xml";
    let say = "<Response><Say>Hello</Say></Response>";
    let large = format!("<Response><Say>{}</Say></Response>", "a".repeat(64 * 1024));
    let cases = [
        (500, xml, say, "11200"),
        (200, "application/json", "{}", "12300"),
        (200, xml, "<Response><Say>", "12100"),
        (200, xml, "<Response><Sing/></Response>", "12200"),
        (200, xml, &large[..], "11750"),
        (
            200,
            xml,
            "<Response><Dial callerId=\"+815012345678\"><Client>a</Client></Dial></Response>",
            "13214",
        ),
    ];
    let mut house = House::open_with(|settings, base| {
        settings.voice_fallback_url = Some(format!("{base}/fallback"));
    })
    .await;
    house.twiml(
        "/fallback",
        r#"<Response><Say language="ja-JP">しばらくしてからおかけ直しください。</Say></Response>"#,
    );
    let voice_url = format!("http://{}/incoming", house.company);
    for (status, content_type, body, code) in cases {
        house.answer("/incoming", Answer { status, content_type, body: body.into() });
        let sid = house.call().await;
        let asked = house.post("/fallback").await;
        assert_eq!((&asked.form["ErrorCode"][..], &asked.form["ErrorUrl"]), (code, &voice_url));
        assert_eq!(asked.form["CallSid"], sid);
        let over = house.until(&sid, "completed").await;
        assert_eq!(over["heard"][0]["language"], "ja-JP");
        assert_eq!(over["error"], json!(null));
    }
}

#[tokio::test]
async fn twiml_comes_as_one_of_three_types() {
    let house = House::open().await;
    for content_type in ["text/xml; charset=utf-8", "application/xml", "text/html; charset=UTF-8"] {
        let body = "<Response><Say>Hello</Say></Response>".into();
        house.answer("/incoming", Answer { status: 200, content_type, body });
        let sid = house.call().await;
        assert_eq!(house.until(&sid, "completed").await["heard"][0]["text"], "Hello", "{content_type}");
    }
}

#[tokio::test]
async fn a_number_arrives_in_e164_however_it_was_typed() {
    let mut house = House::open().await;
    house.call_from("＋44 (7700) 900-１０１").await;
    assert_eq!(house.post("/incoming").await.form["From"], CALLER);
}

#[tokio::test]
async fn without_a_fallback_the_caller_hears_an_application_error() {
    let house = House::open().await;
    house.answer("/incoming", Answer { status: 500, content_type: "text/html", body: "oops".into() });
    let sid = house.call().await;
    let over = house.until(&sid, "completed").await;
    assert!(over["heard"][0]["text"].as_str().unwrap().contains("an application error has occurred"));
    assert_eq!(over["webhooks"][0]["status"], 500);
    assert_eq!(over["webhooks"][0]["error"], "11200: HTTP retrieval failure: status 500");
    assert_eq!(over["error"], over["webhooks"][0]["error"]);
}

#[tokio::test]
async fn a_server_that_is_down_and_a_fallback_that_is_broken() {
    let house = House::open_with(|settings, base| {
        // Port 9 discards; nobody listens there.
        settings.voice_url = "http://127.0.0.1:9/incoming".into();
        settings.voice_fallback_url = Some(format!("{base}/fallback"));
    })
    .await;
    house.twiml("/fallback", "<Response><Oops/></Response>");
    let sid = house.call().await;
    let over = house.until(&sid, "completed").await;
    assert_eq!(over["webhooks"][0]["error"], "11205: HTTP connection failure");
    assert!(over["error"].as_str().unwrap().starts_with("12200"), "{over}");
}

#[tokio::test]
async fn of_the_callers_own_call_only_the_end_is_reported() {
    let mut house = House::open_with(|settings, base| {
        settings.status_callback_url = Some(format!("{base}/status"));
    })
    .await;
    house.twiml(
        "/incoming",
        r#"<Response><Dial answerOnBridge="true" callerId="client:masked"><Client>user001</Client></Dial></Response>"#,
    );
    let mut sdk = Sdk::register(&house, "user001").await;
    let first = house.call().await;
    let invite = sdk.accept().await;
    house.until(&first, "in-progress").await;
    sdk.send("hangup", json!({"callsid": invite["callsid"]})).await;
    house.until(&first, "completed").await;
    let second = house.call().await;
    sdk.expect("invite").await;
    house.hang_up(&second).await;

    for (sid, status) in [(first, "completed"), (second, "canceled")] {
        let told = house.post("/status").await.form;
        assert_eq!((&told["CallSid"], &told["CallStatus"][..]), (&sid, status));
        assert_eq!((&told["SequenceNumber"][..], &told["Direction"][..]), ("0", "inbound"));
        assert_eq!(told["CallbackSource"], "call-progress-events");
        assert!(told["CallDuration"].parse::<u64>().is_ok());
    }
}

#[tokio::test]
async fn a_leg_is_reported_as_often_as_was_asked_for() {
    let mut house = House::open().await;
    house.twiml(
        "/incoming",
        r#"<Response><Dial answerOnBridge="true" callerId="client:masked"><Client statusCallback="/leg"
            statusCallbackEvent="initiated ringing answered completed">user001</Client></Dial></Response>"#,
    );
    let mut sdk = Sdk::register(&house, "user001").await;
    let sid = house.call().await;
    for (status, sequence) in [("initiated", "0"), ("ringing", "1")] {
        let leg = house.post("/leg").await;
        assert_eq!((&leg.form["CallStatus"][..], &leg.form["SequenceNumber"][..]), (status, sequence));
        assert_eq!((&leg.form["ParentCallSid"], &leg.form["From"][..]), (&sid, "client:masked"));
        assert_eq!((&leg.form["To"][..], &leg.form["Direction"][..]), ("client:user001", "outbound-dial"));
    }
    let invite = sdk.accept().await;
    assert_eq!(house.post("/leg").await.form["CallStatus"], "in-progress");
    sdk.send("hangup", json!({"callsid": invite["callsid"]})).await;
    let leg = house.post("/leg").await;
    assert_eq!(leg.form["CallStatus"], "completed");
    assert!(leg.form["CallDuration"].parse::<u64>().is_ok());
}

#[tokio::test]
async fn by_default_a_leg_is_reported_when_it_is_over() {
    let mut house = House::open().await;
    house.twiml(
        "/incoming",
        r#"<Response><Dial><Client statusCallback="/leg">away</Client></Dial></Response>"#,
    );
    house.call().await;
    assert_eq!(house.post("/leg").await.form["CallStatus"], "no-answer");
}
