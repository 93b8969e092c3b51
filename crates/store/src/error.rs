//! What can go wrong in the store, in words a person can act on.

use thiserror::Error;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong in the store.
#[derive(Debug, Error)]
pub enum Error {
    /// SQLite said no.
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The schema was written by a newer program.
    #[error("the data folder was written by a newer program (schema {found}, this program knows {known})")]
    Newer {
        /// In the file.
        found: i64,
        /// Of this program.
        known: i64,
    },
    /// What stands in a column is not what was written there.
    #[error("stored JSON is damaged: {0}")]
    Json(#[from] serde_json::Error),
    /// Two ids with one hash.
    #[error("two records share one look-up hash: `{0}` and `{1}`")]
    Collision(String, String),
}

impl Error {
    /// Others hold the database for too long.
    pub(crate) fn busy() -> Self {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        Self::Sqlite(rusqlite::Error::SqliteFailure(code, Some("others are writing".to_owned())))
    }

    /// Another writer held the database for too long; the same may go well later.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy))
    }
}
