//! Rows in the Portal's dialect, written as bytes.
//!
//! A row is put together in one buffer as UTF-8 and turned into Latin-1 a mebibyte at a time, where the file
//! asks for it: all text of this crate lies in Latin-1. Nothing is allocated per row.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use encoding_rs::mem::convert_utf8_to_latin1_lossy;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Bytes kept before they are written out.
const BUFFER_BYTES: usize = 1 << 20;

/// How one file is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// Latin-1, or UTF-8 with a byte-order mark.
    pub(crate) latin1: bool,
    pub(crate) crlf: bool,
    /// Every line, the header too, ends in the separator.
    pub(crate) trailing: bool,
    pub(crate) separator: u8,
}

enum Sink {
    Plain(File),
    Packed(Box<ZipWriter<BufWriter<File>>>),
}

/// One table being written.
pub(crate) struct Csv {
    sink: Sink,
    dialect: Dialect,
    buffer: Vec<u8>,
    encoded: Vec<u8>,
    row_start: usize,
    /// The physical line on which the current row begins, from 1.
    line: u64,
    rows: u64,
}

impl Csv {
    /// A file, with its header.
    pub(crate) fn create(path: &Path, dialect: Dialect, header: &str) -> io::Result<Self> {
        Self::start(Sink::Plain(File::create(path)?), dialect, header)
    }

    /// A file without a header.
    pub(crate) fn create_bare(path: &Path, dialect: Dialect) -> io::Result<Self> {
        Self::begin(Sink::Plain(File::create(path)?), dialect)
    }

    /// The only member of an archive, with its header.
    pub(crate) fn create_packed(path: &Path, member: &str, dialect: Dialect, header: &str) -> io::Result<Self> {
        let mut archive = ZipWriter::new(BufWriter::with_capacity(1 << 18, File::create(path)?));
        archive.start_file(member, packing()).map_err(io::Error::other)?;
        Self::start(Sink::Packed(Box::new(archive)), dialect, header)
    }

    fn begin(sink: Sink, dialect: Dialect) -> io::Result<Self> {
        let buffer = Vec::with_capacity(BUFFER_BYTES + (1 << 16));
        let mut csv = Self { sink, dialect, buffer, encoded: Vec::new(), row_start: 0, line: 1, rows: 0 };
        if !dialect.latin1 {
            csv.buffer.extend_from_slice("\u{FEFF}".as_bytes());
        }
        Ok(csv)
    }

    fn start(sink: Sink, dialect: Dialect, header: &str) -> io::Result<Self> {
        let mut csv = Self::begin(sink, dialect)?;
        for name in header.split(';') {
            csv.plain(name.as_bytes());
        }
        csv.end_row()?;
        csv.rows = 0;
        Ok(csv)
    }

    /// A field that holds no quote.
    #[inline]
    pub(crate) fn plain(&mut self, text: &[u8]) {
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(text);
        self.buffer.extend_from_slice(&[b'"', self.dialect.separator]);
    }

    /// A field of any text; quotes are doubled, and line ends stay.
    pub(crate) fn text(&mut self, text: &[u8]) {
        self.buffer.push(b'"');
        if text.contains(&b'"') || text.contains(&b'\n') {
            for byte in text {
                self.line += u64::from(*byte == b'\n');
                self.buffer.push(*byte);
                if *byte == b'"' {
                    self.buffer.push(b'"');
                }
            }
        } else {
            self.buffer.extend_from_slice(text);
        }
        self.buffer.extend_from_slice(&[b'"', self.dialect.separator]);
    }

    /// A field that `write` fills.
    #[inline]
    pub(crate) fn field(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.buffer.push(b'"');
        write(&mut self.buffer);
        self.buffer.extend_from_slice(&[b'"', self.dialect.separator]);
    }

    /// Several fields that are quoted already.
    #[inline]
    pub(crate) fn ready(&mut self, fields: &[u8]) {
        self.buffer.extend_from_slice(fields);
    }

    /// Ends the row; gives the physical line on which it ended.
    pub(crate) fn end_row(&mut self) -> io::Result<u64> {
        if !self.dialect.trailing {
            self.buffer.pop();
        }
        self.buffer.extend_from_slice(if self.dialect.crlf { b"\r\n" } else { b"\n" });
        let line = self.line;
        self.line += 1;
        self.rows += 1;
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        self.row_start = self.buffer.len();
        Ok(line)
    }

    /// Ends the row and writes it once more, byte for byte. For rows without line ends inside.
    pub(crate) fn end_row_twice(&mut self) -> io::Result<u64> {
        let row = self.buffer[self.row_start..].to_vec();
        let line = self.end_row()?;
        self.buffer.extend_from_slice(&row);
        self.end_row()?;
        Ok(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        let bytes = if self.dialect.latin1 {
            self.encoded.resize(self.buffer.len(), 0);
            let length = convert_utf8_to_latin1_lossy(&self.buffer, &mut self.encoded);
            &self.encoded[..length]
        } else {
            &self.buffer[..]
        };
        match &mut self.sink {
            Sink::Plain(file) => file.write_all(bytes)?,
            Sink::Packed(archive) => archive.write_all(bytes)?,
        }
        self.buffer.clear();
        Ok(())
    }

    /// Writes what is left; gives the number of rows.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        if let Sink::Packed(archive) = self.sink {
            archive.finish().map_err(io::Error::other)?.flush()?;
        }
        Ok(self.rows)
    }
}

/// No time of day, so that the same rows give the same archive.
pub(crate) fn packing() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .last_modified_time(zip::DateTime::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECT: Dialect = Dialect { latin1: true, crlf: false, trailing: false, separator: b';' };

    #[test]
    fn a_row_is_quoted_and_in_latin1() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let mut csv = Csv::create(&path, DIALECT, "Órgão;Valor").unwrap();
        csv.text("tipo \"A\"\nção".as_bytes());
        csv.plain(b"1");
        assert_eq!(csv.end_row().unwrap(), 3);
        csv.plain(b"x");
        csv.plain(b"2");
        assert_eq!(csv.end_row_twice().unwrap(), 4);
        assert_eq!(csv.finish().unwrap(), 3);
        let written = std::fs::read(&path).unwrap();
        assert_eq!(
            written,
            b"\"\xD3rg\xE3o\";\"Valor\"\n\"tipo \"\"A\"\"\n\xE7\xE3o\";\"1\"\n\"x\";\"2\"\n\"x\";\"2\"\n"
        );
    }

    #[test]
    fn a_trailing_semicolon_stands_on_every_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let dialect = Dialect { latin1: false, crlf: true, trailing: true, separator: b';' };
        let mut csv = Csv::create(&path, dialect, "A").unwrap();
        csv.plain(b"1");
        csv.end_row().unwrap();
        csv.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "\u{FEFF}\"A\";\r\n\"1\";\r\n");
    }
}
