//! Whether a text tells who a customer is.

use unicode_normalization::UnicodeNormalization as _;

/// Whether a text holds this id, this name, or a part of the name.
pub(super) fn tells_who(text: &str, id: &str, name: &str) -> bool {
    let (text, id, name) = (plain(text), plain(id), plain(name));
    let parts = name.split(|c: char| !c.is_alphanumeric()).flat_map(parts);
    [id.as_str(), name.trim()].into_iter().chain(parts).any(|word| holds(&text, word))
}

/// What of a word of a name tells whose it is. A Japanese name may be one word: any two of its characters may be the family's
/// name, and one may be all of it. Other words of one sign, and two of a kana, are in every other sentence.
fn parts(word: &str) -> Vec<&str> {
    let signs: Vec<(usize, char)> = word.char_indices().collect();
    let (first, count) = (signs.first(), signs.len());
    if count < 2 {
        return if first.is_some_and(|(_, sign)| is_han(*sign)) { vec![word] } else { vec![] };
    }
    let end = |at: usize| signs.get(at).map_or(word.len(), |(byte, _)| *byte);
    let pairs = (0..count - 1).filter(|at| is_han(signs[*at].1) && is_han(signs[at + 1].1));
    let pairs = pairs.map(|at| &word[signs[at].0..end(at + 2)]);
    let runs = signs.chunk_by(|(_, one), (_, two)| is_kana(*one) == is_kana(*two));
    let kana = runs.filter(|run| run.len() > 2 && is_kana(run[0].1));
    let kana = kana.map(|run| &word[run[0].0..run[run.len() - 1].0 + run[run.len() - 1].1.len_utf8()]);
    std::iter::once(word).chain(pairs).chain(kana).collect()
}

fn is_han(sign: char) -> bool {
    matches!(sign, '々' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_kana(sign: char) -> bool {
    matches!(sign, '\u{3041}'..='\u{30ff}')
}

/// As a word of its own, where words are written apart: in Japanese they are not.
fn holds(text: &str, word: &str) -> bool {
    let together = |a: Option<char>, b: Option<char>| a.is_some_and(is_spaced) && b.is_some_and(is_spaced);
    let (first, last) = (word.chars().next(), word.chars().next_back());
    first.is_some()
        && text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            !together(before, first) && !together(last, after)
        })
}

/// Of a script that writes words apart, as far as that matters.
fn is_spaced(c: char) -> bool {
    c.is_lowercase() || c.is_ascii_digit()
}

/// However wide and large it is written, and in whichever kana.
fn plain(text: &str) -> String {
    let hiragana = |sign| match sign {
        'ァ'..='ヶ' => char::from_u32(u32::from(sign) - 0x60).unwrap_or(sign),
        _ => sign,
    };
    text.nfkc().flat_map(char::to_lowercase).map(hiragana).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_a_part_of_it_and_an_id_tell_who_it_is() {
        for (text, id, name) in [
            ("越井 琢巳 asked", "cm-koshii", "越井 琢巳"),
            ("越井さんの依頼", "cm-koshii", "越井　琢巳"),
            ("asked by KOSHII", "cm-1", "Takumi Koshii"),
            ("Ｋｏｓｈｉｉ's bag", "cm-1", "Koshii, Takumi"),
            ("bag of CM-Koshii", "cm-koshii", "越井 琢巳"),
            ("order 4711", "4711", "越井 琢巳"),
            ("neil called", "cm-oneil", "O'Neil & Sons <K>"),
            ("越井琢巳", "1", "越井琢巳"),
            ("山田さんの忘れ物", "1", "山田太郎"),
            ("太郎さん", "1", "山田太郎"),
            ("林さん", "1", "林 太郎"),
            ("やまだ さん", "1", "ヤマダ　ハナコ"),
            ("佐々木様", "1", "佐々木小次郎"),
            ("ミサキさん", "1", "田中みさき"),
            ("asked by Li", "1", "Li A"),
            ("Ng called", "1", "Wei Ng"),
        ] {
            assert!(tells_who(text, id, name), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_one_does_not() {
        for (text, id, name) in [
            ("the police asked, case A-1", "cm-koshii", "Li A"),
            ("order 47110", "4711", "越井 琢巳"),
            ("& a sign", "cm-oneil", "O'Neil & Sons <K>"),
            ("忘れ物", "cm-koshii", "越井 琢巳"),
            ("お客様のご依頼です", "1", "森の湯"),
            ("サービスの件", "1", "日の出タクシー"),
            ("田んぼの前", "1", "山田太郎"),
            ("みかんの箱", "1", "田中みさき"),
            ("森の中", "1", "森の湯"),
            ("", "1", "a"),
        ] {
            assert!(!tells_who(text, id, name), "{text}");
        }
    }
}
