//! `X-Twilio-Signature`: whether a request really comes from Twilio.
//!
//! Invariant: the address that is signed is built from `PUBLIC_BASE_URL`, never from what the request says of its host;
//! behind a proxy that is the only address that Twilio knows. Comparison takes the same time whatever is wrong.

use std::borrow::Cow;
use std::fmt;

use anyhow::Context as _;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use records::digits::holds_a_number;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;

use crate::settings::BaseUrl;

/// Checks signatures of one account's requests to one public address.
#[derive(Clone)]
pub struct Signatures {
    /// One for each auth token.
    keyed: Vec<Hmac<Sha1>>,
    /// The public address without and with its port: Twilio signs either form, as its own library knows.
    bases: [String; 2],
    /// As it was configured, for the log.
    public: BaseUrl,
}

/// No address of ours has so many.
const DIGITS_OF_A_NUMBER: usize = 7;
/// Twilio's forms have some forty; to sort a hundred thousand of somebody else's takes a while.
const MOST_FIELDS: usize = 1000;

impl Signatures {
    /// For requests that reach us at `public`, signed with any of these auth tokens.
    ///
    /// # Errors
    /// A token cannot be a key; none that is known is refused.
    pub fn new(auth_tokens: &[SecretString], public: &BaseUrl) -> anyhow::Result<Self> {
        let keyed = auth_tokens.iter().map(|token| Hmac::new_from_slice(token.expose_secret().as_bytes()));
        let keyed = keyed.collect::<Result<_, _>>().context("AUTH_TOKEN cannot be used as a key")?;
        Ok(Self { keyed, bases: with_and_without_port(public), public: public.clone() })
    }

    /// The address that Twilio should have signed, as far as a log may know it: a query may hold anything, and whoever asks
    /// for it may put a number into a path.
    pub(crate) fn address(&self, path_and_query: &str) -> String {
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, _)) => (path, "?…"),
            None => (path_and_query, ""),
        };
        let read = percent_decode_str(path).decode_utf8_lossy();
        let path = if holds_a_number(&read, DIGITS_OF_A_NUMBER) { "/…" } else { path };
        format!("{}{path}{query}", self.public)
    }

    /// What Twilio would write in `X-Twilio-Signature` of a request without fields, with the first of the auth tokens.
    #[must_use]
    pub fn sign(&self, path_and_query: &str) -> Option<String> {
        let mac = mac(self.keyed.first()?, self.public.as_str(), path_and_query, &[]);
        Some(BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// Whether `signature` is Twilio's for this address and these form fields, in any order.
    #[must_use]
    pub fn fit(&self, signature: &[u8], path_and_query: &str, form: &[u8]) -> bool {
        let Ok(signature) = BASE64_STANDARD.decode(signature) else { return false };
        let many = 1 + form.iter().filter(|byte| **byte == b'&').count();
        let mut fields = Vec::with_capacity(many.min(MOST_FIELDS + 1));
        fields.extend(form_urlencoded::parse(form).take(MOST_FIELDS + 1));
        if fields.len() > MOST_FIELDS {
            return false;
        }
        // As JavaScript sorts, which is what Twilio's library does: it differs from the order of bytes beyond ASCII only.
        if fields.iter().all(|(name, value)| name.is_ascii() && value.is_ascii()) {
            fields.sort_unstable();
        } else {
            fields.sort_unstable_by(|(a, x), (b, y)| {
                a.encode_utf16().cmp(b.encode_utf16()).then_with(|| x.encode_utf16().cmp(y.encode_utf16()))
            });
        }
        fields.dedup();
        let fits = |keyed, base| mac(keyed, base, path_and_query, &fields).verify_slice(&signature).is_ok();
        self.keyed.iter().any(|keyed| self.bases.iter().any(|base| fits(keyed, base)))
    }
}

impl fmt::Debug for Signatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signatures").field("bases", &self.bases).finish_non_exhaustive()
    }
}

fn mac(
    keyed: &Hmac<Sha1>,
    base: &str,
    path_and_query: &str,
    fields: &[(Cow<'_, str>, Cow<'_, str>)],
) -> Hmac<Sha1> {
    let mut mac = keyed.clone();
    mac.update(base.as_bytes());
    mac.update(path_and_query.as_bytes());
    for (name, value) in fields {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    mac
}

fn with_and_without_port(public: &BaseUrl) -> [String; 2] {
    let url = public.url();
    let host = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    let port = url.port_or_known_default().unwrap_or_default();
    let path = url.path().trim_end_matches('/');
    [format!("{host}{path}"), format!("{host}:{port}{path}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signatures(public: &str) -> Signatures {
        Signatures::new(&["another".into(), "12345".into()], &BaseUrl::parse(public).unwrap()).unwrap()
    }

    fn form(fields: &[(&str, &str)]) -> Vec<u8> {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
    }

    #[test]
    fn the_log_knows_an_address_and_no_number_in_it() {
        let address = |path| signatures("https://hitoku.example").address(path);
        assert_eq!(address("/voice/incoming?x=1"), "https://hitoku.example/voice/incoming?…");
        for number in [
            "/+447700900101",
            "/%2B44-7700-900101",
            "/a/%EF%BC%90%EF%BC%97%EF%BC%97%EF%BC%90%EF%BC%90900101/b",
        ] {
            assert_eq!(address(number), "https://hitoku.example/…");
        }
    }

    #[test]
    fn what_twilios_library_signs_fits() {
        // Signatures by the npm package twilio 6.2.0; the first is the example of Twilio's documentation.
        let documented = form(&[
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ]);
        let named = form(&[("From", "+447700900101"), ("CallerName", "O'Neil & Sons <K>"), ("Empty", "")]);
        let repeated = form(&[("A", "b"), ("A", "a"), ("A", "b"), ("a", "x"), ("Z", "越井 🌸")]);
        for (public, path, form, signature) in [
            ("https://mycompany.com", "/myapp.php?foo=1&bar=2", documented, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
            ("https://hitoku.example", "/incoming", named, "8cDXLk51SguNiDUH3QkTkbYoCWw="),
            (
                "https://hitoku.example:8443",
                "/incoming?a=%E8%B6%8A",
                repeated,
                "lWgecI/+GZcqDGjZZL6wuDTzAlA=",
            ),
        ] {
            let signatures = signatures(public);
            assert!(signatures.fit(signature.as_bytes(), path, &form), "{public}{path}");
            assert!(!signatures.fit(signature.as_bytes(), "/other", &form));
            assert!(!signatures.fit(signature.as_bytes(), path, b"From=%2B447700900199"));
        }
    }

    #[test]
    fn the_standard_port_may_be_signed_or_not() {
        let with_port = b"GaN02AQp+bbpSE+cNd96jIx/OB0=";
        assert!(signatures("https://hitoku.example").fit(with_port, "/incoming", b""));
        assert!(signatures("https://hitoku.example:443").fit(with_port, "/incoming", b""));
        assert_eq!(signatures("http://[::1]:3000/x").bases, ["http://[::1]/x", "http://[::1]:3000/x"]);
        assert_eq!(signatures("http://[::1]").bases, ["http://[::1]", "http://[::1]:80"]);
    }

    #[test]
    fn what_is_no_signature_fits_nothing() {
        for signature in ["", "RSOYDt4T1cUTdK1PDd93", "RSOYDt4T1cUTdK1PDd93/VVr8B8", "越井", "====", "AA=="]
        {
            assert!(
                !signatures("https://a.example").fit(signature.as_bytes(), "/incoming", b""),
                "{signature}"
            );
        }
    }
}
