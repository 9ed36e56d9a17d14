//! Digits in free text, in whatever script: whether there may be a telephone number.

use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// Names, ids and identities have shorter rows of digits: dates, numbers of orders and of staff more often than telephones.
pub const DIGITS_OF_A_NUMBER: usize = 9;

/// Whether so many digits follow each other, in whatever script, with nothing between them that is a word. Two letters are
/// one; a single letter, a sign, a space or a prolonged sound mark (`ー`) separates nothing.
#[must_use]
pub fn holds_a_number(text: &str, digits: usize) -> bool {
    if has_fewer_digits(text, digits) {
        return false;
    }
    let (mut found, mut letters) = (0, 0);
    // Full-width and circled digits and their like become plain ones.
    for c in text.nfkc() {
        if is_digit(c) {
            (found, letters) = (found + 1, 0);
        } else if is_letter(c) {
            letters += 1;
        } else if !is_mark(c) {
            letters = 0;
        }
        if found >= digits {
            return true;
        }
        if letters >= 2 {
            found = 0;
        }
    }
    false
}

/// Whether a text plainly has fewer digits than this, whatever they are counted for. At a glance: it is `false` also where only
/// a closer look can tell.
#[must_use]
pub fn has_fewer_digits(text: &str, digits: usize) -> bool {
    let mut found = 0;
    text.chars().all(|c| {
        found += usize::from(is_digit(c));
        // Of other signs one may stand for several digits.
        found < digits && is_plain(c)
    })
}

/// The digit that this is, from `0` to `9`, in whatever script. Unicode keeps the ten of each together, in their order.
#[must_use]
pub fn decimal(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c);
    }
    let is_one = |c: &char| c.general_category() == GeneralCategory::DecimalNumber;
    let lower = (0..=u32::from(c)).rev().map_while(char::from_u32).take_while(is_one);
    let value = lower.count().checked_sub(1)? % 10;
    char::from_digit(u32::try_from(value).ok()?, 10)
}

/// ASCII, and the letters of Japanese names, all of which NFKC leaves as they are.
fn is_plain(c: char) -> bool {
    matches!(c, '\0'..='\x7f' | '々' | 'ぁ'..='ゖ' | 'ァ'..='ー' | '一'..='\u{9fff}')
}

/// In Japanese a number may be written in words, one a digit.
fn is_digit(c: char) -> bool {
    let words = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    // A look into Unicode's tables takes longer.
    if is_plain(c) { c.is_ascii_digit() || words.contains(&c) } else { c.is_numeric() }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !is_mark(c)
}

/// Belongs to the letter before it, if there is one: an accent, or `ー`.
fn is_mark(c: char) -> bool {
    use GeneralCategory as Is;
    matches!(
        c.general_category(),
        Is::ModifierLetter | Is::NonspacingMark | Is::SpacingMark | Is::EnclosingMark
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sign_that_is_plain_is_a_digit_as_unicode_has_it_or_a_word() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            assert_eq!(is_digit(c), c.is_numeric() || "零一二三四五六七八九".contains(c), "{c}");
        }
    }

    #[test]
    fn a_number_is_one_however_it_is_written() {
        for number in [
            "call 090-1234-5678",
            "+44 7700 900101",
            "０９０１２３４５６７８",
            "０９０ー１２３４ー５６７８",
            "090ーー1234ーー5678",
            "090の1234の5678",
            "090 x 1234 x 5678",
            "(020) 79.46/0958",
            "٠٩٠١٢٣٤",
            "०९०१२३४",
            "⓪⑨⓪①②③④",
            "𝟎𝟗𝟎𝟏𝟐𝟑𝟒",
            "²³⁴⁵⁶⁷⁸",
            "〇九〇の一二三四",
            "0\u{200b}9\u{200d}0\u{301}1\u{202e}234",
            "0️⃣9️⃣0️⃣1️⃣2️⃣3️⃣4️⃣",
            "1a2b3c4d5e6f7",
            "no. 1234567",
            "1234567th",
        ] {
            assert!(holds_a_number(number, 7), "{number}");
        }
        for none in [
            "",
            "123456",
            "12 of 34567",
            "123456ab789",
            "123カード4567",
            "１２３番の４５６番目７",
            "一人で三回、二番目",
        ] {
            assert!(!holds_a_number(none, 7), "{none}");
        }
    }

    #[test]
    fn a_digit_is_one_in_every_script() {
        for digits in [
            "0123456789",
            "٠١٢٣٤٥٦٧٨٩",
            "۰۱۲۳۴۵۶۷۸۹",
            "०१२३४५६७८९",
            "๐๑๒๓๔๕๖๗๘๙",
            "０１２３４５６７８９",
            "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡",
            "𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿",
        ] {
            assert_eq!(
                digits.chars().map(decimal).collect::<Option<String>>().as_deref(),
                Some("0123456789")
            );
        }
        assert_eq!("a²½一〇Ⅳ \u{10ffff}".chars().find_map(decimal), None);
    }

    proptest! {
        #[test]
        fn at_a_glance_no_digit_is_missed(text in "\\PC*|[0-9零一九〇ー越井カa０②⑳㍘-]{0,12}", digits in 1..12_usize) {
            let there = text.nfkc().filter(|c| is_digit(*c)).count();
            prop_assert!(!has_fewer_digits(&text, digits) || there < digits);
        }
    }

    #[test]
    fn most_names_are_told_at_a_glance() {
        for name in
            ["越井 琢巳", "ヤマダ・タロー", "O'Neil & Sons", "cm-koshii", "第三営業部 12", "佐々木 がん"]
        {
            assert!(has_fewer_digits(name, 7), "{name}");
        }
        assert!(!has_fewer_digits("０", 7) && !has_fewer_digits("1234567", 7));
    }
}
