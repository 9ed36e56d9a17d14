//! Twilio's side of a webhook: what it signs with, and how.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

pub(crate) const PUBLIC: &str = "https://calls.example.com";
pub(crate) const AUTH_TOKEN: &str = "the-auth-token";

/// Twilio's signature of a form posted to this path.
pub(crate) fn signature(path: &str, form: &[u8]) -> String {
    let mut fields: Vec<_> = form_urlencoded::parse(form).into_owned().collect();
    fields.sort();
    fields.dedup();
    let text =
        fields.into_iter().fold(format!("{PUBLIC}{path}"), |text, (name, value)| text + &name + &value);
    let mut mac = Hmac::<Sha1>::new_from_slice(AUTH_TOKEN.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}
