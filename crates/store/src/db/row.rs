//! Rows, whichever database they come from.

use prometheus::HistogramTimer;
use rusqlite::types::{FromSql, ValueRef};

use super::wire::Cell;
use crate::Result;

/// A row of an answer.
pub enum Row<'a> {
    /// From SQLite.
    Sqlite(&'a rusqlite::Row<'a>),
    /// From PostgreSQL.
    Postgres(&'a tokio_postgres::Row),
}

/// A column, by its place or its name.
pub trait RowIndex: rusqlite::RowIndex + Copy {
    /// Its place in a row of PostgreSQL.
    fn place(self, row: &tokio_postgres::Row) -> rusqlite::Result<usize>;
}

impl RowIndex for usize {
    fn place(self, row: &tokio_postgres::Row) -> rusqlite::Result<usize> {
        if self < row.len() { Ok(self) } else { Err(rusqlite::Error::InvalidColumnIndex(self)) }
    }
}

impl RowIndex for &str {
    fn place(self, row: &tokio_postgres::Row) -> rusqlite::Result<usize> {
        let found = row.columns().iter().position(|column| column.name() == self);
        found.ok_or_else(|| rusqlite::Error::InvalidColumnName(self.to_owned()))
    }
}

impl Row<'_> {
    /// The value of a column.
    ///
    /// # Errors
    /// There is no such column; its value is of another kind.
    pub fn get<I: RowIndex, T: FromSql>(&self, column: I) -> rusqlite::Result<T> {
        match self {
            Self::Sqlite(row) => row.get(column),
            Self::Postgres(row) => {
                let place = column.place(row)?;
                let value = cell(row, place)?;
                let kind = value.data_type();
                T::column_result(value)
                    .map_err(|error| rusqlite::Error::FromSqlConversionFailure(place, kind, Box::new(error)))
            }
        }
    }

    /// The value of a column as it is.
    ///
    /// # Errors
    /// There is no such column.
    pub fn get_ref<I: RowIndex>(&self, column: I) -> rusqlite::Result<ValueRef<'_>> {
        match self {
            Self::Sqlite(row) => row.get_ref(column),
            Self::Postgres(row) => cell(row, column.place(row)?),
        }
    }
}

fn cell(row: &tokio_postgres::Row, place: usize) -> rusqlite::Result<ValueRef<'_>> {
    let unreadable = |error: tokio_postgres::Error| {
        rusqlite::Error::FromSqlConversionFailure(place, rusqlite::types::Type::Null, Box::new(error))
    };
    Ok(row.try_get::<_, Cell<'_>>(place).map_err(unreadable)?.0)
}

/// The rows of an answer, each as a function makes of it.
#[allow(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub enum Mapped<'a, F> {
    /// From SQLite.
    Sqlite(rusqlite::Rows<'a>, F, Option<HistogramTimer>, Option<super::slow::Asking<'a>>),
    /// From PostgreSQL.
    Postgres(std::vec::IntoIter<tokio_postgres::Row>, F),
}

impl<T, F: FnMut(&Row<'_>) -> rusqlite::Result<T>> Iterator for Mapped<'_, F> {
    type Item = rusqlite::Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Sqlite(rows, from, ..) => match rows.next() {
                Ok(row) => row.map(|row| from(&Row::Sqlite(row))),
                Err(error) => Some(Err(error)),
            },
            Self::Postgres(rows, from) => rows.next().map(|row| from(&Row::Postgres(&row))),
        }
    }
}

/// The rows of an answer as they come.
pub enum Rows<'a> {
    /// From SQLite.
    Sqlite(rusqlite::Rows<'a>, Option<HistogramTimer>, Option<super::slow::Asking<'a>>),
    /// From PostgreSQL.
    Postgres(super::postgres::Streamed<'a>, Option<HistogramTimer>),
}

impl Rows<'_> {
    /// The next row.
    ///
    /// # Errors
    /// The database cannot be read.
    #[allow(clippy::should_implement_trait, reason = "a row borrows from the rows")]
    pub fn next(&mut self) -> Result<Option<Row<'_>>> {
        match self {
            Self::Sqlite(rows, ..) => Ok(rows.next()?.map(Row::Sqlite)),
            Self::Postgres(rows, _) => Ok(rows.next()?.map(Row::Postgres)),
        }
    }
}
