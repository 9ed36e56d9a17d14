//! The customer's phone: a page of its own, for whoever plays the customer.
//!
//! It knows what a caller knows, and it is the only place where the caller's number may be seen.

pub(crate) mod notice;
mod page;
mod recording;
mod socket;

use std::sync::Arc;

use axum::{Router, routing::get};

use crate::cloud::Cloud;

/// The page and what it talks to.
pub(crate) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/", get(page::html))
        .route("/phone.css", get(page::css))
        .route("/phone.js", get(page::js))
        .route("/sounds.js", get(page::sounds))
        .route("/texts.js", get(page::texts))
        .route("/phone.svg", get(page::icon))
        .route("/phone", get(socket::open))
        .route("/phone/recordings/{sid}/{index}", get(recording::play))
}
