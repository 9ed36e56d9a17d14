//! The microphone: whether the operator lets us have it.
//!
//! Invariant: it is closed again before the answer is given. The SDK opens it for a call and closes it after, so that it
//! listens only while somebody talks.

use std::rc::Rc;

use domain::shift::{Event, Failure};
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MediaStream, MediaStreamConstraints, MediaStreamTrack, PermissionState, PermissionStatus};

use crate::listener::Listener;
use crate::switchboard::Post;

/// Asks, which may wait for the operator's answer to the browser's question.
pub(crate) async fn ask() -> Event {
    match open().await {
        Ok(stream) => {
            for track in stream.get_tracks() {
                track.unchecked_into::<MediaStreamTrack>().stop();
            }
            Event::MicrophoneReady
        }
        Err(error) => Event::StepFailed(failure(&error)),
    }
}

/// The browser's permission, where it tells of it.
pub(crate) async fn permission() -> Option<PermissionStatus> {
    let permissions = web_sys::window()?.navigator().permissions().ok()?;
    let asked = Object::new();
    Reflect::set(&asked, &"name".into(), &"microphone".into()).ok()?;
    JsFuture::from(permissions.query(&asked).ok()?).await.ok().map(JsCast::unchecked_into)
}

/// Tells when it is taken back, and when it is given again. A browser that would ask again has done neither, and some say that
/// of every microphone that is not open.
pub(crate) fn watch_permission(permission: &PermissionStatus, post: &Post) -> Listener {
    let (watched, post) = (permission.clone(), Rc::clone(post));
    Listener::of_page(permission, "change", move |_| {
        let state = watched.state();
        if state != PermissionState::Prompt {
            post(change(state == PermissionState::Granted, Failure::MicrophoneRefused));
        }
    })
}

/// Tells when one is plugged in or out.
pub(crate) fn watch_devices(changed: impl Fn() + 'static) -> Option<Listener> {
    let devices = web_sys::window()?.navigator().media_devices().ok()?;
    Some(Listener::of_page(&devices, "devicechange", move |_| changed()))
}

/// Looks whether there is one.
pub(crate) async fn find() -> Event {
    // A browser that does not tell has said nothing against it.
    change(is_there().await.unwrap_or(true), Failure::MicrophoneMissing)
}

async fn is_there() -> Result<bool, JsValue> {
    let window = web_sys::window().ok_or(JsValue::UNDEFINED)?;
    let devices = JsFuture::from(window.navigator().media_devices()?.enumerate_devices()?).await?;
    let is_input =
        |device: JsValue| Reflect::get(&device, &"kind".into()).is_ok_and(|kind| kind == "audioinput");
    Ok(Array::from(&devices).iter().any(is_input))
}

fn change(is_there: bool, lack: Failure) -> Event {
    if is_there { Event::MicrophoneBack(lack) } else { Event::MicrophoneLost(lack) }
}

async fn open() -> Result<MediaStream, JsValue> {
    let window = web_sys::window().ok_or(JsValue::UNDEFINED)?;
    let wanted = MediaStreamConstraints::new();
    wanted.set_audio(&JsValue::TRUE);
    let stream = window.navigator().media_devices()?.get_user_media_with_constraints(&wanted)?;
    JsFuture::from(stream).await.map(JsCast::unchecked_into)
}

fn failure(error: &JsValue) -> Failure {
    match js_sys::Error::unchecked_from_js_ref(error).name().as_string().as_deref() {
        Some("NotAllowedError" | "SecurityError") => Failure::MicrophoneRefused,
        Some("NotFoundError" | "OverconstrainedError") => Failure::MicrophoneMissing,
        Some("TypeError") | None => Failure::Unsupported,
        Some(_) => Failure::MicrophoneBusy,
    }
}
