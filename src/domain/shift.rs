//! An operator's shift, from the click that starts it to the one that ends it, as a pure state machine.
//!
//! Invariant: at most one call is being talked on, and every other call that the SDK holds is in `rings`.
//! `on` turns (state, event) into the next state and effects; an event that cannot happen in a state is refused and changes
//! nothing. Facts about the SDK that shape it are in `voice-sdk` terms: a call is known by a number that the bridge gives to
//! its object, because a finished call goes on sending events.

mod calls;
mod effect;
mod event;
mod starting;
mod state;
mod token;

pub use effect::{Effect, Note, Timer};
pub use event::{CallId, Event, Intent, Refusal};
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
                Event::Operator(Intent::EndShift) => {
                    *self = Self::Off(Off::default());
                    Ok(vec![Effect::DestroyDevice, Effect::Note(Note::ShiftEnded)])
                }
                Event::CallFailed { call, code } if duty.lost_microphone(call, code) => {
                    let why = Failure::of_microphone(code);
                    *self = Self::Off(Off { why: Some(why) });
                    Ok(vec![Effect::DestroyDevice, Effect::Note(Note::Failed(why))])
                }
                event => duty.on(event, now),
            },
        }
    }
}
