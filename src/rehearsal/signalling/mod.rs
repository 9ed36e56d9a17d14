//! The signalling of Twilio's Voice SDK: JSON frames over a WebSocket at `/signal`.
//!
//! It speaks to the unmodified SDK and believes nothing but verified tokens.

pub(crate) mod devices;
pub(crate) mod frame;
pub(crate) mod insights;
pub(crate) mod session;
pub(crate) mod socket;
pub(crate) mod token;
