//! Programs that we start: shown, logged or captured, and ended when we are.
//!
//! Each runs in a process group of its own without standard input, so that ending it also ends what it started, and
//! none can wait for an answer that nobody gives.

use std::{
    fs::{self, File},
    io,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{self, Child, Command, ExitStatus, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::progress::Stopwatch;

/// How much of a failed program's log an error repeats.
const TAIL_LINES: usize = 40;
/// How long programs get to end themselves.
const GRACE: Duration = Duration::from_secs(5);
const GLANCE: Duration = Duration::from_millis(50);

static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());
/// Nothing new is started.
static CLOSED: AtomicBool = AtomicBool::new(false);
/// A signal told us to end, and its thread is about to do it.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Runs it with its output on our terminal.
pub(crate) fn shown(command: &mut Command) -> Result<()> {
    let status = run(command, None)?;
    succeeded(status).with_context(|| line(command))
}

/// Runs it with its output in a file; an error repeats the file's end.
pub(crate) fn logged(command: &mut Command, log: &Path) -> Result<()> {
    logged_within(command, log, None)
}

/// The same, given up after a while: for what may hang where the network is closed.
pub(crate) fn logged_within(command: &mut Command, log: &Path, limit: Option<Duration>) -> Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let file = File::create(log).with_context(|| format!("writing {}", log.display()))?;
    command.stderr(file.try_clone()?).stdout(file);
    let status = run(command, limit)?;
    succeeded(status).with_context(|| {
        format!("{}\n{}\n(all of it is in {})", line(command), tail(log).unwrap_or_default(), log.display())
    })
}

/// Runs it and gives back what it wrote to its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| could_not_start(command))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", line(command), String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` did not answer in UTF-8", line(command)))
}

/// Whether it runs and is content.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    output(command).is_ok()
}

/// From now on SIGINT and SIGTERM end our children before us.
///
/// By handlers and not by a mask: children would inherit a mask, and never hear of their end.
pub(crate) fn end_children_on_signal() -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        let Some(number) = signals.forever().next() else { return };
        ENDING.store(true, Ordering::SeqCst);
        let signal = Signal::try_from(number).unwrap_or(Signal::SIGTERM);
        eprintln!("\nended by {signal}");
        end_children(signal);
        process::exit(128 + number);
    });
    Ok(())
}

/// Ends whatever is running and starts nothing new; those who wait for it see it fail.
pub(crate) fn end_children(signal: Signal) {
    CLOSED.store(true, Ordering::SeqCst);
    let watch = Stopwatch::start();
    signal_all(signal);
    while !running().is_empty() && watch.elapsed() < GRACE {
        thread::sleep(GLANCE);
    }
    signal_all(Signal::SIGKILL);
}

/// A program that a signal to us has ended is no failure to report: waits for our own end instead.
pub(crate) fn wait_if_ending() {
    while ENDING.load(Ordering::SeqCst) {
        thread::sleep(GLANCE);
    }
}

fn run(command: &mut Command, limit: Option<Duration>) -> Result<ExitStatus> {
    command.stdin(Stdio::null()).process_group(0);
    // Held while spawning, so that a signal meets either no child or a known one.
    let mut running = running();
    if CLOSED.load(Ordering::SeqCst) {
        bail!("nothing is started any more");
    }
    let mut child = command.spawn().with_context(|| could_not_start(command))?;
    let group = group(&child)?;
    running.push(group);
    drop(running);

    let status = wait(&mut child, group, limit).with_context(|| format!("waiting for `{}`", line(command)));
    self::running().retain(|other| *other != group);
    status
}

fn wait(child: &mut Child, group: Pid, limit: Option<Duration>) -> Result<ExitStatus> {
    let Some(limit) = limit else { return Ok(child.wait()?) };
    let watch = Stopwatch::start();
    while watch.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        thread::sleep(GLANCE);
    }
    killpg(group, Signal::SIGKILL)?;
    child.wait()?;
    bail!("no end after {} s", limit.as_secs())
}

fn running() -> MutexGuard<'static, Vec<Pid>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn signal_all(signal: Signal) {
    for group in running().iter() {
        // One that has just ended cannot be told to.
        let _gone = killpg(*group, signal);
    }
}

fn group(child: &Child) -> Result<Pid> {
    Ok(Pid::from_raw(i32::try_from(child.id())?))
}

fn succeeded(status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}

fn could_not_start(command: &Command) -> String {
    format!("`{}` could not be started", line(command))
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words = program.file_name().into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn tail(log: &Path) -> io::Result<String> {
    let text = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_repeats_what_the_program_said() {
        let log = std::env::temp_dir().join(format!("xtask-process-{}.log", process::id()));
        let error = logged(Command::new("sh").args(["-c", "echo no luck >&2; exit 3"]), &log).unwrap_err();
        fs::remove_file(&log).unwrap();
        let error = format!("{error:#}");
        assert!(error.contains("no luck") && error.contains("exit status: 3"), "{error}");
    }

    #[test]
    fn what_hangs_is_given_up() {
        let log = std::env::temp_dir().join(format!("xtask-hang-{}.log", process::id()));
        let hang = logged_within(Command::new("sleep").arg("60"), &log, Some(Duration::from_millis(120)));
        fs::remove_file(&log).unwrap();
        assert!(format!("{:#}", hang.unwrap_err()).contains("no end after"));
    }

    #[test]
    fn what_we_start_can_be_ended_by_a_signal() {
        end_children_on_signal().unwrap();
        let log = std::env::temp_dir().join(format!("xtask-signal-{}.log", process::id()));
        let ended = logged(Command::new("sh").args(["-c", "kill -TERM $$; exit 0"]), &log);
        fs::remove_file(&log).unwrap();
        assert!(format!("{:#}", ended.unwrap_err()).contains("signal: 15"));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = output(&mut Command::new("no-such-program")).unwrap_err();
        assert!(format!("{error:#}").starts_with("`no-such-program` could not be started"));
    }
}
