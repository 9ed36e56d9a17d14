//! The numbers that tests let call, and how one is found wherever it should not be.

/// The significant digits of each.
const DIGITS: [&str; 3] = ["7700900101", "2025550143", "7700900199"];

/// However the number is written, in half or full width: only its digits count.
pub(crate) fn holds_a_number(text: &str) -> bool {
    let digits: String = text.chars().filter_map(digit).collect();
    DIGITS.iter().any(|number| digits.contains(number))
}

fn digit(c: char) -> Option<char> {
    let digit =
        c.to_digit(10).or_else(|| u32::from(c).checked_sub(u32::from('０')).filter(|digit| *digit < 10));
    digit.and_then(|digit| char::from_digit(digit, 10))
}

#[test]
fn a_number_would_be_found() {
    for line in [
        "From=%2B447700900101",
        "asked for (202) 555-0143",
        r#"{"from":"+44 7700 900199"}"#,
        "０７７００９００１０１",
        "7.7\\0 0-9/0\n0 1'0\"1",
    ] {
        assert!(holds_a_number(line), "{line}");
    }
    assert!(!holds_a_number("2026-11-22T19:22:02.413650Z call_sid=CA00 outcome=dial took_us=22"));
}
