//! The page's files: carried in the binary under immutable names, or read from disk in development.

mod carried;
mod disk;

use std::path::PathBuf;

use axum::Router;
use console::setup::Assets;

use crate::sounds;

/// Where the page's files are.
#[derive(Clone, Debug)]
pub enum Site {
    /// In this binary.
    Carried,
    /// In this folder, where `cargo leptos` puts them.
    Disk(PathBuf),
}

impl Site {
    /// In this binary, if it carries them; otherwise in this folder.
    #[must_use]
    pub fn carried_or(folder: PathBuf) -> Self {
        if carried::is_there() { Self::Carried } else { Self::Disk(folder) }
    }

    /// What serves the files, and the addresses of those that a page loads.
    pub(crate) fn routes<S: Clone + Send + Sync + 'static>(&self) -> (Router<S>, Assets) {
        let mut carried = match self {
            Self::Carried => carried::Carried::site(),
            Self::Disk(_) => carried::Carried::default(),
        };
        let sounds = carried.add_sounds(sounds::all());
        let routes = carried.routes();
        let routes = match self {
            Self::Carried => routes,
            Self::Disk(folder) => routes.fallback_service(disk::routes(folder)),
        };
        (routes, self.assets(sounds))
    }

    fn assets(&self, sounds: Vec<(String, String)>) -> Assets {
        let address = |logical: &str| match self {
            Self::Carried => carried::path_of(logical).unwrap_or(logical).to_owned(),
            Self::Disk(_) => logical.to_owned(),
        };
        Assets {
            style: address("/pkg/hitoku.css"),
            glue: address("/pkg/hitoku.js"),
            wasm: address("/pkg/hitoku.wasm"),
            sdk: address("/sdk/twilio.min.js"),
            sounds,
        }
    }
}
