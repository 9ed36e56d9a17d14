//! The start of a shift: its four steps, each done, under way or to come.

use std::cmp::Ordering;

use domain::shift::{Intent, Step};
use leptos::prelude::*;

use super::button::Button;
use super::{Page, icon, words};

/// The start of a shift, at this step.
pub(crate) fn draw(page: Page, now: Step) -> AnyView {
    let says = match now {
        Step::Microphone => words::ALLOW_MICROPHONE,
        Step::Audio | Step::Token | Step::Register => words::STARTING_SAYS,
    };
    let stop = Button::new("quiet", words::STOP, icon::POWER, Intent::EndShift);
    view! {
        <section class="card card--starting">
            <h1 class="title" tabindex="-1" data-rest="">{page.say(words::STARTING_TITLE)}</h1>
            <p class="lead" role="status">{page.say(says)}</p>
            <ol class="steps">{Vec::from(Step::ALL.map(|step| draw_step(page, step, now)))}</ol>
            <div class="actions">{stop.draw(page)}</div>
        </section>
    }
    .into_any()
}

fn draw_step(page: Page, step: Step, now: Step) -> AnyView {
    let (state, says) = match step.cmp(&now) {
        Ordering::Less => ("done", words::DONE),
        Ordering::Equal => ("now", words::UNDER_WAY),
        Ordering::Greater => ("next", words::TO_COME),
    };
    view! {
        <li class="step" data-state=state aria-current=(state == "now").then_some("step")>
            <span class="step__mark">{(state == "done").then(|| icon::CHECK.draw())}</span>
            <span class="step__word">{page.say(words::step(step))}</span>
            <span class="step__state">{page.say(says)}</span>
        </li>
    }
    .into_any()
}
