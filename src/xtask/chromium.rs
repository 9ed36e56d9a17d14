//! A browser for the tests, and letters for it to draw Japanese with.
//!
//! Any Chromium that starts will do; one is installed only where there is none.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{debian, process, progress, workspace::Workspace};

const NAME: &str = "Chromium";
const PROGRAMS: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const FONTS: &str = "fonts-noto-cjk";
/// For a download of some 150 MB.
const PATIENCE: Duration = Duration::from_secs(600);

/// Makes sure that there is one.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    let found = find(workspace)?;
    if found.is_some() && has_japanese() {
        progress::already(NAME);
        return Ok(());
    }
    if found.is_none() {
        return progress::timed(NAME, "installing it", || install(workspace));
    }
    progress::timed("Japanese letters", "installing a font", || {
        if let Err(error) = debian::install(&[FONTS], &workspace.scratch("fonts.log")) {
            // Tests read text, not shapes: only screenshots suffer.
            progress::note(format_args!("no Japanese font here, so screenshots show boxes: {error:#}"));
        }
        Ok(())
    })
}

/// The one that the tests are to use.
pub(crate) fn find(workspace: &Workspace) -> Result<Option<PathBuf>> {
    if let Some(chosen) = env::var_os("CHROMIUM").filter(|chosen| !chosen.is_empty()) {
        let chosen = PathBuf::from(chosen);
        ensure!(starts(&chosen), "CHROMIUM names {}, which does not start", chosen.display());
        return Ok(Some(chosen));
    }
    let ours = PROGRAMS.iter().filter_map(|program| on_path(Path::new(program)));
    Ok(ours.chain(playwrights(workspace)).find(|program| starts(program)))
}

fn install(workspace: &Workspace) -> Result<()> {
    let log = workspace.scratch("chromium.log");
    let mut playwright = Command::new("npx");
    playwright.args(["playwright", "install", "chromium"]).current_dir(workspace.end2end());
    let downloaded = process::logged_within(&mut playwright, &log, Some(PATIENCE));
    if downloaded.is_ok() && find(workspace)?.is_some() {
        return Ok(());
    }
    if on_path(Path::new("apt-get")).is_none() {
        bail!(
            "Playwright's download failed (see {}): install Chromium, or name one in CHROMIUM",
            log.display()
        );
    }
    progress::note("Playwright's own does not come or start here; installing the system's package");
    debian::install(&[NAME.to_lowercase().as_str(), FONTS], &log)
        .context("without a browser in CHROMIUM one must be installed")?;
    ensure!(find(workspace)?.is_some(), "it was installed, but does not start");
    Ok(())
}

/// The one that Playwright has downloaded, if it has.
fn playwrights(workspace: &Workspace) -> Option<PathBuf> {
    let mut node = Command::new("node");
    node.args(["-p", "require('@playwright/test').chromium.executablePath()"])
        .current_dir(workspace.end2end());
    let printed = process::output(&mut node).ok()?;
    Some(PathBuf::from(printed.trim())).filter(|path| path.is_file())
}

fn starts(program: &Path) -> bool {
    process::succeeds(Command::new(program).arg("--version"))
}

fn on_path(program: &Path) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// True also where nobody can tell.
fn has_japanese() -> bool {
    process::output(Command::new("fc-list").arg(":lang=ja")).map_or(true, |fonts| !fonts.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(on_path(Path::new("sh")).is_some());
        assert!(on_path(Path::new("no-such-program")).is_none());
        assert!(on_path(Path::new("/bin/sh")).is_some());
    }
}
