//! Where the keys are: given by whoever runs this server, or in a file of our own, made once.
//!
//! The file may change while the server runs: `hitoku keys rotate` puts a new key in front. So a number that is not found
//! is looked for again when the file has changed meanwhile.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::key::{NotAKey, Ring};

/// The keys of the directory.
#[derive(Debug)]
pub struct Keys {
    ring: RwLock<Arc<Ring>>,
    file: Option<KeyFile>,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    /// What was given is none.
    #[error("NUMBER_KEY: {0}")]
    Malformed(#[from] NotAKey),
    /// There is something else in the file.
    #[error("the key file {path} has something else in it: {why}")]
    Spoilt {
        /// The file.
        path: String,
        /// What should be there.
        why: NotAKey,
    },
    /// The database is there, and its key is not.
    #[error(
        "the key file {path} is missing: put its copy there, since without it nobody can find or read the numbers"
    )]
    Lost {
        /// The file.
        path: String,
    },
    /// The file cannot be used.
    #[error("the key file {path} cannot be used: {why}")]
    File {
        /// The file.
        path: String,
        /// What the machine says.
        why: io::Error,
    },
}

#[derive(Debug)]
struct KeyFile {
    path: PathBuf,
    seen: Mutex<Seen>,
}

/// What changes when the file is replaced.
type Seen = Option<(u64, i64, i64, u64)>;

impl Keys {
    /// Keys that were given, separated by commas: the first seals, each opens.
    ///
    /// # Errors
    /// One of them is none.
    pub fn given(text: &SecretString) -> Result<Self, NoKeys> {
        Ok(Self { ring: RwLock::new(Arc::new(Ring::parse(text)?)), file: None })
    }

    /// Keys in a file, which is made with a fresh one if it is not there: only for a directory that is new. Only this user
    /// may read it.
    ///
    /// # Errors
    /// The file cannot be made or read, or others may read it, or there is something else in it.
    pub fn made_in_file(path: &Path) -> Result<Self, NoKeys> {
        make(path).map_err(|why| NoKeys::File { path: path.display().to_string(), why })?;
        Self::in_file(path)
    }

    /// Keys in a file that is there.
    ///
    /// # Errors
    /// It is not there, or as [`made_in_file`](Self::made_in_file).
    pub fn in_file(path: &Path) -> Result<Self, NoKeys> {
        // Where the file really is: what a link names is to be replaced, and not the link.
        let path = &fs::canonicalize(path).map_err(|why| match why.kind() {
            io::ErrorKind::NotFound => NoKeys::Lost { path: path.display().to_string() },
            _ => NoKeys::File { path: path.display().to_string(), why },
        })?;
        let (ring, seen) = read(path)?;
        let file = KeyFile { path: path.clone(), seen: Mutex::new(seen) };
        Ok(Self { ring: RwLock::new(Arc::new(ring)), file: Some(file) })
    }

    /// A fresh key, as text.
    #[must_use]
    pub fn fresh() -> SecretString {
        BASE64_STANDARD.encode(random()).into()
    }

    /// As they are known now.
    pub(crate) fn ring(&self) -> Arc<Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As they are in the file now, which another program may have changed.
    pub(crate) fn current(&self) -> Arc<Ring> {
        let Some(file) = &self.file else { return self.ring() };
        let mut seen = file.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = looked_at(&file.path);
        if *seen != now {
            match read(&file.path) {
                Ok((ring, now)) => {
                    *seen = now;
                    *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
                }
                Err(error) => {
                    // Said once, and read again when it has changed again.
                    *seen = now;
                    tracing::error!(%error, "the key file has changed, and the keys from before are used on");
                }
            }
        }
        self.ring()
    }

    /// Goes on with these, since those that are in the file now open nothing; until it changes again.
    pub(crate) fn stay_with(&self, known: Arc<Ring>) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// As they are in the file now, if they are others than these: also when somebody else has just seen that.
    pub(crate) fn others_than(&self, known: &Arc<Ring>) -> Option<Arc<Ring>> {
        Some(self.current()).filter(|now| !Arc::ptr_eq(now, known))
    }

    /// Puts a fresh key in front of the file's; `false` if the keys are given, and only whoever gives them can.
    pub(crate) fn begin_another(&self) -> Result<bool, NoKeys> {
        let Some(file) = &self.file else { return Ok(false) };
        let path = &file.path;
        let broken = |why| NoKeys::File { path: path.display().to_string(), why };
        let old = fs::read_to_string(path).map_err(broken)?;
        let text = format!("{}\n{}\n", Self::fresh().expose_secret(), old.trim());
        replace(path, &text).map_err(broken)?;
        self.current();
        Ok(true)
    }

    /// Leaves only the first key in the file; does nothing where keys are given.
    pub(crate) fn end_others(&self) -> Result<(), NoKeys> {
        let Some(file) = &self.file else { return Ok(()) };
        let path = &file.path;
        let broken = |why| NoKeys::File { path: path.display().to_string(), why };
        let text = fs::read_to_string(path).map_err(broken)?;
        let first = text.split_whitespace().next().unwrap_or_default();
        replace(path, &format!("{first}\n")).map_err(broken)?;
        self.current();
        Ok(())
    }

    /// Whether they are in a file of our own.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// Their names, the one that seals first.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.ring().keys().iter().map(|key| key.id().to_owned()).collect()
    }
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    // Without randomness nothing can be kept secret; a key of zeros would pretend to.
    rand::fill(&mut bytes).unwrap_or_else(|_| std::process::abort());
    bytes
}

/// Two that start at once must not make two.
fn make(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let draft = draft_of(path);
    write(&draft, &format!("{}\n", Keys::fresh().expose_secret()))?;
    // A link, because it does not replace what another has put there meanwhile.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let draft = draft_of(path);
    write(&draft, text)?;
    fs::rename(&draft, path)?;
    File::open(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))?
        .sync_all()
}

fn draft_of(path: &Path) -> PathBuf {
    path.with_extension(format!("draft-{}", std::process::id()))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // Nobody would look for half a key here, but it would be one.
        let _ = fs::remove_file(path);
    }
    written
}

fn read(path: &Path) -> Result<(Ring, Seen), NoKeys> {
    let broken = |why| NoKeys::File { path: path.display().to_string(), why };
    let seen = looked_at(path);
    let mode = fs::metadata(path).map_err(broken)?.mode();
    if mode & 0o077 != 0 {
        let why = "others than its owner may use it; say `chmod 600` to it";
        return Err(broken(io::Error::new(io::ErrorKind::PermissionDenied, why)));
    }
    let text = fs::read_to_string(path).map_err(broken)?;
    let ring =
        Ring::parse(&text.into()).map_err(|why| NoKeys::Spoilt { path: path.display().to_string(), why })?;
    Ok((ring, seen))
}

fn looked_at(path: &Path) -> Seen {
    let file = fs::metadata(path).ok()?;
    Some((file.ino(), file.mtime(), file.mtime_nsec(), file.size()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_file_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/number.key");
        assert!(matches!(Keys::in_file(&path), Err(NoKeys::Lost { .. })));
        let keys = Keys::made_in_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Keys::in_file(&path).unwrap().names(), keys.names());
        assert!(keys.others_than(&keys.ring()).is_none());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Keys::in_file(&path).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn whoever_reads_sees_a_new_key_and_the_end_of_the_old() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number.key");
        let link = folder.path().join("link.key");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let (server, command) = (Keys::made_in_file(&path).unwrap(), Keys::in_file(&link).unwrap());
        let (old, known) = (server.names(), server.ring());
        assert!(command.begin_another().unwrap());
        assert!(server.others_than(&known).is_some());
        assert!(server.others_than(&known).is_some(), "it was another caller that saw it first");
        let both = server.names();
        assert!(both.len() == 2 && both[1] == old[0], "{both:?}");
        command.end_others().unwrap();
        server.current();
        assert_eq!(server.names(), both[..1]);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        fs::write(&path, "hush").unwrap();
        let spoilt = Keys::in_file(&path).unwrap_err().to_string();
        assert!(spoilt.contains("number.key") && !spoilt.contains("hush"), "{spoilt}");
        let given = Keys::given(&Keys::fresh()).unwrap();
        assert!(!given.begin_another().unwrap() && given.others_than(&given.ring()).is_none());
    }
}
