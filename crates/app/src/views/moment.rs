//! What the flags say at a moment.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Finding, FlagCoverage, PageInfo};

/// All that a judgement depends on: with the same it comes out the same.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JudgedAt {
    /// Facts that stood by this day; null for all that is held.
    pub as_of: Option<String>,
    /// As they were held then; null when nothing ever was.
    pub known_at: Option<String>,
    /// Of the flags.
    pub catalogue_version: String,
    /// Of the program.
    pub program_version: String,
    /// Of the legal limits.
    pub law_version: String,
    /// Which segments of the lake were read: `count`, `rows` and the SHA-256 over their contents.
    #[schema(value_type = Object)]
    pub segments: lake::SegmentSet,
    /// Facts of each table that are left out because no day is known of them; empty without `as_of`.
    pub undated: BTreeMap<String, i64>,
}

/// What one flag came to at a moment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlagAtMoment {
    /// Its code.
    pub code: String,
    /// Its version.
    pub version: u32,
    /// The values of its parameters.
    #[schema(value_type = Object)]
    pub parameters: Map<String, Value>,
    /// How many subjects came out how.
    #[serde(flatten)]
    pub counts: FlagCoverage,
}

/// What the flags say at a moment.
#[derive(Debug, Clone, Serialize)]
pub struct MomentReport {
    /// The moment, and what was read.
    #[serde(flatten)]
    pub at: JudgedAt,
    /// Per flag.
    pub flags: Vec<FlagAtMoment>,
    /// The findings, by flag, gravest first.
    pub findings: Vec<Finding>,
}

/// One page of what a flag finds at a moment.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = FindingsAtMoment)]
pub struct Judged {
    /// The findings, gravest first.
    #[schema(value_type = Vec<super::FindingShape>)]
    pub data: Vec<Finding>,
    /// Where this page ends.
    pub page: PageInfo,
    /// The moment, and what was read.
    pub at: JudgedAt,
    /// How many findings there are.
    pub total: usize,
    /// How many of them can be paged through: the gravest 1,000.
    pub total_paged: usize,
    /// How many subjects came out how.
    pub counts: FlagCoverage,
}
