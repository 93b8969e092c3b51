//! What a bundle says of itself. The signature is over the exact bytes of this, so every member is under it by its hash.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the format that this program writes, and the only one it reads.
pub const FORMAT: u32 = 1;

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of the format.
    pub format: u32,
    /// The finding's id.
    pub finding: String,
    /// The flag's code.
    pub flag: String,
    /// The flag's version.
    pub flag_version: u32,
    /// `open`, or `withdrawn` when the finding no longer held.
    pub state: String,
    /// What the judgement gave when the bundle was made: `hit`, `clear`, `not_computable` or `not_judged`.
    pub outcome: String,
    /// What was judged.
    pub subject: String,
    /// The peer group, as the flag's SQL names it.
    pub group: String,
    /// The day of the facts.
    pub as_of: Option<String>,
    /// When what was known was known, where the finding says so.
    pub known_at: Option<String>,
    /// When the bundle was made.
    pub made_at: String,
    /// The program that made it.
    pub program_version: String,
    /// Its catalogue of flags.
    pub catalogue_version: String,
    /// Its legal limits.
    pub law_version: String,
    /// Ed25519, in hex.
    pub public_key: String,
    /// Rows of each table under `inputs/`.
    pub inputs: BTreeMap<String, u64>,
    /// `peer_group`: the rows that the group's judgement reads. `whole_tables`: every row of the tables it names.
    pub inputs_are: String,
    /// The files of the lake that the judgement read.
    pub segments: Vec<SegmentRead>,
    /// Derived tables that whoever verifies makes again from the inputs.
    pub recomputed: Vec<String>,
    /// What whoever verifies takes as it is given.
    pub taken_as_given: Vec<Words>,
    /// Every other member of the archive but the signature.
    pub members: BTreeMap<String, Member>,
}

/// A member of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// SHA-256, in hex.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}

/// A file of the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentRead {
    /// Where it lay in the lake.
    pub path: String,
    /// SHA-256, in hex.
    pub sha256: String,
    /// Its rows.
    pub rows: u64,
}

/// A sentence in two languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Portuguese.
    pub pt: String,
    /// English.
    pub en: String,
}
