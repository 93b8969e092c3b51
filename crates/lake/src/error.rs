//! What can go wrong in the lake, in words a person can act on.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong in the lake.
#[derive(Debug, Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Parquet could not be written.
    #[error("segment: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// Arrow could not hold the rows.
    #[error("segment: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A stored value is not of its column's kind.
    #[error("stored row: {0}")]
    Row(#[from] rusqlite::Error),
    /// What was held at an instant is no longer known as a whole.
    #[error("what was held at {known_at} is not known any more: {count} segments are gone, such as {}", paths.join(", "))]
    SegmentsGone {
        /// The instant.
        known_at: String,
        /// How many.
        count: usize,
        /// The first of them, by name.
        paths: Vec<String>,
    },
    /// A row or statement given by a stranger is not as it must be.
    #[error("{0}")]
    Refused(String),
    /// DuckDB said no.
    #[error("analysis: {0}")]
    DuckDb(#[from] duckdb::Error),
}

impl Error {
    pub(crate) fn io(path: &Path, cause: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), cause }
    }
}
