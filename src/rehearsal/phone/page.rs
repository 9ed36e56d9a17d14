//! The page's files, carried in the binary.
//!
//! Its policy allows nothing that is not served from here, and no script or style within the page.

use axum::{
    http::{HeaderName, header},
    response::IntoResponse,
};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `/`.
pub(crate) async fn html() -> impl IntoResponse {
    let policies = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (HeaderName::from_static("permissions-policy"), "microphone=(self)"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (policies, file("text/html; charset=utf-8", include_str!("page/phone.html")))
}

/// `/phone.css`.
pub(crate) async fn css() -> impl IntoResponse {
    file("text/css; charset=utf-8", include_str!("page/phone.css"))
}

/// `/phone.js`.
pub(crate) async fn js() -> impl IntoResponse {
    file("text/javascript; charset=utf-8", include_str!("page/phone.js"))
}

/// `/sounds.js`.
pub(crate) async fn sounds() -> impl IntoResponse {
    file("text/javascript; charset=utf-8", include_str!("page/sounds.js"))
}

/// `/texts.js`.
pub(crate) async fn texts() -> impl IntoResponse {
    file("text/javascript; charset=utf-8", include_str!("page/texts.js"))
}

/// `/phone.svg`.
pub(crate) async fn icon() -> impl IntoResponse {
    file("image/svg+xml", include_str!("page/phone.svg"))
}

fn file(content_type: &'static str, body: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body)
}
