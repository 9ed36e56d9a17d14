//! A call of the SDK's, and what it reports, in `domain`'s words.
//!
//! Invariant: a call is heard only while it is kept; a finished one goes on reporting, for instance every later drop of the
//! socket, and nobody listens.

use std::cell::Cell;
use std::rc::Rc;

use domain::Card;
use domain::shift::{CallId, Event, Side};
use wasm_bindgen::prelude::*;

use crate::device::Device;
use crate::listener::Listener;
use crate::switchboard::{Post, soon};
use crate::{card, sdk};

/// A call that rings or is talked on.
pub(crate) struct Call {
    id: CallId,
    sdk: sdk::Call,
    _listeners: Vec<Listener>,
}

impl Call {
    /// Takes in a call that rings; `None` when it is over already, which happens while the SDK waits for its ringtone.
    pub(crate) fn ringing(sdk: sdk::Call, id: CallId, post: &Post) -> Option<Self> {
        if sdk.status() != "pending" {
            return None;
        }
        let heard_audio = Cell::new(false);
        let listeners = vec![
            told(&sdk, "accept", post, move |_| Some(Event::Accepted(id))),
            told(&sdk, "cancel", post, move |_| Some(Event::Cancelled(id))),
            told(&sdk, "reject", post, move |_| Some(Event::Rejected(id))),
            told(&sdk, "reconnecting", post, move |_| Some(Event::Reconnecting(id))),
            told(&sdk, "reconnected", post, move |_| Some(Event::Reconnected(id))),
            told(&sdk, "mute", post, move |muted| Some(Event::Muted(id, muted.is_truthy()))),
            told(&sdk, "warning", post, move |name| silent(id, &name, true)),
            told(&sdk, "warning-cleared", post, move |name| silent(id, &name, false)),
            told(&sdk, "error", post, move |error| Some(Event::CallFailed { call: id, code: code(&error) })),
            told(&sdk, "sample", post, move |sample| {
                let received = sample.unchecked_into::<sdk::Sample>().bytes_received().unwrap_or_default();
                (received > 0.0 && !heard_audio.replace(true)).then_some(Event::AudioFlows(id))
            }),
            disconnected(&sdk, id, post),
            transport_closed(&sdk, id, post),
        ];
        Some(Self { id, sdk, _listeners: listeners })
    }

    /// The number by which `domain` knows it.
    pub(crate) fn id(&self) -> CallId {
        self.id
    }

    /// Who calls.
    pub(crate) fn card(&self) -> Card {
        card::of(&self.sdk)
    }

    /// Accepts it. `false` when the SDK did nothing, as with a call whose socket dropped in this very moment.
    pub(crate) fn accept(&self) -> Result<bool, JsValue> {
        self.sdk.accept()?;
        Ok(self.sdk.status() == "connecting")
    }

    /// Rejects it.
    pub(crate) fn reject(&self) -> Result<(), JsValue> {
        self.sdk.reject()
    }

    /// Hangs up. While the socket is away, or when the cloud has closed the stream on which the call came, the SDK ends the call
    /// here and never tells the cloud, which holds it for the caller: so the device does.
    pub(crate) fn hang_up(&self, device: Option<&Device>) -> Result<(), JsValue> {
        let own = self.sdk.stream();
        if let Some(device) = device
            && let Some(line) = device.line()
            && (own.status() == "disconnected" || JsValue::as_ref(&line) != JsValue::as_ref(&own))
            && let Some(call_sid) = self.sdk.parameters().call_sid()
        {
            device.hang_up(line, call_sid)?;
        }
        self.sdk.disconnect()
    }

    /// Mutes or unmutes the microphone.
    pub(crate) fn mute(&self, muted: bool) -> Result<(), JsValue> {
        self.sdk.mute(muted)
    }

    /// It rings, as far as the SDK knows.
    pub(crate) fn is_pending(&self) -> bool {
        self.sdk.status() == "pending"
    }
}

/// The code of an error of the SDK's; 0 for the few that have none.
pub(crate) fn code(error: &JsValue) -> u32 {
    error.unchecked_ref::<sdk::Failure>().code().unwrap_or_default() as u32
}

/// The SDK's warnings of a voice that is missing. Those of its quality are not for the operator, and a constant level is also
/// what noise suppression makes of somebody who listens.
fn silent(call: CallId, warning: &JsValue, on: bool) -> Option<Event> {
    let side = match warning.as_string()?.as_str() {
        "low-bytes-sent" => Side::Operator,
        "low-bytes-received" => Side::Caller,
        _ => return None,
    };
    Some(Event::Silent { call, side, on })
}

fn told(
    sdk: &sdk::Call,
    event: &'static str,
    post: &Post,
    meaning: impl Fn(JsValue) -> Option<Event> + 'static,
) -> Listener {
    let post = Rc::clone(post);
    Listener::of_sdk(sdk, event, move |argument, _| {
        if let Some(event) = meaning(argument) {
            post(event);
        }
    })
}

/// Told a moment later: a call that failed here reports `disconnect` first and the error, which says why, right after.
fn disconnected(sdk: &sdk::Call, id: CallId, post: &Post) -> Listener {
    let post = Rc::clone(post);
    Listener::of_sdk(sdk, "disconnect", move |_, _| {
        let post = Rc::clone(&post);
        soon(move || post(Event::Disconnected(id)));
    })
}

/// The SDK changes the call's status after it has told: a call that talks and is closed then is dead, and it does not say so.
fn transport_closed(sdk: &sdk::Call, id: CallId, post: &Post) -> Listener {
    let (sdk_call, post) = (sdk.clone(), Rc::clone(post));
    Listener::of_sdk(sdk, "transportClose", move |_, _| {
        post(Event::TransportClosed(id));
        let (sdk_call, post) = (sdk_call.clone(), Rc::clone(&post));
        soon(move || {
            if sdk_call.status() == "closed" {
                post(Event::Stuck(id));
            }
        });
    })
}
