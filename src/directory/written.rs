//! Phone numbers as people write them: with spaces and hyphens, in full-width digits, without a country code.
//!
//! National formats are the library's business (`phonenumber`, Google's metadata), and so it is whether there are numbers
//! like one of the home country: a digit that is missing is found, with or without the country's code. One that is written with
//! its country's code may be for fiction, or of a range that is younger than the metadata: from abroad it need only be as long as
//! that country's are, and at home as long as the longest.

use phonenumber::metadata::{DATABASE, Descriptor};
use phonenumber::{Metadata, Type};
use records::digits::decimal;
use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

use crate::customer::is_direction;
use crate::{PhoneNumber, Region};

/// Why a text is no phone number. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Nothing was written.
    #[error("there is no number")]
    Empty,
    /// It has letters, an extension, or other signs.
    #[error(
        "it has other signs than digits, spaces and `+ - ( ) .`; several numbers are separated by `;`, and a spreadsheet's \
         9.01E+09 is a column that must be text before it is exported"
    )]
    Signs,
    /// Not so many digits.
    #[error("it is not a valid number; one of another country needs its country code, such as +44")]
    Length,
    /// No such country.
    #[error("its country code does not exist")]
    Country,
}

impl PhoneNumber {
    /// Reads a number as a person writes it: `090-1234-5678`, `+81 90 1234 5678`, `０９０－１２３４－５６７８`.
    ///
    /// # Errors
    /// It is no number of any country.
    pub fn written(text: &str, region: Region) -> Result<Self, Unreadable> {
        let plain: String = text.trim().nfkc().filter_map(plain).collect::<Result<_, _>>()?;
        if plain.is_empty() {
            return Err(Unreadable::Empty);
        }
        if plain[1..].contains('+') {
            return Err(Unreadable::Signs);
        }
        let read = phonenumber::parse(Some(region.0), &plain).map_err(|error| match error {
            phonenumber::ParseError::InvalidCountryCode => Unreadable::Country,
            _ => Unreadable::Length,
        })?;
        let code = read.code().value();
        let home = DATABASE.by_id(region.0.as_ref()).map(Metadata::country_code);
        let abroad = home != Some(code);
        let countries = DATABASE.by_code(&code).ok_or(Unreadable::Country)?;
        let country = countries.first().ok_or(Unreadable::Country)?;
        let kept = if country.national_prefix().is_none() { zeros(&plain, &read) } else { "" };
        let significant = format!("{kept}{}", read.national().value());
        let lengths =
            [Type::FixedLine, Type::Mobile].into_iter().filter_map(|kind| country.descriptors().get(kind));
        let mut lengths =
            lengths.flat_map(|numbers| numbers.possible_length()).map(|length| usize::from(*length));
        let whole = format!("+{code}{significant}");
        let there_are =
            there_are_such(&read, &countries) || (whole.len() == FICTION.1 && whole.starts_with(FICTION.0));
        // At home, one that is younger than the metadata has all its digits: a missing one is found there too.
        let may_be = match abroad {
            true => lengths.any(|length| length == significant.len()),
            false => plain.starts_with('+') && lengths.max() == Some(significant.len()),
        };
        if !there_are && !may_be {
            return Err(Unreadable::Length);
        }
        Self::parse(&whole).map_err(|_| Unreadable::Length)
    }
}

/// The library looks only at how a number begins, and how long some of its kind are: in Japan, whatever begins with 120 may be up
/// to seventeen digits long for it.
fn there_are_such(read: &phonenumber::PhoneNumber, countries: &[&Metadata]) -> bool {
    let national = read.national().to_string();
    let fits = |country: &&Metadata| {
        let formats = KINDS.into_iter().filter_map(|kind| country.descriptors().get(kind));
        formats.into_iter().any(|format| format.is_match(&national) && is_whole(format, &national))
    };
    read.is_valid() && countries.iter().any(fits)
}

/// Whether a number of which the beginning is of this format is so to its end.
fn is_whole(format: &Descriptor, national: &str) -> bool {
    let pattern = format.national_number();
    if pattern.find(national).is_some_and(|found| found.end() == national.len()) {
        return true;
    }
    // Of two that begin alike the first is found, which may be the shorter one. It is rare.
    Regex::new(&format!("^(?x:{})$", pattern.as_str())).is_ok_and(|whole| whole.is_match(national))
}

/// Of numbers that call, the most frequent first.
const KINDS: [Type; 9] = [
    Type::Mobile,
    Type::FixedLine,
    Type::TollFree,
    Type::Voip,
    Type::SharedCost,
    Type::PremiumRate,
    Type::PersonalNumber,
    Type::Uan,
    Type::Pager,
];

/// What Ofcom keeps for drama, and the demonstration uses: how it begins, and how long it is. The library knows no such numbers.
const FICTION: (&str, usize) = ("+447700900", 13);

/// The zeros before a number where nothing is dialled before numbers, as in Italy: they belong to it, and the library
/// takes them away.
fn zeros<'a>(plain: &'a str, read: &phonenumber::PhoneNumber) -> &'a str {
    let (code, value) = (read.code().value().to_string(), read.national().value().to_string());
    let before = plain.strip_suffix(&value).unwrap_or_default();
    let without = before.trim_end_matches('0');
    // A country's code may end with a zero itself.
    let own = code.len() - code.trim_end_matches('0').len();
    let zeros = &before[without.len()..];
    if format!("{without}{}", "0".repeat(own)).ends_with(&code) {
        &zeros[own.min(zeros.len())..]
    } else {
        zeros
    }
}

/// Digits and a plus remain; what people put between them is nothing, hyphens of Japanese keyboards among it.
pub(crate) fn plain(sign: char) -> Option<Result<char, Unreadable>> {
    match decimal(sign).unwrap_or(sign) {
        digit @ ('0'..='9' | '+') => Some(Ok(digit)),
        '(' | ')' | '.' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' | '\u{2500}' => None,
        // A telephone's own book copies some of them along.
        _ if sign.is_whitespace() || is_direction(sign) => None,
        _ => Some(Err(Unreadable::Signs)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "what was read is what is tested")]
    fn read(text: &str) -> Result<String, Unreadable> {
        PhoneNumber::written(text, Region::JAPAN).map(|number| number.expose().to_owned())
    }

    #[test]
    fn a_number_at_home_may_be_younger_than_the_metadata_with_its_country_code() {
        assert_eq!(read("+81 11 0123 4567").as_deref(), Ok("+811101234567"));
        assert_eq!(read("011-0123-4567"), Err(Unreadable::Length));
        let in_america = |text| PhoneNumber::written(text, Region::parse("US").unwrap());
        assert!(in_america("+1 457 234 5678").is_ok());
        assert_eq!(in_america("457 234 5678"), Err(Unreadable::Length));
    }

    #[test]
    fn what_the_library_gives_as_an_example_is_a_number() {
        let mut examples = 0;
        for code in 1..1000 {
            let countries = DATABASE.by_code(&code).unwrap_or_default();
            for format in countries
                .iter()
                .flat_map(|country| KINDS.into_iter().filter_map(|kind| country.descriptors().get(kind)))
            {
                let Some(read) =
                    format.example().and_then(|it| phonenumber::parse(None, format!("+{code}{it}")).ok())
                else {
                    continue;
                };
                assert_eq!(there_are_such(&read, &countries), read.is_valid(), "{read:?}");
                examples += 1;
            }
        }
        assert!(examples > 500, "{examples}");
    }

    #[test]
    fn of_two_formats_that_begin_alike_the_longer_one_is_a_number_too() {
        for (text, region) in [("+974 800 609427", "QA"), ("800 419 7887", "PA"), ("01629990", "MM")] {
            let read = PhoneNumber::written(text, Region::parse(region).unwrap());
            assert!(read.is_ok(), "{text}: {read:?}");
        }
    }

    #[test]
    fn a_digit_too_many_is_found_whatever_it_begins_with() {
        assert!(read("0120-123-456").is_ok() && read("0800-123-4567").is_ok());
        for text in ["0120-123-4567", "1-202-555-0143", "120255501433", "0800-123-45678"] {
            assert_eq!(read(text), Err(Unreadable::Length), "{text}");
        }
    }

    #[test]
    fn one_number_in_many_ways() {
        for text in [
            "090-1234-5678",
            "09012345678",
            " 090 1234 5678 ",
            "+81 90 1234 5678",
            "+81-90-1234-5678",
            "+81 (0)90 1234 5678",
            "０９０－１２３４－５６７８",
            "０９０ー１２３４ー５６７８",
            "（０９０）１２３４−５６７８",
            "＋８１　９０　１２３４　５６７８",
            "090.1234.5678",
            "\u{202a}090-1234-5678\u{202c}",
            "\u{2068}+81\u{200e} 90 1234 5678\u{2069}\u{200f}",
        ] {
            assert_eq!(read(text), Ok("+819012345678".to_owned()), "{text}");
        }
        assert_eq!(read("03-1234-5678"), Ok("+81312345678".to_owned()));
        assert_eq!(read("(+44) 7700 900101"), Ok("+447700900101".to_owned()));
        assert_eq!(read("010 1 202 555 0143"), Ok("+12025550143".to_owned()));
        for italian in ["+39 06 1234 5678", "010 39 06 12345678", "+390612345678"] {
            assert_eq!(read(italian), Ok("+390612345678".to_owned()), "{italian}");
        }
        assert_eq!(read("+39 331 234 5678"), Ok("+393312345678".to_owned()));
        assert_eq!(read("+30 21 0123 4567"), Ok("+302101234567".to_owned()), "a code that ends with a zero");
        assert_eq!(read("+225 07 07 12 34 56"), Ok("+2250707123456".to_owned()));
        let roman = PhoneNumber::written("06 1234 5678", Region::parse("IT").unwrap());
        assert_eq!(roman, PhoneNumber::parse("+390612345678").map_err(|_| Unreadable::Empty));
        let american = PhoneNumber::written("(202) 555-0143", Region::parse("us").unwrap());
        assert_eq!(american, PhoneNumber::parse("+12025550143").map_err(|_| Unreadable::Empty));
    }

    #[test]
    fn what_is_none_says_why_and_not_what() {
        for (text, why) in [
            ("", Unreadable::Empty),
            ("  ", Unreadable::Empty),
            ("anonymous", Unreadable::Signs),
            ("1-800-FLOWERS", Unreadable::Signs),
            ("090-1234-5678 内線 5", Unreadable::Signs),
            ("110", Unreadable::Length),
            ("090-1234-567", Unreadable::Length),
            ("090-1234-56789", Unreadable::Length),
            ("+81 90 1234 567", Unreadable::Length),
            ("+81 90 1234 56789", Unreadable::Length),
            ("+1 555 0143", Unreadable::Length),
            ("00447700900101", Unreadable::Length),
            ("+", Unreadable::Length),
            ("03-1234-5678+81", Unreadable::Signs),
            ("+999 1234 5678", Unreadable::Country),
        ] {
            assert_eq!(read(text), Err(why), "{text}");
            assert!(!why.to_string().contains("1234"));
        }
    }

    #[test]
    fn what_is_for_fiction_is_a_number_at_home_and_abroad() {
        for home in ["JP", "GB", "US", "AU"] {
            for number in ["+44 7700 900101", "+1 202 555 0143", "+61 491 570 156"] {
                assert!(
                    PhoneNumber::written(number, Region::parse(home).unwrap()).is_ok(),
                    "{home} {number}"
                );
            }
        }
        let british = |text| PhoneNumber::written(text, Region::parse("GB").unwrap());
        assert_eq!(british("07700 900101"), british("+44 7700 900101"));
        for short in ["07700 90010", "+44 7700 90010", "+44 7700 9001011"] {
            assert_eq!(british(short), Err(Unreadable::Length), "{short}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*|[+0-9 ()ー－-]{0,24}") {
            if let Ok(number) = read(&text) {
                prop_assert_eq!(read(&number), Ok(number.clone()), "what was read reads as itself");
            }
        }

        #[test]
        fn a_japanese_mobile_number_is_one_in_every_way(digits in "[789]0[1-9][0-9]{7}", cuts in any::<u16>()) {
            let cut = |text: &str, sign: &str| -> String {
                text.chars().enumerate().map(|(at, c)| if at > 1 && cuts >> at & 1 == 1 { format!("{sign}{c}") } else { c.to_string() }).collect()
            };
            let wide = |text: &str| -> String {
                text.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect()
            };
            let expected = Ok(format!("+81{digits}"));
            let national = format!("0{digits}");
            for text in [national.clone(), cut(&national, "-"), cut(&national, " "), wide(&national),
                cut(&wide(&national), "ー"), format!("+81{}", cut(&digits, "-")), format!("＋８１ {}", wide(&digits))] {
                prop_assert_eq!(read(&text), expected.clone(), "{}", text);
            }
        }
    }
}
