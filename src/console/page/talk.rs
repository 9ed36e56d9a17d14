//! The call that was accepted: with whom, how far it is, how long it has lasted, mute and hang up.
//!
//! Invariant: "connected" and a running time are drawn only once audio has flowed.

use domain::Card;
use domain::shift::{Intent, Phase, Talk};
use leptos::prelude::*;

use super::button::Button;
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
pub(crate) fn draw(page: Page, talk: &Talk, cut_off: bool) -> AnyView {
    let audio_since = talk.audio_since;
    view! {
        <section class="call talk" aria-labelledby="talk-name">
            <p class="call__label"><span class="status__dot" aria-hidden="true"></span> {page.say(state(talk.phase))}</p>
            <div class="call__who">
                <h1 class="call__name" id="talk-name" tabindex="-1">{name(page, &talk.card)}</h1>
                {draw_id(page, &talk.card)}
            </div>
            {audio_since.map(|since| view! {
                <p class="clock" role="timer" aria-label=page.say(words::LASTED)>{move || page.since(since)}</p>
            })}
            <p class="notice" role="status" data-grave=is_grave(talk).then_some("")>{notice(talk, cut_off).map(|text| page.say(text))}</p>
            {draw_actions(page, talk)}
        </section>
    }
    .into_any()
}

/// Who is on the line. Names come from a directory in any script, so the page does not guess at their direction or language.
pub(crate) fn name(page: Page, card: &Card) -> AnyView {
    match card.name.clone() {
        Some(name) => {
            let long = name.chars().count() > LONG;
            view! { <bdi translate="no" data-long=long.then_some("")>{name}</bdi> }.into_any()
        }
        None => view! { <span class="unknown">{page.say(words::UNKNOWN)}</span> }.into_any(),
    }
}

/// The customer's id, where there is one.
pub(crate) fn draw_id(page: Page, card: &Card) -> Option<AnyView> {
    let id = card.customer_id.clone()?;
    let label = page.say(words::CUSTOMER_ID);
    Some(view! { <p class="call__id"><span>{label}</span> " " <bdi translate="no">{id}</bdi></p> }.into_any())
}

fn draw_actions(page: Page, talk: &Talk) -> AnyView {
    let enabled = talk.phase != Phase::HangingUp;
    let (text, icon) =
        if talk.muted { (words::UNMUTE, icon::MICROPHONE_OFF) } else { (words::MUTE, icon::MICROPHONE) };
    let mute = Button::new(if talk.muted { "muted" } else { "mute" }, text, icon, Intent::ToggleMute);
    let mute = Button { key: Some(MUTE_KEY), rests: true, enabled, ..mute };
    let hang_up = Button::new("reject", words::HANG_UP, icon::HANG_UP, Intent::HangUp);
    let hang_up = Button { key: Some(HANG_UP_KEY), enabled, ..hang_up };
    view! { <div class="actions actions--call">{mute.draw(page)} {hang_up.draw(page)}</div> }.into_any()
}

const fn state(phase: Phase) -> Text {
    let scene = match phase {
        Phase::Connecting { .. } => Scene::Connecting,
        Phase::Talking => Scene::Talking,
        Phase::Reconnecting => Scene::Reconnecting,
        Phase::HangingUp => Scene::HangingUp,
    };
    scene.status()
}

/// Something is not as the operator would have it.
const fn is_grave(talk: &Talk) -> bool {
    talk.muted || matches!(talk.phase, Phase::Reconnecting | Phase::Connecting { slow: true })
}

/// The one thing that the operator must know now, the gravest first.
const fn notice(talk: &Talk, cut_off: bool) -> Option<Text> {
    match talk.phase {
        Phase::HangingUp => Some(words::HANGING_UP_SAYS),
        Phase::Reconnecting => Some(words::RECONNECTING_SAYS),
        Phase::Connecting { slow: true } => Some(words::SLOW_SAYS),
        _ if talk.muted => Some(words::MUTED_SAYS),
        Phase::Connecting { slow: false } => Some(words::CONNECTING_SAYS),
        Phase::Talking if cut_off => Some(words::DOWN_IN_CALL),
        Phase::Talking => None,
    }
}
