//! The browser's question before a page is left on which somebody rings or talks: leaving ends the ring here, and the talk.
//!
//! The SDK asks it only during a call. Firefox closes the socket before the SDK can hang up: the caller then waits in silence for
//! as long as the cloud holds a call (`maxCallSignalingTimeoutMs`), so there the question matters even more.
//! Invariant: nothing listens to `beforeunload` while nobody would be cut off.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;
use web_sys::Event;

use crate::listener::Listener;

/// Asks when it should.
#[derive(Default)]
pub(crate) struct Leaving {
    asking: RefCell<Option<Listener>>,
}

impl Leaving {
    /// Asks before the page is left, or not.
    pub(crate) fn ask(&self, ask: bool) {
        let mut asking = self.asking.borrow_mut();
        if asking.is_some() == ask {
            return;
        }
        *asking = web_sys::window().filter(|_| ask).map(|window| {
            Listener::of_page(&window, "beforeunload", |event| {
                event.unchecked_into::<Event>().prevent_default()
            })
        });
    }
}
