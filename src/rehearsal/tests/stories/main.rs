//! The rehearsal from outside: over its HTTP API, its WebSocket and the webhooks that it sends.
//!
//! Each story waits for what happens, never for time to pass; a guard ends one that waits in vain.

#![expect(clippy::unwrap_used, reason = "a story's helpers fail as its steps do")]

mod calls;
mod connection;
mod dialling;
mod house;
mod phone;
mod registration;
mod sdk;
mod twiml;
mod webhooks;
