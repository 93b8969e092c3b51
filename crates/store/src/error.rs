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
    /// PostgreSQL said no.
    #[error("database: {}", crate::db::told(.0))]
    Postgres(tokio_postgres::Error),
    /// The server cannot be reached, or left.
    #[error("the database cannot be reached: {0}")]
    Away(String),
    /// The answer did not come before the one who asked had left.
    #[error("the database did not answer in time")]
    Late,
    /// The server's address cannot be read.
    #[error("the address of the database: {0}")]
    Address(String),
    /// A value cannot be sent.
    #[error("a value cannot be stored: {0}")]
    Value(String),
    /// The schema was written by a newer program.
    #[error("the database was written by a newer program (schema {found}, this program knows {known})")]
    Newer {
        /// In the file.
        found: i64,
        /// Of this program.
        known: i64,
    },
    /// A copy's target must hold nothing.
    #[error("the database to copy into is not empty: `{0}` holds rows")]
    NotEmpty(String),
    /// A copy is not the same as what was copied; nothing was kept of it.
    #[error("`{table}` did not arrive as it was sent ({sent} rows, {arrived} arrived); nothing was copied")]
    CopyDiffers {
        /// Which.
        table: String,
        /// Its rows.
        sent: u64,
        /// Those that arrived.
        arrived: u64,
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
        match self {
            Self::Sqlite(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy),
            // A lock that was not free in time, a deadlock, a conflict, a statement that took too long.
            Self::Postgres(error) => {
                error.code().is_some_and(|code| ["55P03", "40P01", "40001", "57014"].contains(&code.code()))
            }
            _ => self.is_away(),
        }
    }

    /// The server cannot be reached; the same may go well later.
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        // What comes with no word of the server's is the network's; it says itself when it goes down or has no room.
        let away = match error.code().map(|code| code.code().to_owned()) {
            None => {
                error.is_closed() || std::error::Error::source(&error).is_some_and(|cause| cause.is::<std::io::Error>())
            }
            Some(code) => code.starts_with("57P") || code.starts_with("08") || code == "53300",
        };
        if away { Self::Away(crate::db::told(&error)) } else { Self::Postgres(error) }
    }
}
