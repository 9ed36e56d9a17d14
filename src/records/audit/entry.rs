//! What is in the trail, and the only ways to make it.

use std::fmt;

use domain::{Identity, Millis};

use super::{Erased, Reason};
use crate::event::shown;
use crate::{CallEvent, Event, What};

/// An entry that is not in the trail yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(super) at: Millis,
    pub(super) actor: String,
    pub(super) action: Action,
    pub(super) subject: String,
    pub(super) detail: String,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Twilio's voice cloud.
    Twilio,
    /// This program by itself.
    Hitoku,
    /// Somebody at the command line of the server, by their name there.
    Shell(Identity),
}

/// A customer, for those who have the key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Opaque(pub(super) String);

macro_rules! actions {
    ($($(#[doc = $doc:literal])* $action:ident = $word:literal,)*) => {
        /// What was done. Its word is in the trail's hashes, and never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[doc = $doc])* $action,)*
        }

        impl Action {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$action),*];

            /// In words.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$action => $word,)*
                }
            }
        }
    };
}

actions! {
    /// Something happened to a call.
    Call = "call",
    /// A console was given a token, so that it may be rung.
    TokenGiven = "token given",
    /// A customer's number was shown.
    Revealed = "revealed",
    /// Customers were imported from a file.
    Imported = "imported",
    /// A customer was added.
    Added = "added",
    /// A customer was given to an operator.
    Assigned = "assigned",
    /// A customer was erased.
    Erased = "erased",
    /// Old calls were forgotten.
    Forgotten = "forgotten",
    /// Numbers were sealed with a new key.
    KeysRotated = "keys rotated",
    /// Before this entry, the end of the trail was found changed.
    Changed = "end found changed",
}

impl Action {
    /// The one with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.word() == word)
    }
}

impl Entry {
    /// What happened.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        match event {
            Event::Call(event) => Self::call(event),
            Event::Token(given) => {
                Self::new(given.at, &Actor::Hitoku, Action::TokenGiven, given.operator.clone())
            }
        }
    }

    fn call(event: &CallEvent) -> Self {
        let detail = match &event.what {
            What::Came(came) => format!("came: {}", came.outcome),
            What::Rang => "rang".to_owned(),
            What::Answered => "answered".to_owned(),
            What::Ended(outcome) => format!("ended: {outcome}"),
            What::Over => "over".to_owned(),
        };
        Self::new(event.at, &Actor::Twilio, Action::Call, event.call_sid.to_string()).with(detail)
    }

    /// A customer's number was shown, for a reason: the which of so many that were allowed in a day, since whoever reveals says
    /// how many are.
    #[must_use]
    pub fn revealed(
        at: Millis,
        actor: &Actor,
        customer: Opaque,
        reason: &Reason,
        (which, allowed): (u64, u64),
    ) -> Self {
        let detail = format!("{which} of {allowed}: {}", reason.as_str());
        Self::new(at, actor, Action::Revealed, customer.0).with(detail)
    }

    /// So many customers and numbers were imported.
    #[must_use]
    pub fn imported(at: Millis, actor: &Actor, customers: u64, numbers: u64) -> Self {
        let detail = format!("customers={customers} numbers={numbers}");
        Self::new(at, actor, Action::Imported, "directory".to_owned()).with(detail)
    }

    /// A customer was added, for this operator.
    #[must_use]
    pub fn added(at: Millis, actor: &Actor, customer: Opaque, operator: &Identity) -> Self {
        Self::new(at, actor, Action::Added, customer.0).with(shown(operator))
    }

    /// A customer was given to this operator.
    #[must_use]
    pub fn assigned(at: Millis, actor: &Actor, customer: Opaque, operator: &Identity) -> Self {
        Self::new(at, actor, Action::Assigned, customer.0).with(shown(operator))
    }

    /// A customer was erased.
    #[must_use]
    pub fn erased(at: Millis, actor: &Actor, customer: Opaque, erased: &Erased) -> Self {
        Self::new(at, actor, Action::Erased, customer.0).with(erased.to_string())
    }

    /// So many calls were forgotten, because they had come more than so many days before.
    #[must_use]
    pub fn forgotten(at: Millis, actor: &Actor, calls: u64, days: u32) -> Self {
        Self::new(at, actor, Action::Forgotten, "calls".to_owned()).with(format!("calls={calls} days={days}"))
    }

    /// So many numbers were sealed with a new key.
    #[must_use]
    pub fn keys_rotated(at: Millis, actor: &Actor, numbers: u64) -> Self {
        Self::new(at, actor, Action::KeysRotated, "directory".to_owned()).with(format!("numbers={numbers}"))
    }

    pub(super) fn changed(at: Millis) -> Self {
        Self::new(at, &Actor::Hitoku, Action::Changed, "audit".to_owned())
    }

    fn new(at: Millis, actor: &Actor, action: Action, subject: String) -> Self {
        Self { at, actor: actor.to_string(), action, subject, detail: String::new() }
    }

    fn with(mut self, detail: String) -> Self {
        self.detail = detail;
        self
    }
}

/// What follows the count in the detail of a reveal. The first ones had none.
pub(super) fn reason(detail: &str) -> &str {
    let is_count = |count: &str| count.split(" of ").all(|number| number.parse::<u64>().is_ok());
    detail.split_once(": ").filter(|(count, _)| is_count(count)).map_or(detail, |(_, reason)| reason)
}

impl fmt::Display for Actor {
    /// No identity has a space: two actors never look alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twilio => f.write_str("twilio"),
            Self::Hitoku => f.write_str("hitoku"),
            Self::Shell(name) => write!(f, "shell {name}"),
        }
    }
}

impl fmt::Display for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
