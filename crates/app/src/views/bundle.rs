//! Bundles of evidence: the key that signs them, and what came of verifying one.

use std::collections::BTreeMap;

use report::Words;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The public key of this issuer's evidence bundles.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EvidenceKey {
    /// `Ed25519`.
    #[schema(value_type = String)]
    pub algorithm: &'static str,
    /// 32 bytes, in hex.
    pub public_key: String,
    /// The same as PEM, for `openssl`.
    pub pem: String,
    /// What people compare: `SHA256:` and the hash of the 32 bytes.
    pub fingerprint: String,
}

/// What verifying a bundle came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// The judgement came out as the bundle says.
    Equal,
    /// It came out otherwise.
    Different,
    /// The bundle cannot be read, is not signed as it says, or may not be run.
    Broken,
}

/// The account of verifying a bundle.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// What it came to.
    pub verdict: Verified,
    /// Why it is broken.
    pub broken: Option<String>,
    /// What came out otherwise.
    pub differences: Vec<flags::Difference>,
    /// What the bundle says of itself; null when it cannot be read.
    pub bundle: Option<BundleSaid>,
    /// Who signed; null when it cannot be read.
    pub signature: Option<SignedBy>,
    /// The flag of the bundle against this program's own.
    pub flag: Option<FlagAgainstOwn>,
    /// Tables of legal limits that are not this program's own; null when it was not come to.
    pub law_differs: Option<Vec<String>>,
    /// What the judgement gave here; null when it was not come to, or nothing was judged.
    pub redone: Option<Value>,
    /// Fields of the finding that no judgement gives (when it was seen, links).
    pub not_compared: Vec<String>,
}

/// What a bundle says of itself.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names are the manifest's")]
pub struct BundleSaid {
    pub finding: String,
    pub flag: String,
    pub flag_version: u32,
    pub state: String,
    pub outcome: String,
    pub subject: String,
    pub as_of: Option<String>,
    pub known_at: Option<String>,
    pub made_at: String,
    pub program_version: String,
    pub catalogue_version: String,
    pub inputs: BTreeMap<String, u64>,
    pub inputs_are: String,
    pub recomputed: Vec<String>,
    pub taken_as_given: Vec<Words>,
}

/// Who signed a bundle.
#[derive(Debug, Clone, Serialize)]
pub struct SignedBy {
    /// Of the key.
    pub fingerprint: String,
    /// `demanded`: it is the key that was asked for. `own`: it is the bundle's own and says nothing of who holds it.
    pub key: &'static str,
}

/// The flag of a bundle against the flag of the same code in this program.
#[derive(Debug, Clone, Serialize)]
pub struct FlagAgainstOwn {
    /// Byte for byte the same.
    pub same: bool,
    /// Files that differ, or are on one side only; all of them when this program has no such flag.
    pub files_differ: Vec<String>,
}
