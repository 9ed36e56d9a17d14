//! Whether a text tells who a customer is.

use unicode_normalization::UnicodeNormalization as _;

/// Shorter parts of a name are in every other sentence.
const SHORTEST_PART: usize = 2;

/// Whether a text holds this id, this name, or a part of the name.
pub(super) fn tells_who(text: &str, id: &str, name: &str) -> bool {
    let (text, id, name) = (plain(text), plain(id), plain(name));
    let parts = name.split(|c: char| !c.is_alphanumeric());
    let parts = parts.filter(|part| part.chars().count() >= SHORTEST_PART);
    [id.as_str(), name.trim()].into_iter().chain(parts).any(|word| holds(&text, word))
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

/// However wide and large it is written.
fn plain(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
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
            ("", "1", "a"),
        ] {
            assert!(!tells_who(text, id, name), "{text}");
        }
    }
}
