//! A record's values as SQLite keeps them: days as text, money in ten-thousandths, ids of parties also as hashes.

use model::{Sourced, Table, Value};
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};

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

/// Takes the values of a row, the first as 1.
pub(crate) trait Bind {
    /// Takes the value of a parameter; they come in order.
    fn bind(&mut self, at: usize, value: ValueRef<'_>) -> Result<()>;
}

impl Bind for rusqlite::Statement<'_> {
    fn bind(&mut self, at: usize, value: ValueRef<'_>) -> Result<()> {
        Ok(self.raw_bind_parameter(at, ToSqlOutput::Borrowed(value))?)
    }
}

impl Bind for Vec<SqlValue> {
    fn bind(&mut self, _: usize, value: ValueRef<'_>) -> Result<()> {
        self.push(match value {
            ValueRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Integer(n) => SqlValue::Integer(n),
            other => other.try_into().unwrap_or(SqlValue::Null),
        });
        Ok(())
    }
}

fn or_null<'a, T: Into<ValueRef<'a>>>(value: Option<T>) -> ValueRef<'a> {
    value.map_or(ValueRef::Null, Into::into)
}

/// Binds every column of a record, in the order of the insert statement.
pub(crate) fn bind(statement: &mut impl Bind, row: &Bound<'_>) -> Result<()> {
    let sourced = row.sourced;
    statement.bind(1, sourced.id.as_str().into())?;
    statement.bind(2, row.source.into())?;
    statement.bind(3, ValueRef::Integer(row.file_id))?;
    statement.bind(4, ValueRef::Integer(sourced.line.cast_signed()))?;
    statement.bind(5, sourced.row_hash.as_str().into())?;
    statement.bind(6, or_null(sourced.updated_at.as_deref()))?;
    statement.bind(7, ValueRef::Integer(row.ingest_id))?;
    statement.bind(8, or_null(sourced.metadata.as_deref()))?;
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
        return Err(error);
    }
    for slot in ids.iter().take(hashes.len()) {
        statement.bind(at, slot.map_or(ValueRef::Null, ValueRef::Integer))?;
        at += 1;
    }
    statement.bind(at, row.partition.into())?;
    statement.bind(at + 1, ValueRef::Integer(row.file_id))
}

fn bind_value(statement: &mut impl Bind, at: usize, value: Value<'_>) -> Result<()> {
    match value {
        Value::Null => statement.bind(at, ValueRef::Null),
        Value::Text(text) => statement.bind(at, text.into()),
        Value::Int(n) | Value::Decimal(n) => statement.bind(at, ValueRef::Integer(n)),
        Value::Bool(b) => statement.bind(at, ValueRef::Integer(b.into())),
        Value::Date(date) => statement.bind(at, ValueRef::Text(&day_bytes(date))),
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
