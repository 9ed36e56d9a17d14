//! The port to the telephone: what a page may ask of it, and what it draws.

use std::sync::Arc;

use domain::Millis;
use domain::shift::{Intent, Note, Shift};
use leptos::prelude::*;

/// A telephone as a page sees it. Provided through Leptos' context as [`Telephone`]; `browser` implements it with Twilio's SDK.
pub trait Softphone: Send + Sync + 'static {
    /// The operator's shift.
    fn shift(&self) -> Signal<Shift>;
    /// The event log, oldest first, bounded.
    fn event_log(&self) -> Signal<Vec<Entry>>;
    /// The time, moving once a second while the page is seen.
    fn now(&self) -> Signal<Millis>;
    /// The operator wants something. What means nothing now is ignored.
    fn intend(&self, intent: Intent);
}

/// The telephone as it travels through the context.
pub type Telephone = Arc<dyn Softphone>;

/// A line of the event log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Millis,
    /// What.
    pub note: Note,
}

/// The telephone while the server renders, and until the browser has taken over: off, and deaf.
#[derive(Clone, Copy, Debug, Default)]
struct NoTelephone;

impl Softphone for NoTelephone {
    fn shift(&self) -> Signal<Shift> {
        Signal::derive(Shift::default)
    }

    fn event_log(&self) -> Signal<Vec<Entry>> {
        Signal::derive(Vec::new)
    }

    fn now(&self) -> Signal<Millis> {
        Signal::derive(|| 0)
    }

    fn intend(&self, _: Intent) {}
}

/// The telephone of this page.
#[must_use]
pub(crate) fn use_telephone() -> Telephone {
    use_context::<Telephone>().unwrap_or_else(|| Arc::new(NoTelephone))
}
