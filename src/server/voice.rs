//! Twilio's voice webhooks: a call comes in, and what became of its dialling.
//!
//! Invariant: whatever is broken, Twilio gets status 200 and TwiML that a caller can bear to hear; only a request that
//! Twilio did not sign gets 403. Numbers end here: what goes on from this module to a browser has no field for one.

mod door;
mod endpoints;
mod form;
mod phrases;
mod reception;
mod refusals;
mod signature;
mod twiml;

use crate::settings::BaseUrl;
pub(crate) use door::{Door, astray, enter};

pub use reception::Reception;
pub use signature::Signatures;

/// What Twilio must be told at a number's voice configuration: what it calls each setting, and what to write there.
#[must_use]
pub fn to_be_told(public: &BaseUrl) -> [(&'static str, String); 3] {
    [
        ("A call comes in", format!("Webhook, {public}/incoming, HTTP POST")),
        (
            "Primary handler fails",
            "a TwiML Bin with a sentence, for while this server is restarted".to_owned(),
        ),
        ("Call status changes", format!("{public}/status, HTTP POST")),
    ]
}
