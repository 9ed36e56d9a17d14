//! A file of customers: CSV with a line of headings, `id,name,operator,numbers` and, if wanted, `group` and `note`.
//!
//! All of it is read before anything is kept. A row that is wrong is named by its line, never by what is in it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, Read};

use crate::customer::{NotACustomer, Written};
use crate::{Customer, PhoneNumber, Region};

/// Customers, read whole; each number is one customer's.
#[derive(Debug)]
pub struct Sheet {
    pub(crate) customers: Vec<Customer>,
    /// Numbers that stood in several rows.
    pub shared: Vec<Shared>,
}

/// A number that two rows have: the later one keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The line that had it.
    pub line: u64,
    /// The later line, which keeps it.
    pub later: u64,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// Its first line.
    #[error("line 1: {0}; it should be the headings id,name,operator,numbers and, if wanted, group and note")]
    Headings(String),
    /// Some of its rows.
    #[error("{} of {rows} rows cannot be used, so nothing was imported", .bad.len())]
    Rows {
        /// Those, in order.
        bad: Vec<BadRow>,
        /// All rows.
        rows: u64,
    },
    /// It cannot be read on.
    #[error("the file cannot be read: {0}")]
    Broken(String),
}

/// A row that is wrong.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct BadRow {
    /// Where it begins, counted from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: WhyBad,
}

/// What is wrong with a row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhyBad {
    /// One of its fields.
    #[error(transparent)]
    Customer(#[from] NotACustomer),
    /// Another row is of the same customer.
    #[error("its id is already in line {0}")]
    Twice(u64),
    /// Not as many fields as headings.
    #[error(
        "it has {0} fields where the headings are {1}: put double quotes around a field that has a comma in it, and write each \
         double quote inside it twice"
    )]
    Fields(usize, usize),
    /// A quotation goes on over the end of the line, and takes the rows after it with it.
    #[error("a double quote in it is not closed: close it, or write it twice where it is part of a text")]
    Quote,
    /// Another encoding.
    #[error("it is not in UTF-8: save the file as \"CSV UTF-8\"")]
    Encoding,
}

struct Columns {
    id: usize,
    name: usize,
    operator: usize,
    numbers: usize,
    team: Option<usize>,
    note: Option<usize>,
    /// So many have a heading.
    named: usize,
}

impl Sheet {
    /// Reads a whole file. `each` is called after each row, with the bytes read so far.
    ///
    /// # Errors
    /// It is not what it should be: every row that is wrong is named.
    pub fn read(file: impl Read, region: Region, mut each: impl FnMut(u64)) -> Result<Self, Unfit> {
        // With both kinds of line end lines are counted only so; what remains of the longer one is trimmed. On a line that is
        // blank it is a field, so that fields are counted here. A spreadsheet writes rows that were emptied as commas.
        let mut reader = csv::ReaderBuilder::new()
            .terminator(csv::Terminator::Any(b'\n'))
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(Quotes { file, odd: false });
        let headings = reader.headers().map_err(|error| Unfit::Headings(short(&error)))?;
        let columns = Columns::read(headings)?;
        let (mut sheet, mut bad, mut rows) = (Reading::default(), Vec::new(), 0);
        let (mut row, mut last) = (csv::StringRecord::new(), None);
        loop {
            let line = reader.position().line();
            match reader.read_record(&mut row) {
                Ok(false) => break,
                Ok(true) if row.iter().all(str::is_empty) => {}
                Ok(true) => {
                    rows += 1;
                    let line = row.position().map_or(line, csv::Position::line);
                    let goes_on = row.iter().any(|field| field.contains('\n'));
                    let read = columns.of(&row).and_then(|written| Ok(written.read(region)?));
                    // Numbers may stand in several lines. Line ends at the ends of a field are trimmed.
                    let ends_later = reader.position().line() > line + 1;
                    last = if read.is_ok() { ends_later && !goes_on } else { ends_later || goes_on }
                        .then_some(line);
                    match read {
                        Ok(customer) => bad.extend(sheet.add(line, customer).err()),
                        Err(why) => bad.push(BadRow { line, why }),
                    }
                }
                Err(error) => {
                    rows += 1;
                    let line = error.position().map_or(line, csv::Position::line);
                    bad.push(BadRow { line, why: unreadable(&error)? });
                }
            }
            each(reader.position().byte());
        }
        // One that is never closed takes all that follows, and may end as a note.
        if let Some(line) = last.filter(|_| reader.get_ref().odd) {
            bad.retain(|row| row.line != line);
            bad.push(BadRow { line, why: WhyBad::Quote });
        }
        if bad.is_empty() { Ok(sheet.whole()) } else { Err(Unfit::Rows { bad, rows }) }
    }

    /// One customer.
    #[must_use]
    pub fn of(customer: Customer) -> Self {
        Self { customers: vec![customer], shared: Vec::new() }
    }

    /// How many customers are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.customers.len()
    }

    /// How much an import of it has to do: its customers and their numbers.
    #[must_use]
    pub fn work(&self) -> usize {
        self.customers.iter().map(|customer| 1 + customer.numbers.len()).sum()
    }

    /// Whether nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty()
    }
}

/// A file that tells whether a double quote in it has no fellow.
struct Quotes<R> {
    file: R,
    odd: bool,
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        let quotes = buffer[..read].iter().filter(|byte| **byte == b'"').count();
        self.odd ^= quotes % 2 == 1;
        Ok(read)
    }
}

#[derive(Default)]
struct Reading {
    customers: Vec<(u64, Customer)>,
    lines: HashMap<String, u64>,
    holders: HashMap<PhoneNumber, usize>,
    shared: Vec<Shared>,
}

impl Reading {
    fn add(&mut self, line: u64, customer: Customer) -> Result<(), BadRow> {
        match self.lines.entry(customer.id.clone()) {
            Entry::Occupied(first) => return Err(BadRow { line, why: WhyBad::Twice(*first.get()) }),
            Entry::Vacant(free) => free.insert(line),
        };
        for number in &customer.numbers {
            let Some(holder) = self.holders.insert(number.clone(), self.customers.len()) else { continue };
            let (earlier, loser) = &mut self.customers[holder];
            loser.numbers.retain(|other| other != number);
            self.shared.push(Shared { line: *earlier, later: line });
        }
        self.customers.push((line, customer));
        Ok(())
    }

    fn whole(self) -> Sheet {
        Sheet {
            customers: self.customers.into_iter().map(|(_, customer)| customer).collect(),
            shared: self.shared,
        }
    }
}

impl Columns {
    fn read(headings: &csv::StringRecord) -> Result<Self, Unfit> {
        let named: Vec<String> =
            headings.iter().map(|heading| heading.trim_start_matches('\u{feff}').to_lowercase()).collect();
        let first = named.first().map(String::as_str).unwrap_or_default();
        if named.iter().all(String::is_empty) {
            return Err(Unfit::Headings("there is nothing".to_owned()));
        }
        if first.starts_with("sep=") {
            return Err(Unfit::Headings("it says what separates fields: remove it".to_owned()));
        }
        if named.iter().any(|heading| heading.contains('\r')) {
            let why = "its lines end as on the oldest Macs: save the file as \"CSV UTF-8\"";
            return Err(Unfit::Headings(why.to_owned()));
        }
        if first.contains([';', '\t']) {
            let why = "its fields are not separated by commas: save the file as CSV with commas";
            return Err(Unfit::Headings(why.to_owned()));
        }
        // Spreadsheets write columns that were emptied.
        let last = named.iter().rposition(|heading| !heading.is_empty()).unwrap_or_default();
        let named = &named[..=last];
        let known = ["id", "name", "operator", "numbers", "group", "note"];
        if let Some(at) = named.iter().position(|heading| !known.contains(&heading.as_str())) {
            // It may be a first row without headings, and then it may be a number: it is not repeated.
            return Err(Unfit::Headings(format!("its column {} is none that we know", at + 1)));
        }
        let twice = |(at, heading): &(usize, &String)| named[..*at].contains(heading);
        if let Some((_, heading)) = named.iter().enumerate().find(twice) {
            return Err(Unfit::Headings(format!(
                "there are two columns `{heading}`; several numbers stand in one field, separated by `;`"
            )));
        }
        let place = |name: &str| named.iter().position(|heading| heading == name);
        let needed =
            |name| place(name).ok_or_else(|| Unfit::Headings(format!("there is no column `{name}`")));
        Ok(Self {
            id: needed("id")?,
            name: needed("name")?,
            operator: needed("operator")?,
            numbers: needed("numbers")?,
            team: place("group"),
            note: place("note"),
            named: named.len(),
        })
    }

    fn of<'a>(&self, row: &'a csv::StringRecord) -> Result<Written<'a>, WhyBad> {
        if row.len() < self.named || row.iter().skip(self.named).any(|field| !field.is_empty()) {
            return Err(WhyBad::Fields(row.len(), self.named));
        }
        let field = |at: usize| row.get(at).unwrap_or_default();
        Ok(Written {
            id: field(self.id),
            name: field(self.name),
            operator: field(self.operator),
            numbers: field(self.numbers),
            team: self.team.map_or("", field),
            note: self.note.map_or("", field),
        })
    }
}

fn unreadable(error: &csv::Error) -> Result<WhyBad, Unfit> {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => Ok(WhyBad::Encoding),
        _ => Err(Unfit::Broken(short(error))),
    }
}

/// The library's own sentence may repeat what is in the file.
fn short(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Io(error) => error.to_string(),
        csv::ErrorKind::Utf8 { .. } => "it is not in UTF-8: save the file as \"CSV UTF-8\"".to_owned(),
        _ => "it is not CSV".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Sheet, Unfit> {
        Sheet::read(text, Region::JAPAN, |_| {})
    }

    fn complaints(text: &[u8]) -> Vec<String> {
        let Err(Unfit::Rows { bad, .. }) = read(text) else { panic!("some rows are wrong") };
        bad.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn columns_that_were_emptied_are_passed_over() {
        let text =
            b"id,name,operator,numbers,,\ncm-1,a,user001,03-1234-5678,,\ncm-2,b,user001,03-1234-5679\n";
        assert_eq!(read(text).unwrap().len(), 2);
        let filled = [&text[..], b"cm-3,c,user001,03-1234-5670,,x\n"].concat();
        assert!(complaints(&filled)[0].starts_with("line 4: it has 6 fields where the headings are 4"));
        assert!(matches!(read(b"id,name,,operator,numbers\n"), Err(Unfit::Headings(_))));
    }

    #[test]
    fn a_sheet_is_read_as_people_export_it() {
        let text = "\u{feff}ID, Name ,numbers,operator,note\r\n\
                    cm-1,\"越井, 琢巳\",\"03-1234-5678\n+447700900101\",user001,a note\r\n\
                    cm-2,佐藤 美咲,０９０－１２３４－５６７８,user.2@example,\r\n";
        let sheet = read(text.as_bytes()).unwrap();
        assert_eq!(sheet.len(), 2);
        assert_eq!(
            complaints(&[text.as_bytes(), b"cm-3,,,"].concat())[0],
            "line 5: it has 4 fields where the headings are 5: put double quotes around a field that has a comma in it, and write each double quote inside it twice"
        );
        assert_eq!(sheet.customers[0].name, "越井, 琢巳");
        assert_eq!(sheet.customers[0].numbers.len(), 2);
        assert_eq!(sheet.customers[0].note.as_deref(), Some("a note"));
        assert_eq!(sheet.customers[1].operator.as_str(), "user.2@example");
        assert!(read(b"id,name,operator,numbers\n").unwrap().is_empty());
        for end in ["\n", "\r\n"] {
            let text = [
                "id,name,operator,numbers",
                "",
                "cm-1,a,user001,03-1234-5678",
                ",,,",
                " , ,,,,",
                " ",
                "",
                "",
            ];
            assert_eq!(read(text.join(end).as_bytes()).unwrap().len(), 1, "blank lines are no rows");
        }
    }

    #[test]
    fn every_bad_row_is_named_by_its_line_and_not_by_its_number() {
        let text = b"id,name,operator,numbers\n\
                     cm-1,a,user001,090-1234-5678\n\
                     cm-2,b,user001,090-1234-56\n\
                     cm-3,c,user 1,03-1234-5678\n\
                     cm-1,d,user001,03-1234-5679\n\
                     cm-4,e,user001\n\
                     cm-5,\xff,user001,03-1234-5670\n\
                     cm-6,f,user001,03-1234-5671\n";
        let complaints = complaints(text);
        assert_eq!(complaints.len(), 5, "{complaints:?}");
        assert!(complaints[0].starts_with("line 3: number 1: it is not a valid number"));
        assert!(complaints[1].starts_with("line 4: the operator is not"));
        assert_eq!(complaints[2], "line 5: its id is already in line 2");
        assert!(complaints[3].starts_with("line 6: it has 3 fields where the headings are 4"));
        assert!(complaints[4].starts_with("line 7: it is not in UTF-8"));
        assert!(!complaints.concat().contains("1234"));
        let error = read(text).unwrap_err();
        assert_eq!(error.to_string(), "5 of 7 rows cannot be used, so nothing was imported");
        assert!(!format!("{error:?}").contains("1234"));
    }

    #[test]
    fn a_quote_that_is_not_closed_is_named_where_it_opens() {
        let head = "id,name,operator,numbers,note\n";
        let row = "cm-2,b,user001,03-1234-5679,\n";
        for (opens, line) in [
            ("cm-1,\"a,user001,03-1234-5678,\n", 2),
            ("cm-1,a,user001,03-1234-5678,\"a note\n", 2),
            ("cm-1,\"a\",user001,03-1234-5678,\ncm-3,c,user001,03-1234-5670,\"\n", 3),
        ] {
            let complaints = complaints(format!("{head}{opens}{row}").as_bytes());
            assert!(
                complaints.len() == 1 && complaints[0].starts_with(&format!("line {line}: a double quote"))
            );
        }
        let inches = format!("{head}cm-1,a,user001,03-1234-5678,a 5\" pipe\n{row}");
        assert_eq!(read(inches.as_bytes()).unwrap().len(), 2);
        let lines = "cm-3,c,user001,\"03-1234-5671\n03-1234-5672\",\n";
        assert_eq!(read(format!("{head}{row}{lines}").as_bytes()).unwrap().len(), 2);
        assert_eq!(read(format!("{inches}{lines}").as_bytes()).unwrap().len(), 3);
        // One that is closed, in a row that lacks a field.
        let short = "cm-3,c,user001,\"03-1234-5671\n03-1234-5672\"\n";
        assert!(complaints(format!("{head}{short}").as_bytes())[0].starts_with("line 2: it has 4 fields"));
    }

    #[test]
    fn a_file_without_headings_is_told_so_and_not_repeated() {
        for text in [
            "cm-1,a,user001,090-1234-5678\n",
            "",
            "id;name;operator;numbers\n",
            "id,name,operator\n",
            "id,name,operator,numbers,numbers\n",
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("line 1: ") && error.contains("id,name,operator,numbers"), "{error}");
            assert!(!error.contains("1234"));
        }
    }

    #[test]
    fn a_file_without_anything_is_told_so() {
        for nothing in ["", "\u{feff}", "\r\n\r\n", ",,,\n"] {
            let error = read(nothing.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("line 1: there is nothing; it should be the headings"), "{error}");
        }
    }

    #[test]
    fn a_file_without_commas_is_told_so() {
        let rest = "cm-1;a;user001;090-1234-5678\n";
        for (first, mend) in [
            ("id;name;operator;numbers", "save the file as CSV with commas"),
            ("id\tname\toperator\tnumbers", "save the file as CSV with commas"),
            ("cm-1;a;user001;090-1234-5678", "save the file as CSV with commas"),
            ("id,name,operator,numbers\rcm-1,a,user001,090-1234-5678\r", "oldest Macs"),
            ("sep=,", "remove it"),
            ("sep=;", "remove it"),
        ] {
            let error = read(format!("{first}\n{rest}").as_bytes()).unwrap_err().to_string();
            assert!(error.contains(mend) && !error.contains("1234"), "{error}");
        }
    }

    #[test]
    fn a_number_of_two_rows_is_the_later_ones() {
        let text = "id,name,operator,numbers\n\
                    cm-1,a,user001,03-1234-5678;090-1234-5678\n\
                    cm-2,b,user002,+81 3 1234 5678\n";
        let sheet = read(text.as_bytes()).unwrap();
        assert_eq!(sheet.shared, [Shared { line: 2, later: 3 }]);
        assert_eq!(sheet.customers[0].numbers.len(), 1);
        assert_eq!(sheet.customers[1].numbers.len(), 1);
    }
}
