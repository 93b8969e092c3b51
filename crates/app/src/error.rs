//! The one error of the application: what people are told, and what lies beneath. It knows nothing of HTTP.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong.
#[derive(Debug, Error)]
pub enum Error {
    /// A parameter that cannot be.
    #[error("{field}: {because}")]
    Invalid {
        /// The parameter.
        field: &'static str,
        /// Why, in words.
        because: String,
    },
    /// Nothing with this id.
    #[error("{what} `{id}` is not held")]
    NotFound {
        /// What was sought.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// Someone else is writing.
    #[error("another program is writing to {}", .0.display())]
    Locked(PathBuf),
    /// Too much waits already.
    #[error("{0} ingests wait already")]
    QueueFull(usize),
    /// Someone else decided meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// An `Idempotency-Key` came with another body before.
    #[error("this Idempotency-Key came with another body before; choose another key")]
    KeyReused,
    /// What was given to be known by is nobody's, or no longer.
    #[error("{0}")]
    Unknown(String),
    /// A refresh token came a second time: someone else has it, or had it.
    #[error("this refresh token was used before, so its sign-in has ended: sign in again")]
    Reused,
    /// Too many investigations are active.
    #[error("{0} investigations are active already")]
    TooManyActive(i64),
    /// Something could not be done, in words.
    #[error("{0}")]
    Failed(String),
    /// The work was stopped: its process ends, it was cancelled, or someone else does it by now.
    #[error("stopped")]
    Stopped,
    /// A file could not be read or written.
    #[error("{}: {because}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        because: String,
    },
    /// A finding whose evidence cannot be bundled, and why.
    #[error("{0}")]
    CannotBundle(String),
    /// A setting that cannot be.
    #[error("{0}")]
    Settings(String),
    /// A parameter of which it is not kept how many hits it would give.
    #[error("{flag} cannot be previewed by {name}: it changes who is compared, or how grave a hit is; {}", can_be(can))]
    NotPreviewable {
        /// The flag.
        flag: String,
        /// The parameter.
        name: String,
        /// Those that can.
        can: Vec<String>,
    },
    /// What was held at an instant is no longer known as a whole.
    #[error("what was held at {known_at} is not known any more: {count} segments are gone: {}", paths.join(", "))]
    SegmentsGone {
        /// The instant.
        known_at: String,
        /// How many.
        count: usize,
        /// The first of them, by name.
        paths: Vec<String>,
    },
    /// Redis could not be reached, or said no.
    #[error("{0}")]
    Redis(String),
    /// The database said no.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The lake said no.
    #[error(transparent)]
    Lake(lake::Error),
    /// A flag could not be judged.
    #[error(transparent)]
    Flags(#[from] flags::Error),
    /// An input could not be read.
    #[error(transparent)]
    Sources(#[from] sources::Error),
    /// Sample data could not be written.
    #[error(transparent)]
    Sample(#[from] sample::Error),
}

impl Error {
    pub(crate) fn io(path: &Path, cause: &std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), because: cause.to_string() }
    }

    pub(crate) fn invalid(field: &'static str, because: impl Into<String>) -> Self {
        Self::Invalid { field, because: because.into() }
    }

    pub(crate) fn not_found(what: &'static str, id: &str) -> Self {
        Self::NotFound { what, id: id.chars().take(200).collect() }
    }
}

fn can_be(names: &[String]) -> String {
    if names.is_empty() {
        "none of its parameters can be".to_owned()
    } else {
        format!("by these it can: {}", names.join(", "))
    }
}

impl From<events::Error> for Error {
    fn from(error: events::Error) -> Self {
        match error {
            events::Error::Conflict { .. } | events::Error::RolledBack => Self::Conflict(error.to_string()),
            events::Error::KeyReused => Self::KeyReused,
            events::Error::Redis(_) => Self::Redis(error.to_string()),
            events::Error::Store(error) => Self::Store(error),
        }
    }
}

impl From<lake::Error> for Error {
    fn from(error: lake::Error) -> Self {
        match error {
            lake::Error::SegmentsGone { known_at, count, paths } => Self::SegmentsGone { known_at, count, paths },
            other => Self::Lake(other),
        }
    }
}
