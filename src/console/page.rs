//! The console's one page: it draws the telephone's shift, and turns what the operator does into intents.
//!
//! Invariant: nothing here decides anything about a call. A state that the shift does not have cannot be drawn, and an
//! intent that means nothing is the shift's to ignore.

mod attention;
mod bar;
mod button;
mod clock;
mod element;
mod event_log;
mod icon;
mod off;
mod ring;
mod scene;
mod stage;
mod starting;
mod talk;
mod waiting;
mod words;

#[cfg(test)]
mod states;
#[cfg(test)]
mod tests;

use domain::Millis;
use domain::shift::{Intent, Shift};
use leptos::prelude::*;

use crate::language::Language;
use crate::setup::Setup;
use crate::softphone::{Entry, Telephone, use_telephone};
use element::Element;
use scene::Scene;
use words::Text;

/// What every part of the page draws from.
#[derive(Clone, Copy)]
struct Page {
    shift: Signal<Shift>,
    event_log: Signal<Vec<Entry>>,
    now: Signal<Millis>,
    choices: RwSignal<Choices>,
    desk: StoredValue<(String, Telephone)>,
}

/// What the operator chose for themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Choices {
    language: Language,
    /// Whether single keys are shortcuts; an operator who dictates or uses a switch turns them off.
    shortcuts: bool,
}

impl Page {
    fn of_context() -> Self {
        let telephone = use_telephone();
        let setup = use_context::<Setup>();
        let (language, shortcuts) =
            setup.as_ref().map_or((Language::default(), true), |setup| (setup.language, setup.shortcuts));
        let name = setup.map(|setup| setup.identity.to_string()).unwrap_or_default();
        Self {
            shift: telephone.shift(),
            event_log: telephone.event_log(),
            now: telephone.now(),
            choices: RwSignal::new(Choices { language, shortcuts }),
            desk: StoredValue::new((name, telephone)),
        }
    }

    fn scene(self) -> Scene {
        self.shift.with(Scene::of)
    }

    /// The text in the page's language.
    fn say(self, text: Text) -> &'static str {
        text.of(self.choices.get().language)
    }

    /// How long ago that was, as a running `mm:ss`.
    fn since(self, then: Millis) -> String {
        clock::lasting(self.now.get().saturating_sub(then))
    }

    /// The heading of a scene, where the focus rests when what had it is gone.
    fn title(self, title: Text) -> Element {
        element::text("h1", "title", self.say(title)).with("tabindex", "-1").with("data-rest", "")
    }

    fn intend(self, intent: Intent) {
        self.desk.with_value(|(_, telephone)| telephone.intend(intent));
    }
}

/// The page: each part follows what it reads, and is drawn again as a whole.
pub(crate) fn draw() -> impl IntoView {
    let page = Page::of_context();
    attention::attend(page);
    view! {
        <div class="page" data-scene=move || page.scene().name()>
            {live(page, bar::draw)}
            {live(page, stage::draw)}
            {live(page, event_log::draw)}
            {live(page, bar::draw_foot)}
            {live(page, attention::draw)}
        </div>
    }
}

fn live(page: Page, draw: fn(Page) -> Element) -> impl IntoView {
    move || draw(page)
}
