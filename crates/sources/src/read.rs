//! Reads one input to its end and gives out an event for every row.

use crate::csv_rows::{Rows, Step};
use crate::detect::{Draft, Format, Known, Mapper, Place, Shape, Stated, sniff};
use crate::encoding::Encoding;
use crate::error::{Fault, Reason};
use crate::fields::{Header as Columns, Leftovers, Row, hash_bytes};
use crate::json_formats::{self, JsonFormat, raw_text};
use crate::json_rows::{Layout, PageError, Piece, Records};
use crate::{Also, Error, Event, Input, Parsed, Quarantined};
use chrono::Datelike;
use model::{Record, Sourced, Value};

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Its source, one of [`crate::SOURCES`].
    pub source: &'static str,
    /// Its format.
    pub format: Format,
    /// Its encoding: `utf-8`, `utf-8-bom`, `windows-1252`, or `ascii` where nothing else stands in it.
    pub encoding: &'static str,
}

impl Header {
    fn of(format: Format, encoding: Encoding) -> Self {
        Self { source: format.source(), format, encoding: encoding.name() }
    }
}

/// Finds out what a file is, without reading its rows.
///
/// # Errors
/// [`Error::UnknownFormat`], [`Error::HeaderChanged`], [`Error::Empty`]; [`Error::WrongSource`] where it is not of
/// the source that `source_hint` names; whatever keeps it from being opened.
pub fn identify(input: &Input, source_hint: Option<&str>) -> Result<Header, Error> {
    let shape = sniff(input, source_hint)?;
    Ok(Header::of(shape.format(), shape.encoding()))
}

/// Reads a file to its end; every row goes to `sink` as exactly one event, in the file's order.
///
/// Memory does not grow with the file. Rows that were given out stand, also when an error comes after them.
///
/// # Errors
/// As [`identify`]; [`Error::Truncated`], [`Error::Damaged`] or [`Error::Io`] where the file breaks off; what `sink` returned.
pub fn read(
    input: &Input,
    source_hint: Option<&str>,
    sink: &mut dyn FnMut(Event) -> Result<(), Error>,
) -> Result<Header, Error> {
    let shape = sniff(input, source_hint)?;
    match shape {
        Shape::Csv { known, header, place, encoding, header_rows } => {
            let mapper = (known.build)(&known.slots(&header), place);
            let csv = CsvFile { known, header: &header, separator: place.separator, encoding, header_rows };
            read_csv(input, &csv, mapper, sink)
        }
        Shape::Json { known, layout, place } => read_json(input, known, layout, place, sink),
    }
}

/// A delimited file before its rows are read.
struct CsvFile<'a> {
    known: &'static Known,
    header: &'a Columns,
    separator: u8,
    encoding: Encoding,
    header_rows: usize,
}

fn read_csv(
    input: &Input,
    file: &CsvFile<'_>,
    mut mapper: Box<dyn Mapper>,
    sink: &mut dyn FnMut(Event) -> Result<(), Error>,
) -> Result<Header, Error> {
    let CsvFile { known, header, .. } = file;
    let leftovers = Leftovers::of(header, &known.slots(header));
    input.with_bytes(|bytes| {
        let mut rows = Rows::new(bytes, file.separator, file.encoding);
        let io_error = |cause| Error::io(&input.name, cause);
        for _ in 0..file.header_rows {
            rows.step().map_err(io_error)?;
        }
        rows.expect_columns(header.names.clone());
        rows.expect_form(known.form);
        loop {
            let event = match rows.step().map_err(io_error)? {
                Step::End => return Ok(Header::of(known.format, rows.encoding())),
                Step::Bad(bad) => {
                    let cut = (bad.reason == Reason::Truncated).then_some(bad.line);
                    sink(Event::Bad(bad))?;
                    match cut {
                        Some(row) => return Err(Error::Truncated { name: input.name.clone(), row }),
                        None => continue,
                    }
                }
                Step::Row => {
                    let row = Row::new(rows.cells(), &header.names);
                    match mapper.map(&row) {
                        Ok(mut draft) => {
                            if draft.metadata.is_none() {
                                draft.metadata = leftovers.write(&row);
                            }
                            parsed(draft, rows.line(), row.hash())
                        }
                        Err(fault) => quarantine(fault, rows.line(), rows.raw()),
                    }
                }
            };
            sink(event)?;
        }
    })
}

/// A row's first record has the row's hash; what else the row states has its own, for it may stand in many rows.
fn parsed(draft: Draft, line: u64, row_hash: String) -> Event {
    let mut more = Vec::new();
    let (updated_at, partial) = (draft.updated_at, draft.partial);
    for stated in draft.more {
        push_stated(stated, line, updated_at.as_ref(), partial, &mut more);
    }
    let (id, metadata, record) = (draft.id, draft.metadata, draft.record);
    let sourced = Sourced { id, line, row_hash, updated_at, metadata, partial, record };
    Event::Row(Box::new(Parsed { sourced, buyer: draft.buyer, supplier: draft.supplier, more }))
}

fn push_stated(stated: Stated, line: u64, updated_at: Option<&String>, partial: bool, more: &mut Vec<Also>) {
    let draft = match stated {
        Stated::Buyer(id, buyer) => return more.push(Also::Buyer(id, buyer)),
        Stated::Supplier(id, supplier) => return more.push(Also::Supplier(id, supplier)),
        Stated::Record(id, record) => Draft { updated_at: updated_at.cloned(), partial, ..Draft::of(id, record) },
        Stated::Inner(draft) => *draft,
    };
    let inner_more = draft.more;
    let (updated_at, partial) = (draft.updated_at, draft.partial);
    more.extend(draft.buyer.map(|(id, buyer)| Also::Buyer(id, buyer)));
    more.extend(draft.supplier.map(|(id, supplier)| Also::Supplier(id, supplier)));
    let inner_updated_at = updated_at.clone();
    let (id, metadata, record) = (draft.id, draft.metadata, draft.record);
    let row_hash = hash_values(&record);
    more.push(Also::Record(Sourced { id, line, row_hash, updated_at, metadata, partial, record }));
    for stated in inner_more {
        push_stated(stated, line, inner_updated_at.as_ref(), partial, more);
    }
}

/// The hash of a record's own values, each with its kind before it and each text with its length.
fn hash_values(record: &Record) -> String {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(record.table().name.as_bytes());
    record.visit(&mut |value| match value {
        Value::Null => bytes.push(0),
        Value::Text(text) => {
            bytes.push(1);
            bytes.extend_from_slice(&text.len().to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        Value::Int(number) | Value::Decimal(number) => {
            bytes.push(2);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        Value::Bool(yes) => bytes.extend_from_slice(&[3, u8::from(yes)]),
        Value::Date(day) => {
            bytes.push(4);
            bytes.extend_from_slice(&day.num_days_from_ce().to_le_bytes());
        }
    });
    hash_bytes(&bytes)
}

fn quarantine(fault: Fault, line: u64, raw: String) -> Event {
    Event::Bad(Quarantined { line, column: fault.column, reason: fault.reason, detail: fault.detail, raw })
}

fn read_json(
    input: &Input,
    known: &JsonFormat,
    layout: Layout,
    place: Place,
    sink: &mut dyn FnMut(Event) -> Result<(), Error>,
) -> Result<Header, Error> {
    input.with_bytes(|bytes| {
        let mut records = Records::new(bytes, layout).trusting_lines(known.checks_whole());
        loop {
            let step = records.step().map_err(|error| match error {
                PageError::Io(cause) => Error::io(&input.name, cause),
                PageError::Truncated => Error::Truncated { name: input.name.clone(), row: records.ordinal() },
                PageError::Damaged(detail) => Error::Damaged { name: input.name.clone(), detail: detail.to_owned() },
            })?;
            let line = records.ordinal();
            let element = records.element();
            let event = match step {
                Piece::End => return Ok(Header::of(known.format, Encoding::Utf8)),
                Piece::Broken(reason, detail) => quarantine(Fault::new(reason, detail), line, raw_text(element)),
                Piece::Element => match json_formats::map(element, known, place) {
                    Ok((draft, row_hash)) => parsed(draft, line, row_hash),
                    Err(fault) => quarantine(fault, line, raw_text(element)),
                },
            };
            sink(event)?;
        }
    })
}
