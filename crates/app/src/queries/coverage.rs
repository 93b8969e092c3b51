//! How many subjects each flag judged, with which outcome, and what was missing; in all and by source.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::views::{Coverage, FlagCoverage, Precision};
use crate::{App, Result};

/// A flag with its counted outcomes.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CountedFlag {
    /// Its code.
    pub code: String,
    /// Its counts.
    #[serde(flatten)]
    pub counts: FlagCoverage,
    /// How often people confirmed its findings; null when nobody gave a verdict.
    pub precision: Option<Precision>,
}

impl App {
    /// The coverage of every flag, also of those that judged nothing.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn coverage(&self) -> Result<Vec<CountedFlag>> {
        let mut counted = self.coverage_by_flag()?;
        let mut precision = self.precision_by_flag()?;
        let codes = self.catalogue().flags().iter().map(|flag| flag.code.clone());
        Ok(codes
            .map(|code| CountedFlag {
                counts: counted.remove(&code).unwrap_or_default(),
                precision: precision.remove(&code),
                code,
            })
            .collect())
    }

    /// Outcomes by flag. A flag that was judged over nothing has zeros; one that was never judged is not there.
    pub(crate) fn coverage_by_flag(&self) -> Result<BTreeMap<String, FlagCoverage>> {
        let mut by_flag: BTreeMap<String, FlagCoverage> = BTreeMap::new();
        if self.store().last_catalogue()?.is_some() {
            by_flag.extend(self.catalogue().flags().iter().map(|flag| (flag.code.clone(), FlagCoverage::default())));
        }
        for row in self.store().coverage()? {
            counted(by_flag.entry(row.flag).or_default(), &row.source, &row.outcome, &row.field, row.n);
        }
        Ok(by_flag)
    }
}

/// Adds the `n` subjects of a source that came out so.
pub(crate) fn counted(coverage: &mut FlagCoverage, source: &str, outcome: &str, field: &str, n: i64) {
    let of_source = coverage.by_source.entry(source.to_owned()).or_default();
    for counts in [&mut coverage.whole, of_source] {
        add(counts, outcome, field, n);
    }
}

fn add(counts: &mut Coverage, outcome: &str, field: &str, n: i64) {
    match outcome {
        "hit" => counts.hit += n,
        "clear" => counts.clear += n,
        _ => *counts.not_computable.entry(field.to_owned()).or_default() += n,
    }
}
