//! Hands the recordings of `<Play>` through to the page, which may load from nowhere else.
//!
//! Only what TwiML of that very call named can be fetched this way.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::cloud::Cloud;

const LARGEST: usize = 20 * 1024 * 1024;

/// `GET /phone/recordings/{sid}/{index}`: the `index`th thing that the caller heard.
pub(crate) async fn play(
    State(cloud): State<Arc<Cloud>>,
    Path((sid, index)): Path<(String, usize)>,
) -> Response {
    let heard = cloud.switchboard.call(&sid).and_then(|call| call.record.borrow().heard.get(index).cloned());
    let Some(heard) = heard.filter(|heard| heard.kind == "play") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match fetch(&cloud.http, &heard.text).await {
        Some((content_type, body)) => ([(header::CONTENT_TYPE, content_type)], body).into_response(),
        None => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn fetch(http: &reqwest::Client, url: &str) -> Option<(String, Vec<u8>)> {
    let mut response = http.get(url).send().await.ok()?.error_for_status().ok()?;
    let content_type = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?.to_owned();
    if !content_type.starts_with("audio/") {
        return None;
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return None;
        }
    }
    Some((content_type, body))
}
