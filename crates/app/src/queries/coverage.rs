//! How many subjects each flag judged, with which outcome, and what was missing.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{App, Result};

/// The counted outcomes of one flag over all sources.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FlagCoverage {
    /// Its code.
    pub code: String,
    /// Subjects that hit.
    pub hit: i64,
    /// Subjects that are clear.
    pub clear: i64,
    /// Subjects that could not be judged, by missing field.
    pub not_computable: BTreeMap<String, i64>,
}

impl App {
    /// The coverage of every flag, also of those that judged nothing.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn coverage(&self) -> Result<Vec<FlagCoverage>> {
        let mut flags: Vec<FlagCoverage> = self
            .catalogue()
            .flags()
            .iter()
            .map(|f| FlagCoverage { code: f.code.clone(), ..FlagCoverage::default() })
            .collect();
        for row in self.store().coverage()? {
            let Some(flag) = flags.iter_mut().find(|f| f.code == row.flag) else { continue };
            match row.outcome.as_str() {
                "hit" => flag.hit += row.n,
                "clear" => flag.clear += row.n,
                _ => *flag.not_computable.entry(row.field).or_default() += row.n,
            }
        }
        Ok(flags)
    }
}
