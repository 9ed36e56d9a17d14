//! The access token: where it comes from, and how long it lives.
//!
//! It is fetched from the server function `console::token` by the browser's own means: the function's client stub would make
//! the WASM a quarter larger as transferred (measured: 27 kB of 94).
//!
//! Invariant: the token is kept here and given to the SDK, and goes nowhere else; it has no `Debug`.

use domain::shift::Event;
use domain::{Identity, Millis};
use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, Response, Window};

const ANSWERED_WITHIN: u32 = 10_000;

/// A token of the server's.
pub(crate) struct Token {
    /// For the SDK.
    pub(crate) jwt: String,
    /// How long it lives from now.
    pub(crate) lifetime: Millis,
}

/// Asks the server for one.
///
/// # Errors
/// The event that says why there is none.
pub(crate) async fn fetch(identity: &Identity) -> Result<Token, Event> {
    let window = web_sys::window().ok_or(Event::TokenUnreachable)?;
    let response = ask(&window, identity).await.map_err(|_| Event::TokenUnreachable)?;
    match response.status() {
        200 => {}
        400..=407 => return Err(Event::TokenRefused),
        _ => return Err(Event::TokenUnreachable),
    }
    read(&window, &response).await.ok().flatten().ok_or(Event::TokenUnreachable)
}

async fn ask(window: &Window, identity: &Identity) -> Result<Response, JsValue> {
    let url =
        String::from("/token?identity=") + &String::from(js_sys::encode_uri_component(identity.as_str()));
    let init = RequestInit::new();
    init.set_signal(Some(&AbortSignal::timeout_with_u32(ANSWERED_WITHIN)));
    JsFuture::from(window.fetch_with_str_and_init(&url, &init)).await.map(JsCast::unchecked_into)
}

async fn read(window: &Window, response: &Response) -> Result<Option<Token>, JsValue> {
    let answer = JsFuture::from(response.json()?).await?;
    let Some(jwt) = Reflect::get(&answer, &"token".into())?.as_string() else { return Ok(None) };
    let lifetime = lifetime(window, &jwt)?;
    Ok(lifetime.map(|lifetime| Token { jwt, lifetime }))
}

/// The time between the claims `iat` and `exp`: from the server's clock alone, since the browser's may be wrong.
fn lifetime(window: &Window, jwt: &str) -> Result<Option<Millis>, JsValue> {
    let Some(claims) = jwt.split('.').nth(1) else { return Ok(None) };
    let claims = js_sys::JSON::parse(&window.atob(&claims.replace('-', "+").replace('_', "/"))?)?;
    let seconds = |claim: &str| Ok::<_, JsValue>(Reflect::get(&claims, &claim.into())?.as_f64());
    let (Some(issued), Some(expires)) = (seconds("iat")?, seconds("exp")?) else { return Ok(None) };
    Ok(Some(((expires - issued) * 1_000.0) as Millis))
}
