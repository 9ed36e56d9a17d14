//! The README's figures, measured on this machine: nothing here passes or fails.
//!
//! Each comes with what it is compared to in the same run; on a noisy machine only ratios and processor times travel.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    files, process, release,
    set_up::{self, Needs},
    suite,
    workspace::Workspace,
};

/// Builds what is released, and measures it.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    set_up::run(workspace, Needs::BROWSER)?;
    release::build(workspace, &[release::HITOKU, release::REHEARSAL])?;
    println!("\n/incoming: signature checked, directory asked, record on disk");
    let mut incoming = workspace.cargo(["bench", "--quiet", "--package", "server", "--bench", "incoming"]);
    // With the same site, since Cargo builds the package's programs for its benchmarks, over those that are measured next.
    process::shown(incoming.arg("--locked").env("HITOKU_SITE", workspace.packed_site()))?;
    println!("\nThe ledger: events on disk, and in SQLite");
    process::shown(&mut workspace.cargo(["bench", "--quiet", "--package", "records", "--locked"]))?;
    println!("\nMemory, resident");
    let (alone, rehearsing) = (idle(workspace, true)?, idle(workspace, false)?);
    println!(
        "{:<48} {alone:.1} MiB\n{:<48} {rehearsing:.1} MiB",
        "idle, with a Twilio account", "idle, with the rehearsal"
    );
    println!("\nThe page");
    process::shown(&mut suite::playwright(workspace, &["-c", "on-demand.config.ts", "--project=measure"])?)
}

/// What the server holds while nothing happens, in MiB.
fn idle(workspace: &Workspace, twilio: bool) -> Result<f64> {
    let data = workspace.scratch("bench-data");
    files::empty_folder(&data)?;
    let mut hitoku = Command::new(workspace.release_binary("hitoku"));
    hitoku.env("HITOKU_DATA", data).envs([("HITOKU_ADDR", "127.0.0.1:0"), ("REHEARSAL_ADDR", "127.0.0.1:0")]);
    if twilio {
        // An account that does not exist: nothing is asked of it.
        hitoku.envs([
            ("ACCOUNT_SID", "AC00000000000000000000000000000000"),
            ("API_KEY_SID", "SK00000000000000000000000000000000"),
            ("API_KEY_SECRET", "secret"),
            ("AUTH_TOKEN", "token"),
            ("PUBLIC_BASE_URL", "https://calls.example.com"),
        ]);
    }
    let mut running = Running(hitoku.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?);
    let output = running.0.stdout.take().context("its output")?;
    let mut lines = BufReader::new(output).lines();
    while !lines.next().context("hitoku ended at once")??.contains("console  ") {}
    let status = fs::read_to_string(format!("/proc/{}/status", running.0.id()))
        .context("memory is measured on Linux only")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}

/// Ended when it is not needed any more.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(id) = i32::try_from(self.0.id()) {
            let _gone = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        let _ended = self.0.wait();
    }
}
