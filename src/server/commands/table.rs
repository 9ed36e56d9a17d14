//! Columns for a terminal, as wide as they need be.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use unicode_width::UnicodeWidthStr as _;

/// Lines of text in columns, the first of which are headings. Wide letters take two places.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A time, as people and programs read it, in UTC; empty if there is none.
pub(crate) fn time(millis: impl Into<Option<domain::Millis>>) -> String {
    let Some(millis) = millis.into() else { return String::new() };
    let seconds = i64::try_from(millis / 1000).unwrap_or_default();
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_take_two_places() {
        let rows = [["id", "name", "x"], ["a", "越井 琢巳", "1"], ["bcd", "é", "2"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "id   name       x\na    越井 琢巳  1\nbcd  é          2");
    }

    #[test]
    fn a_time_is_read_in_utc() {
        assert_eq!(time(1_800_000_000_123), "2027-01-15T08:00:00Z");
        assert_eq!(time(None), "");
    }
}
