//! The operator's other tabs: a word from the one that accepted a call, since the SDK's cancellation does not say who did.
//!
//! Invariant: what is said is a call ref, which means nothing to anybody else.

use std::rc::Rc;

use domain::CallRef;
use domain::shift::Event;
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

use crate::listener::Listener;
use crate::switchboard::Post;

const CHANNEL: &str = "hitoku-accepted";

/// The channel between the tabs, open while it lives.
pub(crate) struct Tabs {
    channel: BroadcastChannel,
    _heard: Listener,
}

impl Tabs {
    /// Opens it; `None` where the browser has none, and then another tab's call ends as any that the caller gave up.
    pub(crate) fn open(post: &Post) -> Option<Self> {
        let channel = BroadcastChannel::new(CHANNEL).ok()?;
        let post = Rc::clone(post);
        let heard = Listener::of_page(&channel, "message", move |event| {
            if let Some(call_ref) = event.unchecked_into::<MessageEvent>().data().as_string() {
                post(Event::AnsweredElsewhere(CallRef(call_ref)));
            }
        });
        Some(Self { channel, _heard: heard })
    }

    /// Says that this call is accepted here.
    pub(crate) fn tell(&self, call_ref: &CallRef) -> Result<(), JsValue> {
        self.channel.post_message(&JsValue::from_str(&call_ref.0))
    }
}

impl Drop for Tabs {
    fn drop(&mut self) {
        self.channel.close();
    }
}
