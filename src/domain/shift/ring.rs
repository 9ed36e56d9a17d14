//! Calls that ring: each until it is accepted, rejected, cancelled, taken elsewhere, or lost with the line.
//!
//! Invariant: a call is in `rings` once at most, and never while it is being talked on.

use super::talk::AUDIO_WITHIN;
use super::{CallId, Duty, Effect, How, Line, Note, Phase, Refusal, Ring, Talk, Timer};
use crate::{CallRef, Card, Millis};

/// Our `<Dial>` gives up after twenty seconds, and no cancellation takes a minute.
const RING_WITHIN: Millis = 90_000;

impl Duty {
    pub(super) fn ring(&mut self, call: CallId, card: Card, now: Millis) -> Result<Vec<Effect>, Refusal> {
        if self.rings.iter().any(|ring| ring.call == call) || self.talking(call).is_ok() {
            return Err(Refusal::NotNow);
        }
        self.last = None;
        self.rings.push(Ring { call, card, since: now, taken: false });
        let mut effects = vec![Effect::SetTimer(Timer::Ring(call), RING_WITHIN), Effect::Note(Note::Ringing)];
        if self.talk.is_some() {
            effects.push(Effect::CallWaits);
        }
        if let Line::Doubtful { .. } = self.line {
            effects.extend(self.line_up()?);
        }
        Ok(effects)
    }

    pub(super) fn accept(&mut self, call: CallId, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let at = self.rings.iter().position(|ring| ring.call == call).ok_or(Refusal::UnknownCall)?;
        let ring = self.rings.remove(at);
        let mut effects = vec![];
        if let Some(talk) = self.talk.take() {
            effects.push(Effect::HangUp(talk.call));
            effects.extend(self.end_talk(talk, How::HungUp, now));
        }
        let phase = Phase::Connecting { slow: false };
        self.last = None;
        self.talk = Some(Talk {
            call,
            card: ring.card,
            phase,
            audio_since: None,
            muted: false,
            unheard: false,
            unhearing: false,
            renewed: false,
            taken: ring.taken,
            error: None,
        });
        effects.extend([
            Effect::Accept(call),
            Effect::SetTimer(Timer::Audio(call), AUDIO_WITHIN),
            Effect::Note(Note::Accepted),
        ]);
        // The ringtone ends with the call that is accepted.
        if self.rings.iter().any(|ring| !ring.taken) {
            effects.push(Effect::CallWaits);
        }
        Ok(effects)
    }

    pub(super) fn ring_ended(&mut self, call: CallId, how: How, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let at = self.rings.iter().position(|ring| ring.call == call).ok_or(Refusal::UnknownCall)?;
        let ring = self.rings.remove(at);
        Ok(self.end_ring(ring, how, now))
    }

    pub(super) fn taken(&mut self, call_ref: &CallRef) -> Result<Vec<Effect>, Refusal> {
        if let Some(ring) = self.rings.iter_mut().find(|ring| ring.card.call_ref.as_ref() == Some(call_ref)) {
            ring.taken = true;
            return Ok(vec![]);
        }
        // Both tabs accepted in the same moment; the one that hears the caller has won.
        let same = self.talk.as_mut().filter(|talk| talk.card.call_ref.as_ref() == Some(call_ref));
        if let Some(talk) = same.filter(|talk| talk.audio_since.is_none()) {
            talk.taken = true;
            return Ok(vec![]);
        }
        // The cancellation overtook the other tab's word.
        let last = self.last.as_mut().filter(|last| last.card.call_ref.as_ref() == Some(call_ref));
        let last = last.filter(|last| last.how == How::GaveUp).ok_or(Refusal::UnknownCall)?;
        last.how = How::AnsweredElsewhere;
        Ok(vec![Effect::Note(Note::Ended(How::AnsweredElsewhere))])
    }

    pub(super) fn end_ring(&mut self, ring: Ring, how: How, now: Millis) -> Vec<Effect> {
        let how = if ring.taken && matches!(how, How::GaveUp | How::RingLost) {
            How::AnsweredElsewhere
        } else {
            how
        };
        self.end(ring.call, ring.card, how, None, now)
    }
}
