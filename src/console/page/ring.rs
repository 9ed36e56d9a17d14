//! A ringing call: who it is, at once, and the two answers to it.

use domain::shift::{CallId, Duty, Intent, Ring, Shift};
use leptos::prelude::*;

use super::button::Button;
use super::{Page, icon, talk, words};

/// The key that accepts the first call that waits.
pub(crate) const ACCEPT_KEY: &str = "A";
/// The key that rejects it.
pub(crate) const REJECT_KEY: &str = "R";

/// The call of this number, for as long as it rings.
pub(crate) fn draw(page: Page, call: u32) -> AnyView {
    (move || {
        page.shift.with(|shift| {
            let Shift::On(duty) = shift else { return None };
            let ring = duty.rings.iter().find(|ring| ring.call == CallId(call))?;
            Some(draw_ring(page, ring, duty))
        })
    })
    .into_any()
}

/// The call that the keys are for: the oldest that nobody else has taken.
pub(crate) fn first(duty: &Duty) -> Option<CallId> {
    duty.rings.iter().find(|ring| !ring.taken).map(|ring| ring.call)
}

fn draw_ring(page: Page, ring: &Ring, duty: &Duty) -> AnyView {
    let CallId(number) = ring.call;
    let since = ring.since;
    let label = match &duty.talk {
        _ if ring.taken => words::TAKEN,
        Some(_) => words::SECOND,
        None => words::INCOMING,
    };
    view! {
        <section
            class="call ring"
            class:ring--second=duty.talk.is_some()
            class:ring--taken=ring.taken
            role="alertdialog"
            aria-labelledby=format!("ring-{number}")
            aria-describedby=format!("ring-{number}-who")
        >
            <div class="pulse" aria-hidden="true"><span></span><span></span><span></span>{icon::ACCEPT.draw()}</div>
            <p class="call__label" id=format!("ring-{number}")>{page.say(label)}</p>
            <div class="call__who" id=format!("ring-{number}-who")>
                <h1 class="call__name">{talk::name(page, &ring.card)}</h1>
                {talk::draw_id(page, &ring.card)}
            </div>
            <p class="elapsed" role="timer" aria-label=page.say(words::RINGING_FOR)>{move || page.since(since)}</p>
            {if ring.taken {
                view! { <p class="notice">{page.say(words::TAKEN_SAYS)}</p> }.into_any()
            } else {
                draw_answers(page, ring, duty)
            }}
        </section>
    }
    .into_any()
}

/// Accepting during a call ends that call, so no single key does it.
fn draw_answers(page: Page, ring: &Ring, duty: &Duty) -> AnyView {
    let keyed = first(duty) == Some(ring.call);
    let mut reject = Button::new("reject", words::REJECT, icon::HANG_UP, Intent::Reject(ring.call));
    let mut accept = Button::new("accept", words::ACCEPT, icon::ACCEPT, Intent::Accept(ring.call));
    reject.key = keyed.then_some(REJECT_KEY);
    if duty.talk.is_some() {
        accept.text = words::ACCEPT_INSTEAD;
    } else {
        accept.key = keyed.then_some(ACCEPT_KEY);
        accept.rests = keyed;
    }
    view! { <div class="actions actions--call">{reject.draw(page)} {accept.draw(page)}</div> }.into_any()
}
