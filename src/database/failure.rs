//! Why a database did not do what it was asked, in words that say how to mend it.

/// A database's failure. None repeats a value that a statement carried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Another program writes, and does not end.
    #[error(
        "the database is locked by another program: wait if it is an import, otherwise find the program and end it"
    )]
    Busy,
    /// The disk is full.
    #[error("the disk that holds the database is full; free some space")]
    Full,
    /// It must not be written.
    #[error(
        "the database cannot be written: check the rights of its file and folder, and that the disk is not mounted read-only"
    )]
    ReadOnly,
    /// It takes nothing that is written.
    #[error(
        "PostgreSQL only lets itself be read: DATABASE_URL must lead to the primary, not to a standby, and \
         `default_transaction_read_only` must be off"
    )]
    Standby,
    /// It cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// Its file cannot be opened, most often because somebody else has made it.
    #[error(
        "the database's file cannot be opened: {0}; it and its folder must belong to the user who runs Hitoku: give them to \
         that user with `chown`"
    )]
    Unopened(String),
    /// It knows no such user, password or database.
    #[error("PostgreSQL refused to let us in: {0}; check user, password and database in DATABASE_URL")]
    NotLetIn(String),
    /// It lets the user in, and not do what must be done.
    #[error(
        "PostgreSQL does not let this user do it: {0}; make the user the owner of the database (`ALTER DATABASE … OWNER TO …`) \
         and of Hitoku's tables"
    )]
    NotAllowed(String),
    /// A large table of it is not written anew.
    #[error("its table {0}, which would be lost if the table were written anew while callers go on")]
    Tied(String),
    /// It has no room for every name.
    #[error(
        "PostgreSQL keeps this database's text in {0}, which has not every sign of a name or an id: make it anew with \
         `CREATE DATABASE … ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0`, and copy what is in it"
    )]
    Encoding(String),
    /// It keeps what is deleted.
    #[error(
        "it keeps what is deleted for those who began before: a session that has not ended its transaction, a prepared \
         transaction, a replica, or a replication slot"
    )]
    Kept,
    /// Its address is none.
    #[error(
        "its address is not postgres://user:password@host/database; in a password, signs such as / are written as %2F"
    )]
    Address,
    /// It is damaged, or no database.
    #[error("the database's file is damaged, or not a database: {0}; restore it from a backup")]
    Damaged(String),
    /// A newer program has changed its tables.
    #[error(
        "the database was changed by a newer version of this program (it knows the change {0:?}); use that one"
    )]
    Newer(String),
    /// It does not take a statement.
    #[error("the database refused a statement: {0}")]
    Refused(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(ErrorCode::CannotOpen) => Self::Unopened(error.to_string()),
            Some(ErrorCode::SystemIoFailure) => Self::Unreachable(error.to_string()),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => match database.code().as_deref() {
                Some("53100") => Self::Full,
                Some("55P03" | "57014" | "40P01") => Self::Busy,
                Some("25006") => Self::Standby,
                Some("28P01" | "28000" | "3D000") => Self::NotLetIn(database.message().to_owned()),
                Some("42501") => Self::NotAllowed(database.message().to_owned()),
                Some("25P03") => Self::Unreachable(database.message().to_owned()),
                // The detail of a refusal repeats values; the message does not.
                // Too many connections (53300) also counts as unreachable. A pooler before PostgreSQL that does not know what is
                // asked for in the beginning (08P01) will not know it later either.
                Some("08P01") => Self::Refused(format!("{} (08P01)", database.message())),
                Some(code) if !code.starts_with("57P") && !code.starts_with("08") && code != "53300" => {
                    Self::Refused(format!("{} ({code})", database.message()))
                }
                _ => Self::Unreachable(database.message().to_owned()),
            },
            sqlx::Error::PoolTimedOut => Self::Unreachable(
                "it does not answer; check that PostgreSQL runs, and the way from this machine to it"
                    .to_owned(),
            ),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Refused(error.to_string()),
            _ => Self::Unreachable(format!(
                "{error}; check host, port and sslmode in DATABASE_URL, and whether PostgreSQL runs there"
            )),
        }
    }
}
