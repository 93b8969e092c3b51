//! What people said of findings, and what flags are worth by it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::views::{Precision, Statement, Verdict};
use crate::{App, Result};

/// The most verdicts that a finding shows.
const VERDICTS_MAX: usize = 100;
/// The most statements that a finding may have.
pub(crate) const STATEMENTS_MAX: usize = 100;

/// Findings with which verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictGiven {
    /// The last verdict confirms it.
    Confirmed,
    /// The last verdict dismisses it.
    Dismissed,
    /// Nobody gave one.
    None,
}

impl From<VerdictGiven> for store::VerdictFilter {
    fn from(given: VerdictGiven) -> Self {
        match given {
            VerdictGiven::Confirmed => Self::Confirmed,
            VerdictGiven::Dismissed => Self::Dismissed,
            VerdictGiven::None => Self::None,
        }
    }
}

impl App {
    /// The verdicts of a finding, newest first, and the statements to it, oldest first.
    pub(super) fn said_of(&self, held: &store::FindingRow) -> Result<(Vec<Verdict>, Vec<Statement>)> {
        let verdicts = self.store().verdicts(&held.id, VERDICTS_MAX)?;
        let verdicts = verdicts.into_iter().map(|row| Verdict::new(row, held)).collect::<Result<_>>()?;
        let statements = self.store().statements(&held.id, STATEMENTS_MAX)?;
        Ok((verdicts, statements.into_iter().map(Statement::from).collect()))
    }

    /// The precision of each flag that has verdicts.
    pub(super) fn precision_by_flag(&self) -> Result<BTreeMap<String, Precision>> {
        let counts = self.store().verdict_counts()?;
        let of_one = counts.chunk_by(|a, b| a.flag == b.flag);
        Ok(of_one.filter_map(|counts| Some((counts[0].flag.clone(), Precision::of(counts)?))).collect())
    }
}
