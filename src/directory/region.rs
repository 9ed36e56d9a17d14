//! The country that telephone numbers are of which are written without a country code.

use std::str::FromStr as _;

use phonenumber::country::Id;

use crate::misplaced::is_whole_number;

/// The country whose national format a number without a country code is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(pub(crate) Id);

impl Region {
    /// What a region looks like.
    pub const SHOULD_BE: &str = "a country's two letters in ISO 3166, such as JP or GB";

    /// Japan.
    pub const JAPAN: Self = Self(Id::JP);

    /// Reads a country's two letters (ISO 3166).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Id::from_str(&text.to_uppercase()).ok().map(Self)
    }

    /// Whether a name that a program or a company has given is a telephone number here, as far as that can be told.
    #[must_use]
    pub fn has_number(self, name: &str) -> bool {
        is_whole_number(name, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_two_letters() {
        assert_eq!(Region::parse("jp"), Some(Region::JAPAN));
        assert_eq!(Region::parse("Japan"), None);
    }
}
