//! Writing rows in each form, into memory that is taken away page by page.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
};
use arrow::datatypes::{DataType, Field, Schema};
use arrow_ipc::writer::StreamWriter;
use axum::body::Bytes;
use chrono::{Datelike as _, NaiveDate};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rust_xlsxwriter::{Format, Workbook};
use serde::Serialize;
use serde_json::Value;

use super::columns::{Column, Kind};
use crate::forms::Medium;
use crate::problem::Problem;

/// Digits of an amount, four of them decimals.
const MONEY: DataType = DataType::Decimal128(19, 4);
/// Rows of a row group.
const GROUP_ROWS: usize = 20_000;
/// Rows that a sheet holds beneath its header.
const SHEET_ROWS_MAX: u32 = 1_048_575;
/// Characters that a cell holds.
const CELL_CHARS_MAX: usize = 32_767;
/// Days from 0001-01-01 to 1970-01-01.
const EPOCH_DAYS: i32 = 719_163;

/// What is written and not yet taken away.
#[derive(Clone, Default)]
struct Out(Arc<Mutex<Vec<u8>>>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Out {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

/// Writes rows in one form.
pub struct Writer {
    columns: &'static [Column],
    out: Out,
    form: Into,
}

enum Into {
    Csv(Box<csv::Writer<Out>>),
    JsonLines,
    Parquet(Arc<Schema>, Box<ArrowWriter<Out>>),
    Arrow(Arc<Schema>, Box<StreamWriter<Out>>),
    Xlsx(Box<Workbook>, u32),
}

impl Writer {
    /// Rows of these columns in a form.
    ///
    /// # Errors
    /// Not a form of tables.
    pub fn new(form: Medium, columns: &'static [Column]) -> Result<Self, Problem> {
        let out = Out::default();
        let form = match form {
            Medium::Csv => {
                let mut writer = csv::Writer::from_writer(out.clone());
                writer.write_record(columns.iter().map(|column| column.name)).map_err(broken)?;
                Into::Csv(Box::new(writer))
            }
            Medium::JsonLines => Into::JsonLines,
            Medium::Parquet => {
                let zstd = Compression::ZSTD(ZstdLevel::default());
                let properties =
                    WriterProperties::builder().set_compression(zstd).set_max_row_group_row_count(Some(GROUP_ROWS));
                let schema = schema_of(columns);
                let writer = ArrowWriter::try_new(out.clone(), Arc::clone(&schema), Some(properties.build()));
                Into::Parquet(schema, Box::new(writer.map_err(broken)?))
            }
            Medium::Arrow => {
                let schema = schema_of(columns);
                Into::Arrow(Arc::clone(&schema), Box::new(StreamWriter::try_new(out.clone(), &schema).map_err(broken)?))
            }
            Medium::Xlsx => Into::Xlsx(Box::new(workbook(columns)?), 0),
            Medium::Json | Medium::Zip => return Err(Problem::no_route()),
        };
        Ok(Self { columns, out, form })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// The form holds no more rows.
    pub fn rows<T: Serialize>(&mut self, rows: &[T]) -> Result<(), Problem> {
        if let Into::JsonLines = self.form {
            for row in rows {
                self.out.write_all(&sonic_rs::to_vec(row).map_err(broken)?).map_err(broken)?;
                self.out.write_all(b"\n").map_err(broken)?;
            }
            return Ok(());
        }
        let rows = rows.iter().map(serde_json::to_value).collect::<Result<Vec<Value>, _>>().map_err(broken)?;
        match &mut self.form {
            Into::JsonLines => Ok(()),
            Into::Csv(writer) => rows.iter().try_for_each(|row| {
                writer.write_record(self.columns.iter().map(|column| text_of(column.of(row)))).map_err(broken)
            }),
            Into::Parquet(schema, writer) => writer.write(&batch(schema, self.columns, &rows)?).map_err(broken),
            Into::Arrow(schema, writer) => writer.write(&batch(schema, self.columns, &rows)?).map_err(broken),
            Into::Xlsx(book, written) => write_sheet(book, written, self.columns, &rows),
        }
    }

    /// What was written since it was last taken.
    pub fn taken(&mut self) -> Bytes {
        if let Into::Csv(writer) = &mut self.form {
            // Into memory it does not fail.
            let _ = writer.flush();
        }
        self.out.take()
    }

    /// Writes the end; gives what was not taken yet.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn end(mut self) -> Result<Bytes, Problem> {
        let rest = self.taken();
        match self.form {
            Into::Csv(_) | Into::JsonLines => return Ok(rest),
            Into::Parquet(_, writer) => drop(writer.close().map_err(broken)?),
            Into::Arrow(_, mut writer) => writer.finish().map_err(broken)?,
            Into::Xlsx(mut book, _) => return Ok(book.save_to_buffer().map_err(broken)?.into()),
        }
        Ok([rest, self.out.take()].concat().into())
    }
}

fn broken(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "an export could not be written");
    Problem::internal()
}

/// A value as text; empty for what is not stated.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text_of).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn schema_of(columns: &[Column]) -> Arc<Schema> {
    let kind = |column: &Column| match column.kind {
        Kind::Text => DataType::Utf8,
        Kind::Int => DataType::Int64,
        Kind::Bool => DataType::Boolean,
        Kind::Money => MONEY,
        Kind::Day => DataType::Date32,
        Kind::Texts => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
    };
    Arc::new(Schema::new(columns.iter().map(|column| Field::new(column.name, kind(column), true)).collect::<Vec<_>>()))
}

fn batch(schema: &Arc<Schema>, columns: &[Column], rows: &[Value]) -> Result<RecordBatch, Problem> {
    let arrays = columns.iter().map(|column| array(column, rows)).collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), arrays).map_err(broken)
}

fn array(column: &Column, rows: &[Value]) -> Result<ArrayRef, Problem> {
    let values = rows.iter().map(|row| column.of(row));
    Ok(match column.kind {
        Kind::Text => {
            let mut built = StringBuilder::new();
            values.for_each(|value| built.append_option((!value.is_null()).then(|| text_of(value))));
            Arc::new(built.finish())
        }
        Kind::Int => {
            let mut built = Int64Builder::new();
            values.for_each(|value| built.append_option(value.as_i64()));
            Arc::new(built.finish())
        }
        Kind::Bool => {
            let mut built = BooleanBuilder::new();
            values.for_each(|value| built.append_option(value.as_bool()));
            Arc::new(built.finish())
        }
        Kind::Money => {
            let mut built = Decimal128Builder::new().with_data_type(MONEY);
            for value in values {
                built.append_option(value.as_str().map(scaled).transpose()?.map(i128::from));
            }
            Arc::new(built.finish())
        }
        Kind::Day => {
            let mut built = Date32Builder::new();
            let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(broken);
            for value in values {
                built
                    .append_option(value.as_str().map(day).transpose()?.map(|day| day.num_days_from_ce() - EPOCH_DAYS));
            }
            Arc::new(built.finish())
        }
        Kind::Texts => {
            let mut built = ListBuilder::new(StringBuilder::new());
            for value in values {
                for text in value.as_array().into_iter().flatten() {
                    built.values().append_value(text_of(text));
                }
                built.append(value.is_array());
            }
            Arc::new(built.finish())
        }
    })
}

/// An amount in ten-thousandths.
fn scaled(text: &str) -> Result<i64, Problem> {
    model::Money::parse(text).map(model::Money::scaled).map_err(|_| broken("an amount that is none"))
}

fn workbook(columns: &[Column]) -> Result<Workbook, Problem> {
    let mut book = Workbook::new();
    let bold = Format::new().set_bold();
    let sheet = book.add_worksheet_with_constant_memory().map_err(broken)?;
    for (n, column) in (0_u16..).zip(columns) {
        sheet.write_string_with_format(0, n, column.name, &bold).map_err(broken)?;
    }
    Ok(book)
}

/// Writes rows into the sheet: text as text, so that no cell is ever a formula; amounts as numbers that Excel holds with 15 digits, and as text
/// where they have more.
fn write_sheet(book: &mut Workbook, written: &mut u32, columns: &[Column], rows: &[Value]) -> Result<(), Problem> {
    let money = Format::new().set_num_format("#,##0.00##");
    let sheet = book.worksheet_from_index(0).map_err(broken)?;
    for row in rows {
        if *written == SHEET_ROWS_MAX {
            return Err(Problem::too_many_rows(SHEET_ROWS_MAX));
        }
        *written += 1;
        for (n, column) in (0_u16..).zip(columns) {
            let value = column.of(row);
            match (column.kind, value) {
                (_, Value::Null) => {}
                (Kind::Bool, Value::Bool(yes)) => drop(sheet.write_boolean(*written, n, *yes).map_err(broken)?),
                (Kind::Money, Value::String(text)) if text.len() <= 15 => {
                    let number: f64 = text.parse().map_err(broken)?;
                    sheet.write_number_with_format(*written, n, number, &money).map_err(broken)?;
                }
                (_, value) => {
                    let text: String = text_of(value).chars().take(CELL_CHARS_MAX).collect();
                    sheet.write_string(*written, n, text).map_err(broken)?;
                }
            }
        }
    }
    Ok(())
}
