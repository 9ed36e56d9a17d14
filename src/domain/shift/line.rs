//! The line: whether a call could reach this console, and the device anew when the SDK's is beyond mending.
//!
//! Invariant: what rang when the line went down is lost; the cloud offers it again, as another call, if it can.

use super::{CallId, Duty, Effect, How, Line, Note, Phase, Refusal, Timer};
use crate::Millis;

/// The shortest and the longest pause before a device that is not registered is looked after.
const REGISTER_AGAIN_AFTER: (Millis, Millis) = (1_000, 30_000);

/// The SDK tries again within twenty seconds, or a little more. It comes back by then or never.
const RETURNS_WITHIN: Millis = 30_000;

impl Duty {
    pub(super) fn line_up(&mut self) -> Result<Vec<Effect>, Refusal> {
        if self.line == Line::Up {
            return Err(Refusal::NotNow);
        }
        self.line = Line::Up;
        self.token.refused = 0;
        Ok(vec![Effect::Note(Note::LineUp)])
    }

    /// Nothing is promised until the line has proved that it lives: by the cloud's answer, or by a call that rings.
    pub(super) fn doubt_line(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        if self.line != Line::Up {
            return Err(Refusal::NotNow);
        }
        self.line = Line::Doubtful { since: now };
        Ok(vec![Effect::Note(Note::LineDoubtful), Effect::ProveLine])
    }

    /// What rang can no longer be accepted: the SDK says so only with an undocumented event, and not for every call. But when a
    /// line that is down is found to be so again, as by a page that wakes, what rings has come since, and lives.
    pub(super) fn line_down(&mut self, returns: bool, now: Millis) -> Vec<Effect> {
        match (self.line, returns) {
            (Line::Down { .. }, true) => vec![],
            (Line::Down { .. }, false) => [self.lose_line(now), vec![self.register_later(now)]].concat(),
            (Line::Up | Line::Doubtful { .. }, _) => self.lose_line(now),
        }
    }

    fn lose_line(&mut self, now: Millis) -> Vec<Effect> {
        let mut effects = self.take_down(now);
        for ring in std::mem::take(&mut self.rings) {
            effects.extend(self.end_ring(ring, How::RingLost, now));
        }
        effects
    }

    /// Nothing more would ring here. What rings and who talks has its socket still.
    pub(super) fn take_down(&mut self, now: Millis) -> Vec<Effect> {
        if self.line.is_down() {
            return vec![];
        }
        self.line = Line::Down { since: now };
        vec![Effect::Note(Note::LineDown), await_return(), self.register_later(now)]
    }

    /// The SDK gives the cloud a new token and does not register again: where it had been refused that, it would be called
    /// registered and never ring. Asked before the cloud has taken the token, it would be refused once more.
    pub(super) fn token_taken(&self) -> Result<Vec<Effect>, Refusal> {
        if self.line == Line::Up { Err(Refusal::NotNow) } else { Ok(vec![Effect::ProveLine]) }
    }

    /// When a new socket breaks before the cloud has greeted it, or the cloud refuses its token, the SDK forgets without a word
    /// that it was registered. So the device is looked after for as long as the line is down.
    pub(super) fn register_again(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        match self.line {
            Line::Up | Line::Doubtful { .. } => Err(Refusal::NotNow),
            Line::Down { .. } => Ok(vec![Effect::Register, self.register_later(now)]),
        }
    }

    /// Asked inside the SDK's own handler it would answer with an error and stop registering by itself. The longer the line
    /// has been down, the longer the pause.
    fn register_later(&self, now: Millis) -> Effect {
        let (shortest, longest) = REGISTER_AGAIN_AFTER;
        let down = match self.line {
            Line::Up | Line::Doubtful { .. } => 0,
            Line::Down { since } => now.saturating_sub(since),
        };
        Effect::SetTimer(Timer::RegisterAgain, (down / 2).clamp(shortest, longest))
    }

    /// The SDK has not come back by itself. A call that still goes on is not given up for that, and a token that the cloud refuses
    /// or that is over would not be taken from a new device either.
    pub(super) fn return_is_late(&mut self, now: Millis) -> Vec<Effect> {
        let helps = self.is_lost() && self.token.refused == 0 && self.token.is_alive(now);
        if helps { self.renew_device(now) } else { vec![await_return()] }
    }

    /// The line is down, and there is nobody whom a new device would cut off.
    pub(super) fn is_lost(&self) -> bool {
        self.line.is_down() && self.talk.is_none() && self.rings.is_empty()
    }

    /// A call that died without a reconnect token keeps the SDK busy for ever: only a new device takes calls again.
    pub(super) fn stuck(&mut self, call: CallId, now: Millis) -> Result<Vec<Effect>, Refusal> {
        self.talking(call)?;
        Ok(self.renew_device(now))
    }

    pub(super) fn renew_device(&mut self, now: Millis) -> Vec<Effect> {
        let mut effects = vec![];
        if let Some(talk) = self.talk.take() {
            let how = if talk.phase == Phase::HangingUp { How::HungUp } else { How::Lost };
            effects.extend(self.end_talk(talk, how, now));
        }
        if self.line.is_down() {
            effects.push(await_return());
        }
        // Rejected with the device, it would end at the operator's other consoles too.
        if !self.rings.is_empty() {
            effects.push(Effect::LeaveLine);
        }
        effects.extend(self.lose_line(now));
        effects.extend([Effect::DestroyDevice, Effect::CreateDevice]);
        effects
    }
}

fn await_return() -> Effect {
    Effect::SetTimer(Timer::Register, RETURNS_WITHIN)
}
