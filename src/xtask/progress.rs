//! What a person sees: one line when a step starts, one with its time when it is done.
//!
//! Lines of steps that run side by side never mix within a line; what a step prints besides goes to its log.

use std::{
    fmt,
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

static TIMES: Mutex<Vec<(String, Duration)>> = Mutex::new(Vec::new());

/// Says that nothing is to be done.
pub(crate) fn already(name: &str) {
    println!("✓ {name}: there");
}

/// Something that a person should know, while things go on.
pub(crate) fn note(text: impl fmt::Display) {
    println!("  {text}");
}

/// Runs a step between its two lines. The error says which step it was.
pub(crate) fn timed<T>(name: &str, doing: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("▸ {name}: {doing}");
    let watch = Stopwatch::start();
    let result = work().with_context(|| name.to_owned())?;
    let time = watch.elapsed();
    println!("✓ {name}: {}", Seconds(time));
    TIMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((name.to_owned(), time));
    Ok(result)
}

/// The steps that took time, in the order in which they ended, and the whole.
pub(crate) fn summary(whole: &Stopwatch) {
    println!();
    for (name, time) in TIMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter() {
        println!("{:>9}  {name}", Seconds(*time).to_string());
    }
    println!("{:>9}  in all", Seconds(whole.elapsed()).to_string());
}

/// Measures for a person at a terminal.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the time that a step really took is the point")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        if seconds < 60.0 {
            return write!(f, "{seconds:.1} s");
        }
        write!(f, "{} min {:02} s", self.0.as_secs() / 60, self.0.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(Seconds(Duration::from_millis(340)).to_string(), "0.3 s");
        assert_eq!(Seconds(Duration::from_secs(125)).to_string(), "2 min 05 s");
    }

    #[test]
    fn an_error_names_its_step() {
        let error = timed("tea", "brewing", || -> Result<()> { anyhow::bail!("no water") }).unwrap_err();
        assert_eq!(format!("{error:#}"), "tea: no water");
    }
}
