//! The bar above the stage, which says the state in one word, and the line below it, which keeps the promise in sight.

use leptos::prelude::*;

use super::{Page, icon, words};
use crate::language::Language;

/// The bar: mark, state, desk, language.
pub(crate) fn draw(page: Page) -> AnyView {
    view! {
        <header class="bar">
            <p class="brand">
                {icon::MARK.draw()}
                <span class="brand__kanji" lang="ja">"秘匿"</span>
                <span class="brand__name" lang="en">"Hitoku"</span>
            </p>
            <p class="status" role="status">
                <span class="status__dot" aria-hidden="true"></span>
                <span class="status__word">{move || page.say(page.scene.get().status())}</span>
            </p>
            <p class="desk">
                <span class="desk__label">{move || page.say(words::DESK)}</span>
                " "
                <strong class="desk__name" translate="no">{page.desk.get_value()}</strong>
            </p>
            <div class="languages" role="group" aria-label=move || page.say(words::LANGUAGE)>
                {Vec::from(Language::ALL.map(|language| draw_language(page, language)))}
            </div>
        </header>
    }
    .into_any()
}

fn draw_language(page: Page, language: Language) -> AnyView {
    view! {
        <button
            type="button"
            class="languages__choice"
            lang=language.tag()
            aria-pressed=move || if page.language.get() == language { "true" } else { "false" }
            on:click=move |_| page.language.set(language)
        >
            {language.name()}
        </button>
    }
    .into_any()
}

/// The line at the foot: the promise, and the switch of the shortcut keys.
pub(crate) fn draw_foot(page: Page) -> AnyView {
    view! {
        <footer class="foot">
            <p class="promise">{icon::SHIELD.draw()} <span>{move || page.say(words::PROMISE)}</span></p>
            <button
                type="button"
                class="switch"
                role="switch"
                aria-checked=move || if page.shortcuts.get() { "true" } else { "false" }
                on:click=move |_| page.shortcuts.update(|on| *on = !*on)
            >
                <span class="switch__track" aria-hidden="true"></span>
                <span>{move || page.say(words::SHORTCUTS)}</span>
            </button>
        </footer>
    }
    .into_any()
}
