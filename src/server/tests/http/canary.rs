//! The log of every test, at its most talkative, searched for the numbers that callers in these tests have.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use crate::numbers::holds_a_number;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static LISTENING: Once = Once::new();

/// Every log line goes through here, from now on.
pub(crate) fn listen() {
    LISTENING.call_once(|| {
        tracing_subscriber::fmt().with_max_level(Level::TRACE).with_ansi(false).with_writer(Lines).init();
    });
}

/// Fails if a number was logged by any test so far.
pub(crate) fn assert_silent() {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    for line in lines.iter() {
        assert!(!holds_a_number(line), "a number in the log: {line}");
    }
}

/// The lines so far that hold this text.
pub(crate) fn lines_with(text: &str) -> Vec<String> {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().filter(|line| line.contains(text)).cloned().collect()
}

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes).into_owned();
        LINES.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}
