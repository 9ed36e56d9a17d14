//! Randomness, as it is passed in: from the machine in production, from a seed in tests.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use domain::CallRef;
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

/// A cryptographically secure source of randomness that can be shared.
#[derive(Clone)]
pub struct Chance(Arc<Mutex<StdRng>>);

impl Chance {
    /// Seeded by the machine.
    #[must_use]
    pub fn of_the_machine() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }

    /// The same sequence every time.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Fresh bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        bytes
    }

    /// A name for a new call.
    #[must_use]
    pub fn call_ref(&self) -> CallRef {
        CallRef::from_bytes(self.bytes())
    }

    /// As many bytes in lower-case hexadecimal, two characters each.
    #[must_use]
    pub fn hex<const N: usize>(&self) -> String {
        self.bytes::<N>().iter().fold(String::with_capacity(2 * N), |mut text, byte| {
            let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
            text.extend([digit(byte >> 4), digit(byte & 15)]);
            text
        })
    }
}

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chance")
    }
}
