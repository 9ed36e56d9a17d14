//! The event gateway, where the SDK reports how a call went. Reports are accepted and forgotten.
//!
//! A browser asks first whether it may (CORS), from whatever origin the console has.

use axum::{
    Json,
    http::{HeaderName, StatusCode, header},
    response::IntoResponse,
};
use serde_json::json;

/// `POST /v4/EndpointEvents` and `/v4/EndpointMetrics`.
pub(crate) async fn accept() -> impl IntoResponse {
    (allowed(), Json(json!({})))
}

/// `OPTIONS` of the same.
pub(crate) async fn preflight() -> impl IntoResponse {
    (StatusCode::NO_CONTENT, allowed())
}

fn allowed() -> [(HeaderName, &'static str); 4] {
    [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, x-twilio-token"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ]
}
