//! Whether the page is seen, and whether it was away: hidden, frozen, in the back/forward cache, offline, or asleep with the
//! machine.
//!
//! Invariant: nothing here keeps the page out of the back/forward cache. The clock ticks only while it is seen.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use domain::Millis;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::PageTransitionEvent;

use crate::clock;
use crate::listener::Listener;

const TICK: Millis = 1_000;

/// Browsers let a hidden page's timers wait for a minute: only what is far beyond that was sleep.
const LOOK: Millis = 5_000;
const ASLEEP: Millis = 120_000;

/// What listens to the page's comings and goings.
pub(crate) struct PageLife {
    _listeners: [Listener; 6],
    _look: Interval,
}

struct Interval {
    id: Option<i32>,
    _tick: Closure<dyn Fn()>,
}

impl PageLife {
    /// Watches the page: moves the clock, and tells when it leaves, when it wakes, and when it is perhaps cut off: when the
    /// browser takes it for offline or had frozen it, or the machine slept. Whether it has `left` in order is asked: then the SDK,
    /// which listens later, need not end its device for a page that never comes back.
    pub(crate) fn watch(
        now: RwSignal<Millis>,
        left: impl Fn() -> bool + 'static,
        woke: impl Fn() + 'static,
        cut: impl Fn() + 'static,
    ) -> Option<Self> {
        let window = web_sys::window()?;
        let document = window.document()?;
        let cut = Rc::new(cut);
        let looked = Cell::new(clock::now());
        let slept = Rc::clone(&cut);
        // Whichever is told of it first after a sleep.
        let look: Rc<dyn Fn(bool)> = Rc::new(move |wakes| {
            let now = clock::now();
            let asleep = now.saturating_sub(looked.replace(now)) > ASLEEP;
            if asleep {
                slept();
            }
            if asleep || wakes {
                woke();
            }
        });
        let ticking = RefCell::new(Some(ticking(now)));
        let seen = {
            let (document, look) = (document.clone(), Rc::clone(&look));
            move |_| {
                let seen = !document.hidden();
                *ticking.borrow_mut() = seen.then(|| self::ticking(now));
                if seen {
                    look(true);
                }
            }
        };
        let wake = || {
            let look = Rc::clone(&look);
            move |_| look(true)
        };
        let thawed = {
            let (cut, look) = (Rc::clone(&cut), Rc::clone(&look));
            move |_| {
                cut();
                look(true);
            }
        };
        let listeners = [
            Listener::of_page(&document, "visibilitychange", seen),
            Listener::of_page(&document, "resume", thawed),
            Listener::of_page(&window, "pageshow", wake()),
            Listener::of_page(&window, "online", wake()),
            Listener::of_page(&window, "offline", move |_| cut()),
            Listener::of_page(&window, "pagehide", move |event| {
                let event: PageTransitionEvent = event.unchecked_into();
                if left() && !event.persisted() {
                    event.stop_immediate_propagation();
                }
            }),
        ];
        let look = Interval::every(LOOK, move || look(false));
        Some(Self { _listeners: listeners, _look: look })
    }
}

fn ticking(now: RwSignal<Millis>) -> Interval {
    now.set(clock::now());
    Interval::every(TICK, move || now.set(clock::now()))
}

impl Interval {
    fn every(period: Millis, tick: impl Fn() + 'static) -> Self {
        let tick = Closure::<dyn Fn()>::new(tick);
        let id = web_sys::window().and_then(|window| {
            let (tick, period) = (tick.as_ref().unchecked_ref(), i32::try_from(period).unwrap_or(i32::MAX));
            window.set_interval_with_callback_and_timeout_and_arguments_0(tick, period).ok()
        });
        Self { id, _tick: tick }
    }
}

impl Drop for Interval {
    fn drop(&mut self) {
        if let (Some(window), Some(id)) = (web_sys::window(), self.id) {
            window.clear_interval_with_handle(id);
        }
    }
}
