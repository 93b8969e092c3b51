//! What can go wrong outside, said so that who reads it knows whether to try again and when.

use std::time::Duration;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No address of a web resource.
    #[error("{url}: not an http or https address")]
    Address {
        /// What was given.
        url: String,
    },
    /// The source said no; asking again as it is would not help.
    #[error("{url}: answered {status}{}", said(.excerpt))]
    Refused {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said.
        excerpt: String,
    },
    /// The source failed, or was not reached, as often as it was tried.
    #[error("{url}: {because}, after {attempts} attempt(s)")]
    Failed {
        /// What was asked.
        url: String,
        /// The last failure.
        because: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The time that the caller gave is over.
    #[error("{url}: no answer in the time given, after {attempts} attempt(s){}", because(.last))]
    Deadline {
        /// What was asked.
        url: String,
        /// How often it was tried.
        attempts: u32,
        /// The last failure, if there was one.
        last: Option<String>,
    },
    /// The source failed so often that it is left alone for a while.
    #[error("{origin}: failed too often, left alone for another {} s", .wait.as_secs_f64().ceil())]
    LeftAlone {
        /// Scheme, host and port.
        origin: String,
        /// Until it is tried again.
        wait: Duration,
    },
    /// The answer is longer than is accepted.
    #[error("{url}: the answer is longer than {bytes_max} bytes")]
    TooLong {
        /// What was asked.
        url: String,
        /// The most that is accepted, after decompression.
        bytes_max: usize,
    },
}

/// The result of asking.
pub type Result<T> = std::result::Result<T, Error>;

fn said(excerpt: &str) -> String {
    if excerpt.is_empty() { String::new() } else { format!(": {excerpt}") }
}

fn because(last: &Option<String>) -> String {
    last.as_ref().map(|last| format!(" (last: {last})")).unwrap_or_default()
}
