//! `/`: the console, rendered for one operator.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use console::desk::AnyDesk;
use console::setup::{Assets, SHORTCUTS_OFF, Setup};
use console::{Language, Refused, Shell, language};
use domain::Identity;
use leptos::config::LeptosOptions;
use leptos::hydration::AutoReload;
use leptos::prelude::*;
use leptos_axum::{ResponseOptions, render_app_to_stream_with_context};

use crate::policy::{Policy, Signalling};

/// What every page has in common.
#[derive(Clone)]
pub(crate) struct Pages {
    pub(crate) assets: Arc<Assets>,
    pub(crate) signalling: Signalling,
    pub(crate) live_reload: Option<u16>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) desk: AnyDesk,
}

const DEFAULT_OPERATOR: &str = "user001";

/// Renders the console, or says that the identity in the address is none.
pub(crate) async fn page(State(pages): State<Pages>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let language = language_of(query, request.headers());
    let asked = parameter(query, "identity").unwrap_or_else(|| DEFAULT_OPERATOR.to_owned());
    match Identity::parse(&asked) {
        Ok(identity) => {
            let setup = Setup {
                identity,
                language,
                rehearsal: match &pages.signalling {
                    Signalling::Twilio => None,
                    Signalling::Rehearsal(host) => Some(host.clone()),
                },
                assets: (*pages.assets).clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                shortcuts: !cookies(request.headers()).any(|cookie| cookie == SHORTCUTS_OFF),
            };
            let reload = pages.live_reload;
            let shell = move || {
                let live_reload = live_reload(reload);
                view! { <Shell setup=setup.clone() live_reload=live_reload/> }
            };
            render_app_to_stream_with_context(pages.context(StatusCode::OK), shell)(request).await
        }
        Err(_) => {
            let style = pages.assets.style.clone();
            let refused = move || view! { <Refused style=style.clone() language/> };
            render_app_to_stream_with_context(pages.context(StatusCode::BAD_REQUEST), refused)(request).await
        }
    }
}

impl Pages {
    /// What a page and the server functions that it calls while rendering find in their context.
    fn context(&self, status: StatusCode) -> impl Fn() + Clone + Send + Sync + 'static {
        let (policy, desk) = (self.policy.clone(), self.desk.clone());
        move || {
            provide_context(desk.clone());
            let response = expect_context::<ResponseOptions>();
            response.set_status(status);
            response.insert_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response.insert_header(VARY, HeaderValue::from_static("Accept-Language, Cookie"));
            let nonce = leptos::nonce::use_nonce();
            if let Some(policy) = policy.page(nonce.as_deref()) {
                response.insert_header(CONTENT_SECURITY_POLICY, policy);
            }
        }
    }
}

fn live_reload(port: Option<u16>) -> AnyView {
    let Some(port) = port else { return ().into_any() };
    let options = LeptosOptions::builder().output_name("hitoku").reload_port(port.into()).build();
    view! { <AutoReload options/> }.into_any()
}

/// The page's switch first, then the choice that it remembered, then what the browser asks for.
fn language_of(query: &str, headers: &HeaderMap) -> Language {
    let cookie = || {
        cookies(headers)
            .find_map(|cookie| Language::of_tag(cookie.strip_prefix(language::COOKIE)?.strip_prefix('=')?))
    };
    parameter(query, "lang")
        .and_then(|tag| Language::of_tag(&tag))
        .or_else(cookie)
        .unwrap_or_else(|| Language::preferred(header(headers, ACCEPT_LANGUAGE)))
}

/// Each as `name=value`. Those of others on this host may be no text.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let cookies =
        headers.get_all(COOKIE).into_iter().flat_map(|all| all.as_bytes().split(|byte| *byte == b';'));
    cookies.filter_map(|cookie| str::from_utf8(cookie).ok()).map(str::trim)
}

fn header(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn parameter(query: &str, wanted: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}
