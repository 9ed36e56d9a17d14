//! `/incoming` and `/dialed`: every caller is answered, and nobody but Twilio is.

use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use directory::{Directory, Entry, PhoneNumber, Silent};
use domain::Identity;
use proptest::prelude::*;
use tokio::time::Instant;

use crate::canary;
use crate::house::{Answer, House, bare, signed};
use crate::twilio::signature;

const KOSHII: &str = "+447700900101";
const STRANGER: &str = "+447700900199";

/// A directory that does what a test tells it.
struct Told(fn() -> Result<Option<Entry>, Silent>, Duration);

#[async_trait]
impl Directory for Told {
    async fn look_up(&self, _: &PhoneNumber) -> Result<Option<Entry>, Silent> {
        tokio::time::sleep(self.1).await;
        (self.0)()
    }
}

async fn call_from(house: &House, from: &str) -> Answer {
    let sid = format!("CA{}", "0".repeat(32));
    house.webhook("/incoming", &[("CallSid", &sid), ("From", from), ("To", "+15005550006")]).await
}

#[tokio::test]
async fn a_customers_operator_is_dialled_without_the_number() {
    let house = House::new();
    let answer = call_from(&house, KOSHII).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/xml; charset=utf-8");
    assert!(!answer.body.contains("7700"), "{}", answer.body);
    insta::assert_snapshot!(answer.body, @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Dial answerOnBridge="true" timeLimit="3600" timeout="20" callerId="client:0xe1j0tcdk0bng1p" action="https://calls.example.com/dialed"><Client statusCallback="https://calls.example.com/status" statusCallbackEvent="ringing answered completed"><Identity>user001</Identity><Parameter name="customerName" value="越井 琢巳"/><Parameter name="customerId" value="cm-koshii"/><Parameter name="callRef" value="0xe1j0tcdk0bng1p"/></Client></Dial></Response>"#);
}

#[tokio::test]
async fn a_slash_at_the_end_of_the_address_is_no_matter() {
    let house = House::new();
    let form = [("CallSid", "CA00000000000000000000000000000000"), ("From", KOSHII)];
    assert!(house.webhook("/incoming/", &form).await.body.contains("<Dial"));
    assert_eq!(house.webhook("/status/", &form).await.status, StatusCode::OK);
    house.webhook("/dialed/", &form).await.sentence();
}

#[tokio::test]
async fn a_wrong_address_at_twilio_is_a_sentence_and_a_line_in_the_log() {
    let house = House::new();
    let form = [("CallSid", "CA00000000000000000000000000000000"), ("From", KOSHII)];
    for path in
        ["//incoming", "/Incoming", "/", "/voice", "/icon.svg", "/incoming/x?y=1", "/healthz", "/token"]
    {
        let sentence = house.webhook(path, &form).await.sentence();
        assert!(sentence.contains("おつなぎできません"), "{path}: {sentence}");
    }
    let by_get = signature("/?From=anonymous", b"");
    let by_get = house.ask(bare("GET", "/?From=anonymous", &[("x-twilio-signature", &by_get)])).await;
    assert!(by_get.sentence().contains("おつなぎできません"));
    let comes_in = [form[0], form[1], ("CallStatus", "ringing"), ("Direction", "inbound")];
    assert!(house.webhook("/status", &comes_in).await.sentence().contains("おつなぎできません"));
    for (path, status) in [("/", StatusCode::METHOD_NOT_ALLOWED), ("/voice", StatusCode::NOT_FOUND)] {
        let unsigned = house.ask(bare("POST", path, &[])).await;
        assert_eq!((unsigned.status, unsigned.body.as_str()), (status, ""));
        let forged = house.ask(bare("POST", path, &[("x-twilio-signature", "AA==")])).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn a_form_of_thousands_of_fields_is_not_twilios() {
    let house = House::new();
    let form = |fields: usize| format!("From=anonymous{}", "&a".repeat(fields - 1)).into_bytes();
    assert_eq!(house.ask(signed("/incoming", form(1000))).await.status, StatusCode::OK);
    assert_eq!(house.ask(signed("/incoming", form(1001))).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_number_in_the_directorys_answer_goes_no_further() {
    let found = || {
        let operator = Identity::parse("user001").unwrap();
        let customer_name = Some("tel. 07700 900 101".to_owned());
        Ok(Some(Entry { operator, customer_name, customer_id: Some("447700900101".to_owned()) }))
    };
    let house = House::with(Told(found, Duration::ZERO));
    let answer = call_from(&house, KOSHII).await;
    assert!(answer.body.contains("<Identity>user001</Identity>"), "{}", answer.body);
    let digits: String = answer.body.chars().filter(char::is_ascii_digit).collect();
    assert!(!digits.contains("7700900101") && !answer.body.contains("customerName"), "{}", answer.body);
}

#[tokio::test]
async fn every_call_has_a_name_of_its_own() {
    let house = House::new();
    let call = async |sid: &str| house.webhook("/incoming", &[("CallSid", sid), ("From", KOSHII)]).await.body;
    let (one, other) = (format!("CA{}", "1".repeat(32)), format!("CA{}", "2".repeat(32)));
    assert_ne!(call(&one).await, call(&other).await);
    assert_eq!(call(&one).await, call(&one).await, "a webhook that is repeated is answered as before");
    assert_ne!(call("").await, call("").await);
}

#[tokio::test]
async fn who_is_unknown_or_withholds_the_number_is_told_so() {
    let house = House::new();
    let unknown = call_from(&house, STRANGER).await.sentence();
    assert!(unknown.contains("ご登録の電話番号"), "{unknown}");
    for odd in ["anonymous", "", "sip:a@example.com", "client:op_7", "+", "Restricted", "+44 7700 900101"] {
        let sentence = call_from(&house, odd).await.sentence();
        assert!(sentence.contains("電話番号を通知して"), "{odd}: {sentence}");
    }
    let without = house.webhook("/incoming", &[("To", "+15005550006")]).await.sentence();
    assert!(without.contains("電話番号を通知して"), "{without}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_directory_is_given_up_after_two_seconds() {
    let since = Instant::now();
    let house = House::with(Told(|| Ok(None), Duration::from_secs(3600)));
    // A call without a name leaves no record: the disk does not know that the clock is paused.
    let sentence = house.webhook("/incoming", &[("From", KOSHII)]).await.sentence();
    assert!(sentence.contains("おつなぎできません"), "{sentence}");
    assert!((2000..2010).contains(&since.elapsed().as_millis()), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_directory_that_fails_or_panics_still_gets_the_caller_an_answer() {
    for trouble in [|| Err(Silent::Late), || Err(Silent::Refused(500)), || panic!("the directory is broken")]
    {
        let house = House::with(Told(trouble, Duration::ZERO));
        let sentence = call_from(&house, KOSHII).await.sentence();
        assert!(sentence.contains("おつなぎできません"), "{sentence}");
        assert!(leptos::prelude::Owner::current().is_none(), "the thread has left the webhook's context");
    }
}

#[tokio::test]
async fn whatever_twilio_signs_is_answered() {
    let house = House::new();
    for body in [&b""[..], b"\xff\xfe%zz&&&=%", b"{\"From\":\"+1\"}", &[b'x'; 100_000]] {
        house.ask(signed("/incoming", body.to_vec())).await.sentence();
    }
    // A form that came by GET, another path of the same address, and headers that Leptos would redirect for.
    let query = "/incoming?From=%2B447700900101";
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let answer = house.ask(bare(method, query, &[("x-twilio-signature", &signature(query, b""))])).await;
        assert_eq!(answer.status, StatusCode::OK, "{method}");
        assert!(method == "HEAD" || answer.body.contains("<Identity>user001</Identity>"), "{method}");
    }
    let mut from_a_browser = signed("/incoming?tenant=1", b"From=%2B447700900101".to_vec());
    from_a_browser.headers_mut().insert("accept", "text/html,*/*".parse().unwrap());
    from_a_browser.headers_mut().insert("referer", "https://elsewhere.example/".parse().unwrap());
    let answer = house.ask(from_a_browser).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::OK, ""));
    assert!(answer.body.contains("<Identity>user001</Identity>"));
}

#[tokio::test]
async fn what_twilio_did_not_sign_is_refused_and_the_log_says_which_address_was_meant() {
    let house = House::new();
    let unsigned = || Request::post("/incoming?from=%2B447700900101").header("host", "evil.example");
    let form = || Body::from("From=%2B447700900101");
    let wrong = signature("/incoming", b"From=%2B447700900199");
    for request in [
        unsigned().body(form()).unwrap(),
        unsigned().header("x-twilio-signature", "").body(form()).unwrap(),
        unsigned().header("x-twilio-signature", &wrong).body(form()).unwrap(),
        unsigned().header("x-twilio-signature", &wrong).body(Body::from(vec![0xff; 1_000])).unwrap(),
        unsigned().header("x-twilio-signature", &wrong).body(Body::from(vec![b'x'; 1_000_000])).unwrap(),
        bare("GET", "/incoming", &[]),
        bare("GET", "/dialed", &[]),
    ] {
        let answer = house.ask(request).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::FORBIDDEN, ""));
    }
    assert!(!canary::lines_with("https://calls.example.com/incoming?…").is_empty());
    assert!(canary::lines_with("evil.example").is_empty());
}

#[tokio::test]
async fn what_became_of_the_dialling_is_said_as_it_is() {
    let house = House::new();
    for over in ["completed", "answered", "canceled"] {
        let answer = house.webhook("/dialed", &[("DialCallStatus", over)]).await;
        assert_eq!(answer.status, StatusCode::OK);
        insta::allow_duplicates! {
            insta::assert_snapshot!(answer.body, @r#"<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>"#);
        }
    }
    for (status, said) in [
        ("busy", "電話をお受けできません"),
        ("no-answer", "電話に出ることができません"),
        ("failed", "おつなぎできません"),
        ("something-new", "おつなぎできません"),
    ] {
        let sentence = house.webhook("/dialed", &[("DialCallStatus", status)]).await.sentence();
        assert!(sentence.contains(said), "{status}: {sentence}");
    }
    house.webhook("/dialed", &[]).await.sentence();
    let talked = async |seconds| {
        house.webhook("/dialed", &[("DialCallStatus", "completed"), ("DialCallDuration", seconds)]).await
    };
    assert!(talked("3600").await.sentence().contains("上限の1時間"));
    for shorter in ["3598", "0", "-1", "an hour"] {
        assert!(talked(shorter).await.body.contains("<Hangup/></Response>"), "{shorter}");
    }
}

#[tokio::test]
async fn each_webhook_leaves_one_line_with_its_call_and_outcome() {
    let house = House::new();
    let sid = format!("CA{}", "5ca1ab1e".repeat(4));
    house.webhook("/incoming", &[("CallSid", &sid), ("From", KOSHII)]).await;
    house.webhook("/dialed", &[("CallSid", &sid), ("DialCallStatus", "busy")]).await;
    let lines = canary::lines_with(&sid);
    let [incoming, dialed] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(
        incoming.contains("INFO") && incoming.contains("outcome=ringing") && incoming.contains("took_us=")
    );
    assert!(dialed.contains("INFO") && dialed.contains("outcome=busy"), "{dialed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_form_and_no_name_gets_anything_but_twiml(form in any::<Vec<u8>>(), name in any::<String>()) {
        static NAME: std::sync::Mutex<String> = std::sync::Mutex::new(String::new());
        *NAME.lock().unwrap() = name;
        let found = || {
            let name = NAME.lock().unwrap().clone();
            let operator = Identity::parse("user001").map_err(|_| Silent::Late)?;
            Ok(Some(Entry { operator, customer_name: Some(name), customer_id: None }))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let house = House::with(Told(found, Duration::ZERO));
            house.ask(signed("/incoming", form)).await.sentence();
            let answer = call_from(&house, KOSHII).await;
            roxmltree::Document::parse(&answer.body).unwrap();
            assert!(answer.body.contains("<Identity>user001</Identity>"));
        });
    }
}
