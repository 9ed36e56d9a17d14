//! The start of a shift: its four steps, each done, under way or to come.

use std::cmp::Ordering;

use domain::shift::{Intent, Step};

use super::button::Button;
use super::element::{Element, element, text};
use super::{Page, icon, words};

/// The start of a shift, at this step.
pub(crate) fn draw(page: Page, now: Step) -> Element {
    let says = match now {
        Step::Microphone => words::ALLOW_MICROPHONE,
        Step::Audio | Step::Token | Step::Register => words::STARTING_SAYS,
    };
    let steps = Step::ALL.into_iter().map(|step| draw_step(page, step, now)).collect();
    let stop = Button::new("quiet", words::STOP, icon::POWER, Intent::EndShift);
    element("section", "card card--starting")
        .key("starting", 0)
        .child(page.title(words::STARTING_TITLE))
        .child(text("p", "lead", page.say(says)).with("role", "status"))
        .child(element("ol", "steps").children(steps))
        .child(element("div", "actions").child(stop.draw(page)))
}

fn draw_step(page: Page, step: Step, now: Step) -> Element {
    let (state, says) = match step.cmp(&now) {
        Ordering::Less => ("done", words::DONE),
        Ordering::Equal => ("now", words::UNDER_WAY),
        Ordering::Greater => ("next", words::TO_COME),
    };
    let mark = element("span", "step__mark").maybe((state == "done").then(|| icon::CHECK.draw()));
    let line = element("li", "step")
        .with("data-state", state)
        .child(mark)
        .child(text("span", "step__word", page.say(words::step(step))))
        .child(text("span", "step__state", page.say(says)));
    if state == "now" { line.with("aria-current", "step") } else { line }
}
