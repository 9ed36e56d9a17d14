//! The event log, as long as a shift's operator would scroll.
//!
//! Invariant: an error that the SDK repeats at every attempt is one line, not all of them.

use console::softphone::Entry;
use domain::shift::Note;
use leptos::prelude::*;

const LONGEST: usize = 200;

/// Adds a line, and drops the oldest of too many.
pub(crate) fn add(event_log: RwSignal<Vec<Entry>>, entry: Entry) {
    let repeats = |last: &Entry| matches!(entry.note, Note::DeviceError(_)) && last.note == entry.note;
    if event_log.with_untracked(|entries| entries.last().is_some_and(repeats)) {
        return;
    }
    event_log.update(|entries| {
        if entries.len() >= LONGEST {
            entries.remove(0);
        }
        entries.push(entry);
    });
}
