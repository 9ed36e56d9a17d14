//! What the operator sees: pages and widgets, server functions, and two ports.
//!
//! Both sides compile it: the server renders it, the browser hydrates it. It depends on `domain` only, so that neither a page
//! nor a server function can even name a phone number.

pub mod app;
pub mod desk;
pub mod setup;
pub mod softphone;

pub use app::{App, Shell};
pub use desk::Desk;
pub use setup::Setup;
pub use softphone::Softphone;
