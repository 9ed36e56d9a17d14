//! What goes into a statement and comes out of it: whole numbers, text and bytes, each perhaps missing.

use std::borrow::Cow;

use crate::Failure;

/// A value in a statement or a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A whole number.
    Int(Option<i64>),
    /// Text.
    Text(Option<String>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
}

/// A statement and its values: the first is `$1`.
#[derive(Clone, Debug)]
pub struct Query {
    pub(crate) sql: Cow<'static, str>,
    pub(crate) values: Vec<Value>,
}

/// What a statement returns: its columns, from the left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub(crate) Vec<Value>);

impl Query {
    /// A statement.
    #[must_use]
    pub fn new(sql: impl Into<Cow<'static, str>>) -> Self {
        Self { sql: sql.into(), values: Vec::new() }
    }

    /// The same with one more value.
    #[must_use]
    pub fn with(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The same with these values too.
    #[must_use]
    pub fn with_all<T: Into<Value>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.values.extend(values.into_iter().map(Into::into));
        self
    }

    /// `$from, $from+1, …`: so many places for values, separated by commas.
    #[must_use]
    pub fn places(from: usize, count: usize) -> String {
        (from..from + count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
    }
}

impl Row {
    /// A column's text.
    ///
    /// # Errors
    /// There is no text in this column.
    pub fn text(&mut self, column: usize) -> Result<String, Failure> {
        self.maybe_text(column)?.ok_or_else(|| unexpected(column))
    }

    /// A column's text, if it has any.
    ///
    /// # Errors
    /// There is something else in this column.
    pub fn maybe_text(&mut self, column: usize) -> Result<Option<String>, Failure> {
        match self.0.get_mut(column) {
            Some(Value::Text(text)) => Ok(text.take()),
            other => missing(other, column),
        }
    }

    /// A column's whole number.
    ///
    /// # Errors
    /// There is no whole number in this column.
    pub fn int(&mut self, column: usize) -> Result<i64, Failure> {
        self.maybe_int(column)?.ok_or_else(|| unexpected(column))
    }

    /// A column's whole number, if it has one.
    ///
    /// # Errors
    /// There is something else in this column.
    pub fn maybe_int(&mut self, column: usize) -> Result<Option<i64>, Failure> {
        match self.0.get_mut(column) {
            Some(Value::Int(int)) => Ok(*int),
            other => missing(other, column),
        }
    }

    /// A column's bytes.
    ///
    /// # Errors
    /// There are no bytes in this column.
    pub fn bytes(&mut self, column: usize) -> Result<Vec<u8>, Failure> {
        self.maybe_bytes(column)?.ok_or_else(|| unexpected(column))
    }

    /// A column's bytes, if it has any.
    ///
    /// # Errors
    /// There is something else in this column.
    pub fn maybe_bytes(&mut self, column: usize) -> Result<Option<Vec<u8>>, Failure> {
        match self.0.get_mut(column) {
            Some(Value::Bytes(bytes)) => Ok(bytes.take()),
            other => missing(other, column),
        }
    }
}

/// SQLite does not say of what kind a value that is not there would have been.
fn missing<T>(value: Option<&mut Value>, column: usize) -> Result<Option<T>, Failure> {
    match value {
        Some(Value::Int(None) | Value::Text(None) | Value::Bytes(None)) => Ok(None),
        _ => Err(unexpected(column)),
    }
}

fn unexpected(column: usize) -> Failure {
    Failure::Refused(format!("column {column} does not hold what it should"))
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(value))
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(Some(value.to_owned()))
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(value: Option<Vec<u8>>) -> Self {
        Self::Bytes(value)
    }
}
