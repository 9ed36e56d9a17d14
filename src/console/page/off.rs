//! Off duty: what starting will do, what went wrong the last time, or that the shift is over.

use domain::shift::{Failure, Intent, Note, Step};
use leptos::prelude::With;

use super::button::Button;
use super::element::{Element, element, text};
use super::words::{self, Text};
use super::{Page, icon};

/// Off duty.
pub(crate) fn draw(page: Page, why: Option<Failure>) -> Element {
    match why {
        Some(failure) => draw_failure(page, failure),
        None => draw_ready(page),
    }
}

fn draw_ready(page: Page) -> Element {
    let last = page.event_log.with(|event_log| event_log.last().map(|entry| entry.note));
    let (title, says) = if last == Some(Note::ShiftEnded) {
        (words::OVER_TITLE, words::OVER_SAYS)
    } else {
        (words::OFF_TITLE, words::OFF_SAYS)
    };
    let start = Button::new("primary", words::START, icon::POWER, Intent::StartShift);
    let hint = element("p", "hint").child(icon::MICROPHONE.draw()).child(text(
        "span",
        "",
        page.say(words::ONLY_IN_CALLS),
    ));
    let what_happens = element("section", "inset")
        .child(text("h2", "label", page.say(words::WHAT_HAPPENS)))
        .child(list(page, "steps steps--plain", Step::ALL.map(words::step).as_slice()))
        .child(hint);
    element("section", "card card--off")
        .key("off", 0)
        .child(page.title(title))
        .child(text("p", "lead", page.say(says)))
        .child(element("div", "actions").child(start.draw(page)))
        .child(what_happens)
}

fn draw_failure(page: Page, failure: Failure) -> Element {
    let advice = words::advice(failure);
    let mut again = Button::new("primary", words::TRY_AGAIN, icon::AGAIN, Intent::StartShift);
    if failure == Failure::SdkMissing {
        (again.text, again.intent) = (words::RELOAD, None);
    }
    let badge = element("p", "badge").child(icon::ALERT.draw()).child(text(
        "span",
        "",
        page.say(words::NEEDS_ATTENTION),
    ));
    element("section", "card card--failed")
        .key("failed", 0)
        .child(element("div", "").with("role", "alert").child(badge).child(page.title(advice.title)))
        .child(text("h2", "label", page.say(words::WHAT_TO_DO)))
        .child(list(page, "steps steps--advice", &advice.steps))
        .child(element("div", "actions").child(again.draw(page)))
}

fn list(page: Page, class: &'static str, texts: &[Text]) -> Element {
    let line = |line: &Text| {
        let mark = element("span", "step__mark").with("aria-hidden", "true");
        element("li", "step").child(mark).child(text("span", "", page.say(*line)))
    };
    element("ol", class).children(texts.iter().map(line).collect())
}
