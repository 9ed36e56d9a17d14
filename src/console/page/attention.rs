//! Where the operator's attention goes: the tab's title, the system's notifications, spoken announcements, the focus and the
//! keys.
//!
//! Invariants: the title never holds a name, because browsers keep titles in their history. The focus never falls to the
//! floor: when what had it disappears, it goes to what the scene rests on, and a new ring takes it only from an operator who
//! is neither on a call nor typing. A key that was on its way when the focus moved presses nothing, and one that was meant for
//! a call that is gone answers no other. Who calls is in sight when a call begins to ring, and when one is accepted beside others;
//! while somebody may be about to press something, the page does not move.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use domain::shift::{CallId, Intent, Shift};
use leptos::ev::{self, KeyboardEvent};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::{HtmlElement, Notification};

use super::element::{Element, element, text};
use super::scene::{self, Scene};
use super::{Choices, Page, ring, talk, words};
use crate::language;
use crate::setup::SHORTCUTS_OFF;

const TYPED_INTO: &str = "input, textarea, select, [contenteditable]";

const A_YEAR: u32 = 365 * 24 * 60 * 60;
const SHORTCUTS_ON: &str = "shortcuts=on";

/// Nobody sees where the focus has gone, and decides, within so many milliseconds.
const STRAY_WITHIN: f64 = 500.0;

/// Announces a ring that does not take the focus to those who do not see it, each anew even if its words are the same.
/// Everything else is said by elements that are seen.
pub(crate) fn draw(page: Page) -> Element {
    let spoken = page.shift.with(|shift| spoken(page, shift));
    element("p", "spoken").with("aria-live", "assertive").maybe(spoken)
}

/// Runs in the browser only: effects do not run on the server.
pub(crate) fn attend(page: Page) {
    effect(move |_| document().set_title(&title(page)));
    attend_unseen(page);
    attend_choices(page);
    let moved = Rc::new(Cell::new(f64::NEG_INFINITY));
    attend_focus(page, Rc::clone(&moved));
    let keyed = Rc::new(Cell::new(Keyed { call: None, since: f64::NEG_INFINITY }));
    attend_keyed(page, Rc::clone(&keyed));
    effect(move |_| {
        let (moved, keyed) = (Rc::clone(&moved), Rc::clone(&keyed));
        let listener =
            window_event_listener(ev::keydown, move |event| press(page, &event, moved.get(), keyed.get()));
        on_cleanup(move || listener.remove());
    });
}

/// Whom the keys are for that answer a call, and when they were last for another.
#[derive(Clone, Copy)]
struct Keyed {
    call: Option<CallId>,
    since: f64,
}

/// Boxed, so that the WASM carries the machinery of an effect once; told whether it runs for the first time.
fn effect(run: impl FnMut(bool) + 'static) {
    let mut run: Box<dyn FnMut(bool)> = Box::new(run);
    Effect::new(move |before: Option<()>| run(before.is_none()));
}

fn title(page: Page) -> String {
    let name = page.say(words::TITLE);
    match page.scene() {
        _ if page.shift.with(scene::waits) => format!("● {} | {name}", page.say(words::RINGING)),
        Scene::Off => name.to_owned(),
        scene => format!("{} | {name}", page.say(scene.status())),
    }
}

/// A ring while nobody sees the page is told by the system: without a name, since systems keep what they have told. The operator
/// is asked whether it may when the shift has begun, and not beside the question about the microphone; and, until they have said
/// it, after each call, because Firefox and Safari ask only in the seconds after a click, such as the one that hangs up.
fn attend_unseen(page: Page) {
    let mut told: Option<Notification> = None;
    let mut available = false;
    effect(move |_| {
        let waits = page.shift.with(scene::waits);
        let was_available = std::mem::replace(&mut available, page.scene() == Scene::Available);
        if available && !was_available {
            let _ = Notification::request_permission();
        }
        if let Some(over) = told.take_if(|_| !waits) {
            over.close();
        }
        if waits && told.is_none() && document().hidden() {
            told = Notification::new(&title(page)).ok();
        }
    });
}

/// Remembers what the operator chooses, for the server to know when it renders the next page.
fn attend_choices(page: Page) {
    let mut before = page.choices.get_untracked();
    effect(move |_| {
        let chosen = page.choices.get();
        let Choices { language, shortcuts } = std::mem::replace(&mut before, chosen);
        if language != chosen.language {
            let language = chosen.language;
            remember(&format!("{}={}", language::COOKIE, language.tag()));
            if let Some(root) = document().document_element() {
                drop(root.set_attribute("lang", language.tag()));
            }
        }
        if shortcuts != chosen.shortcuts {
            remember(if chosen.shortcuts { SHORTCUTS_ON } else { SHORTCUTS_OFF });
        }
    });
}

/// `moved`: when the focus was last moved here, on the clock of the page's events.
fn attend_focus(page: Page, moved: Rc<Cell<f64>>) {
    let before_ring = Rc::new(RefCell::new(None));
    let (mut last, mut last_talk) = (None, None);
    effect(move |first| {
        page.choices.track();
        let (call, talk, waits) =
            page.shift.with(|shift| (answerable(shift), talk_of(shift), scene::waits(shift)));
        let rings = call.is_some() && call != last;
        let to_top = rings && last.is_none() || waits && talk.is_some() && talk != last_talk;
        (last, last_talk) = (call, talk);
        let (before_ring, moved) = (Rc::clone(&before_ring), Rc::clone(&moved));
        if !first {
            // After the page has drawn the change.
            let settle = move || {
                if to_top {
                    // Before the focus moves, which then is in sight too.
                    window().scroll_to_with_x_and_y(0.0, 0.0);
                }
                if settle(call.is_some(), rings, &before_ring) {
                    moved.set(now());
                }
            };
            set_timeout(settle, Duration::ZERO);
        }
    });
}

/// Moves the focus where it belongs, and tells whether it did. `waits`: a call may be answered; `rings`: it did not wait until
/// now.
fn settle(waits: bool, rings: bool, before_ring: &RefCell<Option<HtmlElement>>) -> bool {
    let to = match focused() {
        held if rings && !is(&held, TYPED_INTO) => {
            before_ring.replace(held);
            rest()
        }
        Some(_) => return false,
        None => {
            let back = before_ring.take().filter(|element| !waits && element.is_connected());
            back.or_else(rest)
        }
    };
    to.is_some_and(|element| element.focus().is_ok())
}

fn attend_keyed(page: Page, keyed: Rc<Cell<Keyed>>) {
    effect(move |_| {
        let call = page.shift.with(keyed_call);
        let before = keyed.get();
        let since = if before.call.is_some() && before.call != call { now() } else { before.since };
        keyed.set(Keyed { call, since });
    });
}

fn talk_of(shift: &Shift) -> Option<CallId> {
    let Shift::On(duty) = shift else { return None };
    duty.talk.as_ref().map(|talk| talk.call)
}

fn keyed_call(shift: &Shift) -> Option<CallId> {
    let Shift::On(duty) = shift else { return None };
    ring::first(duty)
}

/// On the clock of the page's events.
fn now() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

fn answerable(shift: &Shift) -> Option<CallId> {
    let Shift::On(duty) = shift else { return None };
    ring::answerable(duty)
}

fn spoken(page: Page, shift: &Shift) -> Option<Element> {
    let Shift::On(duty) = shift else { return None };
    let ring = duty.rings.iter().rev().find(|ring| !ring.taken)?;
    let CallId(number) = ring.call;
    let name = talk::called(&ring.card).unwrap_or(page.say(words::NO_NAME));
    let said = format!("{}: {name}", page.say(words::SECOND));
    (ring::answerable(duty) != Some(ring.call)).then(|| text("span", "", said).key("ring", number))
}

/// A single key without a modifier, not held down, not while typing.
fn press(page: Page, event: &KeyboardEvent, moved: f64, keyed: Keyed) {
    let key = event.key();
    let focused = focused();
    // Elsewhere a held key scrolls the page.
    if is_stray(&key, event.repeat(), event.time_stamp() - moved) && is(&focused, "button") {
        event.prevent_default();
        return;
    }
    let modified = event.ctrl_key() || event.alt_key() || event.meta_key() || event.shift_key();
    let typing = is(&focused, TYPED_INTO) || event.is_composing();
    if modified
        || typing
        || event.repeat()
        || event.default_prevented()
        || !page.choices.get_untracked().shortcuts
    {
        return;
    }
    let (intent, call) = page.shift.with_untracked(|shift| (intent_of(&key, shift), keyed_call(shift)));
    if let Some(intent) = intent {
        event.prevent_default();
        let passed_on = keyed.call.is_some() && keyed.call != call;
        if !is_for_another(&intent, passed_on, event.time_stamp() - keyed.since) {
            page.intend(intent);
        }
    }
}

/// Whether what a key wants was meant for the call that it was for until a moment ago.
pub(crate) fn is_for_another(intent: &Intent, passed_on: bool, since: f64) -> bool {
    matches!(intent, Intent::Accept(_) | Intent::Reject(_)) && (passed_on || since < STRAY_WITHIN)
}

/// Whether a key that would press the button in focus was meant for what had the focus before: it has been held down since, or
/// came within the moment after the focus moved.
pub(crate) fn is_stray(key: &str, held: bool, since_moved: f64) -> bool {
    matches!(key, "Enter" | " ") && (held || since_moved < STRAY_WITHIN)
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

fn is(element: &Option<HtmlElement>, what: &str) -> bool {
    element.as_ref().is_some_and(|element| element.matches(what).unwrap_or(false))
}

fn remember(choice: &str) {
    if let Ok(document) = document().dyn_into::<web_sys::HtmlDocument>() {
        drop(document.set_cookie(&format!("{choice}; Path=/; Max-Age={A_YEAR}; SameSite=Lax")));
    }
}
