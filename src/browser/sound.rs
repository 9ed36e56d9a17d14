//! The SDK's sounds, which browsers lock until the operator has clicked.
//!
//! The SDK plays into an `AudioContext` of its own and never resumes it: a locked one plays a silent ringtone and reports
//! nothing. Invariant: `unlock` asks before it returns, so that it counts as part of the click.

use domain::shift::{Event, Failure};
use js_sys::Promise;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AudioContext, AudioContextState};

use crate::listener::Listener;
use crate::sdk::Device;
use crate::switchboard::heedless;

/// Asks for the sound. What it gives waits for the browser's answer, which for a locked context may never come.
///
/// # Errors
/// The SDK is not there, does not support this browser, or has no sound.
pub(crate) fn unlock() -> Result<impl Future<Output = Event>, Failure> {
    let supported = Device::is_supported().map_err(|_| Failure::SdkMissing)?;
    let secure = web_sys::window().is_some_and(|window| window.is_secure_context());
    if !supported || !secure {
        return Err(Failure::Unsupported);
    }
    let context = Device::make_audio_context().ok().flatten().ok_or(Failure::Unsupported)?;
    let resumed = context.resume().map_err(|_| Failure::AudioBlocked)?;
    Ok(answer(context, resumed))
}

async fn answer(context: AudioContext, resumed: Promise) -> Event {
    let resumed = JsFuture::from(resumed).await;
    if resumed.is_ok() && context.state() == AudioContextState::Running {
        Event::AudioReady
    } else {
        Event::StepFailed(Failure::AudioBlocked)
    }
}

/// Keeps asking for it: a ring into a context that was suspended is silent, and nothing else would tell.
pub(crate) fn watch() -> Option<Listener> {
    let context = Device::audio_context().ok().flatten()?;
    Some(Listener::of_page(&context, "statechange", |_| resume()))
}

/// Asks again, for a context that the browser suspended since, as telephones do when another call comes in.
pub(crate) fn resume() {
    let Ok(Some(context)) = Device::audio_context() else { return };
    if context.state() != AudioContextState::Running {
        // It may be refused or never answered; the next click asks again.
        if let Ok(resumed) = context.resume() {
            heedless(resumed);
        }
    }
}
