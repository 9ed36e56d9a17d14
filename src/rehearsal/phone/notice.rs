//! What the customer's phone is told while it is in a call.
//!
//! It is told what a caller could hear or see, nothing of the operator's side.

use serde::Serialize;

use crate::voice::status::CallStatus;

/// One message to the page.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Notice {
    /// The call is placed; here is our answer to the page's session description.
    Dialled { call_sid: String, sdp: String },
    /// The call could not even be placed.
    Refused,
    /// How far the call has come.
    Status { status: CallStatus },
    /// It rings at the other end, or no longer.
    Ringback { on: bool, tone: Option<String> },
    /// Read this out, and say when it is done.
    Say { id: u64, text: String, language: String },
    /// Play what is at `url`, on our own origin, and say when it is done.
    Play { id: u64, url: String },
    /// Play these digits as tones, and say when it is done.
    Tones { id: u64, digits: String },
    /// Somebody is on the line, or no longer.
    Talking { on: bool },
    /// The other side pressed a digit.
    Digit { digit: String },
}
