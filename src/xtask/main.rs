//! `cargo xtask`: from a bare machine to a running console, and to its tests.
//!
//! Every step looks first whether its result is there already, so a second run starts at once. Installed tools go to
//! the ordinary places, so `cargo leptos watch` works afterwards. Nothing here is needed by the binary that it builds.
#![expect(clippy::print_stdout, reason = "a command line tool talks to its terminal")]
#![expect(clippy::print_stderr, reason = "a command line tool talks to its terminal")]

mod assets;
mod bench;
mod cargo_tools;
mod chromium;
mod debian;
mod dependencies;
mod files;
mod notices;
mod npm;
mod postgres;
mod process;
mod progress;
mod release;
mod sdk;
mod set_up;
mod suite;
mod wasm_target;
mod workspace;

use std::{
    env,
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail};

use crate::{set_up::Needs, suite::Part, workspace::Workspace};

const HELP: &str = "\
Hitoku's workshop. Usage: cargo xtask <COMMAND>

  serve              install what is missing, build, and serve the console at http://localhost:3000
  build              the same without serving: target/release/hitoku, one file that runs alone
  test [PART]        everything: formatting, lints, unit and browser tests
                     PART: lint, unit or browser
  bench              measure: requests a second, memory, the page
  set-up             only install what is missing: the wasm target, cargo-leptos, wasm-bindgen,
                     the npm packages, the Voice SDK, and Chromium and PostgreSQL for the tests
  --help             this text

Settings: HITOKU_ADDR (serve), CHROMIUM (test: the browser to use), CARGO_TARGET_DIR (build elsewhere).
The output of each installation is kept in target/xtask/.
After set-up, `cargo leptos watch` and `cargo leptos end-to-end` work as in any Leptos project.";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::wait_if_ending();
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    process::end_children_on_signal().context("listening for signals")?;
    match arguments {
        [] | ["help" | "--help" | "-h"] => println!("{HELP}"),
        ["set-up"] => set_up::run(&Workspace::find()?, Needs::ALL)?,
        ["build"] => build(&Workspace::find()?)?,
        ["serve"] => serve(&Workspace::find()?)?,
        ["test"] => suite::run(&Workspace::find()?, Part::ALL)?,
        ["test", "lint"] => suite::run(&Workspace::find()?, &[Part::Lint])?,
        ["test", "unit"] => suite::run(&Workspace::find()?, &[Part::Unit])?,
        ["test", "browser"] => suite::run(&Workspace::find()?, &[Part::Browser])?,
        ["bench"] => bench::run(&Workspace::find()?)?,
        other => bail!("there is no `cargo xtask {}`\n\n{HELP}", other.join(" ")),
    }
    Ok(())
}

fn build(workspace: &Workspace) -> Result<()> {
    set_up::run(workspace, Needs::BUILD)?;
    release::build(workspace, &[release::HITOKU])?;
    println!("\n{} runs alone: copy it where it is needed.", workspace.release_binary("hitoku").display());
    Ok(())
}

/// Becomes the console, so that signals, its output and its exit code are its own.
fn serve(workspace: &Workspace) -> Result<()> {
    set_up::run(workspace, Needs::BUILD)?;
    release::build(workspace, &[release::HITOKU])?;
    println!();
    let binary = workspace.release_binary("hitoku");
    Err(Command::new(&binary).exec()).with_context(|| format!("starting {}", binary.display()))
}
