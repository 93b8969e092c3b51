//! An ingest's new rows on PostgreSQL: they wait here, under the numbers that they will have, and are sent many at once.
//!
//! Who asks for a row that still waits has all of them sent first. Only one ingest writes at a time, so the numbers go on from the
//! greatest that is held.

use std::collections::HashMap;

use model::{ENVELOPE, TABLES, Table};
use rusqlite::types::{Value, ValueRef};
use tokio_postgres::types::Type;

use crate::db::{Append, Db};
use crate::ingest::QuarantinedRow;
use crate::schema::{hash_columns, wire_type};
use crate::values::{Bind, Bound, bind};
use crate::{Result, keys};

/// Rows that wait, of every table.
pub(crate) struct Bulk {
    tables: Vec<Waiting>,
    words: Append,
    quarantine: Append,
    /// Held rows that stand in a later file too: (table, row) → file.
    seen: HashMap<(u8, i64), i64>,
}

struct Waiting {
    rows: Append,
    next: i64,
    /// The first row that waits.
    first: i64,
    see_again: String,
}

/// The columns of a table in the order in which they are bound, its row number last.
pub(crate) fn columns_of(table: &Table) -> Vec<(&'static str, Type)> {
    let mut columns: Vec<(&str, Type)> =
        ENVELOPE.iter().chain(table.columns).map(|column| (column.name, wire_type(column))).collect();
    columns.extend(hash_columns(table.name).iter().map(|(name, _)| (*name, Type::INT8)));
    columns.push(("partition", Type::TEXT));
    if keys::has_keys(table) {
        columns.push(("seen_in", Type::INT8));
    } else {
        columns.insert(0, ("idh", Type::INT8));
    }
    columns.push(("rid", Type::INT8));
    columns
}

impl Bind for Append {
    fn bind(&mut self, _: usize, value: ValueRef<'_>) -> Result<()> {
        self.push(value)
    }
}

impl Bulk {
    pub(crate) fn open(db: &Db) -> Result<Self> {
        let mut tables = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let sql = format!("select coalesce(max(rid), 0) + 1 from {}", table.name);
            let next = db.query_row(&sql, [], |row| row.get(0))?;
            let see_again = format!("update {} set seen_in = ?2 where rid = ?1", table.name);
            tables.push(Waiting { rows: Append::new(table.name, &columns_of(table)), next, first: next, see_again });
        }
        let text = |name| (name, Type::TEXT);
        let number = |name| (name, Type::INT8);
        let quarantine = [
            number("ingest_id"),
            number("file_id"),
            number("line"),
            text("col"),
            text("reason"),
            text("detail"),
            text("raw"),
            ("whole", Type::BOOL),
        ];
        Ok(Self {
            tables,
            words: Append::new("contracts_fts", &[number("rowid"), ("words", Type::TS_VECTOR)]),
            quarantine: Append::new("quarantine", &quarantine),
            seen: HashMap::new(),
        })
    }

    /// Takes a new record; gives the number that its row will have.
    pub(crate) fn put(&mut self, db: &Db, table: u8, row: &Bound<'_>) -> Result<i64> {
        let waiting = &mut self.tables[usize::from(table)];
        bind(&mut waiting.rows, row)?;
        let rid = waiting.next;
        waiting.rows.push(ValueRef::Integer(rid))?;
        waiting.next += 1;
        if waiting.rows.is_full() {
            waiting.rows.flush(db)?;
            waiting.first = waiting.next;
        }
        Ok(rid)
    }

    pub(crate) fn put_words(&mut self, db: &Db, rid: i64, words: &str) -> Result<()> {
        self.words.push(ValueRef::Integer(rid))?;
        self.words.push(words.into())?;
        if self.words.is_full() {
            self.words.flush(db)?;
        }
        Ok(())
    }

    pub(crate) fn put_quarantined(&mut self, ingest: i64, file: i64, row: &QuarantinedRow<'_>) -> Result<()> {
        let values = [ingest, file, row.line.cast_signed()];
        for value in values {
            self.quarantine.push(ValueRef::Integer(value))?;
        }
        self.quarantine.push(row.column.map_or(ValueRef::Null, ValueRef::from))?;
        for text in [row.reason, row.detail, row.raw] {
            self.quarantine.push(text.into())?;
        }
        self.quarantine.push(ValueRef::Integer(row.whole.into()))
    }

    /// Notes that a held row stands in this file too.
    pub(crate) fn see_again(&mut self, table: u8, rid: i64, file: i64) {
        self.seen.insert((table, rid), file);
    }

    /// Whether what is held of a row is not all that is known of it.
    pub(crate) fn waits(&self, table: u8, rid: i64) -> bool {
        rid >= self.tables[usize::from(table)].first || self.seen.contains_key(&(table, rid))
    }

    /// Sends everything that waits.
    pub(crate) fn flush(&mut self, db: &Db) -> Result<()> {
        for waiting in &mut self.tables {
            waiting.rows.flush(db)?;
            waiting.first = waiting.next;
        }
        self.words.flush(db)?;
        self.quarantine.flush(db)?;
        let seen = std::mem::take(&mut self.seen);
        for (number, waiting) in self.tables.iter().enumerate() {
            let rows = seen.iter().filter(|((table, _), _)| usize::from(*table) == number);
            let values = rows.map(|((_, rid), file)| vec![Value::Integer(*rid), Value::Integer(*file)]);
            db.execute_each(&waiting.see_again, values)?;
        }
        Ok(())
    }
}
