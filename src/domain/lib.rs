//! What a call is to an operator: identities, cards, and the shift's state machine.
//!
//! Pure, and shared by server and browser: nothing here reads a clock, logs, awaits, or has a phone number.
//! Time comes in as an argument, effects go out as data.

pub mod card;
pub mod identity;
pub mod shift;

pub use card::{CallRef, Card};
pub use identity::Identity;
pub use shift::{Effect, Event, Shift};

/// Milliseconds since the Unix epoch, as `Date.now()` gives them.
pub type Millis = u64;

/// As long as a call may go on, in seconds. Twilio ends it then, and its caller hears why.
pub const TIME_LIMIT: u32 = 60 * 60;
