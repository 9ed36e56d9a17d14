//! Where the keys are: given by whoever runs this server, or in a file of our own, made once.
//!
//! The file may change while the server runs: `hitoku keys rotate` puts a new key in front. So a number that is not found
//! is looked for again when the file has changed meanwhile.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::key::{KeyRing, NotAKey, random, texts};

/// The keys of the directory.
#[derive(Debug)]
pub struct Keys {
    ring: RwLock<Arc<KeyRing>>,
    file: Option<KeyFile>,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    /// What was given is none.
    #[error("NUMBER_KEY: {why}")]
    Malformed {
        /// What should be there.
        why: NotAKey,
    },
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
        "the key file {path} is missing: put its copy there, or give NUMBER_KEY if it was given before, since without the key \
         nobody can find or read the numbers"
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
    looks: Mutex<Looks>,
}

/// What is remembered of looking at the file.
#[derive(Debug, Default)]
struct Looks {
    /// The file whose content is known; `None`: it is to be read again.
    known: Option<Stamp>,
    /// What was wrong the last time, and has been said.
    said: Option<String>,
}

/// What changes when the file is replaced.
type Stamp = (u64, i64, i64, u64);

/// What the extension of a draft begins with.
const DRAFT: &str = "draft-";

impl Keys {
    /// Keys that were given, separated by commas: each opens, and a rotation leads to the first.
    ///
    /// # Errors
    /// One of them is none.
    pub fn given(text: &SecretString) -> Result<Self, NoKeys> {
        let ring = KeyRing::parse(text).map_err(|why| NoKeys::Malformed { why })?;
        Ok(Self { ring: RwLock::new(Arc::new(ring)), file: None })
    }

    /// Keys in a file, which is made with a fresh one if it is not there: only for a directory that is new. Only this user
    /// may read it.
    ///
    /// # Errors
    /// The file cannot be made or read, or others may read it, or there is something else in it.
    pub fn made_in_file(path: &Path) -> Result<Self, NoKeys> {
        make(path).map_err(|why| unusable(path, why))?;
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
            _ => unusable(path, why),
        })?;
        let (ring, known) = read(path)?;
        let looks = Mutex::new(Looks { known, said: None });
        let file = KeyFile { path: path.clone(), looks };
        Ok(Self { ring: RwLock::new(Arc::new(ring)), file: Some(file) })
    }

    /// A fresh key, as text.
    #[must_use]
    pub fn fresh() -> SecretString {
        BASE64_STANDARD.encode(random()).into()
    }

    /// As they are known now.
    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As they are in the file now, which another program may have changed.
    pub(crate) fn current(&self) -> Arc<KeyRing> {
        let Some(file) = &self.file else { return self.ring() };
        let mut looks = file.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let now = looked_at(&file.path);
        if now.is_none() || looks.known != now {
            match read(&file.path) {
                Ok((ring, known)) => {
                    *looks = Looks { known, said: None };
                    self.stay_with(Arc::new(ring));
                }
                Err(error) => {
                    // What is wrong with its content mends itself only when that changes; anything else may be over soon.
                    looks.known = now.filter(|_| matches!(error, NoKeys::Spoilt { .. }));
                    let why = Some(error.to_string());
                    if looks.said != why {
                        tracing::error!(%error, "the key file has changed, and the keys from before are used on");
                        looks.said = why;
                    }
                }
            }
        }
        self.ring()
    }

    /// Goes on with these, since those that are in the file now open nothing; until it changes again.
    pub(crate) fn stay_with(&self, known: Arc<KeyRing>) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// Goes on with these until the file is read again, which is the next time that anybody looks.
    pub(crate) fn look_again(&self, known: Arc<KeyRing>) {
        if let Some(file) = &self.file {
            file.looks.lock().unwrap_or_else(PoisonError::into_inner).known = None;
        }
        self.stay_with(known);
    }

    /// As they are in the file now, if they are others than these: also when somebody else has just seen that.
    pub(crate) fn others_than(&self, known: &Arc<KeyRing>) -> Option<Arc<KeyRing>> {
        Some(self.current()).filter(|now| !Arc::ptr_eq(now, known))
    }

    /// Puts a fresh key in front of the file's; `false` if the keys are given, and only whoever gives them can.
    pub(crate) fn begin_another(&self) -> Result<bool, NoKeys> {
        let Some(file) = &self.file else { return Ok(false) };
        let path = &file.path;
        let broken = |why| unusable(path, why);
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
        let broken = |why| unusable(path, why);
        let text = fs::read_to_string(path).map_err(broken)?;
        let first = texts(&text).next().unwrap_or_default();
        replace(path, &format!("{first}\n")).map_err(broken)?;
        self.current();
        Ok(())
    }

    /// Where they are, if they are in a file of our own.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// Their names, that of the one that a rotation leads to first.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.ring().keys().iter().map(|key| key.id().to_owned()).collect()
    }
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
    write(&draft, &format!("{}\n", Keys::fresh().expose_secret()), None)?;
    // A link, because it does not replace what another has put there meanwhile.
    let linked = fs::hard_link(&draft, path);
    let removed = fs::remove_file(&draft);
    if path.exists() { sync_folder(path).and(removed) } else { linked }
}

/// Only for whoever is alone: the drafts of others are taken for those of killed programs.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    remove_drafts(path)?;
    let draft = draft_of(path);
    write(&draft, text, Some(&fs::metadata(path)?))?;
    fs::rename(&draft, path).inspect_err(|_| discard(&draft))?;
    sync_folder(path)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn draft_of(path: &Path) -> PathBuf {
    path.with_extension(format!("{DRAFT}{}", std::process::id()))
}

fn remove_drafts(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder_of(path))? {
        let found = entry?.path();
        let draft = found
            .extension()
            .is_some_and(|extension| extension.as_encoded_bytes().starts_with(DRAFT.as_bytes()));
        if draft && found.file_stem() == path.file_stem() {
            fs::remove_file(found)?;
        }
    }
    Ok(())
}

/// A new file with this text, for the owner and the group of another file if there is one.
fn write(path: &Path, text: &str, like: Option<&fs::Metadata>) -> io::Result<()> {
    // One of a killed program may be the key file itself by another name: it is not to be written over.
    discard(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let owned = like.map_or(Ok(()), |like| give(&file, like));
    // Nobody would look for half a key here, but it would be one.
    owned
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.sync_all())
        .inspect_err(|_| discard(path))
}

/// Whoever may read the key file may read the one that replaces it.
fn give(file: &File, like: &fs::Metadata) -> io::Result<()> {
    let (ours, theirs) = (file.metadata()?, (like.uid(), like.gid()));
    if (ours.uid(), ours.gid()) == theirs {
        return Ok(());
    }
    let (user, group) = theirs;
    fchown(file, Some(user), Some(group)).map_err(|error| {
        let why = format!(
            "it is of user {user} and group {group}, and a new one cannot be given to them ({error}); say it as that user"
        );
        io::Error::new(error.kind(), why)
    })
}

fn discard(draft: &Path) {
    // It may not be there.
    let _ = fs::remove_file(draft);
}

fn read(path: &Path) -> Result<(KeyRing, Option<Stamp>), NoKeys> {
    let broken = |why| unusable(path, why);
    let stamp = looked_at(path);
    let mode = fs::metadata(path).map_err(broken)?.mode();
    if mode & 0o077 != 0 {
        let why = "others than its owner may use it; run `chmod 600` on it";
        return Err(broken(io::Error::new(io::ErrorKind::PermissionDenied, why)));
    }
    let text = fs::read_to_string(path).map_err(broken)?;
    let ring = KeyRing::parse(&text.into())
        .map_err(|why| NoKeys::Spoilt { path: path.display().to_string(), why })?;
    Ok((ring, stamp))
}

/// Where the system alone says what is wrong, and not this program.
fn unusable(path: &Path, why: io::Error) -> NoKeys {
    let denied = why.kind() == io::ErrorKind::PermissionDenied && why.raw_os_error().is_some();
    let mend =
        "it and its folder must belong to the user who runs Hitoku: give them to that user with `chown`";
    let why = if denied { io::Error::new(why.kind(), format!("{why}; {mend}")) } else { why };
    NoKeys::File { path: path.display().to_string(), why }
}

fn looked_at(path: &Path) -> Option<Stamp> {
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
        let open_to_others = Keys::in_file(&path).unwrap_err().to_string();
        assert!(
            open_to_others.contains("chmod 600") && !open_to_others.contains("chown"),
            "{open_to_others}"
        );
        let of_another = unusable(&path, io::Error::from_raw_os_error(13)).to_string();
        assert!(of_another.contains("number.key") && of_another.contains("with `chown`"), "{of_another}");
    }

    /// In a container the next one often has the same number.
    #[test]
    fn the_draft_of_a_killed_program_of_the_same_number_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number.key");
        fs::write(draft_of(&path), "half of a k").unwrap();
        assert_eq!(Keys::made_in_file(&path).unwrap().names().len(), 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_given_and_no_key_is_said_once() {
        let error = Keys::given(&"hush".into()).unwrap_err();
        assert!(error.to_string().starts_with("NUMBER_KEY: a key is 32 random bytes"), "{error}");
        assert!(std::error::Error::source(&error).is_none(), "it would be said again");
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

    #[test]
    fn a_new_key_is_for_whoever_had_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number.key");
        let keys = Keys::made_in_file(&path).unwrap();
        // Only root can give a file away: for others this proves little.
        let _ = std::os::unix::fs::chown(&path, Some(4321), Some(4322));
        let rights = || fs::metadata(&path).map(|file| (file.uid(), file.gid(), file.mode())).unwrap();
        let before = rights();
        keys.begin_another().unwrap();
        keys.end_others().unwrap();
        assert_eq!(rights(), before);
    }

    #[test]
    fn drafts_of_killed_programs_go_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number.key");
        let keys = Keys::made_in_file(&path).unwrap();
        for name in ["number.draft-1", "other.draft-1", "number.db"] {
            fs::write(folder.path().join(name), "a key").unwrap();
        }
        // As after a kill between the link and the removal of its other name, by a program of the same id.
        fs::hard_link(&path, draft_of(&path)).unwrap();
        let old = keys.names();
        keys.begin_another().unwrap();
        assert_eq!(keys.names()[1..], old);
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["number.db", "number.key", "other.draft-1"]);
    }

    #[test]
    fn an_old_key_ends_however_keys_are_separated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number.key");
        let [new, old] = [Keys::fresh(), Keys::fresh()];
        for between in [",", ", ", "\n", ",\r\n"] {
            fs::write(&path, format!("{}{between}{}", new.expose_secret(), old.expose_secret())).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let keys = Keys::in_file(&path).unwrap();
            assert_eq!(keys.names().len(), 2);
            keys.end_others().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap().trim(), new.expose_secret());
        }
    }

    #[test]
    fn a_failure_that_passes_is_not_the_last_look_at_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number.key");
        let (server, command) = (Keys::made_in_file(&path).unwrap(), Keys::in_file(&path).unwrap());
        let old = server.ring();
        command.begin_another().unwrap();
        // What stops it changes nothing by which a new file is known.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(server.others_than(&old).is_none());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(server.others_than(&old).is_some());
        assert_eq!(server.names(), command.names());
        server.look_again(old.clone());
        assert!(server.others_than(&old).is_some());
    }
}
