//! Times as the operator reads them: the wall clock of their own machine, and durations.
//!
//! Invariant: nothing here asks what time it is; every time comes from the telephone.

use domain::Millis;

/// A duration as `mm:ss`, or `h:mm:ss` from an hour on.
pub(crate) fn lasting(millis: Millis) -> String {
    let seconds = millis / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// The local time of day as `HH:MM:SS`.
pub(crate) fn local(at: Millis) -> String {
    let (hours, minutes, seconds) = parts(at);
    format!("{hours:02}:{minutes:02}:{seconds:02}")
}

#[cfg(target_family = "wasm")]
fn parts(at: Millis) -> (u32, u32, u32) {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
    let date = js_sys::Date::new(&(at as f64).into());
    (date.get_hours(), date.get_minutes(), date.get_seconds())
}

/// The server never draws a time of day: it does not know the operator's zone. Tests read UTC.
#[cfg(not(target_family = "wasm"))]
fn parts(at: Millis) -> (Millis, Millis, Millis) {
    let seconds = at / 1000;
    (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_minutes_and_seconds_until_it_needs_hours() {
        for (millis, text) in
            [(0, "00:00"), (999, "00:00"), (65_000, "01:05"), (3_599_999, "59:59"), (3_600_000, "1:00:00")]
        {
            assert_eq!(lasting(millis), text);
        }
    }
}
