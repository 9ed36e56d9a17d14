//! The shift's timers.
//!
//! Invariant: one of a name at a time; a timer that was replaced or forgotten does not fire, and one that has fired is gone.

use std::cell::RefCell;
use std::rc::Rc;

use domain::Millis;
use domain::shift::{Event, Timer};
use wasm_bindgen::prelude::*;

use crate::switchboard::Post;

/// The timers that run.
#[derive(Default)]
pub(crate) struct Timers {
    running: RefCell<Vec<(Timer, Timeout)>>,
}

struct Timeout {
    id: i32,
    _fire: Closure<dyn Fn()>,
}

impl Timers {
    /// Posts `Event::Timer` after so many milliseconds, instead of an earlier one of the same name.
    pub(crate) fn set(&self, timer: Timer, after: Millis, post: &Post) {
        let post = Rc::clone(post);
        let fire = Closure::<dyn Fn()>::new(move || post(Event::Timer(timer)));
        let after = i32::try_from(after).unwrap_or(i32::MAX);
        let id = web_sys::window().and_then(|window| {
            let fire = fire.as_ref().unchecked_ref();
            window.set_timeout_with_callback_and_timeout_and_arguments_0(fire, after).ok()
        });
        self.forget(&|other| other == timer);
        self.running.borrow_mut().extend(id.map(|id| (timer, Timeout { id, _fire: fire })));
    }

    /// Lets none of these fire.
    pub(crate) fn forget(&self, which: &dyn Fn(Timer) -> bool) {
        self.running.borrow_mut().retain(|(timer, _)| !which(*timer));
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        if let Some(window) = web_sys::window() {
            window.clear_timeout_with_handle(self.id);
        }
    }
}
