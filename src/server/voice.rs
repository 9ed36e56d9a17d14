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

pub(crate) use door::{Door, astray, enter};
pub use reception::Reception;
pub use signature::Signatures;
