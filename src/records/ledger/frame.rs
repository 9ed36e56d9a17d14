//! A frame of the journal: length, checksum and generation, 16 bytes, then an event.
//!
//! The generation is a random number, new whenever the journal is opened or begins anew. Its place in the file and its
//! generation name a frame for ever, so the database can tell which it has, whatever older frames are left in the file.
//!
//! Invariant: a frame that is not whole is none. The checksum covers all of it.

use std::io;
use std::ops::Range;

pub(super) const HEAD: usize = 16;
/// An event is some hundred bytes; much longer lengths are no lengths.
pub(super) const LONGEST: usize = 64 << 10;

/// A whole frame among other bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) start: usize,
    pub(super) generation: u64,
    pub(super) payload: Range<usize>,
}

impl Frame {
    pub(super) fn end(&self) -> usize {
        self.payload.end
    }
}

/// A number that no other generation has, anywhere. From the system: one that a test could repeat would lose events.
pub(super) fn generation() -> io::Result<u64> {
    getrandom::u64().map_err(io::Error::other)
}

pub(super) fn put(generation: u64, payload: &[u8], into: &mut Vec<u8>) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    let generation = generation.to_le_bytes();
    into.extend(length);
    into.extend(checksum(&length, &generation, payload));
    into.extend(generation);
    into.extend(payload);
}

/// The next whole frame at this place or after it.
pub(super) fn next(bytes: &[u8], from: usize) -> Option<Frame> {
    (from..bytes.len().saturating_sub(HEAD)).find_map(|start| at(bytes, start))
}

fn at(bytes: &[u8], start: usize) -> Option<Frame> {
    let (length, rest) = bytes[start..].split_first_chunk::<4>()?;
    let size = u32::from_le_bytes(*length) as usize;
    if size == 0 || size > LONGEST {
        return None;
    }
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let (generation, rest) = rest.split_first_chunk::<8>()?;
    if checksum(length, generation, rest.get(..size)?) != *sum {
        return None;
    }
    let payload = start + HEAD..start + HEAD + size;
    Some(Frame { start, generation: u64::from_le_bytes(*generation), payload })
}

fn checksum(length: &[u8], generation: &[u8], payload: &[u8]) -> [u8; 4] {
    let mut sum = crc32fast::Hasher::new();
    sum.update(length);
    sum.update(generation);
    sum.update(payload);
    sum.finalize().to_le_bytes()
}
