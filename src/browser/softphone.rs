//! The page's telephone: `console::Softphone` in front of the switchboard.
//!
//! Invariant: the page owns it. What it draws are signals; what it intends is settled before `intend` returns.

use std::rc::Rc;
use std::sync::Arc;

use console::Setup;
use console::softphone::{Entry, Softphone, Telephone};
use domain::Millis;
use domain::shift::{Event, Intent, Shift};
use leptos::prelude::*;

use crate::clock;
use crate::page_life::PageLife;
use crate::sound;
use crate::switchboard::{Shown, Switchboard};

/// A telephone that belongs to the reactive owner under which it is made.
pub(crate) fn telephone(setup: Setup) -> Telephone {
    let shown = Shown {
        shift: RwSignal::default(),
        event_log: RwSignal::default(),
        now: RwSignal::new(clock::now()),
    };
    let switchboard = Switchboard::new(setup, shown);
    let me = || Rc::downgrade(&switchboard);
    let (leaving, waking, cut) = (me(), me(), me());
    let page_life = PageLife::watch(
        shown.now,
        move || leaving.upgrade().is_some_and(|switchboard| switchboard.leave()),
        move || waking.upgrade().into_iter().for_each(|switchboard| switchboard.wake()),
        move || cut.upgrade().into_iter().for_each(|switchboard| switchboard.post(Event::PerhapsCutOff)),
    );
    Arc::new(Twilio { shown, parts: StoredValue::new_local(Parts { switchboard, _page_life: page_life }) })
}

/// Twilio's SDK as a telephone. The port wants `Send`, which nothing of JavaScript's is: those parts stay in the owner's arena.
struct Twilio {
    shown: Shown,
    parts: StoredValue<Parts, LocalStorage>,
}

struct Parts {
    switchboard: Rc<Switchboard>,
    _page_life: Option<PageLife>,
}

impl Softphone for Twilio {
    fn shift(&self) -> Signal<Shift> {
        self.shown.shift.into()
    }

    fn event_log(&self) -> Signal<Vec<Entry>> {
        self.shown.event_log.into()
    }

    fn now(&self) -> Signal<Millis> {
        self.shown.now.into()
    }

    fn intend(&self, intent: Intent) {
        let switchboard = self.parts.try_with_value(|parts| Rc::clone(&parts.switchboard));
        if let Some(switchboard) = switchboard {
            // A click is the moment at which a browser lets sound be resumed.
            sound::resume();
            switchboard.post(Event::Operator(intent));
        }
    }
}
