//! What can happen to a shift: what the operator wants, what the browser and the SDK report, and timers that fire.

use std::fmt;

use super::{Failure, Timer};
use crate::{CallRef, Card, Millis};

/// A number that the bridge gives to each call object of the SDK, never twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallId(pub u32);

/// What the operator wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Begin the shift.
    StartShift,
    /// End the shift.
    EndShift,
    /// Accept a ringing call; a call in progress is hung up first.
    Accept(CallId),
    /// Reject a ringing call.
    Reject(CallId),
    /// Hang up.
    HangUp,
    /// Mute or unmute the microphone.
    ToggleMute,
}

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The operator wants something.
    Operator(Intent),

    /// Sound is unlocked.
    AudioReady,
    /// The microphone was granted (and closed again: it is open only while somebody talks).
    MicrophoneReady,
    /// A token arrived; it lives this long from now.
    TokenReady {
        /// Lifetime, in milliseconds.
        lifetime: Millis,
    },
    /// The server refused a token.
    TokenRefused,
    /// The server did not answer, or answered with a fault of its own.
    TokenUnreachable,
    /// The next call would find no microphone: it was taken back, or unplugged.
    MicrophoneLost(Failure),
    /// That is so no more.
    MicrophoneBack(Failure),
    /// A step of starting failed; on duty, a device could not be made anew.
    StepFailed(Failure),

    /// The device is registered.
    Registered,
    /// The device is not registered any more.
    Unregistered {
        /// The SDK will register again by itself. When false (the cloud closed the stream), we must ask it to.
        returns: bool,
    },
    /// The machine slept, or the browser says that the network is gone. It is not always right: what is on this machine is
    /// still reached.
    PerhapsCutOff,
    /// The device reports an error that belongs to no call.
    DeviceFailed {
        /// The SDK's error code.
        code: u32,
    },
    /// The SDK wants a fresh token.
    TokenWillExpire,
    /// The cloud took a fresh token from the device that there is.
    TokenTaken,
    /// The SDK ended the device by itself, as it does when the page goes into the back/forward cache during a call.
    DeviceGone,

    /// A call rings.
    Incoming {
        /// Which call.
        call: CallId,
        /// Who calls.
        card: Card,
    },
    /// The SDK has sent our answer; no audio yet.
    Accepted(CallId),
    /// The first audio of the other side arrived.
    AudioFlows(CallId),
    /// The caller gave up, or another console answered.
    Cancelled(CallId),
    /// The call was rejected.
    Rejected(CallId),
    /// An accepted call is over.
    Disconnected(CallId),
    /// The socket closed under a call: one that rings is lost.
    TransportClosed(CallId),
    /// The SDK is mending the call.
    Reconnecting(CallId),
    /// The call is mended.
    Reconnected(CallId),
    /// The microphone was muted or unmuted.
    Muted(CallId, bool),
    /// For seconds now nothing has been sent, or nothing has arrived; or it flows again.
    Silent {
        /// Which call.
        call: CallId,
        /// Whose voice is missing.
        side: Side,
        /// Whether it is missing.
        on: bool,
    },
    /// The call reports an error.
    CallFailed {
        /// Which call.
        call: CallId,
        /// The SDK's error code.
        code: u32,
    },
    /// The SDK holds on to a call that is dead, and would drop every later one as busy.
    Stuck(CallId),
    /// Another tab of this operator accepted the call.
    AnsweredElsewhere(CallRef),

    /// The page is seen again, comes back from the back/forward cache, or the machine woke up.
    Woke,
    /// A timer fired.
    Timer(Timer),
}

/// A side of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The operator's.
    Operator,
    /// The caller's.
    Caller,
}

/// The event means nothing in this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It cannot be done, or is already done.
    NotNow,
    /// The call is not one of this shift, or is over.
    UnknownCall,
    /// Not while a call is going on.
    Busy,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotNow => "that means nothing now",
            Self::UnknownCall => "that call is over",
            Self::Busy => "not while a call is going on",
        })
    }
}

impl std::error::Error for Refusal {}
