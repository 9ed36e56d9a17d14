//! Everything that must hold before a change may land, in the order in which it fails soonest.
//!
//! It stops at the first stage that fails.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{
    assets, chromium, dependencies, process,
    progress::{self, Stopwatch},
    release,
    set_up::{self, Needs},
    workspace::Workspace,
};

const WASM: [&str; 2] = ["--target", "wasm32-unknown-unknown"];

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
            Self::Unit => Needs { npm: true, postgres: true, ..Needs::default() },
            Self::Browser => Needs::BROWSER,
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
    result?;
    println!("parts: {} passed, 0 failed", parts.len());
    Ok(())
}

fn lint(workspace: &Workspace) -> Result<()> {
    stage("formatting", workspace.cargo(["fmt", "--all", "--check"]))?;
    progress::timed("dependencies", "checking their directions and terms", || {
        dependencies::check(workspace)
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
    assets::refuse_weight(workspace)?;
    stage("browser tests", playwright(workspace, &[])?)
}

/// Playwright with what was built for release.
pub(crate) fn playwright(workspace: &Workspace, arguments: &[&str]) -> Result<Command> {
    let mut playwright = npx(workspace, &["playwright", "test"]);
    playwright.args(arguments);
    playwright.env("HITOKU_BIN", workspace.release_binary("hitoku"));
    playwright.env("REHEARSAL_BIN", workspace.release_binary("rehearsal"));
    playwright.env("CHROMIUM", chromium::find(workspace)?.context("there is no Chromium")?);
    Ok(playwright)
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
