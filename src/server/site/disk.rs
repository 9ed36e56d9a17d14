//! Files from the folder that `cargo leptos` builds: always asked for again, because the next build changes them.

use std::path::Path;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::map_response;
use axum::response::Response;
use tower_http::services::ServeDir;

/// Serves everything in the folder.
pub(crate) fn routes(root: &Path) -> Router {
    Router::new().fallback_service(ServeDir::new(root).append_index_html_on_directories(false)).layer(
        map_response(async |mut response: Response| {
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response
        }),
    )
}
