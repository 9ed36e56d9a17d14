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
        .child(text("p", "notice", notice).with("role", "status").marked("data-grave", is_grave(talk)))
        .child(draw_actions(page, talk))
}

/// Who is on the line. Names come from a directory in any script, so the page does not guess at their direction or language.
pub(crate) fn name(page: Page, card: &Card) -> Element {
    match card.name.clone() {
        Some(name) => {
            let long = name.chars().count() > LONG;
            text("bdi", "", name).with("translate", "no").marked("data-long", long)
        }
        None => text("span", "unknown", page.say(words::UNKNOWN)),
    }
}

/// The customer's id, or what an unknown caller is called, where there is one.
pub(crate) fn draw_id(page: Page, card: &Card) -> Option<Element> {
    let (label, id) = match &card.customer_id {
        Some(id) => (words::CUSTOMER_ID, id),
        None => (words::ALIAS, card.alias.as_ref()?),
    };
    let id = text("bdi", "", id.clone()).with("translate", "no");
    Some(element("p", "call__id").child(text("span", "", page.say(label))).child(id))
}

fn draw_actions(page: Page, talk: &Talk) -> Element {
    let enabled = talk.phase != Phase::HangingUp;
    let (text, icon) =
        if talk.muted { (words::UNMUTE, icon::MICROPHONE_OFF) } else { (words::MUTE, icon::MICROPHONE) };
    let mute = Button::new("mute", text, icon, Intent::ToggleMute);
    let mute = Button { key: Some(MUTE_KEY), rests: true, on: talk.muted, enabled, ..mute };
    let hang_up = Button::new("reject", words::HANG_UP, icon::HANG_UP, Intent::HangUp);
    let hang_up = Button { key: Some(HANG_UP_KEY), enabled, ..hang_up };
    element("div", "actions actions--call").child(mute.draw(page)).child(hang_up.draw(page))
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
