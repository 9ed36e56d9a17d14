//! A ringing call: who it is, at once, and the two answers to it.

use domain::shift::{CallId, Duty, Intent, Ring};

use super::button::Button;
use super::element::{Element, element, text};
use super::{Page, icon, talk, words};

/// The key that accepts the first call that waits.
pub(crate) const ACCEPT_KEY: &str = "A";
/// The key that rejects it.
pub(crate) const REJECT_KEY: &str = "R";

/// The call that the keys are for: the oldest that nobody else has taken.
pub(crate) fn first(duty: &Duty) -> Option<CallId> {
    duty.rings.iter().find(|ring| !ring.taken).map(|ring| ring.call)
}

/// The call that a ring may take the focus for, and which is read out with it.
pub(crate) fn answerable(duty: &Duty) -> Option<CallId> {
    if duty.talk.is_some() { None } else { first(duty) }
}

/// A ringing call.
pub(crate) fn draw(page: Page, ring: &Ring, duty: &Duty) -> Element {
    let CallId(number) = ring.call;
    let (class, label) = match &duty.talk {
        _ if ring.taken => ("call ring ring--taken", words::TAKEN),
        Some(_) => ("call ring ring--second", words::SECOND),
        None => ("call ring", words::INCOMING),
    };
    let (role, heading) =
        if answerable(duty) == Some(ring.call) { ("alertdialog", "h1") } else { ("group", "h2") };
    let who = element("div", "call__who")
        .with("id", format!("ring-{number}-who"))
        .child(element(heading, "call__name").child(talk::name(page, &ring.card)))
        .maybe(talk::draw_id(page, &ring.card));
    let elapsed = text("p", "elapsed", page.since(ring.since))
        .with("role", "timer")
        .with("aria-label", page.say(words::RINGING_FOR));
    element("section", class)
        .key("ring", number)
        .with("role", role)
        .with("aria-labelledby", format!("ring-{number} ring-{number}-who"))
        .child(draw_pulse())
        .child(text("p", "call__label", page.say(label)).with("id", format!("ring-{number}")))
        .child(who)
        .child(elapsed)
        .child(if ring.taken {
            text("p", "notice", page.say(words::TAKEN_SAYS))
        } else {
            draw_answers(page, ring, duty)
        })
}

fn draw_pulse() -> Element {
    let wave = || element("span", "");
    element("div", "pulse").with("aria-hidden", "true").children(vec![
        wave(),
        wave(),
        wave(),
        icon::ACCEPT.draw(),
    ])
}

/// Accepting during a call ends that call, so no single key does it.
fn draw_answers(page: Page, ring: &Ring, duty: &Duty) -> Element {
    let keyed = first(duty) == Some(ring.call);
    let mut reject = Button::new("reject", words::REJECT, icon::HANG_UP, Intent::Reject(ring.call));
    let mut accept = Button::new("accept", words::ACCEPT, icon::ACCEPT, Intent::Accept(ring.call));
    reject.key = keyed.then_some(REJECT_KEY);
    if duty.talk.is_some() {
        (accept.kind, accept.text) = ("instead", words::ACCEPT_INSTEAD);
    } else {
        accept.key = keyed.then_some(ACCEPT_KEY);
        accept.rests = keyed;
    }
    let CallId(number) = ring.call;
    // Two calls may ring, and each has the same two buttons.
    let whose = |button: Button| button.draw(page).with("aria-describedby", format!("ring-{number}-who"));
    element("div", "actions actions--call").child(whose(reject)).child(whose(accept))
}
