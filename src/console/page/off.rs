//! Off duty: what starting will do, what went wrong the last time, or that the shift is over.

use domain::shift::{Failure, Intent, Note, Step};
use leptos::prelude::*;

use super::button::Button;
use super::words::{self, Text};
use super::{Page, icon};
use crate::softphone::Entry;

/// Off duty.
pub(crate) fn draw(page: Page, why: Option<Failure>) -> AnyView {
    if let Some(failure) = why {
        return draw_failure(page, failure);
    }
    let over = page.journal.with(|journal| is_over(journal));
    let (title, says) =
        if over { (words::OVER_TITLE, words::OVER_SAYS) } else { (words::OFF_TITLE, words::OFF_SAYS) };
    let start = Button::new("primary", words::START, icon::POWER, Intent::StartShift);
    view! {
        <section class="card card--off">
            <h1 class="title" tabindex="-1" data-rest="">{page.say(title)}</h1>
            <p class="lead">{page.say(says)}</p>
            <div class="actions">{start.draw(page)}</div>
            <section class="inset">
                <h2 class="label">{page.say(words::WHAT_HAPPENS)}</h2>
                <ol class="steps steps--plain">
                    {Vec::from(Step::ALL.map(|step| draw_line(page, words::step(step))))}
                </ol>
                <p class="hint">{icon::MICROPHONE.draw()} <span>{page.say(words::ONLY_IN_CALLS)}</span></p>
            </section>
        </section>
    }
    .into_any()
}

fn draw_failure(page: Page, failure: Failure) -> AnyView {
    let advice = words::advice(failure);
    let mut again = Button::new("primary", words::TRY_AGAIN, icon::AGAIN, Intent::StartShift);
    if failure == Failure::SdkMissing {
        (again.text, again.intent) = (words::RELOAD, None);
    }
    view! {
        <section class="card card--failed">
            <div role="alert">
                <p class="badge">{icon::ALERT.draw()} <span>{page.say(words::NEEDS_ATTENTION)}</span></p>
                <h1 class="title" tabindex="-1" data-rest="">{page.say(advice.title)}</h1>
            </div>
            <h2 class="label">{page.say(words::WHAT_TO_DO)}</h2>
            <ol class="steps steps--advice">
                {Vec::from(advice.steps.map(|step| draw_line(page, step)))}
            </ol>
            <div class="actions">{again.draw(page)}</div>
        </section>
    }
    .into_any()
}

fn draw_line(page: Page, text: Text) -> AnyView {
    view! { <li class="step"><span class="step__mark" aria-hidden="true"></span><span>{page.say(text)}</span></li> }
        .into_any()
}

/// A shift that was really begun has ended: the start that the operator gave up is not one.
fn is_over(journal: &[Entry]) -> bool {
    let mut notes = journal.iter().rev().map(|entry| entry.note);
    notes.next() == Some(Note::ShiftEnded)
        && notes.take_while(|note| *note != Note::ShiftStarting).any(|note| note == Note::ShiftStarted)
}
