//! Reading what the system has in memory, without waiting for a disk.
//!
//! Only Linux can, and not on each of its file systems.

use std::fs::File;
use std::io;

/// Makes ready a file that this user owns. Otherwise a read would note its time on the disk, and fetch what may follow.
///
/// # Errors
/// That cannot be done.
#[cfg(target_os = "linux")]
pub fn prepare(file: &File) -> io::Result<()> {
    use rustix::fs::{Advice, OFlags, fadvise, fcntl_setfl};

    fcntl_setfl(file, OFlags::NOATIME)?;
    Ok(fadvise(file, 0, None, Advice::Random)?)
}

/// Fills it all from there; `None` if that is not in memory, or nobody can tell.
#[cfg(target_os = "linux")]
#[must_use]
pub fn read<const LENGTH: usize>(file: &File, at: u64) -> Option<[u8; LENGTH]> {
    use rustix::io::{IoSliceMut, ReadWriteFlags, preadv2};

    let mut bytes = [0; LENGTH];
    let read = preadv2(file, &mut [IoSliceMut::new(&mut bytes)], at, ReadWriteFlags::NOWAIT).ok()?;
    (read == LENGTH).then_some(bytes)
}

/// Nobody can tell there.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn prepare(_: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nobody can tell there.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn read<const LENGTH: usize>(_: &File, _: u64) -> Option<[u8; LENGTH]> {
    None
}
