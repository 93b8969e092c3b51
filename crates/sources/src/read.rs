//! Reads one input to its end and gives out an event for every row.

use crate::csv_rows::{Rows, Step};
use crate::detect::{Format, Known, Place, Shape, sniff};
use crate::encoding::Encoding;
use crate::error::{Fault, Reason};
use crate::fields::{Header as Columns, Leftovers, Row};
use crate::json_rows::{PageError, Piece, Records};
use crate::{Error, Event, Input, Parsed, Quarantined, pncp};
use model::Sourced;

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
        Shape::Csv { known, header, place, encoding } => read_csv(input, known, &header, place, encoding, sink),
        Shape::Json { format } => read_json(input, format, sink),
    }
}

fn read_csv(
    input: &Input,
    known: &Known,
    header: &Columns,
    place: Place,
    encoding: Encoding,
    sink: &mut dyn FnMut(Event) -> Result<(), Error>,
) -> Result<Header, Error> {
    let slots = known.slots(header);
    let leftovers = Leftovers::of(header, &slots);
    let mut mapper = (known.build)(&slots, place);
    input.with_bytes(|bytes| {
        let mut rows = Rows::new(bytes, place.separator, encoding);
        let io_error = |cause| Error::io(&input.name, cause);
        rows.step().map_err(io_error)?;
        rows.expect_columns(header.names.clone());
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
                        Ok(draft) => {
                            let metadata = leftovers.write(&row);
                            let row_hash = row.hash();
                            let (id, record) = (draft.id, draft.record);
                            let sourced =
                                Sourced { id, line: rows.line(), row_hash, updated_at: None, metadata, record };
                            let (buyer, supplier) = (draft.buyer, draft.supplier);
                            Event::Row(Box::new(Parsed { sourced, buyer, supplier }))
                        }
                        Err(fault) => quarantine(fault, rows.line(), rows.raw()),
                    }
                }
            };
            sink(event)?;
        }
    })
}

fn quarantine(fault: Fault, line: u64, raw: String) -> Event {
    Event::Bad(Quarantined { line, column: fault.column, reason: fault.reason, detail: fault.detail, raw })
}

fn read_json(input: &Input, format: Format, sink: &mut dyn FnMut(Event) -> Result<(), Error>) -> Result<Header, Error> {
    input.with_bytes(|bytes| {
        let mut records = Records::new(bytes);
        loop {
            let step = records.step().map_err(|error| match error {
                PageError::Io(cause) => Error::io(&input.name, cause),
                PageError::Truncated => Error::Truncated { name: input.name.clone(), row: records.ordinal() },
                PageError::Damaged(detail) => Error::Damaged { name: input.name.clone(), detail: detail.to_owned() },
            })?;
            let line = records.ordinal();
            let element = records.element();
            let event = match step {
                Piece::End => return Ok(Header::of(format, Encoding::Utf8)),
                Piece::Broken(reason, detail) => quarantine(Fault::new(reason, detail), line, pncp::raw_text(element)),
                Piece::Element => match pncp::map(element, format) {
                    Ok(mapped) => {
                        let (buyer, supplier) = (mapped.draft.buyer, mapped.draft.supplier);
                        let sourced = Sourced {
                            id: mapped.draft.id,
                            line,
                            row_hash: mapped.row_hash,
                            updated_at: mapped.updated_at,
                            metadata: mapped.metadata,
                            record: mapped.draft.record,
                        };
                        Event::Row(Box::new(Parsed { sourced, buyer, supplier }))
                    }
                    Err(fault) => quarantine(fault, line, pncp::raw_text(element)),
                },
            };
            sink(event)?;
        }
    })
}
