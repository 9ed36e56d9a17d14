//! The languages in which the console speaks: Japanese first.
//!
//! Invariant: a language chosen on the page wins over what the browser asks for; the server reads the cookie and then
//! `Accept-Language`, so that the first page that it sends is already in the right language.

use serde::{Deserialize, Serialize};

/// The cookie that remembers the operator's choice.
pub const COOKIE: &str = "lang";

/// A language of the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// 日本語
    #[default]
    Ja,
    /// English
    En,
}

impl Language {
    /// Every language, in the order of the switch.
    pub const ALL: [Self; 2] = [Self::Ja, Self::En];

    /// The language's BCP 47 tag, as the cookie and `<html lang>` have it.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    /// The language's own name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ja => "日本語",
            Self::En => "English",
        }
    }

    /// The language of a tag such as `ja`, `en-GB` or `JA_jp`; `None` for one in which the console does not speak.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    /// The language that an `Accept-Language` header prefers: the highest `q` that the console speaks, the first of equals,
    /// Japanese when there is none.
    #[must_use]
    pub fn preferred(accept_language: &str) -> Self {
        let mut best = (0.0, Self::default());
        for range in accept_language.split(',') {
            let mut parts = range.split(';');
            let Some(language) = parts.next().and_then(Self::of_tag) else { continue };
            let weight =
                parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok());
            if let Some(weight) = weight.filter(|weight| *weight > best.0) {
                best = (weight, language);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_the_language_that_it_prefers_among_ours() {
        for (header, language) in [
            ("", Language::Ja),
            ("en", Language::En),
            ("en-US,en;q=0.9,ja;q=0.8", Language::En),
            ("ja-JP,ja;q=0.9,en;q=0.8", Language::Ja),
            ("fr-FR,fr;q=0.9,en;q=0.7", Language::En),
            ("en;q=0.5, ja;q=0.6", Language::Ja),
            ("fr, de;q=0.3", Language::Ja),
            ("en;q=0", Language::Ja),
            ("en;q=nonsense,*", Language::Ja),
        ] {
            assert_eq!(Language::preferred(header), language, "{header:?}");
        }
    }

    #[test]
    fn a_tag_is_read_back() {
        for language in Language::ALL {
            assert_eq!(Language::of_tag(language.tag()), Some(language));
        }
        assert_eq!(Language::of_tag("JA_jp"), Some(Language::Ja));
        assert_eq!(Language::of_tag("jam"), None);
    }
}
