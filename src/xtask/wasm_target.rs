//! The standard library for `wasm32-unknown-unknown`, in the place where rustup would put it.
//!
//! Where rustup reaches nothing, it is built once from Rust's own sources of exactly the compiler's version: Cargo's
//! `-Zbuild-std` makes the same libraries, and afterwards the plain stable compiler uses them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    debian::{self, PrivateApt},
    files, process, progress,
    workspace::Workspace,
};

const NAME: &str = "wasm target";
const TARGET: &str = "wasm32-unknown-unknown";
/// rustup itself would try for minutes.
const PATIENCE: Duration = Duration::from_secs(180);
/// Debian suites that carry a current compiler's sources, and the package's name there.
const SUITES: [(&str, &str); 4] = [
    ("trixie-backports", "rust-src"),
    ("forky", "rust-src"),
    ("sid", "rust-src"),
    ("bookworm-security", "rust-web-src"),
];
/// An empty crate: what is wanted is what Cargo builds for it.
const MANIFEST: &str = "\
[package]
name = \"nothing\"
edition = \"2024\"

[lib]
path = \"lib.rs\"
crate-type = [\"cdylib\"]

[workspace]
";

/// Installs it, unless it is there.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    let libraries = libraries(workspace)?;
    if is_there(&libraries) {
        progress::already(NAME);
        return Ok(());
    }
    progress::timed(NAME, "installing Rust's standard library for WebAssembly", || {
        let mut rustup = Command::new("rustup");
        rustup.args(["target", "add", TARGET]).env("RUSTUP_MAX_RETRIES", "1");
        let by_rustup = process::logged_within(&mut rustup, &workspace.scratch("rustup.log"), Some(PATIENCE));
        match by_rustup {
            Ok(()) if is_there(&libraries) => return Ok(()),
            Ok(()) => progress::note("rustup installs for another toolchain; building it from source"),
            Err(_) => {
                progress::note("rustup cannot download it here; building it from source, about a minute")
            }
        }
        build(workspace, &libraries).with_context(|| {
            format!("without rustup's download, mend the network and run `rustup target add {TARGET}`")
        })
    })
}

fn libraries(workspace: &Workspace) -> Result<PathBuf> {
    let printed = process::output(rustc(workspace).args(["--print", "target-libdir", "--target", TARGET]))?;
    Ok(PathBuf::from(printed.trim()))
}

fn is_there(libraries: &Path) -> bool {
    let Ok(entries) = fs::read_dir(libraries) else { return false };
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    ["libcore-", "libstd-"]
        .iter()
        .all(|wanted| names.iter().any(|name| name.to_string_lossy().starts_with(wanted)))
}

fn build(workspace: &Workspace, libraries: &Path) -> Result<()> {
    let scratch = workspace.scratch("wasm-target");
    let sysroot = process::output(rustc(workspace).args(["--print", "sysroot"]))?;
    let place = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
    let link = if place.join("library/std").is_dir() {
        None
    } else {
        let sources =
            sources(&scratch.join("apt"), &version(workspace)?, &workspace.scratch("rust-src.log"))?;
        Some(Link::new(&sources, place)?)
    };

    let crate_folder = scratch.join("nothing");
    files::empty_folder(&crate_folder)?;
    files::write(&crate_folder.join("Cargo.toml"), MANIFEST.as_bytes())?;
    files::write(&crate_folder.join("lib.rs"), b"")?;
    let mut cargo = workspace.cargo(["build", "-Zbuild-std=std,panic_abort,panic_unwind,test", "--release"]);
    cargo.args(["--target", TARGET, "--target-dir", "built"]).current_dir(&crate_folder);
    // A stable compiler lets build-std pass when it is told that it builds itself.
    cargo.env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTFLAGS");
    process::logged(&mut cargo, &workspace.scratch("wasm-target.log"))?;
    drop(link);

    let built = crate_folder.join("built").join(TARGET).join("release/deps");
    install(&built, libraries)?;
    ensure!(is_there(libraries), "the build made no standard library in {}", built.display());
    files::remove(&scratch)
}

/// Copies what was built to where the compiler looks, all of it or nothing.
fn install(built: &Path, libraries: &Path) -> Result<()> {
    let half = libraries.with_extension("unfinished");
    files::empty_folder(&half).context("the toolchain's folder cannot be written: run this as its owner")?;
    for file in files::all_files(built)? {
        let library = file.extension().is_some_and(|extension| extension == "rlib");
        if let (true, Some(name)) = (library, file.file_name()) {
            fs::copy(&file, half.join(name)).with_context(|| format!("copying {}", file.display()))?;
        }
    }
    files::replace_folder(&half, libraries)
}

/// Rust's sources of this version, from the first suite that has them.
fn sources(folder: &Path, version: &str, log: &Path) -> Result<PathBuf> {
    let mirrors = debian::mirrors();
    let mut tried = Vec::new();
    for (suite, package) in SUITES {
        let Some(mirror) = debian::mirror_for(&mirrors, suite) else { continue };
        let unpacked =
            PrivateApt::new(folder, mirror, suite, log).and_then(|apt| apt.unpack(package, version));
        match unpacked {
            Ok(Some(unpacked)) => {
                progress::note(format_args!("Rust's sources: {package} {version} of Debian {suite}"));
                return library_parent(&unpacked);
            }
            Ok(None) => tried.push(format!("{suite} has no {package} {version}")),
            Err(error) => tried.push(format!("{suite}: {error:#}")),
        }
    }
    if tried.is_empty() {
        bail!("no Debian mirror is configured on this machine");
    }
    bail!("no sources of rustc {version}: {}", tried.join("; "))
}

/// The folder in an unpacked package that holds `library/std`.
fn library_parent(unpacked: &Path) -> Result<PathBuf> {
    let folder = unpacked.join("usr/src");
    let entries = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let found = entries.flatten().map(|entry| entry.path()).find(|path| path.join("library/std").is_dir());
    found.with_context(|| format!("no library/std below {}", folder.display()))
}

fn version(workspace: &Workspace) -> Result<String> {
    let printed = process::output(rustc(workspace).arg("-vV"))?;
    let release = printed.lines().find_map(|line| line.strip_prefix("release: "));
    release.map(str::to_owned).context("`rustc -vV` names no release")
}

fn rustc(workspace: &Workspace) -> Command {
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.current_dir(workspace.root());
    command
}

/// A link in the toolchain that goes when it is dropped: what it points to does not stay.
struct Link(PathBuf);

impl Link {
    fn new(target: &Path, place: PathBuf) -> Result<Self> {
        files::remove(&place)?;
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("making {}: run this as the toolchain's owner", folder.display()))?;
        }
        symlink(target, &place).with_context(|| format!("linking {}", place.display()))?;
        Ok(Self(place))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Err(error) = files::remove(&self.0) {
            progress::note(format_args!("{error:#}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::Scratch;

    #[test]
    fn only_libraries_are_installed_and_recognised() {
        let folder = Scratch::new("target");
        let (built, libraries) = (folder.0.join("deps"), folder.0.join("lib"));
        for name in ["libcore-1.rlib", "libstd-2.rlib", "libstd-2.rmeta", "nothing.wasm"] {
            files::write(&built.join(name), b"").unwrap();
        }
        assert!(!is_there(&libraries));
        install(&built, &libraries).unwrap();
        assert!(is_there(&libraries));
        assert_eq!(files::all_files(&libraries).unwrap().len(), 2);
    }

    #[test]
    fn the_sources_are_found_whatever_their_folder_is_called() {
        let folder = Scratch::new("sources");
        let source = folder.0.join("usr/src/rustc-1.95.0");
        files::write(&source.join("library/std/Cargo.toml"), b"").unwrap();
        assert_eq!(library_parent(&folder.0).unwrap(), source);
    }

    #[test]
    fn a_link_leaves_nothing_behind() {
        let folder = Scratch::new("link");
        let place = folder.0.join("lib/rust");
        let link = Link::new(&folder.0, place.clone()).unwrap();
        assert!(place.is_symlink());
        drop(link);
        assert!(!place.is_symlink());
    }
}
