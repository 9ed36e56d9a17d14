//! The access token: where it comes from, and how long it lives.
//!
//! It is fetched from the server function `console::token` by the browser's own means: the function's client stub would make
//! the WASM a quarter larger as transferred (measured: 27 kB of 94).
//!
//! Invariant: the token is kept here and given to the SDK, and goes nowhere else; it has no `Debug`.

use domain::shift::{Event, Failure};
use domain::{Identity, Millis};
use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, RequestRedirect, Response, Window};

const ANSWERED_WITHIN: u32 = 10_000;

/// A token of the server's.
pub(crate) struct Token {
    /// For the SDK.
    pub(crate) jwt: String,
    /// How long it lives from now.
    pub(crate) lifetime: Millis,
}

/// Asks the server for one, and before that, when there is one to ask for, for the ringtone. The SDK does not hear of a sound
/// that fails to arrive, and would ring late and in silence: so the browser has it for good before there is a device.
///
/// # Errors
/// The event that says why there is none.
pub(crate) async fn fetch(identity: &Identity, ringtone: Option<String>) -> Result<Token, Event> {
    let window = web_sys::window().ok_or(Event::TokenUnreachable)?;
    let token =
        String::from("/token?identity=") + &String::from(js_sys::encode_uri_component(identity.as_str()));
    let mut answer = None;
    for (url, refused) in ringtone
        .map(|url| (url, Event::StepFailed(Failure::SdkMissing)))
        .into_iter()
        .chain([(token, Event::TokenRefused)])
    {
        let (status, text) = ask(&window, &url).await.map_err(|_| Event::TokenUnreachable)?;
        match status {
            200 => answer = text.as_string(),
            // Whatever stands before the server, and asks for a sign-in.
            LED_ELSEWHERE | 401 | 403 => return Err(Event::TokenRefused),
            400..=407 => return Err(refused),
            _ => return Err(Event::TokenUnreachable),
        }
    }
    answer.and_then(|answer| read(&window, &answer).ok().flatten()).ok_or(Event::TokenUnreachable)
}

/// A redirect that was not followed has no status.
const LED_ELSEWHERE: u16 = 0;

async fn ask(window: &Window, url: &str) -> Result<(u16, JsValue), JsValue> {
    let init = RequestInit::new();
    init.set_signal(Some(&AbortSignal::timeout_with_u32(ANSWERED_WITHIN)));
    // A sign-in is most often elsewhere, and to be led there looks like no answer at all.
    init.set_redirect(RequestRedirect::Manual);
    let response = JsFuture::from(window.fetch_with_str_and_init(url, &init)).await?;
    let response: Response = response.unchecked_into();
    Ok((response.status(), JsFuture::from(response.text()?).await?))
}

fn read(window: &Window, answer: &str) -> Result<Option<Token>, JsValue> {
    let answer = js_sys::JSON::parse(answer)?;
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
