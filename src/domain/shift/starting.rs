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

/// The SDK's codes for a token that the cloud does not take: expired, invalid, refused.
pub(super) const TOKEN_CODES: [u32; 6] = [20101, 20104, 20151, 31201, 31204, 31205];

impl Shift {
    pub(super) fn on_off(&mut self, event: &Event) -> Result<Vec<Effect>, Refusal> {
        if *event != Event::Operator(Intent::StartShift) {
            return Err(Refusal::NotNow);
        }
        *self = Self::Starting(Starting { step: Step::Audio, token: None });
        Ok(vec![Effect::Note(Note::ShiftStarting), Effect::UnlockAudio])
    }

    pub(super) fn on_starting(&mut self, event: Event, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let Self::Starting(starting) = self else { return Err(Refusal::NotNow) };
        match (starting.step, event) {
            (_, Event::Operator(Intent::EndShift)) => {
                *self = Self::Off(Off::default());
                Ok(vec![Effect::DestroyDevice, Effect::Note(Note::ShiftEnded)])
            }
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
                *self = Self::On(Duty { line: Line::Up, rings: vec![], talk: None, last: None, token });
                Ok(vec![Effect::Note(Note::ShiftStarted)])
            }
            (_, Event::StepFailed(why)) => Ok(self.fail(why)),
            (Step::Token, Event::TokenRefused) => Ok(self.fail(Failure::TokenRefused)),
            (Step::Token, Event::TokenUnreachable) => Ok(self.fail(Failure::ServerUnreachable)),
            (Step::Register, Event::DeviceFailed { code }) if TOKEN_CODES.contains(&code) => {
                Ok(self.fail(Failure::CloudRefused))
            }
            (Step::Register, Event::DeviceFailed { code }) => Ok(vec![Effect::Note(Note::DeviceError(code))]),
            (Step::Register, Event::Timer(Timer::Register)) => Ok(self.fail(Failure::CloudUnreachable)),
            _ => Err(Refusal::NotNow),
        }
    }

    fn fail(&mut self, why: Failure) -> Vec<Effect> {
        *self = Self::Off(Off { why: Some(why) });
        vec![Effect::DestroyDevice, Effect::Note(Note::Failed(why))]
    }
}
