//! What the server tells the page once, when it renders it: who is at the desk and how to reach the voice cloud.

use domain::Identity;
use serde::{Deserialize, Serialize};

use crate::language::Language;

/// The id of the element that carries it, as JSON, to the browser.
pub const ELEMENT: &str = "setup";

/// The cookie of an operator for whom single keys are no shortcuts.
pub const SHORTCUTS_OFF: &str = "shortcuts=off";

/// How this console is set up. Nothing in it is secret: it is in the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Setup {
    /// Who is at this desk.
    pub identity: Identity,
    /// What the page speaks.
    pub language: Language,
    /// In rehearsal, the `host:port` of its signalling; otherwise Twilio's own.
    pub rehearsal: Option<String>,
    /// Where things are served from.
    pub assets: Assets,
    /// The product's version, for the SDK's `appVersion`.
    pub version: String,
    /// Whether the operator uses single keys as shortcuts.
    pub shortcuts: bool,
}

/// The addresses of what the page loads: immutable names when the binary carries them, plain ones in development.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assets {
    /// The style sheet.
    pub style: String,
    /// The WASM's JavaScript glue.
    pub glue: String,
    /// The WASM.
    pub wasm: String,
    /// The unmodified Twilio SDK.
    pub sdk: String,
    /// The SDK's fifteen sounds, each with its name in the SDK's `sounds` option: `incoming`, `outgoing`, `disconnect`,
    /// `dtmf0` … `dtmf9`, `dtmfs`, `dtmfh`.
    pub sounds: Vec<(String, String)>,
}

#[cfg(test)]
impl Setup {
    /// Of a page that loads nothing.
    pub(crate) fn blank(language: Language) -> Self {
        let assets = Assets {
            style: String::new(),
            glue: String::new(),
            wasm: String::new(),
            sdk: String::new(),
            sounds: vec![],
        };
        let identity = Identity::parse("user001").unwrap_or_else(|_| unreachable!("that is one"));
        Self { identity, language, rehearsal: None, assets, version: "0".to_owned(), shortcuts: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The browser's reader, which has no serde.
    const READER: &str = include_str!("../browser/setup.rs");

    #[test]
    fn the_browser_reads_every_member_by_the_name_under_which_it_is_written() {
        let setup = serde_json::to_value(Setup::blank(Language::Ja)).unwrap();
        for (object, value) in [("setup", &setup), ("assets", &setup["assets"])] {
            for name in value.as_object().unwrap().keys() {
                let read = format!("(&{object}, \"{name}\")");
                assert_eq!(READER.matches(&read).count(), 1, "{read} in src/browser/setup.rs");
            }
        }
    }
}
