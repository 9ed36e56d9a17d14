//! A leg as the exchange keeps it: who it hears, what it says, and its line if it has one.
//!
//! A leg without a line is headless. A bridge is always known to both of its ends.

use super::{LegId, line::Line, meter::Meter, tone::Tone};

#[derive(Default)]
pub(super) struct Leg {
    pub(super) peer: Option<LegId>,
    pub(super) tone: Tone,
    pub(super) meter: Meter,
    pub(super) line: Option<Line>,
}

impl Leg {
    pub(super) fn with_line(line: Line) -> Self {
        Self { line: Some(line), ..Self::default() }
    }

    pub(super) fn is_headless(&self) -> bool {
        self.line.is_none()
    }

    /// From now on it hears something else, or nothing.
    pub(super) fn change_source(&mut self) {
        if let Some(line) = &mut self.line {
            line.change_source();
        }
    }

    /// The line, once packets can be sent on it.
    pub(super) fn connected_line(&mut self) -> Option<&mut Line> {
        self.line.as_mut().filter(|line| line.is_connected())
    }
}
