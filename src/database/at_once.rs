//! Reading what the system has in memory, without ever waiting for a disk.

use std::fs::File;

/// Fills it all from there; `None` if that is not in memory, or the system cannot tell (only Linux can, and not on each of its
/// file systems). It does not block.
#[cfg(target_os = "linux")]
#[must_use]
pub fn read<const LENGTH: usize>(file: &File, at: u64) -> Option<[u8; LENGTH]> {
    use rustix::io::{IoSliceMut, ReadWriteFlags, preadv2};

    let mut bytes = [0; LENGTH];
    let read = preadv2(file, &mut [IoSliceMut::new(&mut bytes)], at, ReadWriteFlags::NOWAIT).ok()?;
    (read == LENGTH).then_some(bytes)
}

/// Nobody can tell there whether a disk is waited for.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn read<const LENGTH: usize>(_: &File, _: u64) -> Option<[u8; LENGTH]> {
    None
}
