//! What the operator sees: pages and widgets, server functions, and two ports.
//!
//! Both sides compile it: the server renders it, the browser hydrates it. It depends on `domain` only, so that neither a page
//! nor a server function can even name a phone number.

pub mod app;
pub mod desk;
pub mod language;
mod page;
pub mod setup;
pub mod shell;
pub mod softphone;
pub mod token;

pub use app::App;
pub use desk::Desk;
pub use language::Language;
pub use setup::Setup;
pub use shell::{Refused, Shell};
pub use softphone::Softphone;
