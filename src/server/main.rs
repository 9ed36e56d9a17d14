//! The program: serves, or does what one command says.

mod commands;
mod connections;
mod serve;

use std::io::{self, ErrorKind, Write as _};
use std::process::{ExitCode, exit};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser as _;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use records::digits::{DIGITS_OF_A_NUMBER, holds_a_number};
use tokio::runtime::{Builder, Runtime};

use crate::commands::{Arguments, printable};

fn main() -> ExitCode {
    let arguments = Arguments::try_parse().unwrap_or_else(|error| refused(&error));
    forbid_core_dumps();
    let done = runtime().and_then(|runtime| {
        let done = runtime.block_on(async {
            match arguments.command {
                None => serve::logged().await,
                Some(command) => command.run().await,
            }
        });
        // Nobody waits for a disk that hangs.
        runtime.shutdown_timeout(LAST_MOMENT);
        done
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// What cannot be read may be a number that somebody has typed in another's place, and is not repeated.
fn refused(error: &clap::Error) -> ! {
    let text = error.render().to_string();
    if !error.use_stderr() || !holds_a_number(&text, DIGITS_OF_A_NUMBER) {
        error.exit();
    }
    let quoted = text.split('\'').enumerate().map(|(at, part)| match at % 2 {
        1 if holds_a_number(part, DIGITS_OF_A_NUMBER) => "…",
        _ => part,
    });
    let _ = write!(io::stderr(), "{}", quoted.collect::<Vec<_>>().join("'"));
    exit(error.exit_code());
}

/// For what is still at work on threads of its own when all is done.
const LAST_MOMENT: Duration = Duration::from_secs(1);

fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().context("no threads to run on")
}

/// The numbers of callers and the account's secrets are in memory, and are not to be on a disk after a crash.
fn forbid_core_dumps() {
    if let Err(error) = setrlimit(Resource::RLIMIT_CORE, 0, 0) {
        note(&format!(
            "a crash may leave numbers on the disk: forbid core dumps to it (ulimit -c 0): {error}"
        ));
    }
    // Where the system hands them to another program, the limit says nothing.
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_dumpable(false) {
        note(&format!("a crash may leave numbers with the system's collector of core dumps: {error}"));
    }
}

/// What a command is asked for. It ends where that cannot be written: what it did is done, and nobody would learn the rest.
fn say(text: &str) {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => {}
        // Whoever reads has read enough, as `head` does. It ends as other programs do then: not as if all were well.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            std::process::exit(128 + Signal::SIGPIPE as i32)
        }
        Err(error) => {
            note(&format!(
                "standard output cannot be written: {error}; look at what has been done before you ask again"
            ));
            std::process::exit(1);
        }
    }
}

/// Beside what a command is asked for. Errors repeat what people have written.
fn note(text: &str) {
    let lines: Vec<String> = text.lines().map(printable).collect();
    // Where that cannot be written, there is nowhere to say so.
    let _ = writeln!(io::stderr(), "hitoku: {}", lines.join("\n"));
}
