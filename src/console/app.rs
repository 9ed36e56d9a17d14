//! The page in the document.

use leptos::prelude::*;

use crate::page;

/// The console. Its setup and its telephone come through the context; without a telephone it is off duty, and deaf.
#[component]
pub fn App() -> impl IntoView {
    page::draw()
}
