//! The console's one page: it draws the telephone's shift, and turns what the operator does into intents.
//!
//! Invariant: nothing here decides anything about a call. A state that the shift does not have cannot be drawn, and an
//! intent that means nothing is the shift's to ignore.

mod attention;
mod bar;
mod button;
mod clock;
mod icon;
mod journal;
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
use scene::Scene;
use words::Text;

/// What every part of the page draws from.
#[derive(Clone, Copy)]
struct Page {
    shift: Signal<Shift>,
    scene: Memo<Scene>,
    journal: Signal<Vec<Entry>>,
    now: Signal<Millis>,
    language: RwSignal<Language>,
    /// Whether single keys are shortcuts; an operator who dictates or uses a switch turns them off.
    shortcuts: RwSignal<bool>,
    desk: StoredValue<String>,
    telephone: StoredValue<Telephone>,
}

impl Page {
    fn of_context() -> Self {
        let telephone = use_telephone();
        let setup = use_context::<Setup>();
        let shift = telephone.shift();
        Self {
            shift,
            scene: Memo::new(move |_| shift.with(Scene::of)),
            journal: telephone.journal(),
            now: telephone.now(),
            language: RwSignal::new(setup.as_ref().map(|setup| setup.language).unwrap_or_default()),
            shortcuts: RwSignal::new(true),
            desk: StoredValue::new(setup.map(|setup| setup.identity.to_string()).unwrap_or_default()),
            telephone: StoredValue::new(telephone),
        }
    }

    /// The text in the page's language.
    fn say(self, text: Text) -> &'static str {
        text.of(self.language.get())
    }

    /// How long ago that was, as `mm:ss`.
    fn since(self, then: Millis) -> String {
        clock::lasting(self.now.get().saturating_sub(then))
    }

    fn intend(self, intent: Intent) {
        self.telephone.with_value(|telephone| telephone.intend(intent));
    }
}

/// The page.
pub(crate) fn draw() -> AnyView {
    let page = Page::of_context();
    attention::attend(page);
    view! {
        <div class="page" data-scene=move || page.scene.get().name()>
            {bar::draw(page)}
            <main class="stage" id="stage">{stage::draw(page)}</main>
            {journal::draw(page)}
            {bar::draw_foot(page)}
            {attention::draw(page)}
        </div>
    }
    .into_any()
}
