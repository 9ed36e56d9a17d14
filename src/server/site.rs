//! The page's files: carried in the binary under immutable names, or read from disk in development.

pub(crate) mod disk;

use std::path::PathBuf;

use console::setup::Assets;

/// Where the page's files are.
#[derive(Clone, Debug)]
pub enum Site {
    /// In this folder, where `cargo leptos` puts them.
    Disk(PathBuf),
}

impl Site {
    /// The addresses of what a page loads; the sounds have their own.
    #[must_use]
    pub fn assets(&self, sounds: Vec<(String, String)>) -> Assets {
        match self {
            Self::Disk(_) => Assets {
                style: "/pkg/hitoku.css".to_owned(),
                glue: "/pkg/hitoku.js".to_owned(),
                wasm: "/pkg/hitoku.wasm".to_owned(),
                sdk: "/sdk/twilio.min.js".to_owned(),
                sounds,
            },
        }
    }
}
