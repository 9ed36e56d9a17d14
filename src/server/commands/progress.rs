//! How far something is that takes a while: one line that is written over, if somebody is looking.

use std::io::{IsTerminal as _, Write as _};

/// How far something is.
pub(crate) struct Progress {
    what: &'static str,
    shown: Option<usize>,
    looking: bool,
}

const STEPS: usize = 40;
const UNKNOWN_STEP: usize = 64 << 10;

impl Progress {
    /// Of so many of these.
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, shown: None, looking: std::io::stderr().is_terminal() }
    }

    /// So many of so many. Of a pipe nobody knows how many: there it is zero.
    pub(crate) fn at(&mut self, done: usize, whole: usize) {
        let permille = done.saturating_mul(1000).checked_div(whole);
        let step = permille.unwrap_or(done / UNKNOWN_STEP);
        if !self.looking || self.shown == Some(step) {
            return;
        }
        self.shown = Some(step);
        let Some(permille) = permille else {
            let _ = write!(std::io::stderr(), "\r{done} {}", self.what);
            return;
        };
        let full = (permille * STEPS / 1000).min(STEPS);
        let bar = format!("{}{}", "#".repeat(full), ".".repeat(STEPS - full));
        let _ = write!(std::io::stderr(), "\r[{bar}] {:>3} %  {done} {}", permille / 10, self.what);
    }

    /// Leaves the line.
    pub(crate) fn end(self) {
        if self.shown.is_some() {
            let _ = writeln!(std::io::stderr());
        }
    }
}
