//! An address of ours or the company's, to which paths are appended.

use std::fmt;

use url::{Host, Url};

/// An `http` or `https` address without query, fragment or user, and without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// What it should be, for whoever wrote something else.
    pub const SHOULD_BE: &str = "an address such as https://calls.example.com, without query or user";

    /// The same, for a whole host.
    pub const SHOULD_BE_HOST: &str =
        "an address such as https://calls.example.com, without user, path or query";

    /// Parses what a person wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let plain = url.username().is_empty() && url.password().is_none();
        let bare = url.query().is_none() && url.fragment().is_none();
        let host = url.host_str().is_some_and(|host| !host.contains('*'));
        let web = matches!(url.scheme(), "http" | "https") && host;
        // The parser takes `https:host` and a backslash for a slash; what is printed and signed is what was understood.
        let written = text.get(..8).is_some_and(|start| start.to_ascii_lowercase().starts_with("http"))
            && text.contains("://");
        (plain && bare && web && written).then_some(Self(url))
    }

    /// Where a server on this machine is reached.
    #[must_use]
    pub fn of_local(address: std::net::SocketAddr) -> Self {
        Self(
            Url::parse(&format!("http://{address}"))
                .unwrap_or_else(|_| unreachable!("a host and a port are an address")),
        )
    }

    /// The text, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The same, in its parts.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The address of a whole host: what this server serves is at fixed paths below it.
    #[must_use]
    pub fn parse_host(text: &str) -> Option<Self> {
        Self::parse(text).filter(|base| base.0.path() == "/")
    }

    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether what is sent there can be read on the way: it is on another machine, and reached without TLS.
    #[must_use]
    pub fn is_overheard(&self) -> bool {
        let here = match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        !self.is_secure() && !here
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_web_address_will_do() {
        assert_eq!(BaseUrl::parse("https://a.example/x/").unwrap().as_str(), "https://a.example/x");
        assert_eq!(
            BaseUrl::parse_host("https://a.example:8443/").unwrap().as_str(),
            "https://a.example:8443"
        );
        assert_eq!(BaseUrl::parse_host("https://a.example/incoming"), None);
        assert!(BaseUrl::parse("https://a.example").unwrap().is_secure());
        assert!(!BaseUrl::parse("http://127.0.0.1:3000").unwrap().is_secure());
        for (base, overheard) in [
            ("http://crm.example", true),
            ("http://192.0.2.1", true),
            ("https://crm.example", false),
            ("http://localhost:8000", false),
            ("http://127.0.0.2", false),
            ("http://[::1]:8000", false),
        ] {
            assert_eq!(BaseUrl::parse(base).unwrap().is_overheard(), overheard, "{base}");
        }
        for bad in [
            "a.example",
            "https:a.example",
            "https:\\\\a.example",
            "ftp://a.example",
            "https://u:p@a.example",
            "https://a.example?x=1",
            "https://",
            "https://*.example.com",
        ] {
            assert_eq!(BaseUrl::parse(bad), None, "{bad}");
        }
    }
}
