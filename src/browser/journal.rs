//! The event log, as long as a shift's operator would scroll.

use console::softphone::Entry;
use leptos::prelude::*;

const LONGEST: usize = 200;

/// Adds a line, and drops the oldest of too many.
pub(crate) fn add(journal: RwSignal<Vec<Entry>>, entry: Entry) {
    journal.update(|entries| {
        if entries.len() >= LONGEST {
            entries.remove(0);
        }
        entries.push(entry);
    });
}
