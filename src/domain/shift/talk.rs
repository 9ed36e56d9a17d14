//! The call that was accepted: connecting, talking, being mended, hung up, over.
//!
//! Invariant: `Phase::Talking` means that sound of the other side has arrived; the SDK's `accept` alone does not.

use super::{CallId, Duty, Effect, How, Note, Phase, Refusal, Side, Talk, Timer};
use crate::{Millis, TIME_LIMIT};

/// Sound comes within a second; longer than this the operator is told.
pub(super) const AUDIO_WITHIN: Millis = 8_000;

/// An error that ends a call is told in the same moment. One that the call has survived for longer explains nothing.
const ERROR_EXPLAINS: Millis = 2_000;

/// The SDK confirms a hang-up in the same instant, unless the call is dead.
const HANG_UP_WITHIN: Millis = 3_000;

/// Sound arrives a moment after the call is answered, from when on Twilio counts.
const NEARLY_ALL: Millis = TIME_LIMIT as Millis * 1000 - 10_000;

impl Duty {
    /// Told only now: a call whose microphone fails is over in the other tabs too, and nobody has answered it there.
    pub(super) fn accepted(&mut self, call: CallId) -> Result<Vec<Effect>, Refusal> {
        let call_ref = self.talking(call)?.card.call_ref.clone();
        Ok(call_ref.map(Effect::TellOtherTabs).into_iter().collect())
    }

    pub(super) fn audio_flows(&mut self, call: CallId, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let talk = self.talking(call)?;
        if talk.audio_since.is_some() || talk.phase == Phase::HangingUp {
            return Err(Refusal::NotNow);
        }
        talk.audio_since = Some(now);
        // Signalling may be lost while audio flows: then the call is still being mended.
        if talk.phase != Phase::Reconnecting {
            talk.phase = Phase::Talking;
        }
        Ok(vec![Effect::Note(Note::Connected)])
    }

    pub(super) fn audio_is_late(&mut self, call: CallId) -> Result<Vec<Effect>, Refusal> {
        let talk = self.talking(call)?;
        if talk.phase != (Phase::Connecting { slow: false }) {
            return Err(Refusal::NotNow);
        }
        talk.phase = Phase::Connecting { slow: true };
        Ok(vec![Effect::Note(Note::NoAudio)])
    }

    pub(super) fn mending(&mut self, call: CallId) -> Result<Vec<Effect>, Refusal> {
        let talk = self.talking(call)?;
        if matches!(talk.phase, Phase::HangingUp | Phase::Reconnecting) {
            return Err(Refusal::NotNow);
        }
        talk.phase = Phase::Reconnecting;
        Ok(vec![Effect::Note(Note::Reconnecting)])
    }

    pub(super) fn mended(&mut self, call: CallId) -> Result<Vec<Effect>, Refusal> {
        let talk = self.talking(call)?;
        if talk.phase != Phase::Reconnecting {
            return Err(Refusal::NotNow);
        }
        let note = Effect::Note(Note::Reconnected);
        if talk.audio_since.is_some() {
            talk.phase = Phase::Talking;
            return Ok(vec![note]);
        }
        talk.phase = Phase::Connecting { slow: false };
        Ok(vec![Effect::SetTimer(Timer::Audio(call), AUDIO_WITHIN), note])
    }

    pub(super) fn muted(&mut self, call: CallId, muted: bool) -> Result<Vec<Effect>, Refusal> {
        let talk = self.talking(call)?;
        if talk.muted == muted {
            return Err(Refusal::NotNow);
        }
        talk.muted = muted;
        let note = Effect::Note(if muted { Note::Muted } else { Note::Unmuted });
        Ok([vec![note], self.open_microphone_anew()].concat())
    }

    pub(super) fn silent(&mut self, call: CallId, side: Side, on: bool) -> Result<Vec<Effect>, Refusal> {
        let talk = self.talking(call)?;
        let silent = match side {
            Side::Operator => &mut talk.unheard,
            Side::Caller => &mut talk.unhearing,
        };
        if std::mem::replace(silent, on) == on {
            return Err(Refusal::NotNow);
        }
        if side == Side::Operator && !on {
            talk.renewed = false;
        }
        let note = on.then_some(Effect::Note(Note::Silent(side)));
        Ok([note.into_iter().collect(), self.open_microphone_anew()].concat())
    }

    /// A headset that was pulled out is replaced by what is there. Where that does not help, it would not the next time, until
    /// there is a microphone again or the voice has been heard.
    pub(super) fn open_microphone_anew(&mut self) -> Vec<Effect> {
        let Some(talk) = &mut self.talk else { return vec![] };
        let renews = talk.unheard && !talk.muted && !std::mem::replace(&mut talk.renewed, true);
        renews.then_some(Effect::RenewMicrophone).into_iter().collect()
    }

    /// The SDK reports an error before the end of a call that the cloud hung up, and after the end of one that failed here.
    pub(super) fn failed(&mut self, call: CallId, code: u32, now: Millis) -> Result<Vec<Effect>, Refusal> {
        if let Ok(talk) = self.talking(call) {
            talk.error = Some((code, now));
            return Ok(vec![]);
        }
        let last = self.last.as_mut().filter(|last| last.call == call).ok_or(Refusal::UnknownCall)?;
        if last.how != How::CallerHungUp {
            return Err(Refusal::NotNow);
        }
        last.how = How::Failed(code);
        Ok(vec![Effect::Note(Note::Ended(How::Failed(code)))])
    }

    /// The SDK reports a refused or failed microphone for the call that just ended, or for the one being accepted:
    /// this console would ring and could not talk.
    pub(super) fn lost_microphone(&self, call: CallId, code: u32) -> bool {
        let ours = self.talk.as_ref().map(|talk| talk.call) == Some(call)
            || self.last.as_ref().map(|last| last.call) == Some(call);
        ours && matches!(code, 31401 | 31402)
    }

    pub(super) fn disconnected(&mut self, call: CallId, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let talk = self.take_talk(call)?;
        let explained = talk.error.filter(|(_, at)| now.saturating_sub(*at) <= ERROR_EXPLAINS);
        let how = match (talk.phase, explained) {
            (Phase::HangingUp, _) => How::HungUp,
            (_, Some((code, _))) => How::Failed(code),
            (Phase::Reconnecting, None) => How::Lost,
            (_, None) if talk.audio_since.is_some_and(|since| now.saturating_sub(since) >= NEARLY_ALL) => {
                How::TimeUp
            }
            (_, None) => How::CallerHungUp,
        };
        let ended = self.end_talk(talk, how, now);
        Ok([ended, self.ring_on()].concat())
    }

    /// A cancellation can cross our answer: the SDK then ends an accepted call with this event alone.
    pub(super) fn cancelled(&mut self, call: CallId, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let Ok(talk) = self.take_talk(call) else { return self.ring_ended(call, How::GaveUp, now) };
        let how = match (talk.phase, talk.audio_since) {
            (Phase::HangingUp, _) => How::HungUp,
            (_, Some(_)) => How::CallerHungUp,
            (_, None) if talk.taken => How::AnsweredElsewhere,
            (_, None) => How::GaveUp,
        };
        let ended = self.end_talk(talk, how, now);
        Ok([ended, self.ring_on()].concat())
    }

    /// A call that rang beside the talk is now the one to answer.
    fn ring_on(&self) -> Vec<Effect> {
        self.rings.iter().any(|ring| !ring.taken).then_some(Effect::RingOn).into_iter().collect()
    }

    pub(super) fn hang_up(&mut self) -> Result<Vec<Effect>, Refusal> {
        let talk = self.talk.as_mut().ok_or(Refusal::NotNow)?;
        if talk.phase == Phase::HangingUp {
            return Err(Refusal::NotNow);
        }
        talk.phase = Phase::HangingUp;
        Ok(vec![Effect::HangUp(talk.call), Effect::SetTimer(Timer::HangUp(talk.call), HANG_UP_WITHIN)])
    }

    pub(super) fn hang_up_is_late(&mut self, call: CallId, now: Millis) -> Result<Vec<Effect>, Refusal> {
        if self.talking(call)?.phase == Phase::HangingUp {
            self.stuck(call, now)
        } else {
            Err(Refusal::NotNow)
        }
    }

    pub(super) fn end_talk(&mut self, talk: Talk, how: How, now: Millis) -> Vec<Effect> {
        self.end(talk.call, talk.card, how, talk.audio_since, now)
    }

    pub(super) fn talking(&mut self, call: CallId) -> Result<&mut Talk, Refusal> {
        self.talk.as_mut().filter(|talk| talk.call == call).ok_or(Refusal::UnknownCall)
    }

    pub(super) fn take_talk(&mut self, call: CallId) -> Result<Talk, Refusal> {
        self.talk.take_if(|talk| talk.call == call).ok_or(Refusal::UnknownCall)
    }
}
