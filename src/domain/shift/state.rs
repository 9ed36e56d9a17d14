//! The states of a shift. What a page draws is exactly this, so each field is true or absent.

use serde::{Deserialize, Serialize};

use super::{CallId, Token};
use crate::{Card, Millis};

/// An operator's shift.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one shift a page, and it is mostly the large one")]
pub enum Shift {
    /// Nobody can ring this console.
    Off(Off),
    /// The operator has clicked; each step is shown.
    Starting(Starting),
    /// Microphone granted, audio unlocked, device registered at least once.
    On(Duty),
}

impl Default for Shift {
    fn default() -> Self {
        Self::Off(Off::default())
    }
}

/// Off duty, maybe because something failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Off {
    /// What went wrong, so that the page can say what to do.
    pub why: Option<Failure>,
}

/// On the way to a shift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starting {
    /// The step under way; those before it are done.
    pub step: Step,
    /// The token, once there is one.
    pub token: Option<Token>,
}

/// The steps of starting, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Unlocking sound: a ringtone is silent without it.
    Audio,
    /// Asking for the microphone, before anyone rings.
    Microphone,
    /// Asking the server for a token.
    Token,
    /// Registering with the voice cloud.
    Register,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 4] = [Self::Audio, Self::Microphone, Self::Token, Self::Register];
}

/// Why there is no shift. Each has its own advice on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// The browser has no WebRTC, or the page is not in a secure context.
    Unsupported,
    /// The SDK's script did not load.
    SdkMissing,
    /// The browser keeps sound locked.
    AudioBlocked,
    /// The operator or a policy refused the microphone.
    MicrophoneRefused,
    /// There is no microphone.
    MicrophoneMissing,
    /// The microphone is there and cannot be opened: another program has it.
    MicrophoneBusy,
    /// The server gave no token to this identity.
    TokenRefused,
    /// The server did not answer.
    ServerUnreachable,
    /// The voice cloud did not accept the token.
    CloudRefused,
    /// The voice cloud did not answer.
    CloudUnreachable,
}

/// On duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// Whether a call could reach this console now.
    pub line: Line,
    /// Calls that ring, oldest first.
    pub rings: Vec<Ring>,
    /// The call that was accepted.
    pub talk: Option<Talk>,
    /// How the last call ended, until the next one rings.
    pub last: Option<Ended>,
    /// The token's age and renewal.
    pub token: Token,
    /// Why the next call would find no microphone; only ever said during a call, which goes on.
    pub lacks: Option<Failure>,
}

/// The way from the voice cloud to this console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Registered: this console would ring.
    Up,
    /// The browser says that the network is gone, or the machine slept, and the cloud has not answered since. The SDK notices a
    /// dead line only fifteen seconds later.
    Doubtful {
        /// Since when.
        since: Millis,
    },
    /// Not registered; the SDK or we are working on it.
    Down {
        /// Since when.
        since: Millis,
    },
}

/// A call that rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Which call.
    pub call: CallId,
    /// Who calls.
    pub card: Card,
    /// When it began to ring here.
    pub since: Millis,
    /// A colleague, or this operator in another tab, has accepted it: its cancellation is on the way.
    pub taken: bool,
}

/// A call that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Talk {
    /// Which call.
    pub call: CallId,
    /// With whom.
    pub card: Card,
    /// How far it is.
    pub phase: Phase,
    /// When audio first flowed.
    pub audio_since: Option<Millis>,
    /// Whether the SDK says that the microphone is muted.
    pub muted: bool,
    /// Nothing of the operator's voice is being sent.
    pub unheard: bool,
    /// Nothing arrives from the other side any more.
    pub unhearing: bool,
    /// The microphone was opened anew, because nothing of the operator's voice was being sent.
    pub renewed: bool,
    /// Another tab of this operator accepted it in the same moment; one of the two will be cancelled.
    pub taken: bool,
    /// The error that the SDK reported for this call, and when: it explains an end that follows at once.
    pub error: Option<(u32, Millis)>,
}

/// How far an accepted call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Accepted, and no audio has arrived yet.
    Connecting {
        /// It takes longer than it should.
        slow: bool,
    },
    /// Audio flows.
    Talking,
    /// Media or signalling is interrupted and the SDK is mending it.
    Reconnecting,
    /// The operator hung up; the SDK has not confirmed it yet.
    HangingUp,
}

/// A call that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which call.
    pub call: CallId,
    /// Who it was.
    pub card: Card,
    /// How it ended.
    pub how: How,
    /// How long audio flowed, if it ever did.
    pub lasted: Option<Millis>,
    /// When it ended.
    pub at: Millis,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The operator hung up.
    HungUp,
    /// The other side hung up.
    CallerHungUp,
    /// It went on for as long as a call may.
    TimeUp,
    /// The operator rejected it.
    Rejected,
    /// The caller gave up before anyone accepted.
    GaveUp,
    /// It was accepted elsewhere.
    AnsweredElsewhere,
    /// The connection was lost in the call.
    Lost,
    /// The connection was lost while it rang.
    RingLost,
    /// The SDK reported this error code.
    Failed(u32),
}

impl Duty {
    /// Nothing rings, nobody talks, and a call would get through.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.line == Line::Up && self.talk.is_none() && self.rings.is_empty()
    }
}

impl Line {
    /// A call could not reach this console.
    #[must_use]
    pub fn is_down(self) -> bool {
        matches!(self, Self::Down { .. })
    }
}

impl Failure {
    pub(super) fn of_microphone(code: u32) -> Self {
        if code == 31401 { Self::MicrophoneRefused } else { Self::MicrophoneBusy }
    }
}
