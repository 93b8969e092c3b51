//! What can go wrong with a file, and with one row of it.
//!
//! A bad row is never an [`Error`]: it is quarantined with a [`Reason`] and the file goes on. An `Error` ends the
//! reading of one file; rows given out before it stand.

use std::path::PathBuf;

use thiserror::Error as ThisError;

/// Why a file could not be read, or not to its end. The sentence is for people; the cause is beside it.
#[derive(Debug, ThisError)]
pub enum Error {
    /// A path that was asked for is not there.
    #[error("there is no file or folder {}", path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// The operating system refused, or the compressed data are broken.
    #[error("cannot read {name}: {cause}")]
    Io {
        /// The file, as people know it.
        name: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Not a ZIP archive, or a cut or broken one.
    #[error("cannot open the archive {name}: {detail}")]
    Archive {
        /// The archive, as people know it.
        name: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A file without a byte, or with nothing but blanks.
    #[error("{name} is empty")]
    Empty {
        /// The file, as people know it.
        name: String,
    },
    /// Text in UTF-16, which no source writes.
    #[error("{name} is text in UTF-16; save it as UTF-8 and ingest it again")]
    Utf16 {
        /// The file, as people know it.
        name: String,
    },
    /// No format that we know.
    #[error("{name} is in no format that we know; it begins with `{first_line}`; known sources: {known}")]
    UnknownFormat {
        /// The file, as people know it.
        name: String,
        /// Its first line, clipped, CPFs masked.
        first_line: String,
        /// The names of the sources that we know.
        known: String,
    },
    /// Nearly a format that we know, but columns that we need are missing.
    #[error("the header of {name} is nearly that of {format}, but these columns are missing: {}", missing.join(", "))]
    HeaderChanged {
        /// The file, as people know it.
        name: String,
        /// The format it resembles.
        format: &'static str,
        /// The missing columns, as we know them.
        missing: Vec<String>,
    },
    /// The source that the caller named does not exist.
    #[error("there is no source `{hint}`; known sources: {known}")]
    UnknownSource {
        /// What the caller named.
        hint: String,
        /// The names of the sources that we know.
        known: String,
    },
    /// The file is of another source than the caller named.
    #[error("{name} is not a file of {hint}: it looks like {found}")]
    WrongSource {
        /// The file, as people know it.
        name: String,
        /// What the caller named.
        hint: String,
        /// What it looks like.
        found: String,
    },
    /// The file ends in the middle of a row; the rows before were given out.
    #[error("{name} is cut off in row {row}; the rows before it were read")]
    Truncated {
        /// The file, as people know it.
        name: String,
        /// Line or ordinal of the piece of a row at its end.
        row: u64,
    },
    /// The rows are well, what stands around them is not (text after the end of a JSON page, say).
    #[error("{name} is damaged: {detail}; the rows before were read")]
    Damaged {
        /// The file, as people know it.
        name: String,
        /// What is wrong.
        detail: String,
    },
    /// A mapping file that says what cannot be.
    #[error("{name}, line {line}: {because}")]
    Mapping {
        /// The mapping file, as people know it.
        name: String,
        /// The line, 1 for the first.
        line: usize,
        /// What is wrong there, and what is allowed.
        because: String,
    },
    /// The header lacks columns that the mapping names.
    #[error("{name} does not fit the mapping {mapping}: these columns are missing: {}", missing.join(", "))]
    MappedColumnsMissing {
        /// The file, as people know it.
        name: String,
        /// The mapping file, as people know it.
        mapping: String,
        /// The missing columns, as the mapping names them.
        missing: Vec<String>,
        /// Not one column of the mapping stands in the file: it is something else.
        none_found: bool,
    },
    /// A column that the mapping names stands twice in the header.
    #[error(
        "the column `{column}` stands twice in {name}, and the mapping {mapping} cannot say which it means; \
             name the columns by `header` in [file]"
    )]
    MappedColumnTwice {
        /// The file, as people know it.
        name: String,
        /// The mapping file, as people know it.
        mapping: String,
        /// The column, as the file writes it.
        column: String,
    },
    /// The receiver of the rows asked to stop.
    #[error("stopped by the receiver of the rows: {0}")]
    Sink(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps an error of the receiver, so that it can stop the reading.
    pub fn sink(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Sink(cause.into())
    }

    pub(crate) fn io(name: &str, cause: std::io::Error) -> Self {
        Self::Io { name: name.to_owned(), cause }
    }
}

/// Why a row was quarantined, as a code that can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Another number of fields than the header has columns.
    FieldCount,
    /// A quote is opened and never closed.
    Quote,
    /// Bytes that are no text in the file's encoding, or NULs inside a text.
    Encoding,
    /// Not a day in the form of its column, or a day that does not exist.
    Date,
    /// Not an amount, too large, or more decimals than money has.
    Amount,
    /// An amount with the marks of another country (`6058.60` where `6058,60` is due).
    NumberStyle,
    /// A field without which the row is nothing (its number, its unit) is blank.
    RequiredField,
    /// Not JSON, or nested too deep.
    Json,
    /// A value of another type than its field has (in JSON), or none of a field's words (in a mapped file).
    Type,
    /// Longer than a row may be.
    TooLong,
    /// The file ends in the middle of it.
    Truncated,
    /// Another row stands under the same id (used by the ingest, never here).
    IdCollision,
}

impl Reason {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::FieldCount,
        Self::Quote,
        Self::Encoding,
        Self::Date,
        Self::Amount,
        Self::NumberStyle,
        Self::RequiredField,
        Self::Json,
        Self::Type,
        Self::TooLong,
        Self::Truncated,
        Self::IdCollision,
    ];

    /// Its code in reports and tables; it never changes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::FieldCount => "field_count",
            Self::Quote => "quote",
            Self::Encoding => "encoding",
            Self::Date => "date",
            Self::Amount => "amount",
            Self::NumberStyle => "number_style",
            Self::RequiredField => "required_field",
            Self::Json => "json",
            Self::Type => "type",
            Self::TooLong => "too_long",
            Self::Truncated => "truncated",
            Self::IdCollision => "id_collision",
        }
    }

    /// From its code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// What a mapper says of a row that it cannot map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub column: Option<String>,
    pub reason: Reason,
    pub detail: String,
}

impl Fault {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { column: None, reason, detail: detail.into() }
    }

    pub(crate) fn at(column: &str, reason: Reason, detail: impl Into<String>) -> Self {
        Self { column: Some(column.to_owned()), reason, detail: detail.into() }
    }
}
