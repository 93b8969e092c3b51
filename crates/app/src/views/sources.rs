//! The board of sources: what is held from where, of when, how whole it is, and what could not be kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

/// One source and table. Files, last ingest, quarantine, errors and unchanged rows are counted per source and stand on
/// each of its tables.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Source {
    /// Its code.
    pub source: String,
    /// The canonical table; null for a source of which files were read and no row could be kept.
    pub table: Option<String>,
    /// Rows held.
    pub rows: i64,
    /// The days that the rows speak of.
    pub period: Period,
    /// Rows without the day that would place them in a month.
    pub undated: i64,
    /// Files read from this source.
    pub files: i64,
    /// When a file of this source was last read.
    pub last_ingest_at: Option<String>,
    /// Rows of this source that could not be kept, by reason.
    pub quarantined: BTreeMap<String, i64>,
    /// How many rows state each important field.
    pub fields: BTreeMap<String, Presence>,
    /// Rows that say again what others said.
    pub duplicates: Duplicates,
    /// Months inside the period without a row.
    pub gaps: Gaps,
    /// What was not read.
    pub errors: Errors,
    /// What was fetched over the network; null for a source that is only read from files.
    pub fetch: Option<Fetch>,
    /// Values that no mapping knows, kept as they came, with their rows: at most the 20 most frequent of each field.
    /// Null until an ingest counted them.
    pub unknown: Option<BTreeMap<String, BTreeMap<String, i64>>>,
    /// The flags that need a field which some rows here lack, by that field; how many subjects a flag could not judge
    /// stands in its coverage.
    pub not_computable: BTreeMap<String, BTreeSet<String>>,
}

/// How the fetching from a live source stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Fetch {
    /// When it was last asked, Brasília.
    pub last_asked_at: Option<String>,
    /// When it last gave all of a window that was asked for.
    pub last_success_at: Option<String>,
    /// Windows (a route, some days, a modality) held whole.
    pub windows: u64,
    /// Rows in them, as the source sent them.
    pub rows: u64,
    /// Windows that are not held whole, and why: at most 20.
    pub gaps: BTreeMap<String, String>,
    /// How many these are.
    pub gaps_total: u64,
}

/// First and last day; null where no row states one.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Period {
    /// First day.
    pub from: Option<String>,
    /// Last day.
    pub to: Option<String>,
}

/// How many rows state a field.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Presence {
    /// Share of the rows that state it, 0 to 1, rounded down to six decimals: 1 means every row.
    pub present: f64,
    /// Rows that lack it.
    pub missing: u64,
    /// Rows counted.
    pub rows: u64,
}

/// Rows that say again what others said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Duplicates {
    /// Rows of the source's files that changed nothing: exact repeats within a file or between files, and rows older
    /// than what was held.
    pub unchanged: i64,
    /// Records of this table that share their key with others that differ, told apart by their content; null until an
    /// ingest counted them.
    pub told_apart: Option<i64>,
}

/// Months without a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Gaps {
    /// `AAAA-MM`, oldest first; at most the newest 120.
    pub months: Vec<String>,
    /// How many there are.
    pub total: usize,
}

/// What was not read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Errors {
    /// Files that were not read to their end.
    pub incomplete_files: i64,
    /// Their names, at most 20, newest first.
    pub files: Vec<String>,
    /// Rows in quarantine, of files as last read.
    pub quarantined_rows: i64,
}

impl Presence {
    /// The presence of a field that `missing` of `rows` lack.
    pub(crate) fn new(rows: u64, missing: u64) -> Self {
        let millionths = (rows.saturating_sub(missing) * 1_000_000).checked_div(rows).unwrap_or(0);
        Self { present: millionths as f64 / 1_000_000.0, missing, rows }
    }
}
