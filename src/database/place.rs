//! Where a database is, as `DATABASE_URL` says it.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;

/// Where a database is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// A PostgreSQL server; its address may hold a password.
    Postgres(SecretString),
}

/// The text names no database. It is not repeated here: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPlace;

impl Place {
    /// What a place looks like.
    pub const SHOULD_BE: &str = "postgres://user:password@host/database, or sqlite:/path/to/a/file";

    /// Reads `postgres://…`, `postgresql://…` or `sqlite:…`.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(text: &str) -> Result<Self, NotAPlace> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned().into()));
        }
        let file = text.strip_prefix("sqlite:").ok_or(NotAPlace)?;
        let file = match file.strip_prefix("//") {
            // What follows is a host, and a file has none.
            Some(rest) if !rest.starts_with('/') => return Err(NotAPlace),
            Some(rest) => rest,
            None => file,
        };
        if file.is_empty() || file.starts_with([':', '~']) || file.contains('?') {
            return Err(NotAPlace);
        }
        Ok(Self::Sqlite(file.into()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "SQLite, {}", file.display()),
            Self::Postgres(_) => f.write_str("PostgreSQL"),
        }
    }
}

impl fmt::Display for NotAPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a database is {}", Place::SHOULD_BE)
    }
}

impl std::error::Error for NotAPlace {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_or_a_server() {
        for (text, file) in
            [("sqlite:a.db", "a.db"), ("sqlite:///var/a.db", "/var/a.db"), ("sqlite:/a.db", "/a.db")]
        {
            assert!(
                matches!(Place::parse(text), Ok(Place::Sqlite(path)) if path.as_os_str() == file),
                "{text}"
            );
        }
        let server = Place::parse("postgres://hitoku:hush@db.example/hitoku").unwrap();
        assert!(!format!("{server:?} {server}").contains("hush"));
        for no_place in [
            "",
            "a.db",
            "mysql://a/b",
            "sqlite:",
            "sqlite::memory:",
            "sqlite:a.db?mode=ro",
            "sqlite://h/a.db",
            "sqlite:~/a.db",
        ] {
            assert!(Place::parse(no_place).is_err(), "{no_place}");
        }
    }
}
