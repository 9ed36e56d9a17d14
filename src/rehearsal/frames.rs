//! The signalling that went over the wire so far, for those who must prove what was and what was not said.
//!
//! Bounded: the oldest frames are forgotten first. Heartbeats are not kept.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

const MOST: usize = 5_000;

/// One frame.
#[derive(Clone, Serialize)]
pub(crate) struct Frame {
    /// Of the device, once it has shown a token.
    identity: Option<String>,
    direction: Direction,
    text: String,
}

/// As seen from the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    /// From the device.
    In,
    /// To the device.
    Out,
}

/// The frames that are kept.
#[derive(Default)]
pub(crate) struct Frames {
    ring: Mutex<VecDeque<Frame>>,
}

impl Frames {
    /// A frame went by.
    pub(crate) fn push(&self, identity: Option<&str>, direction: Direction, text: &str) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() == MOST {
            ring.pop_front();
        }
        ring.push_back(Frame { identity: identity.map(str::to_owned), direction, text: text.to_owned() });
    }

    /// Oldest first.
    pub(crate) fn list(&self) -> Vec<Frame> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let frames = Frames::default();
        for index in 0..=MOST {
            frames.push(None, Direction::In, &index.to_string());
        }
        let kept = frames.list();
        assert_eq!((kept.len(), &kept[0].text[..]), (MOST, "1"));
    }
}
