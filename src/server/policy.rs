//! What a browser may do with our answers: the security headers of every response but what a webhook answers Twilio.
//!
//! Invariant: nothing inline runs without the response's own nonce, and a page reaches nothing but us and the voice cloud.

use axum::http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// Where the page finds the voice cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signalling {
    /// Twilio's own edges.
    Twilio,
    /// A rehearsal at this `host:port`, without TLS.
    Rehearsal(String),
}

/// The headers, made once.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    page: String,
    everywhere: HeaderMap,
}

/// Signalling starts at one edge and comes back at any; events go to the gateway of the account's region.
const TWILIO: &str = "wss://*.twilio.com https://eventgw.twilio.com https://eventgw.us1.twilio.com \
                      https://eventgw.ie1.twilio.com https://eventgw.au1.twilio.com https://eventgw.jp1.twilio.com";
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

impl Policy {
    /// For a page that reaches the voice cloud there, and maybe a live-reload socket on this port; `secure` when the
    /// world reaches us over TLS.
    #[must_use]
    pub(crate) fn new(signalling: &Signalling, live_reload: Option<u16>, secure: bool) -> Self {
        let cloud = match signalling {
            Signalling::Twilio => TWILIO.to_owned(),
            Signalling::Rehearsal(host) => format!("ws://{host}"),
        };
        let reload = live_reload
            .map_or_else(String::new, |port| format!(" ws://localhost:{port} ws://127.0.0.1:{port}"));
        let page = format!(
            "default-src 'none'; connect-src 'self' {cloud}{reload}; style-src 'self'; img-src 'self' data:; \
             font-src 'self'; manifest-src 'self'; media-src 'self' mediastream:; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'; object-src 'none'; script-src 'self' 'wasm-unsafe-eval'"
        );
        let mut everywhere = HeaderMap::new();
        let mut say = |name, value| everywhere.insert(name, HeaderValue::from_static(value));
        say(
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        );
        say(PERMISSIONS, "microphone=(self), autoplay=(self), camera=(), geolocation=()");
        say(REFERRER_POLICY, "no-referrer");
        say(X_CONTENT_TYPE_OPTIONS, "nosniff");
        say(OPENER, "same-origin");
        say(RESOURCE, "same-origin");
        if secure {
            say(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
        }
        Self { page, everywhere }
    }

    /// The page's Content-Security-Policy, for scripts with this nonce.
    #[must_use]
    pub(crate) fn page(&self, nonce: Option<&str>) -> Option<HeaderValue> {
        let policy = match nonce {
            Some(nonce) => format!("{} 'nonce-{nonce}'", self.page),
            None => self.page.clone(),
        };
        HeaderValue::try_from(policy).ok()
    }

    /// Adds to an answer what it does not say itself.
    pub(crate) fn complete(&self, headers: &mut HeaderMap) {
        headers.reserve(self.everywhere.len());
        for (name, value) in &self.everywhere {
            headers.entry(name).or_insert_with(|| value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_policy_allows_what_is_inline() {
        for signalling in [Signalling::Twilio, Signalling::Rehearsal("127.0.0.1:3001".to_owned())] {
            let page = Policy::new(&signalling, Some(3002), true).page(Some("n")).unwrap();
            let page = page.to_str().unwrap().to_owned();
            assert!(!page.contains("unsafe-inline") && !page.contains("'unsafe-eval'"), "{page}");
            assert!(page.ends_with("script-src 'self' 'wasm-unsafe-eval' 'nonce-n'"), "{page}");
        }
    }

    #[test]
    fn only_a_rehearsal_may_be_reached_without_tls() {
        let page = |signalling| Policy::new(&signalling, None, true).page(None).unwrap();
        assert!(!page(Signalling::Twilio).to_str().unwrap().contains("ws://"));
        let rehearsal = page(Signalling::Rehearsal("127.0.0.1:3001".to_owned()));
        assert!(rehearsal.to_str().unwrap().contains("connect-src 'self' ws://127.0.0.1:3001;"));
    }
}
