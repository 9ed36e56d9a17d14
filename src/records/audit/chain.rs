//! The hashes that bind the trail.
//!
//! Invariant: what is hashed can be read in one way only: numbers have a fixed length, texts say theirs, and each use of the
//! key begins with a word of its own.

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;

pub(crate) type Hash = [u8; 32];

/// An entry's place and hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    pub(crate) seq: i64,
    pub(crate) hash: Hash,
}

pub(crate) struct Key(SecretBox<[u8; 32]>);

/// Hashes one entry after another; it exists for a batch, because it holds what follows from the key.
pub(crate) struct Chain(Hmac<Sha256>);

impl Head {
    /// What the first entry follows.
    pub(crate) const NONE: Self = Self { seq: 0, hash: [0; 32] };
}

impl Key {
    pub(crate) fn new(key: SecretBox<[u8; 32]>) -> Self {
        Self(key)
    }

    pub(crate) fn chain(&self) -> Chain {
        Chain(self.begun(b"entry"))
    }

    pub(crate) fn bound(&self, head: &Head) -> Hash {
        let mut mac = self.begun(b"head");
        mac.update(&head.seq.to_be_bytes());
        mac.update(&head.hash);
        mac.finalize().into_bytes().into()
    }

    /// Sixteen hexadecimal digits.
    pub(crate) fn opaque(&self, text: &str) -> String {
        let mut mac = self.begun(b"subject");
        mac.update(text.as_bytes());
        hex(&mac.finalize().into_bytes()[..8])
    }

    /// Five hexadecimal digits.
    pub(crate) fn mark(&self, alias: &str) -> String {
        let mut mac = self.begun(b"alias");
        mac.update(alias.as_bytes());
        hex(&mac.finalize().into_bytes()[..3])[..5].to_owned()
    }

    fn begun(&self, word: &[u8]) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("a key");
        mac.update(word);
        mac.update(&[0]);
        mac
    }
}

impl Chain {
    pub(crate) fn next(&mut self, previous: &Hash, seq: i64, at: i64, texts: [&str; 4]) -> Hash {
        let mut mac = self.0.clone();
        mac.update(previous);
        mac.update(&seq.to_be_bytes());
        mac.update(&at.to_be_bytes());
        for text in texts {
            mac.update(&(text.len() as u64).to_be_bytes());
            mac.update(text.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

/// What is in a table where a hash should be. One of another length is none that we have written.
pub(crate) fn hash(bytes: Vec<u8>) -> Hash {
    bytes.try_into().unwrap_or([0; 32])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
