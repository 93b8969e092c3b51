//! What is held, in a few numbers.

use crate::{App, Result};

/// What is held, in numbers.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Table, rows of all sources.
    pub rows: Vec<(String, i64)>,
    /// Flag, open findings; those that have some.
    pub open_findings: Vec<(String, i64)>,
}

impl App {
    /// What is held, in numbers; both come from small tables and indexes.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn counts(&self) -> Result<Counts> {
        self.recalled("counts", &(), || {
            Ok(Counts { rows: self.store().rows_by_table()?, open_findings: self.store().open_findings()? })
        })
    }
}
