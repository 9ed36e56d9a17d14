//! What the page shows as a whole: the one word for a shift that the bar, the tab's title and the style sheet share.
//!
//! Invariant: a shift is [`Scene::Available`] exactly when `Duty::is_available` says so, and [`Scene::Talking`] only while
//! audio flows.

use domain::shift::{Duty, Phase, Shift, Talk};

use super::words::{self, Text};

/// A shift in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    Off,
    Failed,
    Starting,
    Available,
    Down,
    /// Nobody knows yet whether a call would come through.
    Doubtful,
    Ringing,
    /// Everything that still rings here was answered on another screen.
    Taken,
    Connecting,
    Talking,
    /// Connected, and a side's voice is missing.
    Silent,
    Reconnecting,
    HangingUp,
}

impl Scene {
    pub(crate) fn of(shift: &Shift) -> Self {
        match shift {
            Shift::Off(off) if off.why.is_some() => Self::Failed,
            Shift::Off(_) => Self::Off,
            Shift::Starting(_) => Self::Starting,
            Shift::On(duty) => Self::of_duty(duty),
        }
    }

    fn of_duty(duty: &Duty) -> Self {
        match &duty.talk {
            Some(talk) => Self::of_talk(talk),
            None if duty.is_available() => Self::Available,
            None if duty.rings.iter().any(|ring| !ring.taken) => Self::Ringing,
            None if !duty.rings.is_empty() => Self::Taken,
            None if duty.line.is_down() => Self::Down,
            None => Self::Doubtful,
        }
    }

    /// A call is "connected" only while both voices get through, as far as the SDK can tell.
    pub(crate) const fn of_talk(talk: &Talk) -> Self {
        match talk.phase {
            Phase::Connecting { .. } => Self::Connecting,
            Phase::Talking if talk.unheard || talk.unhearing => Self::Silent,
            Phase::Talking => Self::Talking,
            Phase::Reconnecting => Self::Reconnecting,
            Phase::HangingUp => Self::HangingUp,
        }
    }

    /// The scene's name in the style sheet.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Failed => "failed",
            Self::Starting => "starting",
            Self::Available => "available",
            Self::Down | Self::Doubtful => "down",
            Self::Ringing => "ringing",
            Self::Taken => "taken",
            Self::Connecting => "connecting",
            Self::Talking => "talking",
            Self::Silent => "silent",
            Self::Reconnecting => "reconnecting",
            Self::HangingUp => "hanging-up",
        }
    }

    /// The scene in the operator's words.
    pub(crate) const fn status(self) -> Text {
        match self {
            Self::Off => words::OFF_DUTY,
            Self::Failed => words::NEEDS_ATTENTION,
            Self::Starting => words::PREPARING,
            Self::Available => words::AVAILABLE,
            Self::Down => words::LINE_DOWN,
            Self::Doubtful => words::LINE_DOUBTFUL,
            Self::Ringing => words::RINGING,
            Self::Taken => words::TAKEN,
            Self::Connecting => words::CONNECTING,
            Self::Talking => words::CONNECTED,
            Self::Silent => words::SILENT,
            Self::Reconnecting => words::RECONNECTING,
            Self::HangingUp => words::HANGING_UP,
        }
    }
}

/// Whether a call waits for an answer: one rings that nobody else has taken.
pub(crate) fn waits(shift: &Shift) -> bool {
    matches!(shift, Shift::On(duty) if duty.rings.iter().any(|ring| !ring.taken))
}
