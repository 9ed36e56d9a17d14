//! A customer, as people write one down.

use std::borrow::Cow;

use domain::Identity;
use records::digits::{DIGITS_OF_A_NUMBER, holds_a_number};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

use crate::found::tells;
use crate::misplaced::{has_a_number, is_in_note, is_whole_number};
use crate::{PhoneNumber, Region, Unreadable};

/// A customer: who they are, and who looks after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// In the company's own terms.
    pub id: String,
    /// What the operator sees.
    pub name: String,
    /// Who looks after them (`appId`).
    pub operator: Identity,
    /// The group that they belong to.
    pub team: Option<String>,
    /// For those who keep the directory; no operator sees it.
    pub note: Option<String>,
    /// Where they call from; each only once.
    pub numbers: Vec<PhoneNumber>,
}

/// What people write of a customer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written<'a> {
    /// See [`Customer::id`].
    pub id: &'a str,
    /// See [`Customer::name`].
    pub name: &'a str,
    /// See [`Customer::operator`].
    pub operator: &'a str,
    /// See [`Customer::team`].
    pub team: &'a str,
    /// See [`Customer::note`].
    pub note: &'a str,
    /// As they are written, separated by `;`, `/`, `|` or `、`, in whatever width; a `/` may also be a part of one.
    pub numbers: &'a str,
}

/// Why something is no customer. No number is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACustomer {
    /// A field that must be there is not.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// A field is too long.
    #[error("the {0} is longer than {1} characters")]
    Long(&'static str, usize),
    /// A field has signs that no name has.
    #[error("the {0} has control characters in it, such as a line break, or signs that are not seen")]
    Control(&'static str),
    /// The operator's identity is none.
    #[error("the operator is not 1 to 64 letters, digits, `_`, `-`, `.` or `@`")]
    Operator,
    /// A number is none.
    #[error("number {0}: {1}")]
    Number(usize, Unreadable),
    /// A telephone number where none is looked for.
    #[error(
        "the {0} holds a telephone number: those belong to the numbers, where they are sealed and no operator sees them"
    )]
    Holds(&'static str),
    /// What operators see would show the number.
    #[error("the {0} holds the customer's own number, which would be seen there")]
    Tells(&'static str),
}

const SEPARATORS: [char; 6] = [';', '|', '\n', '；', '｜', '、'];
const SLASHES: [char; 2] = ['/', '／'];
pub(crate) const LONGEST: usize = 120;
const LONGEST_NOTE: usize = 2000;

impl Written<'_> {
    /// Reads it; numbers without a country code are of this region.
    ///
    /// # Errors
    /// The first field that is not what it should be.
    pub fn read(&self, region: Region) -> Result<Customer, NotACustomer> {
        let id = text("id", self.id, LONGEST)?.ok_or(NotACustomer::Missing("id"))?;
        let name = text("name", self.name, LONGEST)?.ok_or(NotACustomer::Missing("name"))?;
        if self.operator.trim().is_empty() {
            return Err(NotACustomer::Missing("operator"));
        }
        let operator = Identity::parse(self.operator).map_err(|_| NotACustomer::Operator)?;
        let team = text("group", self.team, LONGEST)?;
        let note = text("note", self.note, LONGEST_NOTE)?;
        let mut numbers = Vec::new();
        for (at, number) in separated(self.numbers, region).enumerate() {
            let number =
                PhoneNumber::written(&number, region).map_err(|why| NotACustomer::Number(at + 1, why))?;
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        if numbers.is_empty() {
            return Err(NotACustomer::Missing("number"));
        }
        let customer = Customer { id, name, operator, team, note, numbers };
        if let Some(field) = customer.holds_a_number(region) {
            return Err(NotACustomer::Holds(field));
        }
        if has_a_number(&customer.id, region) {
            return Err(NotACustomer::Holds("id"));
        }
        may_look_after(&customer.operator, &customer.numbers, region)?;
        customer.told().map_or(Ok(customer), |field| Err(NotACustomer::Tells(field)))
    }
}

/// Numbers as they are written. In Germany and Austria a slash is between an area's code and the rest: it separates where there is
/// a space beside it, or where each side is a number by itself.
fn separated(numbers: &str, region: Region) -> impl Iterator<Item = Cow<'_, str>> {
    let pieces = numbers.split(SEPARATORS).flat_map(apart).flat_map(move |piece| {
        let is_one = |text: &str| PhoneNumber::written(text, region).is_ok();
        let whole = piece.replace(SLASHES, " ");
        if piece.contains(SLASHES) && !piece.split(SLASHES).all(is_one) && is_one(&whole) {
            vec![Cow::Owned(whole)]
        } else {
            piece.split(SLASHES).map(Cow::Borrowed).collect()
        }
    });
    pieces.filter(|number| !number.trim().is_empty())
}

/// What is separated by slashes with a space beside them.
fn apart(numbers: &str) -> Vec<&str> {
    let separates = |(at, slash): &(usize, &str)| {
        let (before, after) = (&numbers[..*at], &numbers[at + slash.len()..]);
        before.ends_with(char::is_whitespace) || after.starts_with(char::is_whitespace)
    };
    let (mut pieces, mut start) = (vec![], 0);
    for (at, slash) in numbers.match_indices(SLASHES).filter(separates) {
        pieces.push(&numbers[start..at]);
        start = at + slash.len();
    }
    pieces.push(&numbers[start..]);
    pieces
}

impl Customer {
    /// The field of free text in which somebody has put a number; ids have as many digits as they like.
    fn holds_a_number(&self, region: Region) -> Option<&'static str> {
        let holds = |text: &str| holds_a_number(text, DIGITS_OF_A_NUMBER);
        let seen = [("name", self.name.as_str()), ("group", self.team.as_deref().unwrap_or_default())];
        // No operator sees a note: it need only keep numbers where they are found.
        let note = self.note.as_deref().is_some_and(|note| is_in_note(note, region)).then_some("note");
        seen.into_iter().find_map(|(field, text)| holds(text).then_some(field)).or(note)
    }

    /// The field that would tell somebody a number of this customer.
    fn told(&self) -> Option<&'static str> {
        let team = self.team.as_deref().unwrap_or_default();
        // The note too: it is shown at a shell, where only a reveal shows a number.
        let note = self.note.as_deref().unwrap_or_default();
        let seen = [("id", self.id.as_str()), ("name", &self.name), ("group", team), ("note", note)];
        let tells = |text: &str| self.numbers.iter().any(|number| tells(text, number));
        seen.into_iter().find_map(|(field, text)| tells(text).then_some(field))
    }
}

/// Holds an operator's identity, which is in audit entries and on its way to a browser, against a customer's numbers.
pub(crate) fn may_look_after(
    operator: &Identity,
    numbers: &[PhoneNumber],
    region: Region,
) -> Result<(), NotACustomer> {
    if is_whole_number(operator.as_str(), region) {
        return Err(NotACustomer::Holds("operator"));
    }
    if numbers.iter().any(|number| tells(operator.as_str(), number)) {
        return Err(NotACustomer::Tells("operator"));
    }
    Ok(())
}

/// What turns the direction of a text around, or is not seen: two names could look the same, or one like another. What joins
/// pictures into one is seen.
pub(crate) fn is_direction(sign: char) -> bool {
    use GeneralCategory as Is;
    let joins = sign == '\u{200d}';
    !joins && matches!(sign.general_category(), Is::Format | Is::LineSeparator | Is::ParagraphSeparator)
}

fn text(field: &'static str, text: &str, longest: usize) -> Result<Option<String>, NotACustomer> {
    let text = text.trim();
    if text.chars().count() > longest {
        return Err(NotACustomer::Long(field, longest));
    }
    // Persian writes it between two letters; ids that look alike are to be the same.
    let joined = |sign| field != "id" && sign == '\u{200c}';
    if text.chars().any(|sign| sign.is_control() || is_direction(sign) && !joined(sign)) {
        return Err(NotACustomer::Control(field));
    }
    Ok(Some(text).filter(|text| !text.is_empty()).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KOSHII: Written<'_> = Written {
        id: "cm-koshii",
        name: "越井 琢巳",
        operator: "user001",
        team: "",
        note: " ",
        numbers: "+44 7700 900101",
    };

    fn why(written: Written<'_>) -> String {
        written.read(Region::JAPAN).unwrap_err().to_string()
    }

    #[test]
    fn a_number_in_two_formats_is_one() {
        let numbers = "+44 7700 900101; 03-1234-5678 / ０３ー１２３４ー５６７８|(+44) 7700-900-101；0312345678、03 1234 5678";
        let customer = Written { numbers, ..KOSHII }.read(Region::JAPAN).unwrap();
        assert_eq!(customer.numbers.len(), 2);
        assert_eq!((customer.team, customer.note), (None, None));
    }

    #[test]
    fn a_slash_is_between_two_numbers_or_in_one() {
        let count = |numbers, region| {
            let customer = Written { numbers, ..KOSHII }.read(Region::parse(region).unwrap());
            customer.map(|customer| customer.numbers.len())
        };
        assert_eq!(count("030/901820; +49 (0)30/901821", "DE"), Ok(2));
        for two in [
            "030/901820 / 030/901821",
            "030/901820 ／ 030/901821",
            "030/901820\u{3000}/\u{3000}030/901821",
            "030/901820 /030/901821",
        ] {
            assert_eq!(count(two, "DE"), Ok(2), "{two}");
        }
        for (two, region) in
            [("030 1234/040 1234", "DE"), ("01 53115/01 71100", "AT"), ("02 1234/02 5678", "IT")]
        {
            let alone =
                two.split('/').all(|one| PhoneNumber::written(one, Region::parse(region).unwrap()).is_ok());
            assert!(!alone || count(two, region) == Ok(2), "{two}");
        }
        assert_eq!(count("03-1234-5678/03-1234-5679", "JP"), Ok(2));
        assert_eq!(
            count("030/901820/030/901821", "DE").unwrap_err(),
            NotACustomer::Number(1, Unreadable::Length)
        );
    }

    #[test]
    fn what_is_wrong_is_named_without_the_number() {
        assert_eq!(why(Written { id: " ", ..KOSHII }), "there is no id");
        assert_eq!(why(Written { operator: "", ..KOSHII }), "there is no operator");
        assert!(why(Written { operator: "a b", ..KOSHII }).starts_with("the operator is not"));
        assert_eq!(why(Written { numbers: " ; ", ..KOSHII }), "there is no number");
        let short = Written { numbers: "03-1234-5678; 03-1234", ..KOSHII };
        assert!(why(short).starts_with("number 2: it is not a valid number"));
        assert_eq!(
            why(Written { name: "a\u{0}b", ..KOSHII }),
            "the name has control characters in it, such as a line break, or signs that are not seen"
        );
        assert!(why(Written { note: "a\u{202e}b", ..KOSHII }).starts_with("the note has control characters"));
        for unseen in ['\u{61c}', '\u{ad}', '\u{2028}', '\u{202e}', '\u{feff}'] {
            let (id, name) = (format!("cm{unseen}-1"), format!("越井{unseen} 琢巳"));
            assert!(why(Written { id: &id, ..KOSHII }).starts_with("the id has control"), "{unseen:?}");
            assert!(why(Written { name: &name, ..KOSHII }).starts_with("the name has control"), "{unseen:?}");
        }
        assert!(why(Written { id: "cm\u{200c}1", ..KOSHII }).starts_with("the id has control"));
        assert!(Written { name: "علی\u{200c}رضا", ..KOSHII }.read(Region::JAPAN).is_ok());
        let picture = Written { name: "👩\u{200d}🔧 ❤\u{fe0f}", ..KOSHII };
        assert!(picture.read(Region::JAPAN).is_ok());
        let long = "越".repeat(121);
        assert_eq!(why(Written { name: &long, ..KOSHII }), "the name is longer than 120 characters");
        for (field, written) in [
            ("name", Written { name: "07700 900101", ..KOSHII }),
            ("id", Written { id: "090-9999-8888", ..KOSHII }),
            ("operator", Written { operator: "090-9999-7777", ..KOSHII }),
            ("note", Written { note: "or ０９０ー８７６５ー４３２１", ..KOSHII }),
            ("group", Written { team: "ｏｒ 090ｰ8765ｰ4321", ..KOSHII }),
            ("note", Written { note: "or ０９０－８７６５－４３２１", ..KOSHII }),
            ("note", Written { note: "back on 07700 900101 after six", ..KOSHII }),
            ("note", Written { note: "07700_900_101", ..KOSHII }),
            ("id", Written { id: "cm-447700900101", ..KOSHII }),
            ("group", Written { team: "０７７００９００１０１", ..KOSHII }),
        ] {
            assert!(why(written).starts_with(&format!("the {field} holds")));
        }
    }
}
