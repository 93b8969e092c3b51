//! What can go wrong with a flag, in words a person can act on.

use thiserror::Error;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong with a flag.
#[derive(Debug, Error)]
pub enum Error {
    /// A flag's folder is not as it must be.
    #[error("flag {flag}: {because}")]
    Folder {
        /// The folder or code.
        flag: String,
        /// Why.
        because: String,
    },
    /// The analysis failed.
    #[error("flag {flag}: {cause}")]
    Analysis {
        /// The code.
        flag: String,
        /// What the lake said.
        cause: lake::Error,
    },
    /// A judgement reads more rows than may be gathered.
    #[error("flag {flag}: its judgement reads {rows} rows; at most {rows_max} go into a bundle")]
    TooLarge {
        /// The code.
        flag: String,
        /// How many it reads.
        rows: i64,
        /// How many may be gathered.
        rows_max: i64,
    },
    /// A parameter out of its range, or unknown.
    #[error("flag {flag}: parameter {name}: {because}")]
    Parameter {
        /// The code.
        flag: String,
        /// The parameter.
        name: String,
        /// Why.
        because: String,
    },
    /// The lake said no.
    #[error(transparent)]
    Lake(#[from] lake::Error),
}
