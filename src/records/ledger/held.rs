//! Events that the journal could not take, in memory for as long as there is room.
//!
//! Invariant: each is with one only: waiting here, or taken by the writer or by the keeper, who says what became of it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(super) struct Held(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Vec<u8>>,
    taken: usize,
}

/// A megabyte or two.
const MOST: usize = 10_000;

impl Held {
    /// Takes in events, and says how many there was no room for.
    pub(super) fn add(&self, events: Vec<Vec<u8>>) -> usize {
        let mut inner = self.lock();
        let room = MOST.saturating_sub(inner.waiting.len() + inner.taken);
        let lost = events.len().saturating_sub(room);
        inner.waiting.extend(events.into_iter().take(room));
        lost
    }

    /// The oldest, for one who will say [`done`](Self::done) or [`back`](Self::back).
    pub(super) fn take(&self, most: usize) -> Vec<Vec<u8>> {
        let mut inner = self.lock();
        let count = inner.waiting.len().min(most);
        inner.taken += count;
        inner.waiting.drain(..count).collect()
    }

    pub(super) fn done(&self, count: usize) {
        self.lock().taken -= count;
    }

    pub(super) fn back(&self, events: Vec<Vec<u8>>) {
        let mut inner = self.lock();
        inner.taken -= events.len();
        events.into_iter().rev().for_each(|event| inner.waiting.push_front(event));
    }

    /// How many wait or are taken.
    pub(super) fn count(&self) -> usize {
        let inner = self.lock();
        inner.waiting.len() + inner.taken
    }

    pub(super) fn waiting(&self) -> bool {
        !self.lock().waiting.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
