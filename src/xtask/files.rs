//! Small things done to files: digests, walks, and replacement in one step.
//!
//! A reader never sees half a file or folder of ours: it is written beside its place and then renamed.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// One digest of many files: of their paths and contents, in a fixed order.
pub(crate) fn sha256_of_all(paths: &[PathBuf], also: &[&str]) -> Result<String> {
    let mut digest = Sha256::new();
    for text in also {
        digest.update(sha256(text.as_bytes()));
    }
    for path in paths.iter().map(|path| all_files(path)).collect::<Result<Vec<_>>>()?.concat() {
        digest.update(sha256(path.as_os_str().as_encoded_bytes()));
        digest.update(sha256(&read(&path)?));
    }
    Ok(hexadecimal(&digest.finalize()))
}

/// The files at or below a path, sorted.
pub(crate) fn all_files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).with_context(|| format!("reading {}", path.display()))?;
    let mut entries = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries.iter().map(|entry| all_files(entry)).collect::<Result<Vec<_>>>()?.concat())
}

/// The folders right below a folder, sorted.
pub(crate) fn folders_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let entries = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let mut folders: Vec<_> = entries.into_iter().filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("reading {}", path.display()))
}

pub(crate) fn size(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path).with_context(|| format!("looking at {}", path.display()))?.len())
}

pub(crate) fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// Writes a file, and the folders above it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = beside(path);
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(&beside, bytes)?;
        fs::rename(&beside, path)
    };
    write().with_context(|| format!("writing {}", path.display()))
}

/// An empty folder, whatever was there before.
pub(crate) fn empty_folder(path: &Path) -> Result<()> {
    remove(path)?;
    fs::create_dir_all(path).with_context(|| format!("making {}", path.display()))
}

/// Removes a file, a link or a whole folder, if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.with_context(|| format!("removing {}", path.display()))
}

/// Puts a finished folder in another's place.
pub(crate) fn replace_folder(finished: &Path, place: &Path) -> Result<()> {
    let old = beside(place);
    let swap = || -> Result<()> {
        remove(&old)?;
        if place.exists() {
            fs::rename(place, &old)?;
        }
        fs::rename(finished, place)?;
        remove(&old)
    };
    swap().with_context(|| format!("replacing {}", place.display()))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    path.with_file_name(name)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A folder that goes when it is dropped.
    pub(crate) struct Scratch(pub(crate) PathBuf);

    impl Scratch {
        pub(crate) fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
            empty_folder(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _best_effort = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn digests_are_the_known_ones() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn one_digest_sees_names_contents_and_words() {
        let folder = Scratch::new("digest");
        let paths = [folder.0.clone()];
        write(&folder.0.join("a/b"), b"1").unwrap();
        let first = sha256_of_all(&paths, &["x"]).unwrap();
        assert_eq!(first, sha256_of_all(&paths, &["x"]).unwrap());
        assert_ne!(first, sha256_of_all(&paths, &["y"]).unwrap());
        write(&folder.0.join("a/b"), b"2").unwrap();
        assert_ne!(first, sha256_of_all(&paths, &["x"]).unwrap());
    }

    #[test]
    fn a_folder_takes_anothers_place() {
        let folder = Scratch::new("replace");
        let (new, place) = (folder.0.join("new"), folder.0.join("place"));
        write(&place.join("old"), b"").unwrap();
        write(&new.join("fresh"), b"").unwrap();
        replace_folder(&new, &place).unwrap();
        assert_eq!(all_files(&folder.0).unwrap(), [place.join("fresh")]);
    }
}
