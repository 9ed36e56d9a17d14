//! The call that was accepted: with whom, how far it is, how long it has lasted, mute and hang up.
//!
//! Invariant: "connected" and a running time are drawn only once audio has flowed.

use domain::Card;
use domain::shift::{CallId, Intent, Phase, Talk};

use super::button::Button;
use super::element::{Element, element, text};
use super::scene::Scene;
use super::words::Text;
use super::{Page, icon, words};

/// The key that hangs up.
pub(crate) const HANG_UP_KEY: &str = "H";
/// The key that mutes and unmutes.
pub(crate) const MUTE_KEY: &str = "M";

/// A name of more characters is drawn smaller, so that it stays on the screen with its buttons.
const LONG: usize = 18;

/// The call; `cut_off` when no other could ring meanwhile.
pub(crate) fn draw(page: Page, talk: &Talk, cut_off: bool) -> Element {
    let CallId(number) = talk.call;
    let label = element("p", "call__label")
        .child(element("span", "dot").with("aria-hidden", "true"))
        .child(text("span", "", page.say(Scene::of_talk(talk).status())));
    let who = element("div", "call__who")
        .child(element("h1", "call__name").with("id", "talk-name").child(name(page, &talk.card)))
        .maybe(draw_id(page, &talk.card));
    let clock = talk.audio_since.map(|since| {
        text("p", "clock", page.since(since))
            .key("clock", number)
            .with("role", "timer")
            .with("aria-label", page.say(words::LASTED))
    });
    let notice = notice(talk, cut_off).map_or("", |text| page.say(text));
    element("section", "call talk")
        .key("talk", number)
        .with("aria-labelledby", "talk-name")
        .child(label)
        .child(who)
        .maybe(clock)
        .child(
            text("p", "notice", notice)
                .key("notice", number)
                .with("role", "status")
                .marked("data-grave", is_grave(talk)),
        )
        .child(draw_actions(page, talk))
}

/// Who is on the line. A customer may have no name that can be shown: only an alias tells that nobody knows the caller. Names come from a directory in any script, so the page does not guess at their direction or language.
pub(crate) fn name(page: Page, card: &Card) -> Element {
    match called(card) {
        Some(name) => {
            let long = name.chars().count() > LONG;
            text("bdi", "", name.to_owned()).with("translate", "no").marked("data-long", long)
        }
        None => text("span", "", page.say(words::NO_NAME)),
    }
}

/// The customer's name, or the one that an unknown caller always has here.
pub(crate) fn called(card: &Card) -> Option<&str> {
    card.name.as_ref().or(card.alias.as_ref()).map(String::as_str)
}

/// The customer's id; of an unknown caller that has a name, that they are one.
pub(crate) fn draw_id(page: Page, card: &Card) -> Option<Element> {
    let label = |label| element("p", "call__id").child(text("span", "", page.say(label)));
    let Some(id) = card.customer_id.clone() else {
        return (card.name.is_none() && card.alias.is_some()).then(|| label(words::UNKNOWN));
    };
    Some(label(words::CUSTOMER_ID).child(text("bdi", "", id).with("translate", "no")))
}

/// What ends a call is where "reject" was, so that who presses "accept" twice mutes and does not hang up.
fn draw_actions(page: Page, talk: &Talk) -> Element {
    let enabled = talk.phase != Phase::HangingUp;
    let icon = if talk.muted { icon::MICROPHONE_OFF } else { icon::MICROPHONE };
    let mute = Button::new("mute", words::MUTE, icon, Intent::ToggleMute);
    let mute = Button { key: Some(MUTE_KEY), rests: true, on: Some(talk.muted), enabled, ..mute };
    let hang_up = Button::new("reject", words::HANG_UP, icon::HANG_UP, Intent::HangUp);
    let hang_up = Button { key: Some(HANG_UP_KEY), enabled, ..hang_up };
    element("div", "actions actions--call").child(hang_up.draw(page)).child(mute.draw(page))
}

/// Something is not as the operator would have it.
const fn is_grave(talk: &Talk) -> bool {
    talk.muted
        || talk.unheard
        || talk.unhearing
        || matches!(talk.phase, Phase::Reconnecting | Phase::Connecting { slow: true })
}

/// The one thing that the operator must know now, the gravest first.
const fn notice(talk: &Talk, cut_off: bool) -> Option<Text> {
    match talk.phase {
        Phase::HangingUp => Some(words::HANGING_UP_SAYS),
        Phase::Reconnecting => Some(words::RECONNECTING_SAYS),
        Phase::Connecting { slow: true } => Some(words::SLOW_SAYS),
        Phase::Talking if talk.unhearing => Some(words::UNHEARING_SAYS),
        Phase::Talking if talk.unheard => Some(words::UNHEARD_SAYS),
        _ if talk.muted => Some(words::MUTED_SAYS),
        Phase::Connecting { slow: false } => Some(words::CONNECTING_SAYS),
        Phase::Talking if cut_off => Some(words::DOWN_IN_CALL),
        Phase::Talking => None,
    }
}
