//! What each event means on duty: one table, whose rows are in the files named after what they change.
//!
//! Invariant: a call that has ended is forgotten but for `last`; whatever the SDK still says of it is refused.

use super::starting::{TOKEN_CODES, device_error};
use super::{CallId, Duty, Effect, Ended, Event, How, Intent, Note, Refusal, Timer};
use crate::{Card, Millis};

impl Duty {
    pub(super) fn on(&mut self, event: Event, now: Millis) -> Result<Vec<Effect>, Refusal> {
        match event {
            Event::Operator(intent) => self.on_intent(intent, now),
            Event::Incoming { call, card } => self.ring(call, card, now),
            Event::Registered => self.line_up(),
            Event::PerhapsCutOff => self.doubt_line(now),
            Event::Unregistered { returns } => Ok(self.line_down(returns, now)),
            Event::DeviceFailed { code } if TOKEN_CODES.contains(&code) => self.token_refused(code, now),
            Event::DeviceFailed { code } => Ok(device_error(code)),
            Event::DeviceGone => Ok(self.renew_device(now)),
            Event::Timer(Timer::RegisterAgain) => self.register_again(now),
            Event::Timer(Timer::Register) if self.line.is_down() => Ok(self.return_is_late(now)),
            // Letting go of it also rejects it, in case it rings on.
            Event::Timer(Timer::Ring(call)) => self.ring_ended(call, How::GaveUp, now),
            Event::Timer(Timer::Audio(call)) => self.audio_is_late(call),
            Event::Timer(Timer::HangUp(call)) => self.hang_up_is_late(call, now),
            Event::Timer(Timer::TokenAge) => self.token_ages(now),
            Event::Timer(Timer::TokenRetry) => self.retry_token(),
            Event::Timer(Timer::TokenEnd) => Ok(self.take_down(now)),
            Event::TokenReady { lifetime } => Ok(self.token_ready(lifetime, now)),
            Event::TokenRefused | Event::TokenUnreachable => self.token_missing(now),
            Event::TokenWillExpire => self.token_expires(now),
            Event::TokenTaken => self.token_taken(),
            Event::Woke => self.woke(now),
            Event::AnsweredElsewhere(call_ref) => self.taken(&call_ref),
            Event::Cancelled(call) => self.cancelled(call, now),
            Event::Rejected(call) => self.ring_ended(call, How::Rejected, now),
            Event::TransportClosed(call) => self.ring_ended(call, How::RingLost, now),
            Event::Accepted(call) => self.accepted(call),
            Event::AudioFlows(call) => self.audio_flows(call, now),
            Event::Reconnecting(call) => self.mending(call),
            Event::Reconnected(call) => self.mended(call),
            Event::Muted(call, muted) => self.muted(call, muted),
            Event::Silent { call, side, on } => self.silent(call, side, on),
            Event::CallFailed { call, code } => self.failed(call, code, now),
            Event::Disconnected(call) => self.disconnected(call, now),
            Event::Stuck(call) => self.stuck(call, now),
            Event::MicrophoneLost(why) if self.lacks != Some(why) => {
                self.lacks = Some(why);
                Ok(vec![])
            }
            Event::MicrophoneBack(why) => {
                self.lacks.take_if(|lacks| *lacks == why).ok_or(Refusal::NotNow)?;
                if let Some(talk) = &mut self.talk {
                    talk.renewed = false;
                }
                Ok(self.open_microphone_anew())
            }
            Event::AudioReady
            | Event::MicrophoneReady
            | Event::MicrophoneLost(_)
            | Event::StepFailed(_)
            | Event::Timer(Timer::Unlock | Timer::Register) => Err(Refusal::NotNow),
        }
    }

    fn on_intent(&mut self, intent: Intent, now: Millis) -> Result<Vec<Effect>, Refusal> {
        match intent {
            Intent::StartShift | Intent::EndShift => Err(Refusal::NotNow),
            Intent::Accept(call) => self.accept(call, now),
            Intent::Reject(call) => {
                let ended = self.ring_ended(call, How::Rejected, now)?;
                Ok([vec![Effect::Reject(call)], ended].concat())
            }
            Intent::HangUp => self.hang_up(),
            Intent::ToggleMute => {
                let talk = self.talk.as_ref().ok_or(Refusal::NotNow)?;
                Ok(vec![Effect::Mute(talk.call, !talk.muted)])
            }
        }
    }

    pub(super) fn end(
        &mut self,
        call: CallId,
        card: Card,
        how: How,
        audio_since: Option<Millis>,
        now: Millis,
    ) -> Vec<Effect> {
        let lasted = audio_since.map(|since| now.saturating_sub(since));
        self.last = Some(Ended { call, card, how, lasted, at: now });
        vec![Effect::Note(Note::Ended(how))]
    }
}
