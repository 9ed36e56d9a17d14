//! An operator's shift, from the click that starts it to the one that ends it, as a pure state machine.
//!
//! Invariant: at most one call is being talked on, and every other call that the SDK holds is in `rings`.
//! `on` turns (state, event) into the next state and effects; an event that cannot happen in a state is refused and changes
//! nothing. A call is known by a number that the bridge gives to its object, because the SDK's finished calls go on sending
//! events.

mod duty;
mod effect;
mod event;
mod line;
mod ring;
mod starting;
mod state;
mod talk;
mod token;

pub use effect::{Effect, Note, Timer};
pub use event::{CallId, Event, Intent, Refusal, Side};
pub use state::{Duty, Ended, Failure, How, Line, Off, Phase, Ring, Shift, Starting, Step, Talk};
pub use token::{Renewal, Token};

use crate::Millis;

impl Shift {
    /// The next state and what must be done, in this order.
    ///
    /// # Errors
    /// The event means nothing in this state; the state is unchanged.
    pub fn on(&mut self, event: Event, now: Millis) -> Result<Vec<Effect>, Refusal> {
        match self {
            Self::Off(_) => self.on_off(&event),
            Self::Starting(_) => self.on_starting(event, now),
            Self::On(duty) => match event {
                Event::Operator(Intent::EndShift) if duty.talk.is_some() => Err(Refusal::Busy),
                Event::Operator(Intent::EndShift) => Ok(self.end()),
                Event::StepFailed(why) => Ok(self.fail(why)),
                Event::CallFailed { call, code } if duty.lost_microphone(call, code) => {
                    Ok(self.fail(Failure::of_microphone(code)))
                }
                event => {
                    let effects = duty.on(event, now)?;
                    // A call that goes on keeps the microphone that it has, or says itself that it has none.
                    match duty.lacks.filter(|_| duty.talk.is_none()) {
                        Some(why) => Ok([effects, self.fail(why)].concat()),
                        None => Ok(effects),
                    }
                }
            },
        }
    }
}
