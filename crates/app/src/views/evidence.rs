//! What stands in a finding's evidence, for people and programs that read it.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Arithmetic, FindingShape, Law, PeerGroup, Text};

/// All that is needed to reckon a finding again: rows with file and line, formula, SQL, parameters, arithmetic, law,
/// and the hashes of the segments that were read.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Evidence)]
pub struct EvidenceShape {
    /// The finding, whole.
    #[schema(value_type = FindingShape)]
    pub finding: serde_json::Value,
    /// The flag as it judged.
    pub flag: EvidenceFlag,
    /// The values of the flag's parameters.
    #[schema(value_type = Object)]
    pub parameters: serde_json::Value,
    /// The rows that were read.
    pub rows: Vec<EvidenceRow>,
    /// How many rows there are; `rows` may hold fewer.
    pub rows_total: u64,
    /// The reckoning, step by step.
    pub arithmetic: Vec<Arithmetic>,
    /// Who it was compared with; null for a rule.
    pub peers: Option<PeerGroup>,
    /// The law then in force, for a rule.
    pub law: Option<Law>,
    /// The files of the lake that were read.
    pub segments: Vec<EvidenceSegment>,
    /// The run that judged.
    pub run: EvidenceRun,
}

/// The flag as it judged.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EvidenceFlag {
    /// Its code.
    pub code: String,
    /// Its version.
    pub version: u32,
    /// How it reckons.
    pub formula: Text,
    /// The query that judges.
    pub sql: String,
}

/// A row that was read.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EvidenceRow {
    /// Its table.
    pub table: String,
    /// Its id.
    pub id: String,
    /// The file it stands in.
    pub file: Option<String>,
    /// SHA-256 of the file, in hex.
    pub file_sha256: Option<String>,
    /// The line it stands on.
    pub line: Option<i64>,
    /// Hash of the raw row.
    pub row_hash: Option<String>,
    /// Its columns.
    #[schema(value_type = Object)]
    pub fields: serde_json::Value,
}

/// A file of the lake.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EvidenceSegment {
    /// Where it lies in the lake.
    pub path: String,
    /// SHA-256, in hex.
    pub sha256: String,
    /// Its rows.
    pub rows: i64,
}

/// A run of the catalogue.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EvidenceRun {
    /// Its number.
    pub id: i64,
    /// When.
    pub judged_at: String,
    /// Of the flags.
    pub catalogue_version: String,
    /// Of the program.
    pub program_version: String,
    /// Of the legal limits.
    pub law_version: String,
    /// `all`, or since which ingest what changed was judged.
    pub scope: String,
    /// What was held then was judged: asked for at this instant, `flags run --known-at` gives the finding again.
    pub known_at: String,
    /// Which segments were read (`count`, `rows`, `sha256`); of runs of before version 3, a number.
    #[schema(value_type = Object)]
    pub segments: serde_json::Value,
    /// The values of the flag's parameters; null for runs of before version 3.
    #[schema(value_type = Object)]
    pub parameters: serde_json::Value,
}
