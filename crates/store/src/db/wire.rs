//! Values between SQLite's kinds and PostgreSQL's binary forms.

use std::error::Error;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

type Failure = Box<dyn Error + Sync + Send>;

/// A value of a row.
pub(super) struct Cell<'a>(pub(super) ValueRef<'a>);

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        Ok(Self(match *kind {
            Type::INT8 => ValueRef::Integer(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => ValueRef::Integer(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT2 => ValueRef::Integer(i16::from_be_bytes(raw.try_into()?).into()),
            Type::BOOL => ValueRef::Integer(raw.first().copied().unwrap_or_default().into()),
            Type::FLOAT8 => ValueRef::Real(f64::from_be_bytes(raw.try_into()?)),
            Type::NUMERIC => ValueRef::Integer(whole_number(raw)?),
            Type::BYTEA => ValueRef::Blob(raw),
            _ => ValueRef::Text(raw),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failure> {
        Ok(Self(ValueRef::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A sum of whole numbers, which PostgreSQL gives as a decimal: digits of base 10,000, the first of weight `weight`.
fn whole_number(raw: &[u8]) -> Result<i64, Failure> {
    let word = |at: usize| raw.get(at * 2..at * 2 + 2).map(|bytes| i16::from_be_bytes([bytes[0], bytes[1]]));
    let (Some(digits), Some(weight), Some(sign), Some(0)) = (word(0), word(1), word(2), word(3)) else {
        return Err("not a whole number".into());
    };
    let mut number: i128 = 0;
    for place in 0..=weight {
        let digit = if place < digits { word(4 + usize::try_from(place)?).ok_or("a decimal is cut off")? } else { 0 };
        number = number.checked_mul(10_000).ok_or("a sum is too large")? + i128::from(digit);
    }
    Ok(i64::try_from(if sign == 0 { number } else { -number })?)
}

/// A parameter of a query.
#[derive(Debug)]
pub(super) struct Arg<'a>(pub(super) ToSqlOutput<'a>);

impl ToSql for Arg<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        let value = match &self.0 {
            ToSqlOutput::Borrowed(value) => *value,
            ToSqlOutput::Owned(value) => borrowed(value),
            other => return Err(format!("{other:?} cannot be sent").into()),
        };
        write_value(value, kind, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn borrowed(value: &Value) -> ValueRef<'_> {
    match value {
        Value::Null => ValueRef::Null,
        Value::Integer(n) => ValueRef::Integer(*n),
        Value::Real(n) => ValueRef::Real(*n),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Blob(bytes) => ValueRef::Blob(bytes),
    }
}

/// Writes a value in the form of a column's kind.
pub(super) fn write_value(value: ValueRef<'_>, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
    match (value, kind) {
        (ValueRef::Null, _) => return Ok(IsNull::Yes),
        (ValueRef::Integer(n), &Type::INT8) => out.extend_from_slice(&n.to_be_bytes()),
        (ValueRef::Integer(n), &Type::INT4) => out.extend_from_slice(&i32::try_from(n)?.to_be_bytes()),
        (ValueRef::Integer(n), &Type::BOOL) => out.extend_from_slice(&[u8::from(n != 0)]),
        #[allow(clippy::cast_precision_loss, reason = "SQLite's rule too")]
        (ValueRef::Integer(n), &Type::FLOAT8) => out.extend_from_slice(&(n as f64).to_be_bytes()),
        (ValueRef::Integer(n), _) => out.extend_from_slice(n.to_string().as_bytes()),
        (ValueRef::Real(n), _) => out.extend_from_slice(&n.to_be_bytes()),
        (ValueRef::Text(text), &Type::TS_VECTOR) => write_words(std::str::from_utf8(text)?, out),
        (ValueRef::Text(text), _) => write_text(text, out),
        (ValueRef::Blob(bytes), _) => out.extend_from_slice(bytes),
    }
    Ok(IsNull::No)
}

/// PostgreSQL's texts hold no NUL: it becomes the sign for one that cannot be shown.
fn write_text(text: &[u8], out: &mut BytesMut) {
    for (at, part) in text.split(|byte| *byte == 0).enumerate() {
        if at > 0 {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
        out.extend_from_slice(part);
    }
}

/// Words parted by spaces as a `tsvector` without places: their number, then each with a zero behind it and no places, in order.
fn write_words(words: &str, out: &mut BytesMut) {
    let mut sorted: Vec<&str> = words.split_ascii_whitespace().collect();
    sorted.sort_unstable_by_key(|word| (word.len(), *word));
    sorted.dedup();
    out.extend_from_slice(&u32::try_from(sorted.len()).unwrap_or(u32::MAX).to_be_bytes());
    for word in sorted {
        out.extend_from_slice(word.as_bytes());
        out.extend_from_slice(&[0, 0, 0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_whole_numbers() {
        let numeric = |words: &[i16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        assert_eq!(whole_number(&numeric(&[0, 0, 0, 0])).unwrap(), 0);
        assert_eq!(whole_number(&numeric(&[2, 1, 0, 0, 12, 3456])).unwrap(), 123_456);
        assert_eq!(whole_number(&numeric(&[1, 2, 0, 0, 5])).unwrap(), 500_000_000);
        assert_eq!(whole_number(&numeric(&[1, 0, 0x4000, 0, 7])).unwrap(), -7);
        assert!(whole_number(&numeric(&[1, 0, 0, 2, 7])).is_err());
    }

    #[test]
    fn a_nul_becomes_a_sign_for_it() {
        let mut out = BytesMut::new();
        write_text(b"a\0b", &mut out);
        assert_eq!(&out[..], "a\u{fffd}b".as_bytes());
    }
}
