//! On duty with nobody on the line: whether a call would ring here, and how the last one ended.

use domain::shift::{Duty, Ended, How, Intent, Line, Note};

use super::button::Button;
use super::element::{Element, element, text};
use super::{Page, clock, icon, talk, words};

/// On duty, waiting. The title, which has the focus after a call, is read out with how that ended.
pub(crate) fn draw(page: Page, duty: &Duty) -> Element {
    let (title, says) = match duty.line {
        Line::Up => (words::AVAILABLE, words::WAITING_SAYS),
        Line::Doubtful { .. } => (words::LINE_DOUBTFUL, words::DOUBTFUL_SAYS),
        Line::Down { .. } => (words::DOWN_TITLE, words::DOWN_SAYS),
    };
    let down_since = match duty.line {
        Line::Up => None,
        Line::Doubtful { since } | Line::Down { since } => {
            Some(text("p", "elapsed", page.since(since)).with("role", "timer"))
        }
    };
    let beacon = element("div", "beacon").with("aria-hidden", "true").child(element("span", ""));
    let end = Button::new("quiet", words::END, icon::POWER, Intent::EndShift);
    element("section", "card card--waiting")
        .key("waiting", 0)
        .child(beacon)
        .child(page.title(title).with("aria-describedby", "last"))
        .child(text("p", "lead", page.say(says)))
        .maybe(down_since)
        .maybe(duty.last.as_ref().map(|last| draw_last(page, last)))
        .child(element("div", "actions").child(end.draw(page)))
}

/// Whether somebody was not spoken to who should have been, or not to the end.
pub(crate) const fn is_bad(how: How) -> bool {
    !matches!(how, How::HungUp | How::CallerHungUp | How::Rejected | How::AnsweredElsewhere)
}

fn draw_last(page: Page, last: &Ended) -> Element {
    let lasted = last.lasted.map(|lasted| {
        text("span", "last__lasted", format!("{} {}", page.say(words::LASTED), clock::lasting(lasted)))
    });
    let code = words::code(Note::Ended(last.how))
        .map(|code| text("span", "code", format!("{} {code}", page.say(words::CODE))));
    let how = element("p", "last__how")
        .child(text("span", "", page.say(words::how(last.how))))
        .maybe(code)
        .maybe(lasted);
    let label = element("h2", "label last__label")
        .child(text("span", "", page.say(words::LAST_CALL)))
        .child(text("time", "", clock::local(last.at)));
    element("section", "last")
        .with("id", "last")
        .marked("data-bad", is_bad(last.how))
        .child(label)
        .child(element("p", "last__name").child(talk::name(page, &last.card)))
        .child(how)
}
