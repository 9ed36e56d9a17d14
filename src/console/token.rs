//! `/token`: the server function that a console asks for its access token, by query or by form.
//!
//! Invariant: whatever comes in, the answer is a token, or an error of ours as JSON; what cannot be read is no identity.

use std::fmt;

#[cfg(not(target_family = "wasm"))]
use domain::Identity;
use leptos::prelude::*;
use leptos::server_fn::codec::{Encoding, FromReq, IntoReq};
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::request::{ClientReq, Req};
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};
use serde::{Deserialize, Serialize};

use crate::desk::AccessToken;
#[cfg(not(target_family = "wasm"))]
use crate::desk::AnyDesk;

/// A token for the operator, asked for by query.
///
/// # Errors
/// See [`TokenError`].
#[server(prefix = "", endpoint = "/token", input = ByQuery)]
pub async fn token(
    /// The operator.
    identity: String,
) -> Result<AccessToken, TokenError> {
    issue(&identity).await
}

/// A token for the operator, asked for by a form, whose fields count together with the query's.
///
/// # Errors
/// See [`TokenError`].
#[server(prefix = "", endpoint = "/token", input = ByForm)]
pub async fn token_by_form(
    /// The operator.
    identity: String,
) -> Result<AccessToken, TokenError> {
    issue(&identity).await
}

/// Why there is no token. On the wire it is `{"error": code, "message": text}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenError {
    /// The identity is missing, repeated, or not one.
    InvalidIdentity,
    /// The method is none of GET, POST and OPTIONS.
    MethodNotAllowed,
    /// A browser asks for a page of another origin, which the settings do not name.
    OriginNotAllowed,
    /// The server cannot sign one now.
    Unavailable,
    /// The server was not reached, or what answered was not ours.
    Unreachable,
}

impl TokenError {
    /// The HTTP status that carries it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidIdentity => 400,
            Self::OriginNotAllowed => 403,
            Self::MethodNotAllowed => 405,
            Self::Unavailable | Self::Unreachable => 503,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidIdentity => {
                "identity を一つだけ指定してください [ 英数、アンダースコア、ハイフン、ドット、アットマーク、1〜64 文字 ]"
            }
            Self::MethodNotAllowed => "GET または POST を使用してください",
            Self::OriginNotAllowed => "このオリジンからは利用できません (CORS_ALLOW_ORIGIN)",
            Self::Unavailable => "トークンを発行できません。しばらくしてから再度お試しください",
            Self::Unreachable => "サーバーに接続できません",
        })
    }
}

impl std::error::Error for TokenError {}

/// The identity in the query of a `GET`.
#[derive(Clone, Copy, Debug)]
pub struct ByQuery;

/// The identity in the form of a `POST`.
#[derive(Clone, Copy, Debug)]
pub struct ByForm;

const FORM: &str = "application/x-www-form-urlencoded";

impl ContentType for ByQuery {
    const CONTENT_TYPE: &'static str = FORM;
}

impl Encoding for ByQuery {
    const METHOD: http::Method = http::Method::GET;
}

impl<E, R: ClientReq<E>> IntoReq<ByQuery, R, E> for Token {
    fn into_req(self, path: &str, accepts: &str) -> Result<R, E> {
        R::try_new_get(path, FORM, accepts, &pair(&self.identity))
    }
}

impl<E, R: Req<E> + Send + 'static> FromReq<ByQuery, R, E> for Token {
    async fn from_req(request: R) -> Result<Self, E> {
        Ok(Self { identity: the_only_identity([request.as_query().unwrap_or_default()]) })
    }
}

impl ContentType for ByForm {
    const CONTENT_TYPE: &'static str = FORM;
}

impl Encoding for ByForm {
    const METHOD: http::Method = http::Method::POST;
}

impl<E, R: ClientReq<E>> IntoReq<ByForm, R, E> for TokenByForm {
    fn into_req(self, path: &str, accepts: &str) -> Result<R, E> {
        R::try_new_post(path, FORM, accepts, pair(&self.identity))
    }
}

impl<E: Send, R: Req<E> + Send + 'static> FromReq<ByForm, R, E> for TokenByForm {
    async fn from_req(request: R) -> Result<Self, E> {
        let query = request.as_query().unwrap_or_default().to_owned();
        let body = request.try_into_string().await.unwrap_or_default();
        Ok(Self { identity: the_only_identity([query.as_str(), body.as_str()]) })
    }
}

/// What an error looks like on the wire.
#[derive(Serialize, Deserialize)]
struct Wire {
    error: TokenError,
    #[serde(default)]
    message: String,
}

/// Errors as the article's clients know them.
#[derive(Clone, Copy, Debug)]
pub struct ErrorJson;

impl ContentType for ErrorJson {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for ErrorJson {
    const FORMAT_TYPE: Format = Format::Text;
}

impl Encodes<TokenError> for ErrorJson {
    type Error = serde_json::Error;

    fn encode(error: &TokenError) -> Result<Bytes, Self::Error> {
        serde_json::to_vec(&Wire { error: *error, message: error.to_string() }).map(Bytes::from)
    }
}

impl Decodes<TokenError> for ErrorJson {
    type Error = serde_json::Error;

    fn decode(bytes: Bytes) -> Result<TokenError, Self::Error> {
        serde_json::from_slice::<Wire>(&bytes).map(|wire| wire.error)
    }
}

impl FromServerFnError for TokenError {
    type Encoder = ErrorJson;

    fn from_server_fn_error(_: ServerFnErrorErr) -> Self {
        Self::Unreachable
    }
}

#[cfg(not(target_family = "wasm"))]
async fn issue(identity: &str) -> Result<AccessToken, TokenError> {
    let issued = match (Identity::parse(identity), use_context::<AnyDesk>()) {
        (Err(_), _) => Err(TokenError::InvalidIdentity),
        (Ok(_), None) => Err(TokenError::Unavailable),
        (Ok(identity), Some(desk)) => desk.token(identity).await.map_err(|_| TokenError::Unavailable),
    };
    if let (Err(error), Some(response)) = (&issued, use_context::<leptos_axum::ResponseOptions>()) {
        response.set_status(http::StatusCode::from_u16(error.status()).unwrap_or_default());
    }
    issued
}

fn pair(identity: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("identity", identity).finish()
}

/// The value of the one `identity`; nothing when there is none or more than one.
fn the_only_identity<const N: usize>(encoded: [&str; N]) -> String {
    let mut found = encoded
        .iter()
        .flat_map(|text| form_urlencoded::parse(text.as_bytes()))
        .filter(|(name, _)| name == "identity");
    match (found.next(), found.next()) {
        (Some((_, identity)), None) => identity.into_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_identity_counts_and_two_are_none() {
        assert_eq!(the_only_identity(["a=1&identity=taro%40example"]), "taro@example");
        assert_eq!(the_only_identity(["identity=a", "identity=a"]), "");
        assert_eq!(the_only_identity(["identity=a&identity=b"]), "");
        assert_eq!(the_only_identity(["", "%ff&&=&identity"]), "");
    }

    #[test]
    fn an_error_survives_the_wire() {
        let bytes = TokenError::InvalidIdentity.ser();
        assert!(bytes.starts_with(br#"{"error":"invalid_identity","message":""#));
        assert_eq!(TokenError::de(bytes), TokenError::InvalidIdentity);
        assert_eq!(TokenError::de(Bytes::from_static(b"<html>")), TokenError::Unreachable);
    }
}
