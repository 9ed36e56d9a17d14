//! What the server told the page when it rendered it: `Setup`, as JSON in an element of the page.
//!
//! Read with the browser's own JSON: serde's reader would be a tenth of all that the page loads. Invariant: the names are those
//! that `Setup`'s serde attributes give, as a test of `console::setup` holds against this file; a setup that lacks one is none.

use console::setup::{Assets, ELEMENT};
use console::{Language, Setup};
use domain::Identity;
use js_sys::{Array, JSON, Reflect};
use wasm_bindgen::prelude::*;

/// The setup in the page's `#setup`; `None` when it is not there or cannot be read.
pub(crate) fn of_page() -> Option<Setup> {
    let text = web_sys::window()?.document()?.get_element_by_id(ELEMENT)?.text_content()?;
    let setup = JSON::parse(&text).ok()?;
    let assets = member(&setup, "assets")?;
    Some(Setup {
        identity: Identity::parse(&text_of(&setup, "identity")?).ok()?,
        language: Language::of_tag(&text_of(&setup, "language")?)?,
        rehearsal: text_of(&setup, "rehearsal"),
        assets: Assets {
            style: text_of(&assets, "style")?,
            glue: text_of(&assets, "glue")?,
            wasm: text_of(&assets, "wasm")?,
            sdk: text_of(&assets, "sdk")?,
            sounds: pairs(&member(&assets, "sounds")?)?,
        },
        version: text_of(&setup, "version")?,
        shortcuts: member(&setup, "shortcuts")?.as_bool()?,
    })
}

fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(name)).ok()
}

fn text_of(object: &JsValue, name: &str) -> Option<String> {
    member(object, name)?.as_string()
}

fn pairs(array: &JsValue) -> Option<Vec<(String, String)>> {
    let pair = |pair: JsValue| {
        let pair: Array = pair.dyn_into().ok()?;
        Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
    };
    array.dyn_ref::<Array>()?.iter().map(pair).collect()
}
