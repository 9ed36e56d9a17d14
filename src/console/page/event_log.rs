//! The event log: what happened at this desk, newest first. It holds no person, only times and facts.

use domain::shift::Note;
use leptos::prelude::With;

use super::element::{Element, element, text};
use super::{Page, clock, waiting, words};
use crate::softphone::Entry;

/// The event log.
pub(crate) fn draw(page: Page) -> Element {
    let head = element("div", "event-log__head")
        .child(text("h2", "label", page.say(words::EVENT_LOG)).with("id", "event-log"))
        .child(text("p", "event-log__says", page.say(words::EVENT_LOG_SAYS)));
    let scroll = element("div", "event-log__scroll")
        .with("role", "region")
        .with("tabindex", "0")
        .with("aria-labelledby", "event-log")
        .child(page.event_log.with(|event_log| draw_lines(page, event_log)));
    element("aside", "event-log").with("aria-labelledby", "event-log").child(head).child(scroll)
}

fn draw_lines(page: Page, event_log: &[Entry]) -> Element {
    if event_log.is_empty() {
        return text("p", "event-log__empty", page.say(words::EVENT_LOG_EMPTY));
    }
    let line = |entry: &Entry| {
        let code = words::code(entry.note).map(|code| text("span", "code", code.to_string()));
        element("li", "event-log__line")
            .marked("data-bad", is_bad(entry.note))
            .child(text("time", "", clock::local(entry.at)))
            .child(text("span", "", page.say(words::note(entry.note))))
            .maybe(code)
    };
    element("ol", "").children(event_log.iter().rev().map(line).collect())
}

/// What an operator should not miss.
const fn is_bad(note: Note) -> bool {
    match note {
        Note::Ended(how) => waiting::is_bad(how),
        Note::Failed(_)
        | Note::LineDown
        | Note::TokenDelayed
        | Note::NoAudio
        | Note::Silent(_)
        | Note::DeviceError(_) => true,
        _ => false,
    }
}
