//! Every route, composed from parts that are passed in.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, get};
use console::desk::AnyDesk;
use futures::FutureExt as _;
use leptos::prelude::provide_context;
use tower::service_fn;
use tower::util::MapResponseLayer;

use crate::cors::{AllowedOrigins, around_token};
use crate::host::own_host;
use crate::page::{Pages, page};
use crate::policy::{Policy, Signalling};
use crate::site::Site;
use crate::voice::{Door, Reception, Signatures, astray, enter};

/// What the routes are made of.
pub struct Parts {
    /// Gives out tokens.
    pub desk: AnyDesk,
    /// Other origins whose pages may ask for a token.
    pub allowed_origins: Vec<String>,
    /// Tells Twilio's webhooks from anybody's.
    pub signatures: Signatures,
    /// Answers Twilio's webhooks.
    pub reception: Reception,
    /// Where the page finds the voice cloud.
    pub signalling: Signalling,
    /// The page's files.
    pub site: Site,
    /// The port of the development server's live reload.
    pub live_reload: Option<u16>,
    /// Whether the world reaches us over TLS.
    pub secure: bool,
}

/// Of `/token`: an identity, and its name.
const LARGEST_FORM: usize = 4096;

/// The whole server.
pub fn router(parts: Parts) -> Router {
    // Fails only when it has been chosen before, and it is always this one.
    let _ = any_spawner::Executor::init_tokio();
    let policy = Arc::new(Policy::new(&parts.signalling, parts.live_reload, parts.secure));
    let rehearses = matches!(parts.signalling, Signalling::Rehearsal(_));
    let (files, assets) = parts.site.routes();
    let pages = Pages {
        assets: Arc::new(assets),
        signalling: parts.signalling,
        live_reload: parts.live_reload,
        policy: policy.clone(),
        desk: parts.desk.clone(),
    };
    let origins = AllowedOrigins::new(&parts.allowed_origins, &parts.reception.public);
    let door = Arc::new(Door::new(parts.signatures, parts.reception));
    let desk = parts.desk;
    let token = move |request: Request| {
        let desk = desk.clone();
        leptos_axum::handle_server_fns_with_context(move || provide_context(desk.clone()), request)
    };
    let complete = move |mut response: Response| {
        policy.complete(response.headers_mut());
        response
    };
    let webhook = {
        let (door, complete) = (door.clone(), complete.clone());
        service_fn(move |request| {
            let complete = complete.clone();
            // Only Twilio reads TwiML, and a browser what it is refused with.
            let answer = move |response: Response| match response.status() {
                StatusCode::OK => response,
                _ => complete(response),
            };
            enter(door.clone(), request).map(answer).map(Ok)
        })
    };
    let everywhere = MapResponseLayer::new(complete);
    let webhooks = ["/incoming", "/dialed", "/status"].iter().fold(Router::new(), |routes, path| {
        // With a slash, as it may be written at Twilio: a caller is not to hear of it.
        routes.route_service(path, webhook.clone()).route_service(&format!("{path}/"), webhook.clone())
    });
    let others = Router::new()
        .route("/", get(page))
        .route(
            "/token",
            any(token)
                .layer(DefaultBodyLimit::max(LARGEST_FORM))
                .layer(from_fn_with_state(origins, around_token)),
        )
        .route("/healthz", get(async || "ok\n"))
        .merge(files)
        .with_state(pages)
        .layer(from_fn_with_state(door, astray));
    // In this order: an address that is nobody's is answered as the others are.
    if rehearses {
        webhooks.merge(others).layer(from_fn(own_host)).layer(everywhere)
    } else {
        webhooks.merge(others.layer(everywhere))
    }
}
