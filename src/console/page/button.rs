//! The one kind of button: a drawing, a word and, where there is one, its key.
//!
//! Invariant: a button that cannot be used now keeps its place and the focus (`aria-disabled`), so that nothing moves under
//! the operator's hand.

use domain::shift::Intent;
use leptos::prelude::{Get, window};

use super::Page;
use super::element::{Element, element, text};
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
    /// Whether what it switches is on, if it is a switch.
    pub(crate) on: Option<bool>,
    /// What it wants; `None` reloads the page.
    pub(crate) intent: Option<Intent>,
}

impl Button {
    pub(crate) const fn new(kind: &'static str, text: Text, icon: Icon, intent: Intent) -> Self {
        Self { text, icon, kind, key: None, rests: false, enabled: true, on: None, intent: Some(intent) }
    }

    pub(crate) fn draw(self, page: Page) -> Element {
        let key = self.key.filter(|_| self.enabled && page.choices.get().shortcuts);
        let mut button = element("button", format!("button button--{}", self.kind))
            .key(self.kind, 0)
            .with("type", "button")
            .marked("data-rest", self.rests)
            .child(self.icon.draw())
            .child(text("span", "button__word", page.say(self.text)))
            .on_press(move || self.press(page));
        if !self.enabled {
            button = button.with("aria-disabled", "true");
        }
        if let Some(on) = self.on {
            button = button.with("aria-pressed", if on { "true" } else { "false" });
        }
        match key {
            Some(key) => button
                .with("aria-keyshortcuts", key)
                .child(text("kbd", "key", key).with("aria-hidden", "true")),
            None => button,
        }
    }

    fn press(self, page: Page) {
        match self.intent {
            _ if !self.enabled => {}
            Some(intent) => page.intend(intent),
            None => drop(window().location().reload()),
        }
    }
}
