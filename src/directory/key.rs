//! The keys under which numbers are kept: each seals, and makes the keyed hash by which a number is found again.
//!
//! A stolen database shows neither: without the key a sealed number is noise, and so is its hash, although there are few
//! enough phone numbers to try them all.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, MAX_TAG_LEN, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::PhoneNumber;

/// A number's hash under one key: found by, never read back.
pub(crate) type Hash = [u8; 16];

/// One key.
pub(crate) struct Key {
    /// Tells keys apart; says nothing of them.
    id: String,
    seal: RandomizedNonceKey,
    find: hmac::Key,
}

/// Several keys, each of which opens. A rotation makes the first the one that seals.
#[derive(Debug)]
pub(crate) struct KeyRing(Vec<Key>);

/// The text is no ring of keys. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key is 32 random bytes in base64, as `hitoku keys new` makes one; several are separated by commas"
)]
pub struct NotAKey;

/// Long enough for every number: the length of what is sealed tells nothing.
const PADDED: usize = 16;
const BYTES: usize = 32;

impl KeyRing {
    /// Reads keys separated by commas, spaces or lines.
    pub(crate) fn parse(text: &SecretString) -> Result<Self, NotAKey> {
        let keys = texts(text.expose_secret()).map(Key::parse).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(NotAKey) } else { Ok(Self(keys)) }
    }

    /// The one that a new database is sealed with, and that a rotation leads to.
    pub(crate) fn first(&self) -> &Key {
        &self.0[0]
    }

    /// All of them, the first first.
    pub(crate) fn keys(&self) -> &[Key] {
        &self.0
    }

    /// The one of this name.
    pub(crate) fn named(&self, id: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.id == id)
    }
}

/// The texts of keys in one that may have several.
pub(crate) fn texts(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', '\n', '\r', '\t']).filter(|text| !text.is_empty())
}

/// What a key is made of.
pub(crate) fn random() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    // Without randomness nothing can be kept secret; a key of zeros would pretend to.
    rand::fill(&mut bytes).unwrap_or_else(|_| std::process::abort());
    bytes
}

impl Key {
    fn parse(text: &str) -> Result<Self, NotAKey> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| NotAKey)?;
        let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| NotAKey)?;
        let of = |purpose: &str| derived(&bytes, purpose);
        let seal = RandomizedNonceKey::new(&AES_256_GCM_SIV, &of("seal")?).map_err(|_| NotAKey)?;
        let id = of("name")?[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { id, seal, find: hmac::Key::new(hmac::HMAC_SHA256, &of("find")?) })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// By which a number is found.
    #[expect(clippy::disallowed_methods, reason = "what is kept of a number is its keyed hash")]
    pub(crate) fn hash(&self, number: &PhoneNumber) -> Hash {
        let tag = hmac::sign(&self.find, number.expose().as_bytes());
        let mut hash = Hash::default();
        hash.copy_from_slice(&tag.as_ref()[..16]);
        hash
    }

    /// A number, sealed for one place.
    #[expect(clippy::disallowed_methods, reason = "a number is kept sealed")]
    pub(crate) fn seal_number(&self, number: &PhoneNumber, place: &[u8]) -> Vec<u8> {
        let mut padded = [0; PADDED];
        padded[..number.expose().len()].copy_from_slice(number.expose().as_bytes());
        self.seal(&padded, place)
    }

    /// The number again; `None` if it was not sealed with this key, or for another place.
    pub(crate) fn open_number(&self, sealed: &[u8], place: &[u8]) -> Option<PhoneNumber> {
        let padded = self.open(sealed, place)?;
        let text = std::str::from_utf8(&padded).ok()?;
        PhoneNumber::parse(text.trim_end_matches('\0')).ok()
    }

    /// Bytes, sealed for one place: they open nowhere else.
    pub(crate) fn seal(&self, open: &[u8], place: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(open.len() + MAX_TAG_LEN + NONCE_LEN);
        sealed.extend_from_slice(open);
        let nonce = self.seal.seal_in_place_append_tag(Aad::from(place), &mut sealed);
        // It fails only when the machine has no randomness: then nothing may be kept, least of all in the clear.
        sealed.extend_from_slice(nonce.unwrap_or_else(|_| std::process::abort()).as_ref());
        sealed
    }

    /// The bytes again.
    pub(crate) fn open(&self, sealed: &[u8], place: &[u8]) -> Option<Vec<u8>> {
        let (sealed, nonce) = sealed.split_at_checked(sealed.len().checked_sub(NONCE_LEN)?)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut opened = sealed.to_owned();
        let length = self.seal.open_in_place(nonce, Aad::from(place), &mut opened).ok()?.len();
        opened.truncate(length);
        Some(opened)
    }
}

/// A key of its own for each use, so that what one shows says nothing of another.
fn derived(key: &[u8; BYTES], purpose: &str) -> Result<[u8; BYTES], NotAKey> {
    struct Length;
    impl KeyType for Length {
        fn len(&self) -> usize {
            BYTES
        }
    }
    let mut bytes = [0; BYTES];
    let extracted = Salt::new(HKDF_SHA256, b"hitoku numbers 1").extract(key);
    extracted
        .expand(&[purpose.as_bytes()], Length)
        .and_then(|okm| okm.fill(&mut bytes))
        .map_err(|_| NotAKey)?;
    Ok(bytes)
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.id).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str) -> Result<KeyRing, NotAKey> {
        KeyRing::parse(&text.into())
    }

    #[test]
    fn a_sealed_number_opens_with_its_key_beside_its_hash_and_nowhere_else() {
        let (one, two) = (BASE64_STANDARD.encode([1; 32]), BASE64_STANDARD.encode([2; 32]));
        let ring = ring(&format!("{one},\n{two}")).unwrap();
        let [one, two] = ring.keys() else { panic!("two keys") };
        let number = PhoneNumber::parse("+447700900101").unwrap();
        let other = PhoneNumber::parse("+81312345678").unwrap();
        let hash = one.hash(&number);
        assert!(hash == one.hash(&number) && hash != one.hash(&other) && hash != two.hash(&number));
        let sealed = one.seal_number(&number, &hash);
        assert_eq!(
            sealed.len(),
            one.seal_number(&other, &one.hash(&other)).len(),
            "the length tells nothing"
        );
        assert_ne!(sealed, one.seal_number(&number, &hash), "the same number never looks the same");
        assert_eq!(one.open_number(&sealed, &hash), Some(number));
        assert_eq!(one.open_number(&sealed, &one.hash(&other)), None);
        assert_eq!(two.open_number(&sealed, &hash), None);
        assert_eq!(one.open_number(&sealed[1..], &hash), None);
        assert_eq!(one.open(&[], b""), None);
        assert_eq!(ring.named(two.id()).map(Key::id), Some(two.id()));
        assert!(!format!("{ring:?}").contains("AQEB"));
    }

    /// As it stands in people's databases: were it to change, nobody's numbers would be found again.
    #[test]
    fn what_was_kept_by_earlier_versions_is_found_and_opens() {
        let ring = ring(&BASE64_STANDARD.encode([1; 32])).unwrap();
        let (key, number) = (ring.first(), PhoneNumber::parse("+447700900101").unwrap());
        assert_eq!(key.id(), "4b47c3c2");
        let hash = format!("{:032x}", u128::from_be_bytes(key.hash(&number)));
        assert_eq!(hash, "770a19b632da8361ff2067345e128a55");
        let sealed = "HZRDwRGk8Bhkvzq7QH/+4XED3G7/f99ljL66eIPnbNhWqobwLXrqTZQM0wk=";
        let sealed = BASE64_STANDARD.decode(sealed).unwrap();
        assert_eq!(key.open_number(&sealed, b"a place"), Some(number));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", " , ", "hush", "AQEBAQ==", &BASE64_STANDARD.encode([1; 33])] {
            assert!(ring(text).is_err(), "{text}");
        }
    }
}
