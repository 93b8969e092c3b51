//! How many subjects each flag judged, with which outcome, and what was missing.

use serde::Serialize;

use crate::views::{Coverage, Precision};
use crate::{App, Result};

/// The counted outcomes of one flag over all sources.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FlagCoverage {
    /// Its code.
    pub code: String,
    /// Its counts.
    #[serde(flatten)]
    pub counts: Coverage,
    /// How often people confirmed its findings; null when nobody gave a verdict.
    pub precision: Option<Precision>,
}

impl App {
    /// The coverage of every flag, also of those that judged nothing.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn coverage(&self) -> Result<Vec<FlagCoverage>> {
        let mut counted = self.coverage_by_flag()?;
        let mut precision = self.precision_by_flag()?;
        let codes = self.catalogue().flags().iter().map(|flag| flag.code.clone());
        Ok(codes
            .map(|code| FlagCoverage {
                counts: counted.remove(&code).unwrap_or_default(),
                precision: precision.remove(&code),
                code,
            })
            .collect())
    }
}
