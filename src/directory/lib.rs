//! Whose number it is.
//!
//! The one crate that knows phone numbers. It refuses to compile to WebAssembly, so that none can reach a browser by an
//! oversight: what leaves it for others is a [`Found`], which has been held against the number.

#[cfg(target_family = "wasm")]
compile_error!("`directory` knows phone numbers and must never be part of what a browser downloads");

mod alias;
mod company;
mod customer;
mod customers;
mod demonstration;
mod found;
mod guarded;
mod index;
mod key;
mod keys;
mod misplaced;
mod number;
mod region;
mod secrets;
mod sheet;
mod trouble;
mod written;

use async_trait::async_trait;

pub use alias::Aliases;
pub use company::Company;
pub use customer::{Customer, NotACustomer, Written};
pub use customers::{By, Customers, Imported, Listed, Receipt, Rotated, Taken};
pub use demonstration::{Demonstration, Person};
pub use found::{Entry, Found};
pub use guarded::Guarded;
pub use index::Indexed;
pub use key::NotAKey;
pub use keys::{Keys, NoKeys};
pub use number::{NotANumber, PhoneNumber};
pub use region::Region;
pub use sheet::{BadRow, Shared, Sheet, Unfit, WhyBad};
pub use trouble::Trouble;
pub use written::Unreadable;

/// Tells who a caller is, and whose customer.
#[async_trait]
pub trait Directory: Send + Sync + 'static {
    /// The customer with this number; `None` when nobody has it.
    ///
    /// # Errors
    /// The directory could not answer. That is not the same as knowing nobody.
    async fn look_up(&self, number: &PhoneNumber) -> Result<Option<Entry>, Silent>;
}

/// Why a directory did not answer. No variant carries anything that the other side sent: it may hold the number.
#[derive(Debug, thiserror::Error)]
pub enum Silent {
    /// It could not be reached.
    #[error("the directory cannot be reached: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("the directory did not answer in time")]
    Late,
    /// It answered with an error of its own.
    #[error("the directory answered with status {0}")]
    Refused(u16),
    /// It has failed so often that nobody is made to wait for it.
    #[error("the directory failed the last callers; it is asked again in the background")]
    Resting,
    /// Our own database did not answer.
    #[error(transparent)]
    Database(#[from] database::Failure),
    /// Its answer means nothing.
    #[error("the directory's answer is not what it should be: {0}")]
    Nonsense(&'static str),
}
