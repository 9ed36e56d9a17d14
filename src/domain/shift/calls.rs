//! Calls on duty: ring, accept, reject, talk, hang up, and every way in which one can end.

use super::starting::TOKEN_CODES;
use super::{CallId, Duty, Effect, Ended, Event, How, Intent, Line, Note, Phase, Refusal, Ring, Talk, Timer};
use crate::{CallRef, Card, Millis};

const AUDIO_WITHIN: Millis = 8_000;
const HANG_UP_WITHIN: Millis = 3_000;
const REGISTER_AGAIN_AFTER: Millis = 1_000;

impl Duty {
    pub(super) fn on(&mut self, event: Event, now: Millis) -> Result<Vec<Effect>, Refusal> {
        match event {
            Event::Operator(intent) => self.on_intent(intent, now),
            Event::Incoming { call, card } => self.ring(call, card, now),
            Event::Registered => self.line_up(),
            Event::Unregistered { returns } => Ok(self.line_down(returns, now)),
            Event::DeviceFailed { code } => {
                let mut effects = vec![Effect::Note(Note::DeviceError(code))];
                if TOKEN_CODES.contains(&code) {
                    effects.extend(self.on_token(&event, now));
                }
                Ok(effects)
            }
            Event::Timer(Timer::RegisterAgain) if self.line != Line::Up => Ok(vec![Effect::Register]),
            Event::Timer(Timer::Audio(call)) => self.audio_is_late(call),
            Event::Timer(Timer::HangUp(call)) => self.hang_up_is_late(call, now),
            Event::Timer(Timer::TokenRetry)
            | Event::TokenReady { .. }
            | Event::TokenRefused
            | Event::TokenUnreachable
            | Event::TokenWillExpire
            | Event::Woke => Ok(self.on_token(&event, now)),
            Event::AnsweredElsewhere(call_ref) => self.taken(&call_ref),
            Event::Cancelled(call) => self.ring_ended(call, How::GaveUp, now),
            Event::Rejected(call) => self.ring_ended(call, How::Rejected, now),
            Event::TransportClosed(call) => self.ring_ended(call, How::Lost, now),
            Event::Accepted(call) => self.talking(call).map(|_| vec![]),
            Event::AudioFlows(call) => self.audio_flows(call, now),
            Event::Reconnecting(call) => self.mending(call),
            Event::Reconnected(call) => self.mended(call),
            Event::Muted(call, muted) => self.muted(call, muted),
            Event::CallFailed { call, code } => self.failed(call, code),
            Event::Disconnected(call) => self.disconnected(call, now),
            Event::Stuck(call) => self.stuck(call, now),
            Event::AudioReady | Event::MicrophoneReady | Event::StepFailed(_) | Event::Timer(_) => {
                Err(Refusal::NotNow)
            }
        }
    }

    /// The SDK reports a refused or failed microphone for the call that just ended, or for the one being accepted:
    /// this console would ring and could not talk.
    pub(super) fn lost_microphone(&self, call: CallId, code: u32) -> bool {
        let ours = self.talk.as_ref().map(|talk| talk.call) == Some(call)
            || self.last.as_ref().map(|last| last.call) == Some(call);
        ours && matches!(code, 31401 | 31402)
    }

    fn on_intent(&mut self, intent: Intent, now: Millis) -> Result<Vec<Effect>, Refusal> {
        match intent {
            Intent::StartShift | Intent::EndShift => Err(Refusal::NotNow),
            Intent::Accept(call) => self.accept(call, now),
            Intent::Reject(call) => {
                let ended = self.ring_ended(call, How::Rejected, now)?;
                Ok([vec![Effect::Reject(call)], ended].concat())
            }
            Intent::HangUp => {
                let talk = self.talk.as_mut().ok_or(Refusal::NotNow)?;
                if talk.phase == Phase::HangingUp {
                    return Err(Refusal::NotNow);
                }
                talk.phase = Phase::HangingUp;
                Ok(vec![
                    Effect::HangUp(talk.call),
                    Effect::SetTimer(Timer::HangUp(talk.call), HANG_UP_WITHIN),
                ])
            }
            Intent::ToggleMute => {
                let talk = self.talk.as_ref().ok_or(Refusal::NotNow)?;
                Ok(vec![Effect::Mute(talk.call, !talk.muted)])
            }
        }
    }

    fn ring(&mut self, call: CallId, card: Card, now: Millis) -> Result<Vec<Effect>, Refusal> {
        if self.rings.iter().any(|ring| ring.call == call) {
            return Err(Refusal::NotNow);
        }
        self.last = None;
        self.rings.push(Ring { call, card, since: now, taken: false });
        Ok(vec![Effect::Note(Note::Ringing)])
    }

    fn accept(&mut self, call: CallId, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let at = self.rings.iter().position(|ring| ring.call == call).ok_or(Refusal::UnknownCall)?;
        let ring = self.rings.remove(at);
        let mut effects = vec![];
        if let Some(talk) = self.talk.take() {
            effects.push(Effect::HangUp(talk.call));
            effects.extend(self.end(talk.call, talk.card, How::HungUp, talk.audio_since, now));
        }
        let phase = Phase::Connecting { slow: false };
        self.last = None;
        self.talk = Some(Talk { call, card: ring.card, phase, audio_since: None, muted: false, error: None });
        effects.extend([
            Effect::Accept(call),
            Effect::SetTimer(Timer::Audio(call), AUDIO_WITHIN),
            Effect::Note(Note::Accepted),
        ]);
        Ok(effects)
    }

    fn line_up(&mut self) -> Result<Vec<Effect>, Refusal> {
        if self.line == Line::Up {
            return Err(Refusal::NotNow);
        }
        self.line = Line::Up;
        Ok(vec![Effect::Note(Note::LineUp)])
    }

    /// What rang can no longer be accepted: the SDK says so only with an undocumented event, and not for every call.
    fn line_down(&mut self, returns: bool, now: Millis) -> Vec<Effect> {
        let mut effects = vec![];
        if self.line == Line::Up {
            self.line = Line::Down { since: now };
            effects.push(Effect::Note(Note::LineDown));
        }
        for ring in std::mem::take(&mut self.rings) {
            effects.extend(self.end(ring.call, ring.card, How::Lost, None, now));
        }
        if !returns {
            // Asked inside the SDK's own handler it would answer with an error and stop registering by itself.
            effects.push(Effect::SetTimer(Timer::RegisterAgain, REGISTER_AGAIN_AFTER));
        }
        effects
    }

    fn audio_flows(&mut self, call: CallId, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let talk = self.talking(call)?;
        let Phase::Connecting { .. } = talk.phase else { return Err(Refusal::NotNow) };
        talk.phase = Phase::Talking;
        talk.audio_since = Some(now);
        Ok(vec![Effect::Note(Note::Connected)])
    }

    fn audio_is_late(&mut self, call: CallId) -> Result<Vec<Effect>, Refusal> {
        let talk = self.talking(call)?;
        if talk.phase != (Phase::Connecting { slow: false }) {
            return Err(Refusal::NotNow);
        }
        talk.phase = Phase::Connecting { slow: true };
        Ok(vec![Effect::Note(Note::NoAudio)])
    }

    fn mending(&mut self, call: CallId) -> Result<Vec<Effect>, Refusal> {
        let talk = self.talking(call)?;
        if matches!(talk.phase, Phase::HangingUp | Phase::Reconnecting) {
            return Err(Refusal::NotNow);
        }
        talk.phase = Phase::Reconnecting;
        Ok(vec![Effect::Note(Note::Reconnecting)])
    }

    fn mended(&mut self, call: CallId) -> Result<Vec<Effect>, Refusal> {
        let talk = self.talking(call)?;
        if talk.phase != Phase::Reconnecting {
            return Err(Refusal::NotNow);
        }
        talk.phase =
            if talk.audio_since.is_some() { Phase::Talking } else { Phase::Connecting { slow: false } };
        Ok(vec![Effect::Note(Note::Reconnected)])
    }

    fn muted(&mut self, call: CallId, muted: bool) -> Result<Vec<Effect>, Refusal> {
        let talk = self.talking(call)?;
        if talk.muted == muted {
            return Err(Refusal::NotNow);
        }
        talk.muted = muted;
        Ok(vec![Effect::Note(if muted { Note::Muted } else { Note::Unmuted })])
    }

    /// The SDK reports an error before the end of a call that the cloud hung up, and after the end of one that failed here.
    fn failed(&mut self, call: CallId, code: u32) -> Result<Vec<Effect>, Refusal> {
        if let Ok(talk) = self.talking(call) {
            talk.error = Some(code);
            return Ok(vec![]);
        }
        let last = self.last.as_mut().filter(|last| last.call == call).ok_or(Refusal::UnknownCall)?;
        if last.how != How::CallerHungUp {
            return Err(Refusal::NotNow);
        }
        last.how = How::Failed(code);
        Ok(vec![Effect::Note(Note::Ended(How::Failed(code)))])
    }

    fn disconnected(&mut self, call: CallId, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let talk = self.take_talk(call)?;
        let how = match (talk.phase, talk.error) {
            (Phase::HangingUp, _) => How::HungUp,
            (_, Some(code)) => How::Failed(code),
            (_, None) => How::CallerHungUp,
        };
        Ok(self.end(call, talk.card, how, talk.audio_since, now))
    }

    /// A call that died without a reconnect token keeps the SDK busy for ever: only a new device takes calls again.
    fn stuck(&mut self, call: CallId, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let talk = self.take_talk(call)?;
        let how = if talk.phase == Phase::HangingUp { How::HungUp } else { How::Lost };
        let mut effects = self.end(call, talk.card, how, talk.audio_since, now);
        effects.extend(self.line_down(true, now));
        effects.extend([Effect::DestroyDevice, Effect::CreateDevice]);
        Ok(effects)
    }

    fn hang_up_is_late(&mut self, call: CallId, now: Millis) -> Result<Vec<Effect>, Refusal> {
        if self.talking(call)?.phase == Phase::HangingUp {
            self.stuck(call, now)
        } else {
            Err(Refusal::NotNow)
        }
    }

    fn taken(&mut self, call_ref: &CallRef) -> Result<Vec<Effect>, Refusal> {
        if let Some(ring) = self.rings.iter_mut().find(|ring| ring.card.call_ref.as_ref() == Some(call_ref)) {
            ring.taken = true;
            return Ok(vec![]);
        }
        // The cancellation overtook the other tab's word.
        let last = self.last.as_mut().filter(|last| last.card.call_ref.as_ref() == Some(call_ref));
        let last = last.filter(|last| last.how == How::GaveUp).ok_or(Refusal::UnknownCall)?;
        last.how = How::AnsweredElsewhere;
        Ok(vec![])
    }

    fn ring_ended(&mut self, call: CallId, how: How, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let at = self.rings.iter().position(|ring| ring.call == call).ok_or(Refusal::UnknownCall)?;
        let ring = self.rings.remove(at);
        let how = if ring.taken && how == How::GaveUp { How::AnsweredElsewhere } else { how };
        Ok(self.end(call, ring.card, how, None, now))
    }

    fn end(
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

    fn talking(&mut self, call: CallId) -> Result<&mut Talk, Refusal> {
        self.talk.as_mut().filter(|talk| talk.call == call).ok_or(Refusal::UnknownCall)
    }

    fn take_talk(&mut self, call: CallId) -> Result<Talk, Refusal> {
        self.talk.take_if(|talk| talk.call == call).ok_or(Refusal::UnknownCall)
    }
}
