//! The browser's clock: the one place that reads it.

use domain::Millis;

/// The time.
pub(crate) fn now() -> Millis {
    // Whole milliseconds since 1970 fit a double exactly until the year 287396.
    js_sys::Date::now() as Millis
}
