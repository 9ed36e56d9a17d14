//! Everything that must hold before a change may land, in the order in which it fails soonest.
//!
//! It stops at the first stage that fails.

use std::{collections::BTreeSet, process::Command};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    chromium, process,
    progress::{self, Stopwatch},
    release,
    set_up::{self, Needs},
    workspace::Workspace,
};

const WASM: [&str; 2] = ["--target", "wasm32-unknown-unknown"];
/// Which of our crates each may name. A crate that is not here may name none.
const MAY_NAME: [(&str, &[&str]); 4] = [
    ("directory", &["domain"]),
    ("console", &["domain"]),
    ("browser", &["console", "domain"]),
    ("server", &["console", "directory", "domain", "rehearsal"]),
];

/// A part that can be asked for alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Lint,
    Unit,
    Browser,
}

impl Part {
    pub(crate) const ALL: &[Self] = &[Self::Lint, Self::Unit, Self::Browser];

    fn needs(self) -> Needs {
        match self {
            Self::Lint => Needs { wasm_target: true, npm: true, ..Needs::default() },
            Self::Unit => Needs { npm: true, ..Needs::default() },
            Self::Browser => Needs::ALL,
        }
    }

    fn run(self, workspace: &Workspace) -> Result<()> {
        match self {
            Self::Lint => lint(workspace),
            Self::Unit => unit(workspace),
            Self::Browser => browser(workspace),
        }
    }
}

/// Sets up what the parts need and runs them.
pub(crate) fn run(workspace: &Workspace, parts: &[Part]) -> Result<()> {
    let whole = Stopwatch::start();
    let needs = parts.iter().fold(Needs::default(), |needs, part| needs.and(part.needs()));
    let result =
        set_up::run(workspace, needs).and_then(|()| parts.iter().try_for_each(|part| part.run(workspace)));
    progress::summary(&whole);
    result
}

fn lint(workspace: &Workspace) -> Result<()> {
    stage("formatting", workspace.cargo(["fmt", "--all", "--check"]))?;
    progress::timed("dependencies", "checking which way they point", || {
        check_directions(workspace)?;
        check_browser_graph(workspace)
    })?;
    let deny = ["--", "-D", "warnings"];
    let mut clippy = workspace.cargo(["clippy", "--workspace", "--all-targets", "--locked"]);
    clippy.args(deny);
    stage("clippy", clippy)?;
    let mut clippy = workspace.cargo(["clippy", "--package", "browser", "--locked"]);
    clippy.args(WASM).args(deny);
    stage("clippy for the browser", clippy)?;
    stage("types of the browser tests", npx(workspace, &["tsc", "--noEmit", "--project", "."]))
}

fn unit(workspace: &Workspace) -> Result<()> {
    stage("unit tests", workspace.cargo(["test", "--workspace", "--locked"]))
}

fn browser(workspace: &Workspace) -> Result<()> {
    release::build(workspace, &[release::HITOKU, release::REHEARSAL])?;
    let mut playwright = npx(workspace, &["playwright", "test"]);
    playwright.env("HITOKU_BIN", workspace.release_binary("hitoku"));
    playwright.env("REHEARSAL_BIN", workspace.release_binary("rehearsal"));
    playwright.env("CHROMIUM", chromium::find(workspace)?.context("there is no Chromium")?);
    stage("browser tests", playwright)
}

/// A program that npm has installed; none is downloaded for it.
fn npx(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = Command::new("npx");
    command.arg("--no-install").args(arguments).current_dir(workspace.end2end());
    command
}

fn stage(name: &str, mut command: Command) -> Result<()> {
    progress::timed(name, "running", || process::shown(&mut command))
}

/// Each crate names only those of ours that it may.
fn check_directions(workspace: &Workspace) -> Result<()> {
    for (name, member) in workspace.members() {
        let allowed = MAY_NAME
            .iter()
            .find(|(crate_name, _)| crate_name == name)
            .map_or(&[][..], |(_, allowed)| allowed);
        let wrong: BTreeSet<&str> =
            member.dependencies.iter().map(String::as_str).filter(|it| !allowed.contains(it)).collect();
        ensure!(wrong.is_empty(), "{name} must not depend on {wrong:?}");
    }
    Ok(())
}

/// The numbers' crate, and what only a server has, are not in what becomes WebAssembly.
fn check_browser_graph(workspace: &Workspace) -> Result<()> {
    let mut tree =
        workspace.cargo(["tree", "--package", "browser", "--prefix", "none", "--format", "{p}", "--locked"]);
    let tree = process::output(tree.args(["--edges", "normal"]).args(WASM))?;
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    ensure!(names.contains("console"), "`cargo tree` does not show the browser's crates");
    for name in ["directory", "server", "rehearsal", "axum", "tokio", "sqlx"] {
        if names.contains(name) {
            bail!(
                "`{name}` is in the browser's dependencies: `cargo tree -p browser --target {} -i {name}`",
                WASM[1]
            );
        }
    }
    Ok(())
}
