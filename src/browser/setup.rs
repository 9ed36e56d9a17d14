//! What the server told the page when it rendered it.

use console::setup::{ELEMENT, Setup};

/// The setup in the page's `#setup`; `None` when it is not there or cannot be read, and then the page stays as rendered.
pub(crate) fn of_page() -> Option<Setup> {
    let text = web_sys::window()?.document()?.get_element_by_id(ELEMENT)?.text_content()?;
    serde_json::from_str(&text).ok()
}
