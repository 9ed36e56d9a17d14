//! What is kept of a call, and of what people do: a record a call, and a trail that cannot be changed unseen.
//!
//! A webhook is answered in a millisecond or two, whatever the database does. So what it says is first kept in a journal of
//! this server's own ([`Ledger::keep`]: on disk when it is done), and from there written into the database a little later, in
//! order, each event once. What is in the database is then the same however often, late, or in whatever order webhooks came.
//!
//! Invariant: no phone number comes here, and no customer's name. There is deliberately no type that could hold one.

pub mod audit;
mod call_sid;
pub mod calls;
pub mod digits;
mod event;
mod ledger;
mod outcome;
mod record;

pub use audit::Audit;
pub use call_sid::CallSid;
pub use event::{CallEvent, Came, Event, TokenGiven, What};
pub use ledger::{CannotOpen, Ledger, NotKept, Unsettled};
pub use outcome::Outcome;
