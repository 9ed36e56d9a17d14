//! Columns for a terminal, as wide as they need be.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};
use unicode_width::UnicodeWidthStr as _;

/// Text as it may be written to a terminal: what would steer it, or change how its neighbours read, is shown by number.
pub(crate) fn printable(text: &str) -> String {
    use GeneralCategory as Is;
    let obeyed = |c: char| {
        let joins = c == '\u{200d}';
        let kind = c.general_category();
        !joins && matches!(kind, Is::Control | Is::Format | Is::LineSeparator | Is::ParagraphSeparator)
    };
    let shown = |c: char| if obeyed(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// One word of a shell, whatever is in it; printable.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", printable(&text.replace('\'', r"'\''")))
}

/// Lines of text in columns, the first of which are headings. Wide letters take two places.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
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
    fn nothing_that_a_terminal_obeys_is_written_to_it() {
        let rows = [vec!["a\u{1b}[2J\nb".to_owned(), "x\u{202e}y\u{9b}".to_owned()]];
        assert_eq!(table(&rows), r"a\u{1b}[2J\u{a}b  x\u{202e}y\u{9b}");
        for fine in ["越井 琢巳", "👩\u{200d}🔧", "❤\u{fe0f}", "é"] {
            assert_eq!(printable(fine), fine);
        }
        assert_eq!(quoted("o'neil; rm"), r"'o'\''neil; rm'");
    }

    #[test]
    fn a_time_is_read_in_utc() {
        assert_eq!(time(1_800_000_000_123), "2027-01-15T08:00:00Z");
        assert_eq!(time(None), "");
    }
}
