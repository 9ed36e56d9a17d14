//! What the journal needs of a disk. A trait, because a full disk is not to be had in every test.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

pub(super) trait Disk: Send + 'static {
    /// Writes all of it there.
    fn write(&mut self, bytes: &[u8], at: u64) -> io::Result<()>;

    /// When this returns, what was written is there also after a power failure.
    fn sync(&mut self) -> io::Result<()>;

    fn length(&self) -> io::Result<u64>;

    /// Shortens the file, for good.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

pub(super) enum NotLocked {
    Taken(PathBuf),
    Error(io::Error),
}

/// Opens the journal, or makes it, for nobody but this user.
pub(super) fn open(folder: &Path, file: &Path) -> io::Result<File> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let made = !fs::exists(file)?;
    let opened =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(file)?;
    if made {
        // A file that its folder forgets keeps nothing.
        File::open(folder)?.sync_all()?;
    }
    Ok(opened)
}

/// Held by this file and all its clones.
pub(super) fn lock(file: &File, folder: &Path) -> Result<(), NotLocked> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => NotLocked::Taken(folder.to_owned()),
        TryLockError::Error(error) => NotLocked::Error(error),
    })
}

/// Fills the file up with zeros to this length, and says whether it has it: to write over what is there needs no new place on
/// a full disk, and half the time. Otherwise the file grows as it is written.
pub(super) fn reserve(disk: &mut impl Disk, length: u64) -> bool {
    let Ok(old) = disk.length() else { return false };
    let Some(missing) = length.checked_sub(old).and_then(|missing| usize::try_from(missing).ok()) else {
        return true;
    };
    let filled = disk.write(&vec![0; missing], old).and_then(|()| disk.sync());
    let Err(error) = filled else { return true };
    tracing::debug!(%error, "no place is reserved for the journal");
    if disk.length().is_ok_and(|length| length > old) {
        let _ = disk.cut(old);
    }
    false
}

/// Writes zeros over this part of the file: for good when it is synced.
pub(super) fn wipe(disk: &mut impl Disk, part: Range<u64>) -> io::Result<()> {
    let mut at = part.start;
    while at < part.end {
        let zeros = ZEROS.len().min(usize::try_from(part.end - at).unwrap_or(usize::MAX));
        disk.write(&ZEROS[..zeros], at)?;
        at += zeros as u64;
    }
    Ok(())
}

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

impl Disk for File {
    fn write(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()?;
        // What is written to a file that has no name any more is gone with this process.
        if self.metadata()?.nlink() == 0 {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it was removed while it was open"));
        }
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.sync_all()
    }
}
