//! The token's age, and when it is renewed.
//!
//! Invariant: at most one request for a token is under way, however many events ask for one. The SDK's `tokenWillExpire`
//! comes late after sleep, again from stale timers, and then sometimes not at all (a stale timer clears the newest one), so a
//! timer of our own watches the token's age, and a token is renewed when it is past half its life, whoever asks.

use super::{Duty, Effect, Note, Refusal, Timer};
use crate::Millis;

/// What is known of the token in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// When it arrived.
    pub since: Millis,
    /// How long it lives, in milliseconds.
    pub lifetime: Millis,
    /// The renewal under way.
    pub renewal: Renewal,
    /// So many tokens in a row, this one included, the cloud refused while they were young.
    pub refused: u32,
}

/// A renewal under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// None.
    Idle,
    /// Asked; so many attempts failed before.
    Asked(u32),
    /// Waiting before asking again; so many attempts failed.
    Waiting(u32),
}

const FIRST_RETRY: Millis = 1_000;
const LONGEST_RETRY: Millis = 30_000;

/// A clock that is kept in time is set back by less.
const CLOCK_MAY_SLIP: Millis = 60_000;

/// The server writes its times in whole seconds, and the token travels for a while.
const ENDS_EARLIER: Millis = 2_000;

/// A token that lives shorter than this is taken for one that lives so long: else it would be renewed without pause.
const SHORTEST_LIFE: Millis = 8_000;

impl Token {
    pub(super) fn new(lifetime: Millis, now: Millis) -> Self {
        let lifetime = lifetime.max(SHORTEST_LIFE);
        Self { since: now, lifetime, renewal: Renewal::Idle, refused: 0 }
    }

    /// How long before its end a token must be renewed even during a call: for the SDK's `tokenRefreshMs`.
    #[must_use]
    pub fn latest_renewal(lifetime: Millis) -> Millis {
        (lifetime / 4).min(60_000)
    }

    /// The timers of a token that has just come into use: one asks for its age, the other says that it is over.
    pub(super) fn attend(&self, now: Millis) -> [Effect; 2] {
        let end = self.left(now).saturating_sub(ENDS_EARLIER);
        [self.watch(now), Effect::SetTimer(Timer::TokenEnd, end)]
    }

    /// The timer that asks again for this token's age.
    fn watch(&self, now: Millis) -> Effect {
        let left = self.left(now);
        let early = left.saturating_sub(self.lifetime / 4);
        let delay = if early > 0 { early } else { left.saturating_sub(Self::latest_renewal(self.lifetime)) };
        Effect::SetTimer(Timer::TokenAge, delay.max(FIRST_RETRY))
    }

    /// A clock that was set back would keep the token young for ever: then nothing is left of it.
    fn left(&self, now: Millis) -> Millis {
        if now + CLOCK_MAY_SLIP < self.since {
            return 0;
        }
        self.lifetime.saturating_sub(now.saturating_sub(self.since))
    }

    pub(super) fn is_alive(&self, now: Millis) -> bool {
        self.left(now) > ENDS_EARLIER
    }

    fn is_past_half(&self, now: Millis) -> bool {
        self.left(now) <= self.lifetime / 2
    }
}

/// Doubling from one second to thirty, with up to a quarter more taken from the clock's last digits, so that the consoles of
/// a company do not all come back in the same instant.
fn retry_delay(failed: u32, now: Millis) -> Millis {
    let delay = (FIRST_RETRY << failed.saturating_sub(1).min(5)).min(LONGEST_RETRY);
    delay + now % (delay / 4)
}

impl Duty {
    /// With the line down the SDK may have forgotten that it was registered, and would not be again: a new device is.
    pub(super) fn token_ready(&mut self, lifetime: Millis, now: Millis) -> Vec<Effect> {
        let refused = if self.token.is_past_half(now) { 0 } else { self.token.refused };
        self.token = Token { refused, ..Token::new(lifetime, now) };
        let mut effects = if self.is_lost() { self.renew_device(now) } else { vec![Effect::UpdateToken] };
        effects.extend(self.token.attend(now));
        effects.push(Effect::Note(Note::TokenRenewed));
        effects
    }

    pub(super) fn token_missing(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let Renewal::Asked(failed) = self.token.renewal else { return Err(Refusal::NotNow) };
        let mut effects = self.wait(failed + 1, now);
        if failed == 0 {
            effects.push(Effect::Note(Note::TokenDelayed));
        }
        Ok(effects)
    }

    pub(super) fn retry_token(&mut self) -> Result<Vec<Effect>, Refusal> {
        let Renewal::Waiting(failed) = self.token.renewal else { return Err(Refusal::NotNow) };
        Ok(self.ask(failed))
    }

    /// The cloud itself says that the token is dead, whatever our clock thinks. When it says so of a young one, the next would
    /// be refused as well: it is asked for later, and a device that could only knock at the cloud without pause goes meanwhile.
    /// The SDK goes on calling itself registered, and would not register again even with a new token.
    pub(super) fn token_refused(&mut self, code: u32, now: Millis) -> Result<Vec<Effect>, Refusal> {
        let mut effects = self.take_down(now);
        if self.token.renewal == Renewal::Idle {
            effects.push(Effect::Note(Note::DeviceError(code)));
            if self.token.is_past_half(now) {
                effects.extend(self.ask(0));
            } else {
                self.token.refused += 1;
                effects.extend(self.wait(self.token.refused, now));
            }
        }
        if self.token.refused > 0 && self.is_lost() {
            effects.push(Effect::DestroyDevice);
        }
        if effects.is_empty() { Err(Refusal::NotNow) } else { Ok(effects) }
    }

    /// The SDK says that the token grows old.
    pub(super) fn token_expires(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        match self.token.renewal {
            Renewal::Idle if self.token.is_past_half(now) => Ok(self.ask(0)),
            Renewal::Idle | Renewal::Asked(_) | Renewal::Waiting(_) => Err(Refusal::NotNow),
        }
    }

    /// Our own timer says so. A new token may cost a second of sound, so that during a call it waits while it can.
    pub(super) fn token_ages(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        match self.token.renewal {
            Renewal::Idle if self.is_renewal_due(now) => Ok(self.ask(0)),
            Renewal::Idle => Ok(vec![self.token.watch(now)]),
            Renewal::Asked(_) | Renewal::Waiting(_) => Err(Refusal::NotNow),
        }
    }

    /// Waking, above all with the line down, is the moment to try again at once.
    pub(super) fn woke(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        match self.token.renewal {
            Renewal::Waiting(failed) => Ok(self.ask(failed)),
            Renewal::Idle if self.line.is_down() || self.is_renewal_due(now) => Ok(self.ask(0)),
            Renewal::Idle | Renewal::Asked(_) => Err(Refusal::NotNow),
        }
    }

    fn is_renewal_due(&self, now: Millis) -> bool {
        let token = &self.token;
        let latest = token.left(now) <= Token::latest_renewal(token.lifetime);
        latest || self.talk.is_none() && token.is_past_half(now)
    }

    fn wait(&mut self, failed: u32, now: Millis) -> Vec<Effect> {
        self.token.renewal = Renewal::Waiting(failed);
        vec![Effect::SetTimer(Timer::TokenRetry, retry_delay(failed, now))]
    }

    fn ask(&mut self, failed: u32) -> Vec<Effect> {
        self.token.renewal = Renewal::Asked(failed);
        vec![Effect::FetchToken]
    }
}
