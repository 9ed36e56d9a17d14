//! Calls as Twilio tells of them, over HTTP.

use std::time::Duration;

use records::CallSid;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;

use crate::program::Server;
use crate::twilio::signature;

/// What those hear who are put through to nobody.
pub(crate) const UNKNOWN: &str = "ご登録の電話番号";
pub(crate) const TROUBLE: &str = "おつなぎできません。しばらくしてから";

/// Twilio waits so long, and then tells the caller that the application has failed.
const DEADLINE: Duration = Duration::from_secs(15);

/// Twilio, as one server sees it.
#[derive(Clone)]
pub(crate) struct Twilio {
    client: Client,
    address: String,
}

/// No whole answer came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CutOff;

impl Twilio {
    pub(crate) async fn at(server: &Server) -> Self {
        let client = Client::builder().no_proxy().timeout(DEADLINE).build().unwrap();
        Self { client, address: server.address().await }
    }

    /// A call comes in; the TwiML that it is answered with.
    pub(crate) async fn call(&self, call_sid: CallSid, from: &str) -> String {
        self.incoming(call_sid, from).await.unwrap()
    }

    /// A call comes in, perhaps at a server that ends in this moment.
    pub(crate) async fn incoming(&self, call_sid: CallSid, from: &str) -> Result<String, CutOff> {
        self.post("/incoming", &[("CallSid", &call_sid.to_string()), ("From", from)]).await
    }

    /// Posts a webhook. An answer that came whole is TwiML, or the test fails.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Result<String, CutOff> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .client
            .post(format!("{}{path}", self.address))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8")
            .header("x-twilio-signature", signature(path, form.as_bytes()))
            .body(form);
        let answer = request.send().await.map_err(cut_off)?;
        let status = answer.status().as_u16();
        let body = answer.text().await.map_err(cut_off)?;
        assert_eq!(status, 200, "{path}: {body}");
        let document = roxmltree::Document::parse(&body).unwrap();
        assert_eq!(document.root_element().tag_name().name(), "Response");
        Ok(body)
    }
}

fn cut_off(error: reqwest::Error) -> CutOff {
    assert!(!error.is_timeout(), "a caller was not answered in time");
    CutOff
}

/// A call's name: different for each number.
pub(crate) fn sid(call: u64) -> CallSid {
    CallSid::parse(&format!("CA{call:032x}")).unwrap()
}
