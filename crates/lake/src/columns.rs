//! Arrow columns of a canonical table, filled from stored rows.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Int64Builder, RecordBatch, StringBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::NaiveDate;
use model::{Column, ENVELOPE, Kind, Table};
use rusqlite::types::ValueRef;

use crate::Result;

/// Money and quantities: 18 digits, four of them decimals.
const DECIMAL: DataType = DataType::Decimal128(18, 4);

/// The columns of a table, the envelope first.
pub(crate) fn columns_of(table: &Table) -> impl Iterator<Item = &'static Column> {
    ENVELOPE.iter().chain(table.columns)
}

/// Its Arrow schema.
pub(crate) fn schema_of(table: &Table) -> SchemaRef {
    let fields: Vec<Field> = columns_of(table)
        .map(|column| {
            let kind = match column.kind {
                Kind::Text => DataType::Utf8,
                Kind::Int => DataType::Int64,
                Kind::Bool => DataType::Boolean,
                Kind::Date => DataType::Date32,
                Kind::Decimal => DECIMAL,
            };
            Field::new(column.name, kind, true)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// The SQL type of a column, for a table that has no segment yet.
pub(crate) fn sql_type(column: &Column) -> &'static str {
    match column.kind {
        Kind::Text => "varchar",
        Kind::Int => "bigint",
        Kind::Bool => "boolean",
        Kind::Date => "date",
        Kind::Decimal => "decimal(18,4)",
    }
}

enum Builder {
    Text(StringBuilder),
    Int(Int64Builder),
    Bool(BooleanBuilder),
    Date(Date32Builder),
    Decimal(Decimal128Builder),
}

/// Rows on their way into a segment.
pub(crate) struct Batch {
    schema: SchemaRef,
    builders: Vec<Builder>,
    rows: usize,
}

impl Batch {
    pub(crate) fn new(table: &Table) -> Self {
        let builders = columns_of(table)
            .map(|column| match column.kind {
                Kind::Text => Builder::Text(StringBuilder::new()),
                Kind::Int => Builder::Int(Int64Builder::new()),
                Kind::Bool => Builder::Bool(BooleanBuilder::new()),
                Kind::Date => Builder::Date(Date32Builder::new()),
                Kind::Decimal => Builder::Decimal(Decimal128Builder::new().with_data_type(DECIMAL)),
            })
            .collect();
        Self { schema: schema_of(table), builders, rows: 0 }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Appends a stored row whose columns stand in the same order.
    pub(crate) fn push(&mut self, row: &store::Row<'_>) -> Result<()> {
        for (at, builder) in self.builders.iter_mut().enumerate() {
            let value = row.get_ref(at)?;
            let null = matches!(value, ValueRef::Null);
            match builder {
                _ if null => append_null(builder),
                Builder::Text(b) => b.append_value(value.as_str().map_err(rusqlite::Error::from)?),
                Builder::Int(b) => b.append_value(value.as_i64().map_err(rusqlite::Error::from)?),
                Builder::Bool(b) => b.append_value(value.as_i64().map_err(rusqlite::Error::from)? != 0),
                Builder::Decimal(b) => b.append_value(i128::from(value.as_i64().map_err(rusqlite::Error::from)?)),
                Builder::Date(b) => {
                    let text = value.as_str().map_err(rusqlite::Error::from)?;
                    b.append_option(model::dates::parse_iso(text).ok().map(days_since_epoch));
                }
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows so far as a record batch; what follows starts anew.
    pub(crate) fn take(&mut self) -> Result<RecordBatch> {
        self.rows = 0;
        let arrays: Vec<ArrayRef> = self
            .builders
            .iter_mut()
            .map(|builder| -> ArrayRef {
                match builder {
                    Builder::Text(b) => Arc::new(b.finish()),
                    Builder::Int(b) => Arc::new(b.finish()),
                    Builder::Bool(b) => Arc::new(b.finish()),
                    Builder::Date(b) => Arc::new(b.finish()),
                    Builder::Decimal(b) => Arc::new(b.finish()),
                }
            })
            .collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), arrays)?)
    }
}

fn append_null(builder: &mut Builder) {
    match builder {
        Builder::Text(b) => b.append_null(),
        Builder::Int(b) => b.append_null(),
        Builder::Bool(b) => b.append_null(),
        Builder::Date(b) => b.append_null(),
        Builder::Decimal(b) => b.append_null(),
    }
}

fn days_since_epoch(date: NaiveDate) -> i32 {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).expect("the epoch is a day");
    i32::try_from((date - epoch).num_days()).expect("parsed days lie between 1950 and 2150")
}
