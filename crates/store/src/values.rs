//! A record's values as SQLite keeps them: days as text, money in ten-thousandths, ids of parties also as hashes.

use model::{Sourced, Table, Value};
use rusqlite::Statement;
use rusqlite::types::Value as SqlValue;

use crate::schema::hash_columns;
use crate::{Result, id_hash};

/// A record on its way into its table.
pub(crate) struct Bound<'a> {
    pub(crate) source: &'a str,
    pub(crate) sourced: &'a Sourced,
    pub(crate) file_id: i64,
    pub(crate) ingest_id: i64,
    pub(crate) partition: &'a str,
    pub(crate) table: &'a Table,
}

/// Binds every column of a record, in the order of the insert statement.
pub(crate) fn bind(statement: &mut Statement<'_>, row: &Bound<'_>) -> Result<()> {
    let sourced = row.sourced;
    statement.raw_bind_parameter(1, sourced.id.as_str())?;
    statement.raw_bind_parameter(2, row.source)?;
    statement.raw_bind_parameter(3, row.file_id)?;
    statement.raw_bind_parameter(4, sourced.line.cast_signed())?;
    statement.raw_bind_parameter(5, sourced.row_hash.as_str())?;
    statement.raw_bind_parameter(6, sourced.updated_at.as_deref())?;
    statement.raw_bind_parameter(7, row.ingest_id)?;
    statement.raw_bind_parameter(8, sourced.metadata.as_deref())?;
    let mut at = 9;
    let mut failed = None;
    let hashes = hash_columns(row.table.name);
    let mut ids: [Option<i64>; 2] = [None; 2];
    let mut columns = row.table.columns.iter();
    sourced.record.visit(&mut |value| {
        let name = columns.next().expect("as many values as columns").name;
        if let (Some(slot), Value::Text(id)) = (hashes.iter().position(|(_, of)| *of == name), value) {
            ids[slot] = Some(id_hash(id));
        }
        if let Err(error) = bind_value(statement, at, value) {
            failed.get_or_insert(error);
        }
        at += 1;
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    for slot in ids.iter().take(hashes.len()) {
        statement.raw_bind_parameter(at, *slot)?;
        at += 1;
    }
    statement.raw_bind_parameter(at, row.partition)?;
    statement.raw_bind_parameter(at + 1, row.file_id)?;
    Ok(())
}

fn bind_value(statement: &mut Statement<'_>, at: usize, value: Value<'_>) -> rusqlite::Result<()> {
    match value {
        Value::Null => statement.raw_bind_parameter(at, rusqlite::types::Null),
        Value::Text(text) => statement.raw_bind_parameter(at, text),
        Value::Int(n) | Value::Decimal(n) => statement.raw_bind_parameter(at, n),
        Value::Bool(b) => statement.raw_bind_parameter(at, b),
        Value::Date(date) => {
            let day = day_bytes(date);
            statement.raw_bind_parameter(at, std::str::from_utf8(&day).unwrap_or_default())
        }
    }
}

/// A value as SQLite keeps it.
pub(crate) fn sql_value(value: &Value<'_>) -> SqlValue {
    match *value {
        Value::Null => SqlValue::Null,
        Value::Text(text) => SqlValue::Text(text.to_owned()),
        Value::Int(n) | Value::Decimal(n) => SqlValue::Integer(n),
        Value::Bool(b) => SqlValue::Integer(b.into()),
        Value::Date(date) => SqlValue::Text(day_text(date)),
    }
}

/// A value as it stands in a version's fields.
pub(crate) fn json(value: &Value<'_>) -> serde_json::Value {
    match *value {
        Value::Null => serde_json::Value::Null,
        Value::Text(text) => text.into(),
        Value::Int(n) | Value::Decimal(n) => n.into(),
        Value::Bool(b) => i64::from(b).into(),
        Value::Date(date) => day_text(date).into(),
    }
}

/// `AAAA-MM-DD`, without going through a formatter.
fn day_bytes(date: chrono::NaiveDate) -> [u8; 10] {
    use chrono::Datelike;
    let year = date.year().unsigned_abs();
    let digit = |n: u32| b'0' + (n % 10) as u8;
    let (m, d) = (date.month(), date.day());
    [
        digit(year / 1000),
        digit(year / 100),
        digit(year / 10),
        digit(year),
        b'-',
        digit(m / 10),
        digit(m),
        b'-',
        digit(d / 10),
        digit(d),
    ]
}

fn day_text(date: chrono::NaiveDate) -> String {
    day_bytes(date).map(char::from).iter().collect()
}
