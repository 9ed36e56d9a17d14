//! HTTP: settings, tokens, voice webhooks, the page and its files.
//!
//! `serve.rs`, which belongs to the program, composes; everything here gets its clock, its randomness and its directory passed in.

pub mod chance;
pub mod clock;
mod cors;
mod host;
pub mod kept;
pub mod late;
mod page;
pub mod policy;
mod record;
pub mod router;
pub mod settings;
pub mod site;
mod sounds;
pub mod token;
pub mod voice;

pub use router::{Parts, router};
