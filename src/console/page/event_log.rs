//! The event log: what happened at this desk, newest first. It holds no person, only times and facts.

use domain::shift::Note;
use leptos::prelude::With;

use super::element::{Element, element, text};
use super::{Page, clock, waiting, words};
use crate::softphone::Entry;

/// The event log.
pub(crate) fn draw(page: Page) -> Element {
    let head = element("div", "journal__head")
        .child(text("h2", "label", page.say(words::JOURNAL)).with("id", "journal"))
        .child(text("p", "journal__says", page.say(words::JOURNAL_SAYS)));
    let scroll = element("div", "journal__scroll")
        .with("role", "region")
        .with("tabindex", "0")
        .with("aria-labelledby", "journal")
        .child(page.journal.with(|journal| draw_lines(page, journal)));
    element("aside", "journal").with("aria-labelledby", "journal").child(head).child(scroll)
}

fn draw_lines(page: Page, journal: &[Entry]) -> Element {
    if journal.is_empty() {
        return text("p", "journal__empty", page.say(words::JOURNAL_EMPTY));
    }
    let line = |entry: &Entry| {
        let code = words::code(entry.note).map(|code| text("span", "code", code.to_string()));
        element("li", "journal__line")
            .marked("data-bad", is_bad(entry.note))
            .child(text("time", "", clock::local(entry.at)))
            .child(text("span", "", page.say(words::note(entry.note))))
            .maybe(code)
    };
    element("ol", "").children(journal.iter().rev().map(line).collect())
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
