//! Reads one input to its end and gives out an event for every row.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::csv_rows::{Form, Rows, Step};
use crate::detect::{Draft, Format, Mapper, Place, Shape, Stated, sniff};
use crate::encoding::Encoding;
use crate::error::{Fault, Reason};
use crate::fields::{Header as Columns, Leftovers, Row, hash_bytes};
use crate::json_formats::{self, JsonFormat, raw_text};
use crate::json_rows::{Layout, PageError, Piece, Records};
use crate::mapped::{self, MapRows};
use crate::{Also, Error, Event, Input, Mapping, Parsed, Quarantined};
use chrono::Datelike;
use model::{Record, Sourced, Value};

/// How a file is to be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct How<'a> {
    /// The source that it must be of; without one it is known by its content.
    pub source: Option<&'a str>,
    /// Reads it by this mapping, whatever its content.
    pub mapping: Option<&'a Mapping>,
}

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its source: one of [`crate::SOURCES`], or the mapping's.
    pub source: Cow<'static, str>,
    /// Its format.
    pub format: Format,
    /// Its encoding: `utf-8`, `utf-8-bom`, `windows-1252`, or `ascii` where nothing else stands in it.
    pub encoding: &'static str,
    /// Its header as a line of text, with which a row of it can be read again by itself; empty where it has none.
    pub head: String,
    /// Words of mapped columns that have no meaning (`modality: Adesão`) and in how many rows; known at the file's end.
    pub unknown_words: BTreeMap<String, u64>,
}

impl Header {
    fn of(format: Format, encoding: Encoding) -> Self {
        let source = Cow::Borrowed(format.source());
        Self { source, format, encoding: encoding.name(), head: String::new(), unknown_words: BTreeMap::new() }
    }

    fn of_mapping(mapping: &Mapping, encoding: Encoding, unknown_words: BTreeMap<String, u64>) -> Self {
        let source = Cow::Owned(mapping.source().to_owned());
        Self { source, format: mapping.format(), encoding: encoding.name(), head: String::new(), unknown_words }
    }
}

/// Finds out what a file is, without reading its rows.
///
/// # Errors
/// [`Error::UnknownFormat`], [`Error::HeaderChanged`], [`Error::Empty`]; [`Error::WrongSource`] where it is not of
/// the source that is asked for; [`Error::MappedColumnsMissing`] or [`Error::MappedColumnTwice`] where it does not fit
/// the mapping; whatever keeps it from being opened.
pub fn identify(input: &Input, how: How<'_>) -> Result<Header, Error> {
    if let Some(mapping) = how.mapping {
        let file = mapped::sniff(input, mapping)?;
        let head = if mapping.file.header.is_empty() { file.header.written(file.separator) } else { String::new() };
        return Ok(Header { head, ..Header::of_mapping(mapping, file.encoding, BTreeMap::new()) });
    }
    let shape = sniff(input, how.source)?;
    Ok(Header { head: shape.head(), ..Header::of(shape.format(), shape.encoding()) })
}

/// Reads a file to its end; every row goes to `sink` as exactly one event, in the file's order.
///
/// Memory does not grow with the file. Rows that were given out stand, also when an error comes after them.
///
/// # Errors
/// As [`identify`]; [`Error::Truncated`], [`Error::Damaged`] or [`Error::Io`] where the file breaks off; what `sink` returned.
pub fn read(input: &Input, how: How<'_>, sink: &mut dyn FnMut(Event) -> Result<(), Error>) -> Result<Header, Error> {
    if let Some(mapping) = how.mapping {
        return read_mapped(input, mapping, sink);
    }
    read_shape(input, sniff(input, how.source)?, sink)
}

/// Reads a file whose shape was found out.
pub(crate) fn read_shape(
    input: &Input,
    shape: Shape,
    sink: &mut dyn FnMut(Event) -> Result<(), Error>,
) -> Result<Header, Error> {
    let head = shape.head();
    match shape {
        Shape::Csv { known, header, place, encoding, header_rows } => {
            let slots = known.slots(&header);
            let leftovers = Leftovers::of(&header, &slots);
            let mut mapper = (known.build)(&slots, place);
            let table = CsvTable {
                header: &header,
                leftovers,
                separator: place.separator,
                encoding,
                form: known.form,
                skip_lines: 0,
                header_rows,
            };
            read_csv(input, &table, mapper.as_mut(), sink)
                .map(|encoding| Header { head, ..Header::of(known.format, encoding) })
        }
        Shape::Json { known, layout, place } => read_json(input, known, layout, place, sink),
    }
}

fn read_mapped(
    input: &Input,
    mapping: &Mapping,
    sink: &mut dyn FnMut(Event) -> Result<(), Error>,
) -> Result<Header, Error> {
    let file = mapped::sniff(input, mapping)?;
    let mut mapper = MapRows::new(mapping, file.columns, file.place);
    let table = CsvTable {
        header: &file.header,
        leftovers: Leftovers::of(&file.header, &mapper.held_columns()),
        separator: file.separator,
        encoding: file.encoding,
        skip_lines: mapping.file.skip_lines,
        form: Form::USUAL,
        header_rows: usize::from(mapping.file.header.is_empty()),
    };
    let encoding = read_csv(input, &table, &mut mapper, sink)?;
    let head = if table.header_rows == 0 { String::new() } else { file.header.written(file.separator) };
    Ok(Header { head, ..Header::of_mapping(mapping, encoding, mapper.unknown_words) })
}

/// How the rows of a delimited file stand in it.
struct CsvTable<'a> {
    header: &'a Columns,
    leftovers: Leftovers,
    separator: u8,
    encoding: Encoding,
    /// Lines above the header, or above the first row of a file without one.
    skip_lines: usize,
    form: Form,
    /// Rows of the header: 0 where the file has none.
    header_rows: usize,
}

/// Reads all rows; gives the encoding as the whole file tells it.
fn read_csv(
    input: &Input,
    table: &CsvTable<'_>,
    mapper: &mut dyn Mapper,
    sink: &mut dyn FnMut(Event) -> Result<(), Error>,
) -> Result<Encoding, Error> {
    input.with_bytes(|bytes| {
        let mut rows = Rows::new(bytes, table.separator, table.encoding);
        let io_error = |cause| Error::io(&input.name, cause);
        rows.skip_lines(table.skip_lines).map_err(io_error)?;
        for _ in 0..table.header_rows {
            rows.step().map_err(io_error)?;
        }
        rows.expect_columns(table.header.names.clone());
        rows.expect_form(table.form);
        loop {
            let event = match rows.step().map_err(io_error)? {
                Step::End => return Ok(rows.encoding()),
                Step::Bad(bad) => {
                    let cut = (bad.reason == Reason::Truncated).then_some(bad.line);
                    sink(Event::Bad(bad))?;
                    match cut {
                        Some(row) => return Err(Error::Truncated { name: input.name.clone(), row }),
                        None => continue,
                    }
                }
                Step::Row => {
                    let row = Row::new(rows.cells(), &table.header.names);
                    match mapper.map(&row) {
                        Ok(mut draft) => {
                            if draft.metadata.is_none() {
                                draft.metadata = table.leftovers.write(&row);
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
pub(crate) fn parsed(draft: Draft, line: u64, row_hash: String) -> Event {
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

pub(crate) fn quarantine(fault: Fault, line: u64, raw: String) -> Event {
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
