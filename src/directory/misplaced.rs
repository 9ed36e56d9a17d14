//! Telephone numbers where none belong: in notes and in ids, as far as they can be told from dates, parcels and rows of digits.

use std::borrow::Cow;

use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, Type};
use records::digits::{DIGITS_OF_A_NUMBER, decimal, has_fewer_digits};
use unicode_normalization::UnicodeNormalization as _;

use crate::written::plain;
use crate::{PhoneNumber, Region};

/// Whether somebody has put a number into a note. There are dates, times, postal codes and the numbers of parcels in notes too,
/// so that it must look like one of this region, or have its country's code; it may have spaces in it, and other numbers
/// before or after it.
pub(crate) fn is_in_note(note: &str, region: Region) -> bool {
    if has_fewer_digits(note, DIGITS_OF_A_NUMBER) {
        return false;
    }
    let note: String = note.nfkc().collect();
    let broken = |sign: char| matches!(plain(sign), Some(Err(_)));
    note.split(broken).any(|run| {
        let words: Vec<&str> = run.split_whitespace().collect();
        (0..words.len()).any(|from| begins_with_number(&words[from..], region))
    })
}

fn begins_with_number(words: &[&str], region: Region) -> bool {
    let (mut text, mut digits) = (String::new(), 0);
    for word in words {
        text += word;
        digits += word.chars().filter_map(decimal).count();
        if digits > MOST_DIGITS {
            return false;
        }
        if digits >= DIGITS_OF_A_NUMBER && is_number_in_text(&text, region) {
            return true;
        }
    }
    false
}

/// Where numbers at home begin with a zero, one that does not is something else.
fn is_number_in_text(text: &str, region: Region) -> bool {
    let text = text.trim_start_matches(|sign: char| decimal(sign).is_none() && !"+(".contains(sign));
    let home = DATABASE.by_id(region.0.as_ref());
    let zero = home.is_some_and(|home| home.national_prefix() == Some("0"));
    is_a_number(text, region) || (!zero && PhoneNumber::written(text, region).is_ok())
}

/// The shortest numbers that there are.
const FEWEST_DIGITS: usize = 7;
/// With what is dialled before it, from abroad or at home.
const MOST_DIGITS: usize = 19;

/// Whether there is a telephone number in an id, as far as that can be told: many an id is nothing but digits, and some are
/// random digits and letters. A whole id is one as people write numbers here, and whatever has its plus; behind a word only
/// a mobile telephone's number of this region is, since customers are counted in rows of digits behind a letter too.
pub(crate) fn has_a_number(id: &str, region: Region) -> bool {
    if has_fewer_digits(id, FEWEST_DIGITS) {
        return false;
    }
    let id: String =
        id.nfkc().map(|sign| decimal(sign).unwrap_or(if sign == '_' { '-' } else { sign })).collect();
    is_whole_number(&id, region)
        || runs(&id).any(|(before, text, after)| {
            let word = text.split(|sign: char| !sign.is_ascii_digit()).next().unwrap_or_default();
            let begins = !before.ends_with(char::is_alphanumeric) || before.chars().all(char::is_alphabetic);
            let alone = begins && !before.contains(|sign: char| sign.is_ascii_digit());
            text.match_indices('+').any(|(at, _)| begins_with_plus(&text[at..], region))
                || alone && !after.starts_with(char::is_alphanumeric) && is_mobile(text, region)
                || alone && is_mobile(word, region)
        })
}

/// Whether an id is a telephone number and nothing else.
pub(crate) fn is_whole_number(id: &str, region: Region) -> bool {
    let id: Cow<'_, str> = if id.is_ascii() { id.into() } else { id.nfkc().collect() };
    let id = id.trim_start();
    let id = id.strip_prefix("tel:").unwrap_or(id);
    // Noughts before a row of digits are what makes ids equally long, also where many dial them to reach another country.
    if id.starts_with("00") { is_dialled_abroad(id, region) } else { is_a_number(id, region) }
}

/// Whether this is a number from its plus on, perhaps with something short behind it.
fn begins_with_plus(text: &str, region: Region) -> bool {
    let ends = text.match_indices(['-', ' ', '.']).map(|(at, _)| at).chain([text.len()]);
    ends.map(|end| &text[..end]).any(|number| {
        !has_fewer_digits(number, FEWEST_DIGITS) && PhoneNumber::written(number, region).is_ok()
    })
}

/// Whether this is a mobile telephone's number of this region, with its zero or its country's code: in one row of digits, or in
/// the groups in which people write it. Dates are in others.
fn is_mobile(text: &str, region: Region) -> bool {
    if text.starts_with("00") || has_fewer_digits(text, DIGITS_OF_A_NUMBER) || !is_a_number(text, region) {
        return false;
    }
    let at_home = text.starts_with(['0', '(']);
    let written = if at_home { text.to_owned() } else { format!("+{text}") };
    phonenumber::parse(Some(region.0), written).is_ok_and(|read| {
        let mode = if at_home { Mode::National } else { Mode::International };
        let shape = groups(text);
        read.number_type(&DATABASE) == Type::Mobile
            && (shape.len() == 1 || shape == groups(&read.format().mode(mode).to_string()))
    })
}

/// How many digits stand together.
fn groups(text: &str) -> Vec<usize> {
    let groups = text.split(|sign: char| !sign.is_ascii_digit());
    groups.map(str::len).filter(|length| *length > 0).collect()
}

/// What might be a number, with what is before and after it.
fn runs(id: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let broken = |sign: char| matches!(plain(sign), Some(Err(_)));
    let mut end = 0;
    id.split_inclusive(broken).filter_map(move |run| {
        let start = end;
        end += run.len();
        let first = run.find(|sign: char| sign.is_ascii_digit() || "+(".contains(sign))?;
        let last = run.rfind(|sign: char| sign.is_ascii_digit())?;
        let text = run.get(first..=last)?;
        Some((&id[..start + first], text, &id[start + first + text.len()..]))
    })
}

/// Whether a text is a telephone number, as far as that can be told of digits: without a plus only if it is one of this region.
fn is_a_number(text: &str, region: Region) -> bool {
    if text.starts_with(['0', '+', '(']) {
        return PhoneNumber::written(text, region).is_ok();
    }
    text.starts_with(|sign: char| sign.is_ascii_digit())
        && DATABASE
            .by_id(region.0.as_ref())
            .is_some_and(|home| text.starts_with(&home.country_code().to_string()))
        && phonenumber::parse(None, format!("+{text}")).is_ok_and(|read| read.is_valid())
        && PhoneNumber::written(&format!("+{text}"), region).is_ok()
}

/// Whether this is what many dial to reach another country, in groups: a plain row of digits with noughts before it is an id.
fn is_dialled_abroad(text: &str, region: Region) -> bool {
    let Some(abroad) = text.strip_prefix("00").filter(|rest| rest.contains([' ', '-'])) else { return false };
    let abroad = format!("+{abroad}");
    phonenumber::parse(None, &abroad).is_ok_and(|read| read.is_valid())
        && PhoneNumber::written(&abroad, region).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_a_note_is_told_from_what_else_has_digits() {
        let is_in = |note| is_in_note(note, Region::JAPAN);
        for note in [
            "または 090-1234-5678",
            "or ０９０ー８７６５ー４３２１",
            "登録 2026-11-26 090 1234 5678",
            "自宅(03-1234-5678)",
            "tel:+44 7700 900101, 10:30",
            "03-1234-5678/090-1234-5678",
            "0312345678 1234567890123456",
            "819012345678",
        ] {
            assert!(is_in(note), "{note}");
        }
        for note in [
            "登録 2026-11-26 10:30",
            "集荷 9:00-12:00 13:00-17:00",
            "東京都港区1-2-3-405 〒100-0001",
            "伝票 1234-5678-9012",
            "09:00-12:00/13:00-17:00",
            "no. 0000000012 1000000012",
            "",
        ] {
            assert!(!is_in(note), "{note}");
        }
        assert!(is_in_note("call (202) 555-0143", Region::parse("US").unwrap()));
        assert!(!is_in_note("since 11/26/2026 10:30", Region::parse("US").unwrap()));
    }

    #[test]
    fn an_id_of_digits_is_not_always_a_number() {
        for number in [
            "090-1234-5678",
            "０３ー１２３４ー５６７８",
            "+44 7700 900101",
            "(03) 1234 5678",
            "tel:+81-3-1234-5678",
            "819012345678",
            "81-3-1234-5678",
        ] {
            assert!(has_a_number(number, Region::JAPAN), "{number}");
        }
        for id in [
            "cm-koshii",
            "1000000012",
            "0000000012",
            "2026-11-22",
            "00001",
            "user001",
            "81",
            "8100000000",
            "811234567890123",
        ] {
            assert!(!has_a_number(id, Region::JAPAN), "{id}");
        }
    }

    #[test]
    fn a_number_is_one_in_an_id_too() {
        for number in [
            "cm-+819099998888",
            "cm-+819099998888-2",
            "cm-09099998888",
            "tel=+44 7700 900199",
            "+44 7700 900199-1",
            "a1b2+44 7700 900199c3",
            "phone:090-9999-8888",
            "cm_090_9999_8888",
            "c09099998888",
            "u819099998888",
            "cm-819099998888",
            "x +1 202 555 0143",
            "sip:+819099998888@x",
            "09099998888-2",
            "0044 20 7946 0958",
            "تلفن ٠٩٠٩٩٩٩٨٨٨٨",
        ] {
            assert!(has_a_number(number, Region::JAPAN), "{number}");
        }
    }

    #[test]
    fn what_companies_count_with_is_no_number() {
        let is_one = |id: &str, region| has_a_number(id, Region::parse(region).unwrap());
        for (id, region) in [
            ("cm-2026-0101", "JP"),
            ("2026-11-22-00001", "JP"),
            ("c0000012345", "JP"),
            ("c0312345678", "JP"),
            ("cm-1000000012", "JP"),
            ("447700900199", "JP"),
            ("212-664-7665", "US"),
            ("C-212-664-7665", "US"),
            ("2026-123456", "US"),
            ("m08946057@firma.de", "DE"),
            ("P02670323", "DE"),
            ("C-0841-3552", "DE"),
            ("C0063804194", "GB"),
            ("KD-0040144485", "FR"),
            ("799-746-853", "PL"),
            ("C-320-563-3022", "IT"),
            ("C-22112026-001", "DE"),
            ("C-07062024-123", "JP"),
            ("0012345678", "GB"),
            ("C0012345678", "FR"),
            ("C-06501234", "AT"),
            ("20550123", "DK"),
            // Random, and some have a row of digits like a number in them.
            ("1f09099998888a", "JP"),
            ("03721648-f7f2-4711-8dfa-af4285b8eb4f", "DE"),
            ("5f0c3b1a-8190-4999-9888-819099998888", "JP"),
            ("01J9ZQ09099998888ABCDEFGHJ", "JP"),
        ] {
            assert!(!is_one(id, region), "{id} {region}");
        }
    }
}
