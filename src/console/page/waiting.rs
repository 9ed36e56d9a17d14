//! On duty with nobody on the line: whether a call would ring here, and how the last one ended.

use domain::shift::{Duty, Ended, How, Intent, Line, Note};
use leptos::prelude::*;

use super::button::Button;
use super::{Page, clock, icon, talk, words};

/// On duty, waiting.
pub(crate) fn draw(page: Page, duty: &Duty) -> AnyView {
    let (title, says) = if duty.is_available() {
        (words::AVAILABLE, words::WAITING_SAYS)
    } else {
        (words::DOWN_TITLE, words::DOWN_SAYS)
    };
    let down_since = match duty.line {
        Line::Up => None,
        Line::Down { since } => Some(since),
    };
    let end = Button::new("quiet", words::END, icon::POWER, Intent::EndShift);
    view! {
        <section class="card card--waiting">
            <div class="beacon" aria-hidden="true"><span></span></div>
            <h1 class="title" tabindex="-1" data-rest="">{page.say(title)}</h1>
            <p class="lead">{page.say(says)}</p>
            {down_since.map(|since| view! { <p class="elapsed" role="timer">{move || page.since(since)}</p> })}
            {duty.last.as_ref().map(|last| draw_last(page, last))}
            <div class="actions">{end.draw(page)}</div>
        </section>
    }
    .into_any()
}

fn draw_last(page: Page, last: &Ended) -> AnyView {
    let lasted = last.lasted.map(|lasted| format!("{} {}", page.say(words::LASTED), clock::lasting(lasted)));
    let good = matches!(last.how, How::HungUp | How::CallerHungUp | How::Rejected | How::AnsweredElsewhere);
    view! {
        <section class="last" data-good=good.then_some("")>
            <h2 class="label">
                {page.say(words::LAST_CALL)} " " <time>{clock::local(last.at)}</time>
            </h2>
            <p class="last__name">{talk::name(page, &last.card)}</p>
            <p class="last__how">
                <span>{page.say(words::how(last.how))}</span>
                {words::code(Note::Ended(last.how)).map(|code| view! { <span class="code">{code}</span> })}
                {lasted.map(|lasted| view! { <span class="last__lasted">{lasted}</span> })}
            </p>
        </section>
    }
    .into_any()
}
