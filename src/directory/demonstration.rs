//! The directory of a rehearsal: a handful of people, whose numbers come from ranges reserved for fiction.
//!
//! +44 7700 900000–900999 (Ofcom, for drama), +1 202 555 0100–0199 (for fiction) and +61 491 570 156 (ACMA, for fiction)
//! never ring anybody.

use domain::Identity;

use crate::{Customer, Entry, PhoneNumber, Sheet};

/// A person who can call in a rehearsal.
#[derive(Clone, Debug)]
pub struct Person {
    /// What the customer's phone calls them.
    pub label: String,
    /// The number that they call from.
    pub number: PhoneNumber,
    /// Who they are to the company.
    pub entry: Entry,
}

/// The demonstration directory.
#[derive(Clone, Debug)]
pub struct Demonstration {
    people: Vec<Person>,
}

impl Demonstration {
    /// The article's customer, and several others.
    #[must_use]
    pub fn new() -> Self {
        let people = [
            ("+447700900101", "越井 琢巳", "user001", "cm-koshii"),
            ("+447700900102", "佐藤 美咲", "user001", "cm-sato"),
            ("+12025550143", "O'Neil & Sons <K>", "user001", "cm-oneil"),
            ("+447700900104", "鈴木 一郎", "user002", "cm-suzuki"),
            ("+61491570156", "María José 🌸", "user002", "cm-maria"),
        ];
        Self { people: people.into_iter().filter_map(person).collect() }
    }

    /// Everybody, as customers.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let customer = |person: &Person| Customer {
            id: person.entry.customer_id.clone().unwrap_or_default(),
            name: person.label.clone(),
            operator: person.entry.operator.clone(),
            team: None,
            note: None,
            numbers: vec![person.number.clone()],
        };
        Sheet { customers: self.people.iter().map(customer).collect(), shared: Vec::new() }
    }

    /// Everybody who can call.
    #[must_use]
    pub fn people(&self) -> &[Person] {
        &self.people
    }
}

impl Default for Demonstration {
    fn default() -> Self {
        Self::new()
    }
}

fn person((number, name, operator, id): (&str, &str, &str, &str)) -> Option<Person> {
    let entry = Entry {
        operator: Identity::parse(operator).ok()?,
        customer_name: Some(name.to_owned()),
        customer_id: Some(id.to_owned()),
    };
    Some(Person { label: name.to_owned(), number: PhoneNumber::parse(number).ok()?, entry })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_knows_the_articles_customer() {
        let directory = Demonstration::new();
        assert_eq!(directory.people().len(), 5);
        let number = PhoneNumber::parse("+447700900101").unwrap();
        let found = &directory.people().iter().find(|person| person.number == number).unwrap().entry;
        assert_eq!(found.operator.as_str(), "user001");
        assert_eq!(found.customer_name.as_deref(), Some("越井 琢巳"));
        assert_eq!(found.customer_id.as_deref(), Some("cm-koshii"));
        assert_eq!(directory.sheet().len(), 5);
    }
}
