//! Keeps foreign web pages out: a page may reach loopback, but not under a name of its own, nor with its own origin.
//!
//! `Host` must name this machine (against DNS rebinding). Where something can be seen or done, `Origin` must be absent or ours.

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// For everything on the plain address.
pub(crate) async fn own_host(request: Request, next: Next) -> Response {
    match host(request.headers()).is_some_and(is_loopback) {
        true => next.run(request).await,
        false => refused("this address is asked for under a name that is not this machine's"),
    }
}

/// For the TLS address, which browsers in tests take for Twilio's.
pub(crate) async fn own_or_twilio_host(request: Request, next: Next) -> Response {
    let ours = |host: &str| is_loopback(host) || without_port(host).ends_with(".twilio.com");
    match host(request.headers()).is_some_and(ours) {
        true => next.run(request).await,
        false => {
            refused("this address is asked for under a name that is neither this machine's nor Twilio's")
        }
    }
}

/// For the HTTP API and the customer's phone.
pub(crate) async fn own_origin(request: Request, next: Next) -> Response {
    match is_own_origin(request.headers()) {
        true => next.run(request).await,
        false => refused("only the rehearsal's own pages may do this"),
    }
}

fn refused(why: &'static str) -> Response {
    (StatusCode::FORBIDDEN, why).into_response()
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

fn is_loopback(host: &str) -> bool {
    matches!(&without_port(host).to_ascii_lowercase()[..], "localhost" | "127.0.0.1" | "[::1]")
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_own_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let authority = origin.as_ref().and_then(|origin| origin.authority()).map(|authority| authority.as_str());
    authority.is_some() && authority == host(headers)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn hosts() {
        for good in ["localhost", "localhost:3001", "127.0.0.1:3001", "[::1]:3001", "[::1]", "LOCALHOST:1"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in
            ["", "evil.example", "localhost.evil.example:3001", "127.0.0.1.evil.example", "localhost:evil"]
        {
            assert!(!is_loopback(bad), "{bad}");
        }
    }

    #[test]
    fn origins() {
        let headers = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("localhost:3001"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            headers
        };
        assert!(is_own_origin(&headers(None)));
        assert!(is_own_origin(&headers(Some("http://localhost:3001"))));
        for foreign in
            ["null", "http://localhost:3000", "http://evil.example", "http://localhost:3001.evil.example"]
        {
            assert!(!is_own_origin(&headers(Some(foreign))), "{foreign}");
        }
    }
}
