//! Whose number it is.
//!
//! The one crate that knows phone numbers. It refuses to compile to WebAssembly, so that none can reach a browser by an
//! oversight: whatever leaves it is a [`Found`], which has no field for one.

#[cfg(target_family = "wasm")]
compile_error!("`directory` knows phone numbers and must never be part of what a browser downloads");

mod company;
mod demonstration;
mod found;
mod number;

use async_trait::async_trait;

pub use company::Company;
pub use demonstration::{Demonstration, Person};
pub use found::Found;
pub use number::{NotANumber, PhoneNumber};

/// Tells who a caller is, and whose customer.
#[async_trait]
pub trait Directory: Send + Sync + 'static {
    /// The customer with this number; `None` when nobody has it.
    ///
    /// # Errors
    /// The directory could not answer. That is not the same as knowing nobody.
    async fn look_up(&self, number: &PhoneNumber) -> Result<Option<Found>, Silent>;
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
    /// Its answer means nothing.
    #[error("the directory's answer is not what it should be: {0}")]
    Nonsense(&'static str),
}
