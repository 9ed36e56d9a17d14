//! The event log: what happened at this desk, newest first. It holds no person, only times and facts.

use leptos::prelude::*;

use super::{Page, clock, words};
use crate::softphone::Entry;

/// The event log.
pub(crate) fn draw(page: Page) -> AnyView {
    view! {
        <aside class="journal" aria-labelledby="journal">
            <div class="journal__head">
                <h2 class="label" id="journal">{move || page.say(words::JOURNAL)}</h2>
                <p class="journal__says">{move || page.say(words::JOURNAL_SAYS)}</p>
            </div>
            <div class="journal__scroll" role="region" tabindex="0" aria-labelledby="journal">
                {move || page.journal.with(|journal| draw_lines(page, journal))}
            </div>
        </aside>
    }
    .into_any()
}

fn draw_lines(page: Page, journal: &[Entry]) -> AnyView {
    if journal.is_empty() {
        return view! { <p class="journal__empty">{page.say(words::JOURNAL_EMPTY)}</p> }.into_any();
    }
    let lines = journal.iter().rev().map(|entry| {
        let code = words::code(entry.note).map(|code| format!(" ({code})"));
        view! {
            <li class="journal__line">
                <time>{clock::local(entry.at)}</time>
                <span>{page.say(words::note(entry.note))} {code}</span>
            </li>
        }
    });
    view! { <ol class="journal__lines">{lines.collect::<Vec<_>>()}</ol> }.into_any()
}
