//! The company's own API behind `/incoming`: asked over HTTP, in every mood that it can have.

use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::get;
use directory::Company;

use crate::house::{Answer, House};

/// Calls a house whose directory is a company's API that answers so.
async fn call<F, R>(answer: F) -> Answer
where
    F: Fn(Uri) -> R + Clone + Send + Sync + 'static,
    R: Future<Output: IntoResponse> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let api = Router::new().route("/v1/resolve-caller", get(move |uri: Uri| answer(uri)));
    let serving = tokio::spawn(async move { axum::serve(listener, api).await });
    let house = House::with(Company::new(&base.parse().unwrap()).unwrap());
    let answer = house.webhook("/incoming", &[("From", "+12025550143")]).await;
    serving.abort();
    answer
}

#[tokio::test]
async fn it_is_asked_by_number_and_its_answer_is_dialled() {
    let answer = call(async |uri: Uri| {
        assert_eq!(uri.query(), Some("from_number=%2B12025550143"));
        r#"{"appId":"taro@example","customerName":"O'Neil & Sons <K>","customerId":"cm-oneil"}"#
    })
    .await;
    assert!(answer.body.contains("<Identity>taro_40example</Identity>"), "{}", answer.body);
    assert!(answer.body.contains(r#"value="O'Neil &amp; Sons &lt;K&gt;""#), "{}", answer.body);
}

#[tokio::test]
async fn nobody_is_told_from_trouble() {
    let unknown = "ご登録の電話番号";
    let trouble = "おつなぎできません。しばらくしてから";
    assert!(call(async |_| StatusCode::NOT_FOUND).await.sentence().contains(unknown));
    assert!(call(async |_| "{}").await.sentence().contains(unknown));
    assert!(call(async |_| r#"{"appId":null}"#).await.sentence().contains(unknown));
    assert!(call(async |_| StatusCode::INTERNAL_SERVER_ERROR).await.sentence().contains(trouble));
    assert!(call(async |_| r#"{"appId":"not an id"}"#).await.sentence().contains(trouble));
    assert!(call(async |_| "<html>").await.sentence().contains(trouble));
    let elsewhere = async |_| (StatusCode::FOUND, [(header::LOCATION, "https://elsewhere.example/")]);
    assert!(call(elsewhere).await.sentence().contains(trouble));
    assert!(call(async |_| std::future::pending::<&str>().await).await.sentence().contains(trouble));
}

#[tokio::test]
async fn nobody_there_is_trouble_too() {
    let unused = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    let house = House::with(Company::new(&base.parse().unwrap()).unwrap());
    let asked = house.webhook("/incoming", &[("From", "+12025550143")]);
    let answer = tokio::time::timeout(Duration::from_secs(10), asked).await.unwrap();
    assert!(answer.sentence().contains("おつなぎできません"));
}
