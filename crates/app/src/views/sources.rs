//! The board of sources: what is held from where, of when, and what could not be kept.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// One source and table. Files, last ingest and quarantine are counted per source and stand on each of its tables.
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
    /// Files read from this source.
    pub files: i64,
    /// When a file of this source was last read.
    pub last_ingest_at: Option<String>,
    /// Rows of this source that could not be kept, by reason.
    pub quarantined: BTreeMap<String, i64>,
}

/// First and last day; null where no row states one.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Period {
    /// First day.
    pub from: Option<String>,
    /// Last day.
    pub to: Option<String>,
}
