//! What a shift asks the browser to do.

use super::{CallId, Failure, How, Side};
use crate::{CallRef, Millis};

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Unlock sound; answered by `AudioReady` or `StepFailed`.
    UnlockAudio,
    /// Ask for the microphone and close it again; answered by `MicrophoneReady` or `StepFailed`.
    OpenMicrophone,
    /// Ask the server for a token, and before there is a device for the ringtone; answered by `TokenReady`,
    /// `TokenRefused`, `TokenUnreachable` or `StepFailed`.
    FetchToken,
    /// Make a device with the newest token, listen to it, register it.
    CreateDevice,
    /// Register the device that there is, if it will not register by itself.
    Register,
    /// Ask the cloud whether it still holds this device; answered by `Registered`, or by nothing.
    ProveLine,
    /// Close the line without a word, so that what rings here goes on ringing at the operator's other consoles.
    LeaveLine,
    /// Give the newest token to the device; answered by `TokenTaken`, by `DeviceFailed`, or by nothing.
    UpdateToken,
    /// End the device: what rings is rejected, what talks is hung up.
    DestroyDevice,
    /// Accept this call.
    Accept(CallId),
    /// Tell the operator's other tabs that this call is accepted here.
    TellOtherTabs(CallRef),
    /// Sound the ringtone: the SDK falls silent for every call when one is accepted, and stays so when that one ends.
    RingOn,
    /// Sound softly, once: another call waits beside the one that is talked on, for which the SDK does not ring.
    CallWaits,
    /// Reject this call.
    Reject(CallId),
    /// Hang up this call.
    HangUp(CallId),
    /// Mute or unmute this call.
    Mute(CallId, bool),
    /// Open the microphone anew, whichever is the machine's default one now, for the call that goes on.
    RenewMicrophone,
    /// Fire `Event::Timer` after so many milliseconds, instead of an earlier one of the same name.
    SetTimer(Timer, Millis),
    /// Let no timer fire any more, and drop every answer that is still on its way: the shift is over.
    Forget,
    /// Write a line into the operator's event log.
    Note(Note),
}

/// Timers, each at most once at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Sound should be unlocked by now.
    Unlock,
    /// Registering, or coming back to the line, takes too long.
    Register,
    /// The token has grown old.
    TokenAge,
    /// Ask for a token again.
    TokenRetry,
    /// The token is over, and the cloud takes no registration with it any more.
    TokenEnd,
    /// Look after a device that is not registered.
    RegisterAgain,
    /// It has rung for longer than any call does: its cancellation was lost.
    Ring(CallId),
    /// Audio should have arrived by now.
    Audio(CallId),
    /// The SDK should have confirmed the hang-up by now.
    HangUp(CallId),
}

impl Timer {
    /// The call without which it means nothing.
    #[must_use]
    pub fn call(self) -> Option<CallId> {
        match self {
            Self::Ring(call) | Self::Audio(call) | Self::HangUp(call) => Some(call),
            _ => None,
        }
    }
}

/// A line of the operator's event log: what happened, without a person in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The operator started.
    ShiftStarting,
    /// The operator gave up the start.
    StartCancelled,
    /// Registered for the first time.
    ShiftStarted,
    /// The operator ended the shift.
    ShiftEnded,
    /// Starting, or going on, failed.
    Failed(Failure),
    /// Nobody knows whether a call would come through.
    LineDoubtful,
    /// The line is down.
    LineDown,
    /// The line is up again.
    LineUp,
    /// A fresh token is in use.
    TokenRenewed,
    /// A token could not be had; we go on trying.
    TokenDelayed,
    /// A call rings.
    Ringing,
    /// The operator accepted.
    Accepted,
    /// Audio flows.
    Connected,
    /// Audio should have arrived by now.
    NoAudio,
    /// A side's voice has been missing for seconds.
    Silent(Side),
    /// The call is being mended.
    Reconnecting,
    /// The call is mended.
    Reconnected,
    /// Microphone off.
    Muted,
    /// Microphone on.
    Unmuted,
    /// A call is over.
    Ended(How),
    /// The device reported this error.
    DeviceError(u32),
}
