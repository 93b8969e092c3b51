//! Setting a record's columns by name, for records that are put together from a description and not by code.
//!
//! A column takes a value of its own kind only. A column of codes takes the codes that the program knows and no other
//! word, so that what flags compare with is always one of them.

use std::sync::LazyLock;

use chrono::NaiveDate;
use thiserror::Error;

use crate::activity::Activity;
use crate::law::Regime;
use crate::{Currency, Modality, Money, Quantity, SanctionKind, Value};

/// Why a column does not take a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unfit {
    /// The table has no such column.
    #[error("there is no such column")]
    NoColumn,
    /// The column cannot be left without a value.
    #[error("the column always has a value")]
    Null,
    /// A value of another kind.
    #[error("the value is of another kind than the column's")]
    Kind,
    /// A word that is none of the column's codes, or no currency.
    #[error("the value is none of the column's codes")]
    Code,
}

/// A type of column that can be made of a value.
pub(crate) trait OfValue: Sized {
    fn of_value(value: Value<'_>, codes: &[&'static str]) -> Result<Self, Unfit>;
}

macro_rules! of_values {
    ($($type:ty, $pattern:pat => $value:expr;)*) => {$(
        impl OfValue for $type {
            fn of_value(value: Value<'_>, _: &[&'static str]) -> Result<Self, Unfit> {
                match value {
                    Value::Null => Err(Unfit::Null),
                    $pattern => Ok($value),
                    _ => Err(Unfit::Kind),
                }
            }
        }
    )*};
}
of_values! {
    String, Value::Text(text) => text.to_owned();
    i64, Value::Int(number) => number;
    bool, Value::Bool(yes) => yes;
    NaiveDate, Value::Date(day) => day;
    Money, Value::Decimal(scaled) => Money::from_scaled(scaled);
    Quantity, Value::Decimal(scaled) => Quantity::from_scaled(scaled);
}
impl OfValue for Currency {
    fn of_value(value: Value<'_>, _: &[&'static str]) -> Result<Self, Unfit> {
        match value {
            Value::Null => Err(Unfit::Null),
            Value::Text(text) => Self::parse(text).ok_or(Unfit::Code),
            _ => Err(Unfit::Kind),
        }
    }
}
impl OfValue for &'static str {
    fn of_value(value: Value<'_>, codes: &[&'static str]) -> Result<Self, Unfit> {
        match value {
            Value::Null => Err(Unfit::Null),
            Value::Text(text) => codes.iter().find(|code| **code == text).copied().ok_or(Unfit::Code),
            _ => Err(Unfit::Kind),
        }
    }
}
impl<T: OfValue> OfValue for Option<T> {
    fn of_value(value: Value<'_>, codes: &[&'static str]) -> Result<Self, Unfit> {
        if value == Value::Null { Ok(None) } else { T::of_value(value, codes).map(Some) }
    }
}

static MODALITIES: LazyLock<Vec<&str>> = LazyLock::new(|| Modality::ALL.map(Modality::code).to_vec());
static REGIMES: LazyLock<Vec<&str>> = LazyLock::new(|| Regime::ALL.map(Regime::code).to_vec());
static SANCTIONS: LazyLock<Vec<&str>> = LazyLock::new(|| SanctionKind::ALL.map(SanctionKind::code).to_vec());
static ACTIVITIES: LazyLock<Vec<&str>> = LazyLock::new(|| Activity::all().map(Activity::code).collect());

/// The codes that a column of codes takes; none for every other column.
#[must_use]
pub fn codes(table: &str, column: &str) -> &'static [&'static str] {
    match (table, column) {
        (_, "modality") => &MODALITIES,
        (_, "regime") => &REGIMES,
        (_, "activity") => &ACTIVITIES,
        (_, "activity_basis") => &["text"],
        ("items", "unit_basis") => &["stated", "text"],
        ("items", "price_basis") => &["stated", "derived"],
        ("suppliers", "kind") => &["company", "person", "foreign", "unverified"],
        ("amendments", "kind") => &["amendment", "apostille"],
        ("payments", "kind") => &["commitment", "settlement", "payment"],
        ("sanctions", "kind") => &SANCTIONS,
        ("sanctions", "body_sphere_basis") => &["stated", "name"],
        ("registrations", "scope") => &["company", "establishment", "simples"],
        ("registrations", "status") => &["active", "null", "suspended", "unfit", "closed"],
        ("registrations", "size") => &["ME", "EPP", "other"],
        ("partners", "kind") => &["company", "person", "foreign"],
        ("terms", "list") => &["cnae", "municipality", "legal_nature", "role", "status_reason", "country"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Record, TABLES};

    fn sample(kind: Kind) -> Value<'static> {
        match kind {
            Kind::Text => Value::Text("any text"),
            Kind::Int => Value::Int(7),
            Kind::Bool => Value::Bool(true),
            Kind::Date => Value::Date(NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()),
            Kind::Decimal => Value::Decimal(12_345),
        }
    }

    /// What a column holds after it was set.
    fn held<'a>(record: &'a Record, column: &str) -> Value<'a> {
        let at = record.table().columns.iter().position(|c| c.name == column).unwrap();
        let mut values = Vec::new();
        record.visit(&mut |value| values.push(value));
        values[at]
    }

    #[test]
    fn every_column_of_every_table_can_be_set_by_its_name() {
        for table in TABLES {
            let mut record = Record::blank(table.name).unwrap();
            assert_eq!(record.table().name, table.name);
            for column in table.columns {
                let value = match codes(table.name, column.name) {
                    _ if column.name == "currency" => Value::Text("USD"),
                    [] => sample(column.kind),
                    [first, ..] => Value::Text(first),
                };
                assert_eq!(record.set(column.name, value), Ok(()), "{}.{}", table.name, column.name);
                assert_eq!(held(&record, column.name), value, "{}.{}", table.name, column.name);
            }
        }
        assert_eq!(Record::blank("nothing"), None);
    }

    #[test]
    fn a_column_takes_its_own_kind_and_its_own_codes_only() {
        let mut record = Record::blank("contracts").unwrap();
        assert_eq!(record.set("colour", Value::Text("red")), Err(Unfit::NoColumn));
        assert_eq!(record.set("signed_on", Value::Text("2024-01-01")), Err(Unfit::Kind));
        assert_eq!(record.set("modality", Value::Text("Pregão")), Err(Unfit::Code));
        assert_eq!(record.set("currency", Value::Text("R$")), Err(Unfit::Code));
        assert_eq!(record.set("income", Value::Null), Err(Unfit::Null));
        assert_eq!(record.set("object", Value::Null), Ok(()));
        assert_eq!(record, Record::blank("contracts").unwrap(), "what is refused changes nothing");
        for table in TABLES {
            for column in table.columns.iter().filter(|c| !codes(table.name, c.name).is_empty()) {
                let mut record = Record::blank(table.name).unwrap();
                assert_eq!(record.set(column.name, Value::Text("no code")), Err(Unfit::Code), "{}", column.name);
            }
        }
    }
}
