//! One reading of all settings, which does not end at the first that is wrong: whoever mends them is to see all at once.

use std::fmt;

use super::{Problem, Source};

/// What is wrong with the settings, in the order in which they are read: at least one thing.
#[derive(Debug)]
pub struct Problems(Vec<Problem>);

/// Settings as they are read.
pub(super) struct Reading<'a> {
    pub(super) source: &'a Source,
    problems: Vec<Problem>,
}

/// There is a problem, and the reading has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noted;

impl<'a> Reading<'a> {
    pub(super) fn of(source: &'a Source) -> Self {
        Self { source, problems: Vec::new() }
    }

    pub(super) fn note(&mut self, problem: Problem) -> Noted {
        self.problems.push(problem);
        Noted
    }

    pub(super) fn bad(&mut self, variable: &str, should_be: &'static str) -> Noted {
        self.note(Problem::Bad { variable: variable.to_owned(), should_be })
    }

    /// The setting's text, without white space around it.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Noted> {
        self.source.text(name).map_err(|problem| self.note(problem))
    }

    /// The setting, parsed.
    pub(super) fn parsed<T>(
        &mut self,
        name: &str,
        should_be: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Noted> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| self.bad(name, should_be))
    }

    pub(super) fn end<T>(self, read: Result<T, Noted>) -> Result<T, Problems> {
        match read {
            Ok(settings) if self.problems.is_empty() => Ok(settings),
            _ => Err(Problems(self.problems)),
        }
    }
}

impl Problems {
    /// Each.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = &self.0[..] {
            return only.fmt(f);
        }
        f.write_str("settings are not what they should be:")?;
        self.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}
