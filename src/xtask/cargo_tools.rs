//! cargo-leptos and wasm-bindgen, in the versions that fit together, where `cargo install` puts programs.
//!
//! Both run for seconds and are compiled for minutes, so they are compiled without optimisation.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};

use crate::{files, process, progress, workspace::Workspace};

/// The newest that builds with the workspace's Rust; later ones of the series are as good when they are there.
const CARGO_LEPTOS: &str = "0.3.10";
/// A download that takes longer is slower than compiling.
const PATIENCE: Duration = Duration::from_secs(180);
/// Compiles cargo-leptos in 4½ minutes on two cores, instead of 15.
const QUICK: [(&str, &str); 5] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "64"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_STRIP", "true"),
];

struct Tool {
    package: &'static str,
    program: &'static str,
    version: String,
    /// Whether a later version of the same series does.
    or_later: bool,
    /// For `cargo install` alone.
    flags: &'static [&'static str],
    minutes: u8,
}

/// Installs what is missing.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    let lock = files::read_text(&workspace.root().join("Cargo.lock"))?;
    let cargo_leptos = Tool {
        package: "cargo-leptos",
        program: "cargo-leptos",
        version: CARGO_LEPTOS.to_owned(),
        or_later: true,
        flags: &["--locked", "--features", "no_downloads"],
        minutes: 5,
    };
    let wasm_bindgen = Tool {
        package: "wasm-bindgen-cli",
        program: "wasm-bindgen",
        // The generated code and its generator must be of one version exactly.
        version: locked_version(&lock, "wasm-bindgen").context("Cargo.lock has no wasm-bindgen")?.to_owned(),
        or_later: false,
        // Its own lock file names a version that has been withdrawn.
        flags: &[],
        minutes: 1,
    };
    let compiled = workspace.scratch("tools");
    for tool in [cargo_leptos, wasm_bindgen] {
        tool.ensure(workspace, &compiled)?;
    }
    // Dependencies were shared through it; now it is only large.
    files::remove(&compiled)
}

impl Tool {
    fn ensure(&self, workspace: &Workspace, compiled: &PathBuf) -> Result<()> {
        let name = format!("{} {}", self.package, self.version);
        if self.is_there(workspace)? {
            progress::already(&name);
            return Ok(());
        }
        let doing = format!("installing it, up to {} min where it must be compiled", self.minutes);
        progress::timed(&name, &doing, || {
            let log = workspace.scratch(&format!("{}.log", self.package));
            if self.download(workspace, &log).is_ok() && self.is_there(workspace)? {
                return Ok(());
            }
            let mut cargo = workspace.cargo(["install", self.package, "--version", &self.version, "--force"]);
            cargo.args(self.flags).envs(QUICK).env("CARGO_TARGET_DIR", compiled).env_remove("RUSTFLAGS");
            process::logged(&mut cargo, &log)?;
            ensure!(
                self.is_there(workspace)?,
                "it was installed, but `{}` does not run from PATH",
                self.program
            );
            Ok(())
        })
    }

    /// The quick way, for those who have cargo-binstall.
    fn download(&self, workspace: &Workspace, log: &std::path::Path) -> Result<()> {
        let mut check = workspace.cargo(["binstall", "-V"]);
        process::output(&mut check)?;
        let mut binstall = workspace.cargo(["binstall", "--no-confirm", "--disable-strategies", "compile"]);
        binstall.args(["--force", "--version", &self.version, self.package]);
        process::logged_within(&mut binstall, log, Some(PATIENCE))
    }

    fn is_there(&self, workspace: &Workspace) -> Result<bool> {
        let mut program = Command::new(self.program);
        program.arg("--version").env("PATH", workspace.search_path()?);
        let Ok(printed) = process::output(&mut program) else { return Ok(false) };
        let found = printed.split_whitespace().nth(1).unwrap_or_default();
        Ok(if self.or_later { serves(found, &self.version) } else { found == self.version })
    }
}

/// Whether a version is of the same series (`0.3`) as the wanted one and not older.
fn serves(found: &str, wanted: &str) -> bool {
    match (numbers(found), numbers(wanted)) {
        (Some(found), Some(wanted)) => found[..2] == wanted[..2] && found[2] >= wanted[2],
        _ => false,
    }
}

fn numbers(version: &str) -> Option<[u64; 3]> {
    let numbers: Vec<u64> = version.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// A package's version in a Cargo.lock.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_decides() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "leptos"), None);
    }

    #[test]
    fn later_versions_of_the_series_do() {
        assert!(serves("0.3.10", "0.3.10"));
        assert!(serves("0.3.12", "0.3.10"));
        assert!(!serves("0.3.9", "0.3.10"));
        assert!(!serves("0.4.0", "0.3.10"));
        assert!(!serves("1.0.0-rc1", "0.3.10"));
    }
}
