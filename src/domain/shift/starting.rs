//! From the operator's click to the first registration.
//!
//! Sound comes first because browsers unlock it only within the click; the microphone comes before the token because a
//! console that rings and cannot talk is worse than one that does not ring.

use super::{
    Duty, Effect, Event, Failure, Intent, Line, Note, Off, Refusal, Shift, Starting, Step, Timer, Token,
};
use crate::Millis;

/// The SDK tries each address for five seconds and then goes on trying for ever: two rounds are enough to say so.
const REGISTER_WITHIN: Millis = 12_000;

/// Unlocking takes as long as the loudspeaker takes to open, which in Firefox may be seconds, or never ends: a locked
/// `AudioContext.resume()` simply waits.
const UNLOCK_WITHIN: Millis = 8_000;

/// The SDK's codes for a token that the cloud does not take: expired, invalid, refused, badly signed, of no account, too long.
pub(super) const TOKEN_CODES: [u32; 9] = [20101, 20104, 20151, 31201, 31202, 31203, 31204, 31205, 31207];

impl Shift {
    pub(super) fn on_off(&mut self, event: &Event) -> Result<Vec<Effect>, Refusal> {
        if *event != Event::Operator(Intent::StartShift) {
            return Err(Refusal::NotNow);
        }
        *self = Self::Starting(Starting { step: Step::Audio, token: None });
        Ok(vec![
            Effect::Note(Note::ShiftStarting),
            Effect::SetTimer(Timer::Unlock, UNLOCK_WITHIN),
            Effect::UnlockAudio,
        ])
    }

    pub(super) fn on_starting(&mut self, event: Event, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let Self::Starting(starting) = self else { return Err(Refusal::NotNow) };
        match (starting.step, event) {
            (_, Event::Operator(Intent::EndShift)) => Ok(self.end()),
            (Step::Audio, Event::AudioReady) => {
                starting.step = Step::Microphone;
                Ok(vec![Effect::OpenMicrophone])
            }
            (Step::Microphone, Event::MicrophoneReady) => {
                starting.step = Step::Token;
                Ok(vec![Effect::FetchToken])
            }
            (Step::Token, Event::TokenReady { lifetime }) => {
                starting.step = Step::Register;
                starting.token = Some(Token::new(lifetime, now));
                Ok(vec![Effect::SetTimer(Timer::Register, REGISTER_WITHIN), Effect::CreateDevice])
            }
            (Step::Register, Event::Registered) => {
                let Some(token) = starting.token else { return Err(Refusal::NotNow) };
                *self = Self::On(Duty {
                    line: Line::Up,
                    rings: vec![],
                    talk: None,
                    last: None,
                    token,
                    lacks: None,
                });
                let mut effects = token.attend(now).to_vec();
                effects.push(Effect::Note(Note::ShiftStarted));
                Ok(effects)
            }
            (_, Event::StepFailed(why)) => Ok(self.fail(why)),
            // Before, the browser's answer to our own question says so.
            (Step::Token | Step::Register, Event::MicrophoneLost(why)) => Ok(self.fail(why)),
            (Step::Token, Event::TokenRefused) => Ok(self.fail(Failure::TokenRefused)),
            (Step::Token, Event::TokenUnreachable) => Ok(self.fail(Failure::ServerUnreachable)),
            (Step::Register, Event::DeviceFailed { code }) if TOKEN_CODES.contains(&code) => {
                Ok(self.fail(Failure::CloudRefused))
            }
            (Step::Register, Event::DeviceFailed { code }) => Ok(device_error(code)),
            (Step::Audio, Event::Timer(Timer::Unlock)) => Ok(self.fail(Failure::AudioBlocked)),
            (Step::Register, Event::Timer(Timer::Register)) => Ok(self.fail(Failure::CloudUnreachable)),
            _ => Err(Refusal::NotNow),
        }
    }

    pub(super) fn end(&mut self) -> Vec<Effect> {
        let note = if let Self::Starting(_) = self { Note::StartCancelled } else { Note::ShiftEnded };
        self.leave(None, note)
    }

    pub(super) fn fail(&mut self, why: Failure) -> Vec<Effect> {
        self.leave(Some(why), Note::Failed(why))
    }

    /// What still rings cannot be answered here. It is left to ring on at the operator's other consoles, because rejecting it
    /// would end it there too; when there are none, Twilio tells the caller when it has rung long enough.
    fn leave(&mut self, why: Option<Failure>, note: Note) -> Vec<Effect> {
        let rings = matches!(self, Self::On(duty) if !duty.rings.is_empty());
        *self = Self::Off(Off { why });
        let left = vec![Effect::Forget, Effect::DestroyDevice, Effect::Note(note)];
        if rings { [vec![Effect::LeaveLine], left].concat() } else { left }
    }
}

/// While the socket is down the SDK repeats one of these codes at every attempt; they say no more than that the line is down.
const SOCKET_CODES: [u32; 4] = [31000, 31005, 31009, 53001];

pub(super) fn device_error(code: u32) -> Vec<Effect> {
    if SOCKET_CODES.contains(&code) { vec![] } else { vec![Effect::Note(Note::DeviceError(code))] }
}
