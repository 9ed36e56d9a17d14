//! The token's age, and when it is renewed.
//!
//! Invariant: at most one request for a token is under way, however many events ask for one. The SDK's `tokenWillExpire`
//! comes late after sleep and again from stale timers, so a token is renewed when it is past half its life, whoever asks.

use super::{Duty, Effect, Event, Line, Note, Timer};
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

impl Token {
    pub(super) fn new(lifetime: Millis, now: Millis) -> Self {
        Self { since: now, lifetime, renewal: Renewal::Idle }
    }

    fn is_past_half(&self, now: Millis) -> bool {
        now.saturating_sub(self.since) >= self.lifetime / 2
    }
}

/// Doubling from one second to thirty, with up to a quarter more taken from the clock's last digits, so that the consoles of
/// a company do not all come back in the same instant.
pub(super) fn retry_delay(failed: u32, now: Millis) -> Millis {
    let delay = (FIRST_RETRY << failed.saturating_sub(1).min(5)).min(LONGEST_RETRY);
    delay + now % (delay / 4)
}

impl Duty {
    pub(super) fn on_token(&mut self, event: &Event, now: Millis) -> Vec<Effect> {
        match event {
            Event::TokenReady { lifetime } => {
                self.token = Token::new(*lifetime, now);
                vec![Effect::UpdateToken, Effect::Note(Note::TokenRenewed)]
            }
            Event::TokenRefused | Event::TokenUnreachable => {
                let Renewal::Asked(failed) = self.token.renewal else { return vec![] };
                self.token.renewal = Renewal::Waiting(failed + 1);
                let mut effects = vec![Effect::SetTimer(Timer::TokenRetry, retry_delay(failed + 1, now))];
                if failed == 0 {
                    effects.push(Effect::Note(Note::TokenDelayed));
                }
                effects
            }
            Event::Timer(_) => match self.token.renewal {
                Renewal::Waiting(failed) => self.ask(failed),
                Renewal::Idle | Renewal::Asked(_) => vec![],
            },
            // The cloud itself says that the token is dead, whatever our clock thinks.
            Event::DeviceFailed { .. } => match self.token.renewal {
                Renewal::Idle => self.ask(0),
                Renewal::Asked(_) | Renewal::Waiting(_) => vec![],
            },
            // Waking with the line down is the moment to try again at once.
            _ => match self.token.renewal {
                Renewal::Waiting(failed) => self.ask(failed),
                Renewal::Idle if self.token.is_past_half(now) || self.line != Line::Up => self.ask(0),
                Renewal::Idle | Renewal::Asked(_) => vec![],
            },
        }
    }

    fn ask(&mut self, failed: u32) -> Vec<Effect> {
        self.token.renewal = Renewal::Asked(failed);
        vec![Effect::FetchToken]
    }
}
