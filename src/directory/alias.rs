//! A name for a caller whom nobody knows: the same for the same number, so that an operator recognises them without it.
//!
//! It is made of a keyed hash, so nobody can work it out from a number, or a number from it. There are a billion of them: of a
//! thousand unknown callers two share one once in two thousand companies.

use aws_lc_rs::hmac;

use crate::PhoneNumber;

/// Makes aliases.
#[derive(Debug)]
pub struct Aliases(hmac::Key);

/// Syllables that Japanese and English speakers both say at sight, and which make no word that anybody minds.
const SYLLABLES: [&str; 32] = [
    "ka", "ki", "ku", "ke", "ko", "sa", "su", "se", "wa", "ta", "te", "to", "na", "ni", "nu", "ne", "no",
    "ha", "hi", "ho", "ma", "mi", "mu", "me", "mo", "ra", "ri", "ru", "re", "ro", "ya", "yo",
];

impl Aliases {
    /// With a key of their own, which stays when others change.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Such as `Kamito-Renasu`.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "an alias is a keyed hash of the number")]
    pub fn alias(&self, number: &PhoneNumber) -> String {
        let tag = hmac::sign(&self.0, number.expose().as_bytes());
        let syllables: Vec<_> =
            tag.as_ref()[..6].iter().map(|byte| SYLLABLES[usize::from(byte & 31)]).collect();
        [capital(&syllables[..3].concat()), capital(&syllables[3..].concat())].join("-")
    }
}

fn capital(word: &str) -> String {
    let mut signs = word.chars();
    signs.next().into_iter().flat_map(char::to_uppercase).chain(signs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_stays_and_tells_callers_apart() {
        let number = |digits: u32| PhoneNumber::parse(&format!("+4477009{digits:05}")).unwrap();
        let aliases = Aliases::new(&[7; 32]);
        let one = aliases.alias(&number(101));
        assert_eq!(one, Aliases::new(&[7; 32]).alias(&number(101)));
        // Operators know callers by it.
        assert_eq!(one, "Sunino-Nisuma");
        assert_ne!(one, Aliases::new(&[8; 32]).alias(&number(101)));
        assert!(
            one.len() == 13 && one.split('-').count() == 2 && !one.contains(|c: char| c.is_ascii_digit()),
            "{one}"
        );
        let many: std::collections::HashSet<_> =
            (0..1000).map(|digits| aliases.alias(&number(digits))).collect();
        assert!(many.len() >= 999);
    }

    #[test]
    fn no_two_syllables_are_the_same() {
        let different: std::collections::HashSet<_> = SYLLABLES.into_iter().collect();
        assert_eq!(different.len(), 32);
    }
}
