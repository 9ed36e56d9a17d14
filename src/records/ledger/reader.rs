//! Reads the journal, a window at a time, however long it is.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::frame::{self, Frame};
use crate::Event;

#[derive(Clone)]
pub(super) struct Reader(Arc<File>);

/// Some frames, and where to read on.
#[derive(Default)]
pub(super) struct Window {
    bytes: Vec<u8>,
    start: u64,
    frames: Vec<Frame>,
    pub(super) next: u64,
}

/// An event as it lies in the journal.
#[derive(Clone, Copy)]
pub(super) struct Lying<'a> {
    pub(super) generation: u64,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) payload: &'a [u8],
}

/// What is in a journal that has just been opened.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Where the last whole frame ends.
    pub(super) end: u64,
    /// Where there should be frames, and are none.
    pub(super) gaps: Vec<Gap>,
    /// From here on there are only zeros.
    pub(super) used: u64,
    pub(super) generations: BTreeSet<u64>,
}

/// A place before a frame that holds none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// That of the frame.
    pub(super) generation: u64,
    pub(super) end: u64,
    pub(super) bytes: u64,
}

const WINDOW: u64 = 4 * LONGEST_FRAME;
const LONGEST_FRAME: u64 = (frame::HEAD + frame::LONGEST) as u64;

impl Reader {
    pub(super) fn new(file: File) -> Self {
        Self(Arc::new(file))
    }

    /// Reads all of it once. What is torn at the end was never accepted; what is torn elsewhere is passed over.
    pub(super) fn recover(&self) -> io::Result<Found> {
        let length = self.0.metadata()?.len();
        let mut found = Found::default();
        let (mut from, mut last, mut first_used) = (0, None, length);
        while from < length {
            let window = self.read(from, length, usize::MAX)?;
            if let Some(first) = window.bytes.iter().position(|byte| *byte != 0) {
                first_used = first_used.min(window.start + first as u64);
            }
            for lying in window.lying() {
                // One generation lies in one piece; between two there may be a rest of an older one, and before all of them is
                // what was wiped.
                let bytes = match last {
                    Some(last) if last == lying.generation => lying.start - found.end,
                    Some(_) => 0,
                    None => lying.start.saturating_sub(first_used),
                };
                if bytes > 0 {
                    found.gaps.push(Gap { generation: lying.generation, end: lying.start, bytes });
                }
                last = Some(lying.generation);
                found.end = lying.end;
                found.generations.insert(lying.generation);
            }
            if let Some(last) = window.bytes.iter().rposition(|byte| *byte != 0) {
                found.used = window.start + last as u64 + 1;
            }
            from = window.next;
        }
        Ok(found)
    }

    /// Whether an event in it is of one of these customers, or of a caller with such an alias. Another program may write it
    /// meanwhile.
    pub(super) fn names(&self, customers: &[String], alias: impl Fn(&str) -> bool) -> io::Result<bool> {
        let length = self.0.metadata()?.len();
        let mut from = 0;
        while from < length {
            let window = self.read(from, length, usize::MAX)?;
            if window.lying().any(|lying| may_name(lying.payload, customers, &alias)) {
                return Ok(true);
            }
            from = window.next;
        }
        Ok(false)
    }

    /// The next frames, at most so many, of those that end before `end`.
    pub(super) fn read(&self, start: u64, end: u64, most: usize) -> io::Result<Window> {
        let length = end.saturating_sub(start).min(WINDOW);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.0.read_exact_at(&mut bytes, start)?;
        let mut frames = Vec::new();
        let mut read = 0;
        while frames.len() < most {
            let Some(frame) = frame::next(&bytes, read) else { break };
            read = frame.end();
            frames.push(frame);
        }
        let next = if frames.len() == most {
            start + read as u64
        } else if start + length == end {
            end
        } else {
            // A frame that begins in the rest may end beyond it, unless it is too long to be one.
            start + (read as u64).max(length - LONGEST_FRAME)
        };
        Ok(Window { bytes, start, frames, next })
    }
}

/// Of an event of a later version that is not known here, whatever looks like an id.
fn may_name(payload: &[u8], customers: &[String], alias: impl Fn(&str) -> bool) -> bool {
    let Some(event) = Event::read(payload) else {
        let looks_like = |id: &String| payload.windows(id.len().max(1)).any(|bytes| bytes == id.as_bytes());
        return customers.iter().any(looks_like);
    };
    event.came().is_some_and(|came| {
        came.customer.as_ref().is_some_and(|customer| customers.contains(customer))
            || came.alias.as_deref().is_some_and(alias)
    })
}

impl Window {
    pub(super) fn lying(&self) -> impl Iterator<Item = Lying<'_>> {
        self.frames.iter().map(|frame| Lying {
            generation: frame.generation,
            start: self.start + frame.start as u64,
            end: self.start + frame.end() as u64,
            payload: &self.bytes[frame.payload.clone()],
        })
    }
}
