//! `/incoming`, `/dialed` and `/status` as server functions, with encodings of their own: Twilio's form in, TwiML out.
//!
//! They are in this crate and not in `console`, so that no browser's download knows that they exist.

use std::sync::Arc;

use futures::TryFutureExt as _;
use http::Method;
use leptos::prelude::*;
use leptos::server_fn::codec::{Encoding, FromReq, FromRes, IntoReq, IntoRes};
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::request::{ClientReq, Req};
use leptos::server_fn::response::{ClientRes, TryRes};
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};

use super::form::{DialedCall, IncomingCall, ProgressedCall};
use super::phrases;
use super::reception::Reception;
use super::twiml::Twiml;

/// Twilio's "A call comes in".
#[server(prefix = "", endpoint = "/incoming", input = TwilioForm, output = TwimlBody, input_derive = (Clone,))]
pub(crate) async fn incoming(call: IncomingCall) -> Result<Twiml, Trouble> {
    Ok(reception()?.incoming(&call).await)
}

/// Twilio's `action` of our `<Dial>`.
#[server(prefix = "", endpoint = "/dialed", input = TwilioForm, output = TwimlBody, input_derive = (Clone,))]
pub(crate) async fn dialed(call: DialedCall) -> Result<Twiml, Trouble> {
    Ok(reception()?.dialed(&call).await)
}

/// Twilio's `statusCallback` of our `<Client>`, and of the number if it is set there.
#[server(prefix = "", endpoint = "/status", input = TwilioForm, output = TwimlBody, input_derive = (Clone,))]
pub(crate) async fn progressed(call: ProgressedCall) -> Result<Twiml, Trouble> {
    Ok(reception()?.progressed(&call).await)
}

fn reception() -> Result<Arc<Reception>, Trouble> {
    use_context().ok_or(Trouble)
}

/// Something is broken on our side. Even this is said in TwiML.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble;

/// A form that Twilio has signed. What cannot be read in it is not there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TwilioForm;

/// A TwiML document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TwimlBody;

impl ContentType for TwilioForm {
    const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded";
}

impl Encoding for TwilioForm {
    const METHOD: Method = Method::POST;
}

impl ContentType for TwimlBody {
    const CONTENT_TYPE: &'static str = "text/xml; charset=utf-8";
}

impl Encoding for TwimlBody {
    const METHOD: Method = Method::POST;
}

impl<E: Send, R: Req<E> + Send + 'static> FromReq<TwilioForm, R, E> for Incoming {
    fn from_req(request: R) -> impl Future<Output = Result<Self, E>> + Send {
        request.try_into_bytes().map_ok(|form| Self { call: IncomingCall::read(&form) })
    }
}

impl<E: Send, R: Req<E> + Send + 'static> FromReq<TwilioForm, R, E> for Dialed {
    fn from_req(request: R) -> impl Future<Output = Result<Self, E>> + Send {
        request.try_into_bytes().map_ok(|form| Self { call: DialedCall::read(&form) })
    }
}

impl<E: Send, R: Req<E> + Send + 'static> FromReq<TwilioForm, R, E> for Progressed {
    fn from_req(request: R) -> impl Future<Output = Result<Self, E>> + Send {
        request.try_into_bytes().map_ok(|form| Self { call: ProgressedCall::read(&form) })
    }
}

impl<E: Send, R: TryRes<E>> IntoRes<TwimlBody, R, E> for Twiml {
    async fn into_res(self) -> Result<R, E> {
        R::try_from_string(TwimlBody::CONTENT_TYPE, self.into_string())
    }
}

/// No client of ours ever asks: only Twilio does.
fn never<T, E: FromServerFnError>() -> Result<T, E> {
    Err(E::from_server_fn_error(ServerFnErrorErr::Request("only Twilio asks this".to_owned())))
}

impl<E: FromServerFnError, R: ClientReq<E>> IntoReq<TwilioForm, R, E> for Incoming {
    fn into_req(self, _: &str, _: &str) -> Result<R, E> {
        never()
    }
}

impl<E: FromServerFnError, R: ClientReq<E>> IntoReq<TwilioForm, R, E> for Dialed {
    fn into_req(self, _: &str, _: &str) -> Result<R, E> {
        never()
    }
}

impl<E: FromServerFnError, R: ClientReq<E>> IntoReq<TwilioForm, R, E> for Progressed {
    fn into_req(self, _: &str, _: &str) -> Result<R, E> {
        never()
    }
}

impl<E: FromServerFnError, R: ClientRes<E> + Send> FromRes<TwimlBody, R, E> for Twiml {
    async fn from_res(_: R) -> Result<Self, E> {
        never()
    }
}

impl FormatType for TwimlBody {
    const FORMAT_TYPE: Format = Format::Text;
}

impl Encodes<Trouble> for TwimlBody {
    type Error = std::convert::Infallible;

    fn encode(_: &Trouble) -> Result<Bytes, Self::Error> {
        Ok(Twiml::say(phrases::TROUBLE).into_string().into())
    }
}

impl Decodes<Trouble> for TwimlBody {
    type Error = std::convert::Infallible;

    fn decode(_: Bytes) -> Result<Trouble, Self::Error> {
        Ok(Trouble)
    }
}

impl FromServerFnError for Trouble {
    type Encoder = TwimlBody;

    fn from_server_fn_error(_: ServerFnErrorErr) -> Self {
        Self
    }
}
