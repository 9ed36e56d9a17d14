//! The stage: the middle of the page, where exactly one thing matters at a time.
//!
//! Invariant: within one state of the shift elements are changed, not replaced, so that the focus stays where it is.

use domain::shift::{CallId, Duty, Shift};
use leptos::prelude::*;

use super::{Page, off, ring, scene, starting, talk, waiting};

/// The stage.
pub(crate) fn draw(page: Page) -> AnyView {
    let on_duty = Memo::new(move |_| page.shift.with(|shift| matches!(shift, Shift::On(_))));
    (move || if on_duty.get() { draw_duty(page) } else { draw_before(page) }).into_any()
}

fn draw_before(page: Page) -> AnyView {
    (move || match page.shift.get() {
        Shift::Off(off) => off::draw(page, off.why),
        Shift::Starting(starting) => starting::draw(page, starting.step),
        Shift::On(_) => ().into_any(),
    })
    .into_any()
}

/// Rings come and go while a call goes on: they are keyed, so that a button never changes its call under the hand.
fn draw_duty(page: Page) -> AnyView {
    let rings = move || page.shift.with(|shift| duty(shift).map_or_else(Vec::new, calls));
    view! {
        <div class="duty">
            {move || page.shift.with(|shift| duty(shift).map(|duty| draw_call(page, duty)))}
            <div class="rings">
                <For each=rings key=|call| *call children=move |call| ring::draw(page, call)/>
            </div>
        </div>
    }
    .into_any()
}

fn draw_call(page: Page, duty: &Duty) -> AnyView {
    match &duty.talk {
        Some(talk) => talk::draw(page, talk, scene::is_cut_off(duty)),
        None if duty.rings.is_empty() => waiting::draw(page, duty),
        None => ().into_any(),
    }
}

fn duty(shift: &Shift) -> Option<&Duty> {
    if let Shift::On(duty) = shift { Some(duty) } else { None }
}

fn calls(duty: &Duty) -> Vec<u32> {
    duty.rings.iter().map(|ring| ring.call).map(|CallId(number)| number).collect()
}
