//! The page: who is at the desk, in which language, and what the browser may do with it.

use axum::http::StatusCode;

use crate::house::{Answer, House, bare};

async fn page(query: &str, headers: &[(&str, &str)]) -> Answer {
    House::new().ask(bare("GET", &format!("/{query}"), headers)).await
}

fn language(answer: &Answer) -> &str {
    if answer.body.contains(r#"<html lang="en">"#) { "en" } else { "ja" }
}

#[tokio::test]
async fn the_page_is_for_the_operator_in_the_address() {
    let page_of = async |query| page(query, &[]).await.body;
    assert!(page_of("").await.contains(r#""identity":"user001""#));
    assert!(page_of("?identity=taro%40example").await.contains(r#""identity":"taro@example""#));
    let refused = page("?identity=%3Cscript%3E", &[]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("担当者 ID") && !refused.body.contains("<script>"), "{}", refused.body);
}

#[tokio::test]
async fn every_script_has_the_nonce_of_its_own_answer() {
    let house = House::in_rehearsal("127.0.0.1:3001");
    let mut nonces = vec![];
    for _ in 0..2 {
        let answer = house.ask(bare("GET", "/", &[])).await;
        let policy = answer.header("content-security-policy");
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let runs = |tag: &&str| !tag.contains("application/json");
        let scripts: Vec<_> =
            answer.body.match_indices("<script").map(|(at, _)| &answer.body[at..]).collect();
        let scripts = scripts.iter().map(|script| script.split('>').next().unwrap()).filter(runs);
        for script in scripts {
            assert!(script.contains(&format!(r#"nonce="{nonce}""#)), "{script}");
        }
        assert!(!answer.body.contains(" style=") && !answer.body.contains("<style"));
        assert!(!answer.body.contains(" onclick="));
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn only_a_rehearsal_has_its_socket_made_plain() {
    let rehearsal = House::in_rehearsal("127.0.0.1:4711").ask(bare("GET", "/", &[])).await;
    assert!(rehearsal.body.contains(r#"("wss://127.0.0.1:4711")"#));
    assert!(rehearsal.header("content-security-policy").contains("ws://127.0.0.1:4711"));
    let production = page("", &[]).await;
    assert!(!production.body.contains("globalThis.WebSocket"));
    assert!(production.header("content-security-policy").contains("wss://*.twilio.com"));
}

#[tokio::test]
async fn in_rehearsal_no_foreign_name_is_answered() {
    let house = House::in_rehearsal("127.0.0.1:3001");
    for host in ["localhost:3000", "LOCALHOST", "127.0.0.1:3000", "[::1]:3000", "[::1]"] {
        assert_eq!(house.ask(bare("GET", "/", &[("host", host)])).await.status, StatusCode::OK, "{host}");
    }
    for host in ["evil.example:3000", "localhost.evil.example", "127.0.0.1.evil.example", "localhost:evil"] {
        for (method, path) in [("GET", "/"), ("GET", "/token?identity=user001"), ("POST", "/incoming")] {
            let answer = house.ask(bare(method, path, &[("host", host)])).await;
            assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host} {path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{host} {path}");
            assert!(answer.body.contains("http://localhost"), "{}", answer.body);
        }
    }
    let behind_a_proxy = page("", &[("host", "calls.example.com")]).await;
    assert_eq!(behind_a_proxy.status, StatusCode::OK);
}

#[tokio::test]
async fn the_language_is_the_operators_choice_then_the_browsers() {
    assert_eq!(language(&page("", &[]).await), "ja");
    assert_eq!(language(&page("", &[("accept-language", "en-GB,en;q=0.9,ja;q=0.5")]).await), "en");
    assert_eq!(language(&page("", &[("accept-language", "fr"), ("cookie", "a=b; lang=en")]).await), "en");
    assert_eq!(language(&page("", &[("accept-language", "ja"), ("cookie", "a=é; lang=en")]).await), "en");
    assert_eq!(language(&page("?lang=ja", &[("cookie", "lang=en")]).await), "ja");
    assert_eq!(language(&page("?lang=tlh", &[("cookie", "lang=tlh")]).await), "ja");
}

#[tokio::test]
async fn security_headers_are_on_every_answer_but_the_twiml_of_a_webhook() {
    let house = House::new();
    let twiml = house.webhook("/incoming", &[("From", "anonymous")]).await;
    assert_eq!((twiml.status, twiml.headers.len()), (StatusCode::OK, 1), "{:?}", twiml.headers);
    for path in ["/", "/token", "/healthz", "/incoming", "/nowhere", "/?identity=%20%20"] {
        let answer = house.ask(bare("GET", path, &[])).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(answer.header("permissions-policy").contains("microphone=(self)"), "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe-inline"));
    }
}

#[tokio::test]
async fn it_is_well_and_sounds_are_served() {
    let house = House::new();
    assert_eq!(house.ask(bare("GET", "/healthz", &[])).await.body, "ok\n");
    assert_eq!(house.ask(bare("GET", "/nowhere", &[])).await.status, StatusCode::NOT_FOUND);
    let body = page("", &[]).await.body;
    let setup = body.split(r#"id="setup">"#).nth(1).unwrap().split("</script>").next().unwrap();
    let setup: console::Setup = serde_json::from_str(setup).unwrap();
    assert_eq!(setup.assets.sounds.len(), 15);
}
