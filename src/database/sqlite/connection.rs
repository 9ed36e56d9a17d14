//! One connection to the file, and what is asked of it.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement, ToSql};

use crate::{Failure, Query, Row, Value};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// How long to wait for another process that writes. An import of many customers takes longer, and what is kept of calls waits
/// in the journal meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn open(file: &Path, access: Access) -> Result<Connection, Failure> {
    if access == Access::Write {
        make(file).map_err(|error| Failure::Unopened(format!("{}: {error}", file.display())))?;
    }
    // For writing also where only reads follow: whoever reads the write-ahead log takes part in it.
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
         PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216;",
    )?;
    // In KiB. The reader's has room for the upper pages of a million customers, and the system keeps the others; the writer's
    // is for imports. Neither grows with what is in the file.
    connection.execute_batch(match access {
        Access::Read => "PRAGMA query_only = ON; PRAGMA cache_size = -4096",
        // Who commits writes the log back.
        Access::Write => "PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 0",
    })?;
    Ok(connection)
}

/// For nobody but this user: names are in it.
fn make(file: &Path) -> std::io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

pub(crate) fn fetch(connection: &Connection, query: &Query) -> Result<Vec<Row>, Failure> {
    let mut statement = connection.prepare_cached(&numbered(&query.sql))?;
    bind(&mut statement, &query.values)?;
    let columns = statement.column_count();
    let mut found = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let values = (0..columns).map(|column| value(row.get_ref(column)?));
        rows.push(Row(values.collect::<Result<_, Failure>>()?));
    }
    Ok(rows)
}

pub(crate) fn insert(
    connection: &Connection,
    head: &str,
    tail: &str,
    rows: &[Vec<Value>],
) -> Result<(), Failure> {
    let Some(first) = rows.first() else { return Ok(()) };
    let places = Query::places(1, first.len());
    let mut statement = connection.prepare_cached(&numbered(&format!("{head} ({places}) {tail}")))?;
    for row in rows {
        bind(&mut statement, row)?;
        statement.raw_execute()?;
    }
    Ok(())
}

/// SQLite counts `?1`, and takes `$1` for a name.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

fn bind(statement: &mut Statement<'_>, values: &[Value]) -> Result<(), Failure> {
    for (at, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(at + 1, value)?;
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Int(Some(int)) => ValueRef::Integer(*int),
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(Some(bytes)) => ValueRef::Blob(bytes),
            Self::Int(None) | Self::Text(None) | Self::Bytes(None) => ValueRef::Null,
        }))
    }
}

fn value(found: ValueRef<'_>) -> Result<Value, Failure> {
    Ok(match found {
        ValueRef::Null => Value::Int(None),
        ValueRef::Integer(int) => Value::Int(Some(int)),
        // None is ever written: somebody else's is no number of ours, and whoever reads the others is to have them.
        ValueRef::Real(fraction) => Value::Text(Some(fraction.to_string())),
        ValueRef::Text(text) => Value::Text(Some(String::from_utf8_lossy(text).into_owned())),
        ValueRef::Blob(bytes) => Value::Bytes(Some(bytes.to_owned())),
    })
}
