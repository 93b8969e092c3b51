//! Filling a table of the session row by row, past the SQL parser: what the program computes itself comes in this way.

use duckdb::Appender;
use duckdb::types::{ToSql, ToSqlOutput, ValueRef};

use crate::{Result, Session};

/// A value of a row. DuckDB makes days and decimals of their text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Nothing is known.
    Null,
    /// A text.
    Text(&'a str),
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
}

impl<'a> Cell<'a> {
    /// The text, if there is one.
    #[must_use]
    pub fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }

    /// A count.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::Whole(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// The number to so many decimal places, as it would read.
    #[must_use]
    pub fn rounded(value: f64, places: usize) -> Self {
        format!("{value:.places$}").parse().map_or(Self::Null, Self::Number)
    }
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> duckdb::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Whole(whole) => ValueRef::BigInt(*whole),
            Self::Number(number) => ValueRef::Double(*number),
        }))
    }
}

/// Fills one table; what was given is in it once [`TableWriter::finish`] returns.
pub struct TableWriter<'a>(Appender<'a>);

impl Session {
    /// Begins to fill a table of the session.
    ///
    /// # Errors
    /// No such table.
    pub fn fill(&self, table: &str) -> Result<TableWriter<'_>> {
        Ok(TableWriter(self.connection().appender(table)?))
    }
}

impl TableWriter<'_> {
    /// Adds a row, its values in the order of the table's columns.
    ///
    /// # Errors
    /// A value that is not of its column's kind, too few or too many.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        Ok(self.0.append_row(duckdb::appender_params_from_iter(cells))?)
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// DuckDB said no.
    pub fn finish(mut self) -> Result<()> {
        Ok(self.0.flush()?)
    }
}
