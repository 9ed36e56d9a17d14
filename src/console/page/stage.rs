//! The stage: the middle of the page, where exactly one thing matters at a time.

use domain::shift::{Duty, Shift};
use leptos::prelude::With;

use super::element::{Element, element};
use super::{Page, off, ring, starting, talk, waiting};

/// The stage.
pub(crate) fn draw(page: Page) -> Element {
    let stage = element("main", "stage");
    page.shift.with(|shift| match shift {
        Shift::Off(off) => stage.child(off::draw(page, off.why)),
        Shift::Starting(starting) => stage.child(starting::draw(page, starting.step)),
        Shift::On(duty) => stage.child(draw_duty(page, duty)),
    })
}

/// Rings come first, for the eye and for the keys. Their place is there when none rings, and pushes nothing about.
fn draw_duty(page: Page, duty: &Duty) -> Element {
    let call = match &duty.talk {
        Some(talk) => Some(talk::draw(page, talk, duty.line.is_down())),
        None if duty.rings.is_empty() => Some(waiting::draw(page, duty)),
        None => None,
    };
    let rings = duty.rings.iter().map(|ring| ring::draw(page, ring, duty)).collect();
    element("div", "duty").child(element("div", "rings").children(rings)).maybe(call)
}
