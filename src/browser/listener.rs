//! A closure that listens to something of JavaScript's.
//!
//! Invariant: it is listening exactly as long as its owner keeps it; dropping it, even while it runs, takes it away.

use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

use crate::sdk::Emitter;

/// What the SDK's events and the page's come with: two arguments at most, `undefined` where there are fewer.
type Callback = Closure<dyn Fn(JsValue, JsValue)>;

/// A closure attached to an event.
pub(crate) struct Listener {
    to: To,
    event: &'static str,
    callback: Callback,
}

enum To {
    Sdk(Emitter),
    Page(EventTarget),
}

impl Listener {
    /// Listens to a device or a call.
    pub(crate) fn of_sdk(
        emitter: &Emitter,
        event: &'static str,
        heard: impl Fn(JsValue, JsValue) + 'static,
    ) -> Self {
        Self::listen(To::Sdk(emitter.clone()), event, Callback::new(heard))
    }

    /// Listens to the window, the document, or a channel.
    pub(crate) fn of_page(
        target: &EventTarget,
        event: &'static str,
        heard: impl Fn(JsValue) + 'static,
    ) -> Self {
        Self::listen(To::Page(target.clone()), event, Callback::new(move |event, _| heard(event)))
    }

    /// Apart, so that the WASM carries it once and not for every closure.
    fn listen(to: To, event: &'static str, callback: Callback) -> Self {
        let function = callback.as_ref().unchecked_ref();
        match &to {
            To::Sdk(emitter) => emitter.on(event, function),
            To::Page(target) => {
                // It throws only when there is no callback.
                let _ = target.add_event_listener_with_callback(event, function);
            }
        }
        Self { to, event, callback }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let callback = self.callback.as_ref().unchecked_ref();
        match &self.to {
            To::Sdk(emitter) => emitter.remove_listener(self.event, callback),
            To::Page(target) => {
                let _ = target.remove_event_listener_with_callback(self.event, callback);
            }
        }
    }
}
