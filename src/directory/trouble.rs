//! What can go wrong with the directory that we keep ourselves, in words that say how to mend it.

use database::Failure;
use records::digits::{DIGITS_OF_A_NUMBER, holds_a_number};

use crate::{NoKeys, NotACustomer};

/// Something is wrong with the directory.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] Failure),
    /// There are no keys.
    #[error(transparent)]
    Keys(#[from] NoKeys),
    /// What is in the database was sealed with another key.
    #[error(
        "the database was sealed with the key {needed}, which is not among these ({}): give that one too, in NUMBER_KEY or \
         the key file, after the others", .given.join(", ")
    )]
    WrongKey {
        /// Its name.
        needed: String,
        /// The names of those that are there.
        given: Vec<String>,
    },
    /// What is sealed does not open with its own key.
    #[error("{what} was sealed with the key {key}, and has been changed: restore the database from a backup")]
    Forged {
        /// What it is, and whose.
        what: String,
        /// The key's name.
        key: String,
    },
    /// What must be there once is not there any more.
    #[error("the database has lost its secret `{0}`: restore it from a backup")]
    NoSecret(&'static str),
    /// Nobody has this id.
    #[error("there is no customer {}", asked(.0))]
    Nobody(String),
    /// The customer would not be what one should be.
    #[error(transparent)]
    Unfit(#[from] NotACustomer),
    /// Somebody has this id, and no number.
    #[error("the customer `{0}` has no number: another customer has been given it")]
    NoNumber(String),
    /// A reason that would outlive the customer.
    #[error(
        "the reason holds the customer's id, name or a part of the name, and stays in the audit trail when the customer is \
         erased: leave it out"
    )]
    Named,
    /// A reason that would be a number in the trail.
    #[error("the reason holds a number of the customer, and would stay in the audit trail: leave it out")]
    Numbered,
    /// Somebody has this id already.
    #[error("there is a customer `{0}` already")]
    Known(String),
    /// So many customers' numbers have been revealed that no more may be.
    #[error(
        "{used} customers' numbers were revealed in the last 24 hours, and {allowed} are allowed (REVEALS_PER_DAY)"
    )]
    Allowance {
        /// So many were.
        used: u64,
        /// So many may be.
        allowed: u64,
    },
    /// Rotating keys that are given is begun by whoever gives them.
    #[error(
        "NUMBER_KEY is given to this server, so whoever gives it begins: make a key with `hitoku keys new`, restart every \
         server with NUMBER_KEY=new,old, so that all can open both, and run `hitoku keys rotate` again"
    )]
    OneKey,
}

/// An id that was asked for; whoever asks may have a number and take it for one.
fn asked(id: &str) -> String {
    if holds_a_number(id, DIGITS_OF_A_NUMBER) {
        "with this id, which may be a telephone number and is not repeated here".to_owned()
    } else {
        format!("`{id}`")
    }
}
