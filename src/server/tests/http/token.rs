//! `/token`: by query and by form, from here and from elsewhere.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use records::audit::{Action, Filter};

use crate::house::{Answer, House, bare};

fn form(body: &str) -> Request<Body> {
    Request::post("/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn error(answer: &Answer) -> (u16, String) {
    let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert!(!json["message"].as_str().unwrap().is_empty());
    assert!(answer.header("content-type").starts_with("application/json"));
    (answer.status.as_u16(), json["error"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_operator_gets_a_token_by_query_and_by_form() {
    let house = House::new();
    let by_query = house.ask(bare("GET", "/token?identity=taro%40example", &[])).await;
    let by_form = house.ask(form("identity=taro%40example")).await;
    assert_eq!(by_query.status, StatusCode::OK);
    assert_eq!(by_query.body, by_form.body);
    assert!(by_query.body.starts_with(r#"{"identity":"taro@example","token":"eyJ"#), "{}", by_query.body);
    assert_eq!(by_query.header("content-type"), "application/json");
    assert_eq!(by_query.header("cache-control"), "no-store");
}

#[tokio::test]
async fn what_is_much_too_long_for_an_identity_is_not_read() {
    let house = House::new();
    let answer = house.ask(form(&format!("identity=user001&more={}", "a".repeat(4096)))).await;
    assert_eq!(error(&answer), (400, "invalid_identity".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_form_that_never_ends_is_not_waited_for() {
    let house = House::new();
    let endless = Request::post("/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>()))
        .unwrap();
    assert_eq!(error(&house.ask(endless).await), (408, "unavailable".to_owned()));
}

#[tokio::test]
async fn every_token_that_is_given_is_in_the_trail_and_no_number_is() {
    let house = House::new();
    for identity in ["taro.yamada", "user001", "447700900101", "a b", "user001"] {
        house.ask(bare("GET", &format!("/token?identity={}", identity.replace(' ', "+")), &[])).await;
    }
    house.ledger.settled().await;
    let audit = house.kept.customers.audit();
    let filter = Filter { action: Some(Action::TokenGiven), ..Filter::default() };
    let given = audit.list(&filter, 100).await.unwrap();
    let subjects: Vec<&str> = given.iter().rev().map(|entry| entry.subject.as_str()).collect();
    assert_eq!(subjects, ["taro.yamada", "user001", "############", "user001"]);
    assert!(given.iter().all(|entry| entry.actor == "hitoku" && entry.at == 1_800_000_000_000));
    assert!(audit.verify().await.unwrap().is_sound());
}

#[tokio::test]
async fn what_is_no_identity_is_a_400_and_never_a_500() {
    let house = House::new();
    for query in [
        "",
        "?",
        "?identity=",
        "?identity=a&identity=a",
        "?identity=a%20b",
        "?identity=%ff",
        "?identity[]=a",
        "?%zz",
    ] {
        let answer = house.ask(bare("GET", &format!("/token{query}"), &[])).await;
        assert_eq!(error(&answer), (400, "invalid_identity".to_owned()), "{query}");
    }
    for body in ["", "identity=a&identity=b", "{\"identity\":\"a\"}", "identity=越井"] {
        assert_eq!(error(&house.ask(form(body)).await), (400, "invalid_identity".to_owned()), "{body}");
    }
    let raw = Request::post("/token").body(Body::from(vec![0xff; 3_000_000])).unwrap();
    assert_eq!(error(&house.ask(raw).await), (400, "invalid_identity".to_owned()));
}

#[tokio::test]
async fn a_person_who_opens_the_address_is_not_redirected() {
    let headers = [("accept", "text/html"), ("referer", "https://calls.example.com/")];
    let answer = House::new().ask(bare("GET", "/token?identity=user001", &headers)).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::OK, ""));
}

#[tokio::test]
async fn other_methods_are_refused_in_json() {
    for method in ["PUT", "DELETE", "PATCH", "HEAD"] {
        let answer = House::new().ask(bare(method, "/token?identity=user001", &[])).await;
        assert_eq!(answer.header("allow"), "GET, POST, OPTIONS");
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        if method != "HEAD" {
            assert_eq!(error(&answer), (405, "method_not_allowed".to_owned()));
        }
    }
}

#[tokio::test]
async fn only_origins_in_the_settings_may_ask_from_elsewhere() {
    let house = House::new();
    for (method, status) in [("OPTIONS", 204), ("GET", 200)] {
        let ask = |origin: &'static str| bare(method, "/token?identity=user001", &[("origin", origin)]);
        let allowed = house.ask(ask("https://console.example.com")).await;
        assert_eq!(allowed.status.as_u16(), status);
        assert_eq!(allowed.header("access-control-allow-origin"), "https://console.example.com");
        assert_eq!(allowed.header("access-control-allow-methods"), "GET, POST, OPTIONS");
        assert_eq!(allowed.header("vary"), "Origin, Sec-Fetch-Site");
        for other in ["https://evil.example", "null", "https://console.example.com.evil.example"] {
            let refused = house.ask(ask(other)).await;
            assert_eq!(refused.status.as_u16(), if method == "GET" { 403 } else { 204 }, "{other}");
            assert_eq!(
                (refused.header("access-control-allow-origin"), refused.header("vary")),
                ("", "Origin, Sec-Fetch-Site")
            );
        }
    }
}

#[tokio::test]
async fn what_a_browser_asks_for_a_page_of_somebody_else_leaves_no_trace() {
    let house = House::new();
    let ask = |headers: &'static [(&'static str, &'static str)]| {
        house.ask(bare("GET", "/token?identity=user001", headers))
    };
    for strange in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        &[("origin", "https://evil.example"), ("host", "calls.example.com")],
        &[("origin", "null")],
    ] {
        assert_eq!(error(&ask(strange).await), (403, "origin_not_allowed".to_owned()), "{strange:?}");
    }
    house.ledger.settled().await;
    assert_eq!(house.kept.customers.audit().list(&Filter::default(), 9).await.unwrap().len(), 0);
    for own in [
        &[("sec-fetch-site", "same-origin")][..],
        &[("sec-fetch-site", "none")],
        &[("origin", "http://localhost:3000"), ("host", "localhost:3000")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://console.example.com")],
    ] {
        assert_eq!(ask(own).await.status, StatusCode::OK, "{own:?}");
    }
}
