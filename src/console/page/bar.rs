//! The bar above the stage, which says the state in one word, and the line below it, which keeps the promise in sight.

use leptos::prelude::{Get, Update, WithValue};

use super::element::{Element, element, text};
use super::{Page, icon, words};
use crate::language::Language;

/// The bar: mark, state, desk, language.
pub(crate) fn draw(page: Page) -> Element {
    let brand = element("p", "brand")
        .child(icon::MARK.draw())
        .child(text("span", "brand__kanji", "秘匿").with("lang", "ja"))
        .child(text("span", "brand__name", "Hitoku").with("lang", "en"));
    let status = element("p", "status")
        .with("role", "status")
        .child(element("span", "dot").with("aria-hidden", "true"))
        .child(text("span", "", page.say(page.scene().status())));
    let name = page.desk.with_value(|(name, _)| name.clone());
    let desk = element("p", "desk")
        .child(text("span", "", page.say(words::OPERATOR_ID)))
        .child(text("span", "desk__name", name).with("translate", "no"));
    let languages = element("div", "languages")
        .with("role", "group")
        .with("aria-label", page.say(words::LANGUAGE))
        .children(Language::ALL.into_iter().map(|language| draw_language(page, language)).collect());
    element("header", "bar").child(brand).child(status).child(desk).child(languages)
}

fn draw_language(page: Page, language: Language) -> Element {
    let chosen = page.choices.get().language == language;
    text("button", "languages__choice", language.name())
        .with("type", "button")
        .with("lang", language.tag())
        .with("aria-pressed", if chosen { "true" } else { "false" })
        .on_press(move || page.choices.update(|choices| choices.language = language))
}

/// The line at the foot: the promise, and the switch of the shortcut keys.
pub(crate) fn draw_foot(page: Page) -> Element {
    let promise =
        element("p", "promise").child(icon::SHIELD.draw()).child(text("span", "", page.say(words::PROMISE)));
    let switch = element("button", "switch")
        .with("type", "button")
        .with("role", "switch")
        .with("aria-checked", if page.choices.get().shortcuts { "true" } else { "false" })
        .child(element("span", "switch__track").with("aria-hidden", "true"))
        .child(text("span", "", page.say(words::SHORTCUTS)))
        .on_press(move || page.choices.update(|choices| choices.shortcuts = !choices.shortcuts));
    element("footer", "foot").child(promise).child(switch)
}
