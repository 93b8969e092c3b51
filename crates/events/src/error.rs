//! What can go wrong with the log and the queue.

use thiserror::Error;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong with the log and the queue.
#[derive(Debug, Error)]
pub enum Error {
    /// Someone else appended meanwhile.
    #[error("{stream} has {found} events, not the {expected} that were seen; look again")]
    Conflict {
        /// The stream.
        stream: String,
        /// Of which the caller knew.
        expected: i64,
        /// That it has.
        found: i64,
    },
    /// The same key came with another command before.
    #[error("this Idempotency-Key came with another body before")]
    KeyReused,
    /// The work refused, and nothing was written.
    #[error("nothing was written")]
    RolledBack,
    /// Redis could not be reached, or said no.
    #[error("Redis: {0}")]
    Redis(String),
    /// The database said no.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<redis::RedisError> for Error {
    fn from(error: redis::RedisError) -> Self {
        Self::Redis(error.to_string())
    }
}
