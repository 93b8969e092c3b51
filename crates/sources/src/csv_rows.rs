//! Rows of a delimited text file, streamed: one physical row in, one row or one quarantined row out.
//!
//! Real files break the rules of CSV: quotes stand unescaped inside quoted text, a quote is opened and never closed,
//! the last line is cut, rows carry more empty fields than the header. A usual reader lets one lost quote swallow
//! the rest of the file. This one promises that a broken row costs itself only, and that memory stays under
//! [`ROW_BYTES_MAX`] and one read:
//!
//! * a quote closes a field only before a separator or the line's end; any other quote in there is text;
//! * a row that spans lines must close, and with the right number of fields, within [`SPAN_LINES_MAX`] lines; else
//!   its first line alone is quarantined, and reading goes on with the second;
//! * looking ahead in vain is paid from a budget for the whole file, so that hostile files cost linear time.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter};
use model::mask_cpfs;

use crate::encoding::{Encoding, mask_and_clip, push_cp1252, push_either};
use crate::error::Reason;
use crate::{Quarantined, encoding};

/// Longest row, in bytes.
pub(crate) const ROW_BYTES_MAX: usize = 1024 * 1024;
/// Longest quarantined text that is kept, in bytes.
pub const RAW_BYTES_MAX: usize = 64 * 1024;
const SPAN_LINES_MAX: usize = 256;
const LOST_LOOKAHEAD_BYTES_MAX: usize = 64 * 1024 * 1024;
const READ_BYTES: usize = 256 * 1024;
/// Stands between the fields of [`Rows::cells`] and of the row's hash.
const FIELD_MARK: u8 = 0x1F;

/// What the file held next.
pub(crate) enum Step {
    /// A row; see [`Rows::cells`].
    Row,
    /// A row that cannot be split into fields or decoded.
    Bad(Quarantined),
    /// Nothing more.
    End,
}

/// Says of a row with too many fields which column holds separators in its text, if it is sure.
pub(crate) type SplitColumn = fn(&[&[u8]]) -> Option<usize>;

/// How a format writes its rows, where it departs from the usual.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// A quote at a field's beginning opens it; else every quote is text.
    quoted: bool,
    split_column: Option<SplitColumn>,
}

impl Form {
    pub(crate) const USUAL: Self = Self { quoted: true, split_column: None };

    /// A writer that never quotes, so that a separator inside a text splits it.
    pub(crate) const fn unquoted(split_column: SplitColumn) -> Self {
        Self { quoted: false, split_column: Some(split_column) }
    }
}

/// The decoded fields of the current row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells<'a> {
    /// As decoded: for amounts and days only, which a mask might damage.
    exact: &'a str,
    /// CPFs masked: for everything else. As long as `exact`.
    masked: &'a str,
    ends: &'a [usize],
}

impl<'a> Cells<'a> {
    pub(crate) fn exact(&self, column: usize) -> &'a str {
        self.range(column).map_or("", |range| &self.exact[range])
    }

    pub(crate) fn masked(&self, column: usize) -> &'a str {
        self.range(column).map_or("", |range| &self.masked[range])
    }

    /// All fields, joined by U+001F.
    pub(crate) fn joined(&self) -> &'a str {
        self.masked
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn range(&self, column: usize) -> Option<std::ops::Range<usize>> {
        let end = *self.ends.get(column)?;
        Some(if column == 0 { 0 } else { self.ends[column - 1] + 1 }..end)
    }
}

struct Line {
    /// Bytes before the line's end.
    content: usize,
    /// Bytes with it.
    total: usize,
}

enum Found {
    Line(Line),
    TooLong,
    Nothing,
}

/// A streaming reader of rows.
pub(crate) struct Rows<R> {
    inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    exhausted: bool,
    at_beginning: bool,
    /// The current row: its bytes and lines, given up when the next is asked for.
    row_bytes: usize,
    row_lines: u64,
    row_content: usize,
    line: u64,
    lost_lookahead: usize,
    separator: u8,
    form: Form,
    encoding: Encoding,
    /// Names of the columns; empty while the header itself is read.
    columns: Vec<String>,
    fields: Vec<u8>,
    field_ends: Vec<usize>,
    in_quotes: bool,
    /// A doubled quote at a field's beginning, with text behind it, is text.
    doubled_is_text: bool,
    text: String,
    text_ends: Vec<usize>,
    masked: Option<String>,
}

impl<R: Read> Rows<R> {
    pub(crate) fn new(inner: R, separator: u8, encoding: Encoding) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            exhausted: false,
            at_beginning: true,
            row_bytes: 0,
            row_lines: 0,
            row_content: 0,
            line: 1,
            lost_lookahead: 0,
            separator,
            form: Form::USUAL,
            encoding,
            columns: Vec::new(),
            fields: Vec::new(),
            field_ends: Vec::new(),
            in_quotes: false,
            doubled_is_text: false,
            text: String::new(),
            text_ends: Vec::new(),
            masked: None,
        }
    }

    /// From here on a row must have these columns (more fields are allowed if they are blank).
    pub(crate) fn expect_columns(&mut self, columns: Vec<String>) {
        self.columns = columns;
    }

    /// From here on rows are written so.
    pub(crate) fn expect_form(&mut self, form: Form) {
        self.form = form;
    }

    /// The encoding, as far as the rows so far told it.
    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The line on which the current row begins.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The fields of the current row.
    pub(crate) fn cells(&self) -> Cells<'_> {
        Cells { exact: &self.text, masked: self.masked.as_deref().unwrap_or(&self.text), ends: &self.text_ends }
    }

    /// The current row as it came: decoded, masked, clipped.
    pub(crate) fn raw(&self) -> String {
        let bytes = &self.buffer[self.start..self.start + self.row_content];
        raw_text(self.encoding, bytes)
    }

    /// Passes over lines that stand above the header.
    pub(crate) fn skip_lines(&mut self, count: usize) -> io::Result<()> {
        for _ in 0..count {
            match self.find_line(0)? {
                Found::Nothing => break,
                Found::TooLong => drop(self.skip_long_line()?),
                Found::Line(line) => {
                    self.start += line.total;
                    self.line += 1;
                }
            }
        }
        Ok(())
    }

    /// Goes to the next row.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        self.start += self.row_bytes;
        self.line += self.row_lines;
        (self.row_bytes, self.row_lines, self.row_content) = (0, 0, 0);
        loop {
            match self.find_line(0)? {
                Found::Nothing => return Ok(Step::End),
                Found::TooLong => return self.skip_long_line(),
                Found::Line(line) if is_blank(&self.buffer[self.start..self.start + line.content]) => {
                    self.start += line.total;
                    self.line += 1;
                }
                Found::Line(line) => return self.read_row(&line),
            }
        }
    }

    fn read_row(&mut self, first: &Line) -> io::Result<Step> {
        self.fields.clear();
        self.field_ends.clear();
        self.in_quotes = false;
        (self.row_bytes, self.row_lines, self.row_content) = (first.total, 1, first.content);
        self.split(0, first.content);
        if !self.in_quotes {
            if self.count_fault().is_some() {
                self.split_with_quotes_as_text(first.content);
            }
            return Ok(self.finish_row());
        }
        let mut offset = first.total;
        let mut lines = 1;
        let mut content = first.content;
        while self.in_quotes
            && lines < SPAN_LINES_MAX
            && offset < ROW_BYTES_MAX
            && self.lost_lookahead < LOST_LOOKAHEAD_BYTES_MAX
        {
            let Found::Line(next) = self.find_line(offset)? else { break };
            self.fields.push(b'\n');
            self.split(offset, next.content);
            content = offset + next.content;
            offset += next.total;
            lines += 1;
        }
        if !self.in_quotes && self.count_fault().is_none() {
            (self.row_bytes, self.row_lines, self.row_content) = (offset, lines as u64, content);
            return Ok(self.finish_row());
        }
        self.lost_lookahead += offset;
        let last = matches!(self.find_line(first.total)?, Found::Nothing);
        Ok(Step::Bad(if last {
            self.bad(None, Reason::Truncated, "the file ends inside a quoted field")
        } else {
            self.bad(None, Reason::Quote, "a quote is opened and not closed")
        }))
    }

    /// Splits a line anew, so that a bare field may begin with a doubled quote (`""Caput"" do Art. 25`), as exports write
    /// that double a quote and forget to quote its field; if that does not give the due fields either, all is as before.
    fn split_with_quotes_as_text(&mut self, length: usize) {
        for doubled_is_text in [true, false] {
            self.fields.clear();
            self.field_ends.clear();
            self.in_quotes = false;
            self.doubled_is_text = doubled_is_text;
            self.split(0, length);
            self.doubled_is_text = false;
            if !self.in_quotes && self.count_fault().is_none() {
                return;
            }
        }
    }

    /// Splits one line into fields; an open quote at its end stays open.
    fn split(&mut self, offset: usize, length: usize) {
        let line = &self.buffer[self.start + offset..self.start + offset + length];
        let mut at = 0;
        loop {
            if self.in_quotes {
                let Some(quote) = memchr(b'"', &line[at..]) else {
                    self.fields.extend_from_slice(&line[at..]);
                    return;
                };
                self.fields.extend_from_slice(&line[at..at + quote]);
                at += quote + 1;
                match line.get(at) {
                    Some(&next) if next == self.separator => {
                        self.in_quotes = false;
                        at += 1;
                    }
                    Some(b'"') => {
                        self.fields.push(b'"');
                        at += 1;
                        continue;
                    }
                    Some(_) => {
                        self.fields.push(b'"');
                        continue;
                    }
                    None => {
                        self.in_quotes = false;
                        self.field_ends.push(self.fields.len());
                        return;
                    }
                }
            } else if self.form.quoted
                && line.get(at) == Some(&b'"')
                && !(self.doubled_is_text && begins_with_text(&line[at..], self.separator))
            {
                self.in_quotes = true;
                at += 1;
                continue;
            } else {
                let Some(end) = memchr(self.separator, &line[at..]) else {
                    self.fields.extend_from_slice(&line[at..]);
                    self.field_ends.push(self.fields.len());
                    return;
                };
                self.fields.extend_from_slice(&line[at..at + end]);
                at += end + 1;
            }
            self.field_ends.push(self.fields.len());
            self.fields.push(FIELD_MARK);
        }
    }

    fn count_fault(&self) -> Option<String> {
        let (has, due) = (self.field_ends.len(), self.columns.len());
        if due == 0 || has == due {
            return None;
        }
        let extra_is_blank =
            has > due && self.fields[self.field_ends[due - 1]..].iter().all(|b| *b == FIELD_MARK || is_blank_byte(*b));
        (!extra_is_blank).then(|| format!("{has} fields where the header has {due}"))
    }

    /// Puts a text together again that holds separators, where the format is sure which it is.
    fn join_split_column(&mut self) -> bool {
        let Some(split_column) = self.form.split_column else { return false };
        let due = self.columns.len();
        if self.field_ends.len() < due {
            return false;
        }
        let blank = |field: &[u8]| field.iter().all(|b| is_blank_byte(*b));
        let all = self.field_ends.len();
        let used = (due..all).rev().find(|at| !blank(self.field(*at))).map_or(due, |last| last + 1);
        let fields: Vec<&[u8]> = (0..used).map(|at| self.field(at)).collect();
        let Some(column) = split_column(&fields).filter(|column| *column < due) else { return false };
        let extra = column..column + used.saturating_sub(due);
        for at in extra.clone() {
            let mark = self.field_ends[at];
            self.fields[mark] = self.separator;
        }
        self.field_ends.drain(extra);
        true
    }

    fn finish_row(&mut self) -> Step {
        if let Some(detail) = self.count_fault()
            && !self.join_split_column()
        {
            return Step::Bad(self.bad(None, Reason::FieldCount, detail));
        }
        if !self.columns.is_empty() {
            self.field_ends.truncate(self.columns.len());
            self.fields.truncate(self.field_ends.last().copied().unwrap_or_default());
        }
        if memchr(0, &self.fields).is_some() {
            let nul_in_text = |column: usize| {
                let field = self.field(column);
                memchr(0, field).is_some() && !field.iter().all(|b| is_blank_byte(*b))
            };
            if let Some(column) = (0..self.field_ends.len()).find(|c| nul_in_text(*c)) {
                return Step::Bad(self.bad(Some(column), Reason::Encoding, "NUL bytes inside a text"));
            }
        }
        match self.decode() {
            Ok(()) => Step::Row,
            Err(column) => Step::Bad(self.bad(Some(column), Reason::Encoding, "bytes that are not UTF-8")),
        }
    }

    fn field(&self, column: usize) -> &[u8] {
        let start = if column == 0 { 0 } else { self.field_ends[column - 1] + 1 };
        &self.fields[start..self.field_ends[column]]
    }

    /// Decodes and masks the fields; on bytes that are no text, says in which column.
    fn decode(&mut self) -> Result<(), usize> {
        self.encoding = self.encoding.decided_by(&self.fields);
        self.text.clear();
        self.text_ends.clear();
        if self.encoding == Encoding::Cp1252 && !self.fields.is_ascii() {
            self.decode_cp1252();
        } else if self.encoding == Encoding::Mixed && !self.fields.is_ascii() {
            self.decode_each_field()?;
        } else {
            match std::str::from_utf8(&self.fields) {
                Ok(text) => self.text.push_str(text),
                Err(error) => {
                    let at = error.valid_up_to();
                    return Err(self.field_ends.iter().position(|end| at < *end).unwrap_or_default());
                }
            }
            self.text_ends.extend_from_slice(&self.field_ends);
        }
        self.masked = match mask_cpfs(&self.text) {
            std::borrow::Cow::Borrowed(_) => None,
            std::borrow::Cow::Owned(masked) => Some(masked),
        };
        Ok(())
    }

    /// Decodes fields of either encoding; on one that holds both, says in which column.
    fn decode_each_field(&mut self) -> Result<(), usize> {
        let mut start = 0;
        for (column, &end) in self.field_ends.iter().enumerate() {
            if column > 0 {
                self.text.push(char::from(FIELD_MARK));
            }
            if !push_either(&self.fields[start..end], &mut self.text) {
                return Err(column);
            }
            self.text_ends.push(self.text.len());
            start = end + 1;
        }
        Ok(())
    }

    fn decode_cp1252(&mut self) {
        let marks = memchr_iter(FIELD_MARK, &self.fields).count();
        if marks + 1 == self.field_ends.len() {
            push_cp1252(&self.fields, &mut self.text);
            self.text_ends.extend(memchr_iter(FIELD_MARK, self.text.as_bytes()));
            self.text_ends.push(self.text.len());
            return;
        }
        // A field holds the mark itself.
        let mut start = 0;
        for (at, &end) in self.field_ends.iter().enumerate() {
            if at > 0 {
                self.text.push(char::from(FIELD_MARK));
            }
            push_cp1252(&self.fields[start..end], &mut self.text);
            self.text_ends.push(self.text.len());
            start = end + 1;
        }
    }

    fn bad(&self, column: Option<usize>, reason: Reason, detail: impl Into<String>) -> Quarantined {
        Quarantined {
            line: self.line,
            column: column.and_then(|c| self.columns.get(c).cloned()),
            reason,
            detail: detail.into(),
            raw: self.raw(),
        }
    }

    fn skip_long_line(&mut self) -> io::Result<Step> {
        self.row_content = RAW_BYTES_MAX.min(self.end - self.start);
        let bad = self.bad(None, Reason::TooLong, format!("a row of more than {ROW_BYTES_MAX} bytes"));
        self.row_content = 0;
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer[self.start..self.end]) {
                self.start += at + 1;
                break;
            }
            self.start = self.end;
            if !self.fill()? {
                break;
            }
        }
        self.line += 1;
        Ok(Step::Bad(bad))
    }

    /// The line that begins `offset` bytes behind the current row's beginning.
    fn find_line(&mut self, offset: usize) -> io::Result<Found> {
        let mut scanned = offset;
        loop {
            let unseen = &self.buffer[(self.start + scanned).min(self.end)..self.end];
            if let Some(at) = memchr(b'\n', unseen) {
                let content = scanned + at - offset;
                let total = content + 1;
                return Ok(self.measured(offset, content, total));
            }
            scanned = self.end - self.start;
            if scanned.saturating_sub(offset) > ROW_BYTES_MAX {
                return Ok(Found::TooLong);
            }
            if !self.fill()? {
                let rest = scanned.saturating_sub(offset);
                return Ok(if rest == 0 { Found::Nothing } else { self.measured(offset, rest, rest) });
            }
        }
    }

    fn measured(&self, offset: usize, content: usize, total: usize) -> Found {
        if content > ROW_BYTES_MAX {
            return Found::TooLong;
        }
        let line = &self.buffer[self.start + offset..self.start + offset + content];
        let content = if line.last() == Some(&b'\r') { content - 1 } else { content };
        Found::Line(Line { content, total })
    }

    /// Reads on; `false` at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        if self.exhausted {
            return Ok(false);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + READ_BYTES {
            self.buffer.resize(self.end + READ_BYTES, 0);
        }
        let before = self.end;
        self.read_some()?;
        if self.at_beginning {
            self.at_beginning = false;
            while self.end < encoding::BOM.len() && !self.exhausted {
                self.read_some()?;
            }
            if self.buffer[..self.end].starts_with(encoding::BOM) {
                self.start = encoding::BOM.len();
            }
        }
        Ok(self.end > before)
    }

    fn read_some(&mut self) -> io::Result<()> {
        let read = loop {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.end += read;
        self.exhausted = read == 0;
        Ok(())
    }
}

/// A quarantined text: decoded, masked, clipped.
pub(crate) fn raw_text(encoding: Encoding, bytes: &[u8]) -> String {
    let near = &bytes[..bytes.len().min(RAW_BYTES_MAX * 4)];
    mask_and_clip(&encoding.decode_lossy(near), RAW_BYTES_MAX)
}

/// Whether a field begins with a doubled quote that is neither an empty field nor a quoted one's first letter.
fn begins_with_text(field: &[u8], separator: u8) -> bool {
    field.starts_with(b"\"\"") && field.get(2).is_some_and(|byte| *byte != b'"' && *byte != separator)
}

fn is_blank_byte(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0)
}

/// Nothing but blanks, or the end-of-file mark of DOS.
fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|b| matches!(b, b' ' | b'\t' | b'\r' | 0x1A))
}

#[cfg(test)]
mod tests;
