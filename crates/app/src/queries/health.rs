//! Whether the program can answer.

use crate::App;

/// Whether each part answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// The database answers a query.
    pub database: bool,
    /// The lake's folder is there.
    pub lake: bool,
}

impl Readiness {
    /// Whether questions can be answered.
    #[must_use]
    pub fn is_ready(self) -> bool {
        self.database && self.lake
    }
}

impl App {
    /// Whether the program can answer.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        Readiness { database: self.store().ingests().is_ok(), lake: self.lake().root().is_dir() }
    }
}
