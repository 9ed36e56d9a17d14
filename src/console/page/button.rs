//! The one kind of button: a drawing, a word and, where there is one, its key.
//!
//! Invariant: a button that cannot be used now keeps its place and the focus (`aria-disabled`), so that nothing moves under
//! the operator's hand.

use domain::shift::Intent;
use leptos::prelude::*;

use super::Page;
use super::icon::Icon;
use super::words::Text;

/// A button that is about to be drawn.
#[derive(Clone, Copy)]
pub(crate) struct Button {
    pub(crate) text: Text,
    pub(crate) icon: Icon,
    /// The style sheet's name for what it does: `accept`, `reject`, `primary`, `quiet` …
    pub(crate) kind: &'static str,
    /// The single key that does the same.
    pub(crate) key: Option<&'static str>,
    /// Takes the focus when it would otherwise be lost: see `attention`.
    pub(crate) rests: bool,
    pub(crate) enabled: bool,
    /// What it wants; `None` reloads the page.
    pub(crate) intent: Option<Intent>,
}

impl Button {
    pub(crate) const fn new(kind: &'static str, text: Text, icon: Icon, intent: Intent) -> Self {
        Self { text, icon, kind, key: None, rests: false, enabled: true, intent: Some(intent) }
    }

    pub(crate) fn draw(self, page: Page) -> AnyView {
        let press = move |_| match self.intent {
            _ if !self.enabled => {}
            Some(intent) => page.intend(intent),
            None => drop(window().location().reload()),
        };
        let key = self.key.filter(|_| self.enabled && page.shortcuts.get());
        view! {
            <button
                type="button"
                class=format!("button button--{}", self.kind)
                data-rest=self.rests.then_some("")
                aria-disabled=(!self.enabled).then_some("true")
                aria-keyshortcuts=key
                on:click=press
            >
                {self.icon.draw()}
                <span class="button__word">{page.say(self.text)}</span>
                {key.map(|key| view! { <kbd class="key" aria-hidden="true">{key}</kbd> })}
            </button>
        }
        .into_any()
    }
}
