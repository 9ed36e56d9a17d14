//! Keeps foreign pages away from a console in rehearsal, which anybody on this machine may use: a page can point a name of its
//! own at loopback, and its browser would then let it read our answers.
//!
//! In production the proxy in front decides for which names it answers.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Answers only to this machine's own names. What no browser sends, a request without a host, passes.
pub(crate) async fn own_host(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    if host.is_none_or(|host| host.to_str().is_ok_and(is_loopback)) {
        return next.run(request).await;
    }
    let why = "リハーサル中のコンソールは http://localhost か http://127.0.0.1 でだけ開けます。\n\
               In rehearsal the console opens at http://localhost or http://127.0.0.1 only.\n";
    (StatusCode::MISDIRECTED_REQUEST, why).into_response()
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| name.eq_ignore_ascii_case(own))
}
