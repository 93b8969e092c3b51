//! A quarantined row read again by itself, from its text and what its file's header said.
//!
//! The row goes the same way as it did in its file: under the same header, in the same format, through the same mapper.
//! What comes out is what the file would give for it with the mappings of today.

use crate::detect::{Place, shape_of};
use crate::error::Reason;
use crate::json_formats::{self, known_json};
use crate::read::{How, parsed, quarantine, read, read_shape};
use crate::{Error, Event, Input, Mapping, Quarantined};

/// What a row needs to be read again.
#[derive(Debug, Clone, Copy)]
pub struct Again<'a> {
    /// Name of its file; a month or day in it counts.
    pub file: &'a str,
    /// Code of its format.
    pub format: &'a str,
    /// The header of its file, as [`crate::Header::head`] gave it.
    pub head: &'a str,
    /// Its text.
    pub raw: &'a str,
    /// The mapping, for a mapped file.
    pub mapping: Option<&'a Mapping>,
}

/// Reads it; a row that still cannot be mapped comes out as quarantined again.
#[must_use]
pub fn read_again(again: &Again<'_>) -> Event {
    if let Some(known) = known_json(again.format) {
        let place = Place::of(&Input::of_text(again.file, String::new()), known.format.source(), b',');
        return match json_formats::map(again.raw.as_bytes(), known, place) {
            Ok((draft, row_hash)) => parsed(draft, 1, row_hash),
            Err(fault) => quarantine(fault, 1, again.raw.to_owned()),
        };
    }
    let mut events = Vec::new();
    let outcome = read_in_a_file(again, &mut |event| {
        events.push(event);
        Ok(())
    });
    let refused = |detail: String| {
        let (line, reason, raw) = (1, Reason::FieldCount, again.raw.to_owned());
        Event::Bad(Quarantined { line, column: None, reason, detail, raw })
    };
    match (outcome, events.len()) {
        (Ok(()) | Err(Error::Truncated { .. }), 1) => events.remove(0),
        (Err(error), _) => refused(error.to_string()),
        (Ok(()), rows) => refused(format!("its text reads as {rows} rows")),
    }
}

/// Reads it as the only row of a file.
fn read_in_a_file(again: &Again<'_>, sink: &mut dyn FnMut(Event) -> Result<(), Error>) -> Result<(), Error> {
    let above = "\n".repeat(again.mapping.map_or(0, Mapping::lines_above));
    let head = if again.head.is_empty() { String::new() } else { format!("{}\n", again.head) };
    let input = Input::of_text(again.file, format!("{above}{head}{}\n", again.raw));
    if again.mapping.is_some() {
        return read(&input, How { mapping: again.mapping, source: None }, sink).map(|_| ());
    }
    read_shape(&input, shape_of(&input, again.format, again.head)?, sink).map(|_| ())
}

impl Quarantined {
    /// Whether `raw` is the whole row as its file has it, so that it can be read again from there. It is not where it was
    /// cut, or where bytes that are no text were replaced.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let damaged = matches!(self.reason, Reason::Encoding | Reason::Truncated | Reason::TooLong);
        !damaged && self.raw.len() + 4 <= crate::csv_rows::RAW_BYTES_MAX && !self.raw.contains('\u{FFFD}')
    }
}
