//! Where settings are read from: the environment, or a file that the environment names.
//!
//! Invariant: a problem names its variable and what it should be, and never repeats a secret's value.

use std::fmt;
use std::path::PathBuf;

type Read<T> = Box<dyn Fn(&str) -> T>;

/// Reads settings, each as `NAME` or from the file that `NAME_FILE` names. An empty value counts as none.
pub struct Source {
    variable: Read<Option<String>>,
    file: Read<std::io::Result<String>>,
}

/// A setting that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A value that does not fit.
    #[error("{variable} should be {should_be}")]
    Bad {
        /// The variable.
        variable: String,
        /// What it should be.
        should_be: &'static str,
    },
    /// Both ways of giving one setting.
    #[error("{variable} and {variable}_FILE are both set; keep one of them")]
    Twice {
        /// The variable, without `_FILE`.
        variable: String,
    },
    /// The file cannot be read.
    #[error("{variable}_FILE names {path}, which cannot be read: {why}")]
    Unreadable {
        /// The variable, without `_FILE`.
        variable: String,
        /// The file.
        path: String,
        /// What the machine says.
        why: String,
    },
    /// The file has nothing in it.
    #[error("{variable}_FILE names {path}, which is empty")]
    Empty {
        /// The variable, without `_FILE`.
        variable: String,
        /// The file.
        path: String,
    },
    /// A database that others can reach, and no key.
    #[error(
        "DATABASE_URL leads to PostgreSQL, so that NUMBER_KEY is needed too: `hitoku keys new` makes one"
    )]
    NoKey,
    /// What is given is no key.
    #[error("{0}")]
    NotAKey(String),
    /// Some settings of a Twilio account, but not all.
    #[error(
        "{} {} set, and Twilio needs {} too; to rehearse without Twilio, set none of them",
        .present.join(", "), if .present.len() == 1 { "is" } else { "are" }, .missing.join(", ")
    )]
    Missing {
        /// Those that are there.
        present: Vec<&'static str>,
        /// Those that are not.
        missing: Vec<&'static str>,
    },
}

impl Source {
    /// The process's own environment and file system.
    #[must_use]
    pub fn of_the_process() -> Self {
        Self {
            // What is no text is still set: it is not to be taken for a setting that is not there.
            variable: Box::new(|name| {
                std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
            }),
            file: Box::new(|path| std::fs::read_to_string(path)),
        }
    }

    /// Only these variables, and no files.
    #[must_use]
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let owned: Vec<_> = owned.collect();
        Self {
            variable: Box::new(move |wanted| {
                owned.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
            }),
            file: Box::new(|_| Err(std::io::ErrorKind::NotFound.into())),
        }
    }

    /// The setting's text, without white space around it.
    ///
    /// # Errors
    /// Given twice, not in UTF-8, or its file cannot be read or is empty.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        match (self.set(name), self.set(&format!("{name}_FILE"))) {
            (None, None) => Ok(None),
            (Some(value), None) if value.contains(char::REPLACEMENT_CHARACTER) => {
                Err(Problem::Bad { variable: name.to_owned(), should_be: "text in UTF-8" })
            }
            (Some(value), None) => Ok(Some(trimmed(&value).to_owned())),
            (None, Some(path)) => match (self.file)(path.trim()) {
                Ok(value) if trimmed(&value).is_empty() => {
                    Err(Problem::Empty { variable: name.to_owned(), path })
                }
                Ok(value) => Ok(Some(trimmed(&value).to_owned())),
                Err(error) => {
                    Err(Problem::Unreadable { variable: name.to_owned(), path, why: error.to_string() })
                }
            },
            (Some(_), Some(_)) => Err(Problem::Twice { variable: name.to_owned() }),
        }
    }

    /// Whether it is given, rightly or wrongly. A file is not looked into: from a pipe it can be read only once.
    pub(super) fn has(&self, name: &str) -> bool {
        self.set(name).is_some() || self.set(&format!("{name}_FILE")).is_some()
    }

    fn set(&self, variable: &str) -> Option<String> {
        (self.variable)(variable).filter(|value| !value.trim().is_empty())
    }

    /// The file that a setting is read from, if it is.
    pub(super) fn file_of(&self, name: &str) -> Option<PathBuf> {
        self.set(&format!("{name}_FILE")).map(|path| path.trim().into())
    }
}

/// Some editors begin a file with a byte order mark.
fn trimmed(value: &str) -> &str {
    value.trim_start_matches('\u{feff}').trim()
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_stands_for_its_variable() {
        let source = Source {
            variable: Box::new(|name| (name == "AUTH_TOKEN_FILE").then(|| "/run/token".to_owned())),
            file: Box::new(|path| Ok(format!("secret of {path}\n"))),
        };
        assert_eq!(source.text("AUTH_TOKEN"), Ok(Some("secret of /run/token".to_owned())));
        assert_eq!(source.text("OTHER"), Ok(None));
        assert_eq!(source.file_of("AUTH_TOKEN"), Some("/run/token".into()));
        assert_eq!(source.file_of("OTHER"), None);
    }

    #[test]
    fn whether_a_setting_is_given_is_known_without_its_file() {
        let source = Source {
            variable: Box::new(|name| (name == "AUTH_TOKEN_FILE").then(|| "/dev/fd/63".to_owned())),
            file: Box::new(|path| panic!("{path} can be read only once")),
        };
        assert!(source.has("AUTH_TOKEN") && !source.has("OTHER"));
    }

    #[test]
    fn problems_say_what_to_do() {
        let source = Source::of([("A", "1"), ("A_FILE", "x"), ("B_FILE", "/missing"), ("C", " ")]);
        assert_eq!(source.text("A").unwrap_err().to_string(), "A and A_FILE are both set; keep one of them");
        let unreadable = source.text("B").unwrap_err().to_string();
        assert!(unreadable.starts_with("B_FILE names /missing, which cannot be read:"), "{unreadable}");
        assert_eq!(source.text("C"), Ok(None));
        let empty = Source {
            variable: Box::new(|name| (name == "D_FILE").then(|| "/run/d".to_owned())),
            file: Box::new(|_| Ok("\n".to_owned())),
        };
        assert_eq!(empty.text("D").unwrap_err().to_string(), "D_FILE names /run/d, which is empty");
    }
}
