//! The WASM entry, and the telephone that it gives to the page: Twilio's unmodified Voice SDK behind `console::Softphone`.
//!
//! Two layers: [`sdk`] only says what the SDK looks like, and the others speak to it in the words of `domain`. Nothing here
//! decides what a call means: callbacks become `domain::Event`s, and what comes back is done. Of `call.parameters`, the one place
//! where the SDK might hold a telephone number, nothing here reads, keeps or writes more than the CallSid.
#![cfg(target_family = "wasm")]

mod call;
mod card;
mod clock;
mod device;
mod event_log;
mod leaving;
mod listener;
mod microphone;
mod options;
mod page_life;
mod sdk;
mod setup;
mod shift_lock;
mod softphone;
mod sound;
mod switchboard;
mod tabs;
mod timers;
mod token;

use leptos::prelude::provide_context;
use wasm_bindgen::UnwrapThrowExt;
use wasm_bindgen::prelude::wasm_bindgen;

/// Takes over the page that the server rendered.
///
/// Throws when the page lacks its setup: the page then says that it is dead.
#[wasm_bindgen]
pub fn hydrate() {
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
    let setup = setup::of_page().expect_throw("no setup");
    leptos::mount::hydrate_body(move || {
        provide_context(softphone::telephone(setup.clone()));
        provide_context(setup);
        console::App()
    });
}
