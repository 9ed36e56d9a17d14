//! How often a refused webhook is logged: anybody can be refused as often as they like, and a log is read by people.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Counts what is not logged.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    said_at: Option<Instant>,
    unsaid: u64,
}

const ONCE_IN: Duration = Duration::from_secs(1);

impl Refusals {
    /// Whether one that happens now is to be logged, and then how many were not since the last that was.
    pub(crate) fn count(&self, now: Instant) -> Option<u64> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.said_at.is_some_and(|said_at| now < said_at + ONCE_IN) {
            counted.unsaid += 1;
            return None;
        }
        let unsaid = counted.unsaid;
        *counted = Counted { said_at: Some(now), unsaid: 0 };
        Some(unsaid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_at_once_are_one_line_and_the_next_says_how_many() {
        let refusals = Refusals::default();
        let now = Instant::now();
        assert_eq!(refusals.count(now), Some(0));
        for _ in 0..7 {
            assert_eq!(refusals.count(now + ONCE_IN / 2), None);
        }
        assert_eq!(refusals.count(now + ONCE_IN), Some(7));
        assert_eq!(refusals.count(now + 2 * ONCE_IN), Some(0));
    }
}
