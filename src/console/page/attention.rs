//! Where the operator's attention goes: the tab's title, spoken announcements, the focus and the keys.
//!
//! Invariants: the title never holds a name, because browsers keep titles in their history. The focus never falls to the
//! floor: when what had it disappears, it goes to what the scene rests on, and a new ring takes it only from an operator who
//! is neither on a call nor typing.

use std::time::Duration;

use domain::shift::{CallId, Intent, Shift};
use leptos::ev::{self, KeyboardEvent};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::{Element, HtmlElement};

use super::scene::{self, Scene};
use super::{Page, ring, talk, words};
use crate::language;

const A_YEAR: u32 = 365 * 24 * 60 * 60;
const SHORTCUTS_COOKIE: &str = "shortcuts";

/// Announces a ring to those who do not see it. Everything else is said by elements that are seen.
pub(crate) fn draw(page: Page) -> AnyView {
    let spoken = move || page.shift.with(|shift| spoken(page, shift)).unwrap_or_default();
    view! { <p class="spoken" aria-live="assertive">{spoken}</p> }.into_any()
}

/// Runs in the browser only: effects do not run on the server.
pub(crate) fn attend(page: Page) {
    Effect::new(move |_| {
        let status = match page.scene.get() {
            _ if page.shift.with(scene::waits) => Some(words::RINGING),
            Scene::Off => None,
            scene => Some(scene.status()),
        };
        let title = page.say(words::TITLE);
        let bell = if page.shift.with(scene::waits) { "● " } else { "" };
        document().set_title(
            &status.map_or(title.to_owned(), |status| format!("{bell}{} | {title}", page.say(status))),
        );
    });
    Effect::new(move |first: Option<()>| {
        let tag = page.language.get().tag();
        if first.is_some() {
            remember(language::COOKIE, tag);
        }
        if let Some(root) = document().document_element() {
            drop(root.set_attribute("lang", tag));
        }
    });
    Effect::new(move |first: Option<()>| {
        let on = page.shortcuts.get();
        if first.is_some() {
            remember(SHORTCUTS_COOKIE, if on { "on" } else { "off" });
        } else if cookies().is_some_and(|cookies| cookies.contains("shortcuts=off")) {
            page.shortcuts.set(false);
        }
    });
    attend_focus(page);
    Effect::new(move |_| {
        let listener = window_event_listener(ev::keydown, move |event| press(page, &event));
        on_cleanup(move || listener.remove());
    });
}

fn attend_focus(page: Page) {
    let before_ring = StoredValue::new_local(None::<HtmlElement>);
    let call = Memo::new(move |_| page.shift.with(answerable));
    Effect::new(move |last: Option<Option<CallId>>| {
        page.scene.track();
        let call = call.get();
        let rings = call.is_some() && last.flatten() != call;
        let first = last.is_none();
        // After the page has drawn the change.
        set_timeout(
            move || match focused() {
                _ if first => {}
                held if rings && !held.as_ref().is_some_and(types) => {
                    before_ring.set_value(held);
                    focus(rest());
                }
                None => {
                    let back = before_ring.try_update_value(Option::take).flatten();
                    focus(back.filter(|element| call.is_none() && element.is_connected()).or_else(rest));
                }
                Some(_) => {}
            },
            Duration::ZERO,
        );
        call
    });
}

/// The call that a ring may take the focus for.
fn answerable(shift: &Shift) -> Option<CallId> {
    let Shift::On(duty) = shift else { return None };
    if duty.talk.is_some() { None } else { ring::first(duty) }
}

fn spoken(page: Page, shift: &Shift) -> Option<String> {
    let Shift::On(duty) = shift else { return None };
    let ring = duty.rings.iter().rev().find(|ring| !ring.taken)?;
    let label = page.say(if duty.talk.is_some() { words::SECOND } else { words::INCOMING });
    let name = ring.card.name.as_deref().unwrap_or(page.say(words::UNKNOWN));
    Some(format!("{label}: {name}"))
}

/// A single key without a modifier, not held down, not while typing.
fn press(page: Page, event: &KeyboardEvent) {
    let modified = event.ctrl_key() || event.alt_key() || event.meta_key() || event.shift_key();
    let typing = focused().as_ref().is_some_and(types) || event.is_composing();
    if modified || typing || event.repeat() || event.default_prevented() || !page.shortcuts.get_untracked() {
        return;
    }
    if let Some(intent) = page.shift.with_untracked(|shift| intent_of(&event.key(), shift)) {
        event.prevent_default();
        page.intend(intent);
    }
}

/// What the key means now. Accepting during a call would end it, so no single key does; Escape never rejects.
pub(crate) fn intent_of(key: &str, shift: &Shift) -> Option<Intent> {
    let Shift::On(duty) = shift else { return None };
    let is = |shortcut: &str| key.eq_ignore_ascii_case(shortcut);
    let ring = ring::first(duty);
    match &duty.talk {
        None if is(ring::ACCEPT_KEY) => ring.map(Intent::Accept),
        _ if is(ring::REJECT_KEY) => ring.map(Intent::Reject),
        Some(_) if is(talk::HANG_UP_KEY) => Some(Intent::HangUp),
        Some(_) if is(talk::MUTE_KEY) => Some(Intent::ToggleMute),
        _ => None,
    }
}

fn focused() -> Option<HtmlElement> {
    let element = document().active_element()?.dyn_into::<HtmlElement>().ok()?;
    (element.tag_name() != "BODY").then_some(element)
}

fn rest() -> Option<HtmlElement> {
    document().query_selector("[data-rest]").ok()??.dyn_into().ok()
}

fn focus(element: Option<HtmlElement>) {
    if let Some(element) = element {
        drop(element.focus());
    }
}

fn types(element: &HtmlElement) -> bool {
    let element: &Element = element;
    element.matches("input, textarea, select, [contenteditable]").unwrap_or(false)
}

fn cookies() -> Option<String> {
    document().dyn_into::<web_sys::HtmlDocument>().ok()?.cookie().ok()
}

fn remember(name: &str, value: &str) {
    if let Ok(document) = document().dyn_into::<web_sys::HtmlDocument>() {
        let cookie = format!("{name}={value}; Path=/; Max-Age={A_YEAR}; SameSite=Lax");
        drop(document.set_cookie(&cookie));
    }
}
