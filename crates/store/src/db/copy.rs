//! Many new rows at once: PostgreSQL takes them in its binary form, without a question and answer for each.

use rusqlite::types::ValueRef;
use tokio_postgres::types::Type;
use tokio_postgres::types::private::BytesMut;

use super::Db;
use super::wire::write_value;
use crate::{Error, Result};

/// What such a stream begins with: its mark, no flags, no extension.
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Bytes after which rows are sent.
const BYTES_MAX: usize = 4 << 20;

/// Rows of one table that wait to be sent.
pub(crate) struct Append {
    sql: String,
    kinds: Vec<Type>,
    rows: BytesMut,
    /// Values still missing from the row under way.
    missing: usize,
}

impl Append {
    /// For rows of these columns.
    pub(crate) fn new(table: &str, columns: &[(&str, Type)]) -> Self {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        Self {
            sql: format!("copy {table} ({}) from stdin (format binary)", names.join(", ")),
            kinds: columns.iter().map(|(_, kind)| kind.clone()).collect(),
            rows: BytesMut::new(),
            missing: 0,
        }
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether so much waits that it should be sent.
    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= BYTES_MAX
    }

    /// Adds the next value; the first of a row begins it.
    pub(crate) fn push(&mut self, value: ValueRef<'_>) -> Result<()> {
        if self.missing == 0 {
            if self.rows.is_empty() {
                self.rows.extend_from_slice(HEAD);
            }
            let columns = i16::try_from(self.kinds.len()).expect("tables have few columns");
            self.rows.extend_from_slice(&columns.to_be_bytes());
            self.missing = self.kinds.len();
        }
        let kind = &self.kinds[self.kinds.len() - self.missing];
        self.missing -= 1;
        let at = self.rows.len();
        self.rows.extend_from_slice(&(-1_i32).to_be_bytes());
        if !matches!(value, ValueRef::Null) {
            write_value(value, kind, &mut self.rows).map_err(|error| Error::Value(error.to_string()))?;
            let length = i32::try_from(self.rows.len() - at - 4).map_err(|error| Error::Value(error.to_string()))?;
            self.rows[at..at + 4].copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    /// Sends what waits.
    pub(crate) fn flush(&mut self, db: &Db) -> Result<u64> {
        let Db::Postgres(pg) = db else { return Ok(0) };
        if self.is_empty() {
            return Ok(0);
        }
        let mut rows = self.rows.split();
        rows.extend_from_slice(&(-1_i16).to_be_bytes());
        pg.copy(&self.sql, rows)
    }
}
