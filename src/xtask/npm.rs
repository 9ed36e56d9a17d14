//! The npm packages of `end2end`: exactly those of its lock file, each checked against its integrity by npm.

use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::{files, process, progress, workspace::Workspace};

const NAME: &str = "npm packages";
/// What Playwright asks for.
const OLDEST_NODE: u32 = 20;

/// Installs them, unless they are there.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    let folder = workspace.end2end();
    let lock = files::read(&folder.join("package-lock.json"))?;
    // npm keeps none of its own that could be compared.
    let installed = folder.join("node_modules/.installed-lock.json");
    if files::read(&installed).is_ok_and(|installed| installed == lock) {
        progress::already(NAME);
        return Ok(());
    }
    progress::timed(NAME, "installing the Voice SDK, wasm-opt and Playwright", || {
        check_node()?;
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder);
        process::logged(&mut npm, &workspace.scratch("npm.log"))?;
        files::write(&installed, &lock)
    })
}

fn check_node() -> Result<()> {
    let mend =
        format!("install Node.js {OLDEST_NODE} or newer with npm, for example from your system's packages");
    let version = process::output(Command::new("node").arg("--version")).with_context(|| mend.clone())?;
    let Some(major) = major(&version) else { bail!("`node --version` says {version:?}; {mend}") };
    ensure!(major >= OLDEST_NODE, "Node.js {} is too old; {mend}", version.trim());
    process::output(Command::new("npm").arg("--version")).context(mend)?;
    Ok(())
}

fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_nodes_version() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("20"), None);
    }
}
