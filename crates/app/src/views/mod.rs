//! The shapes in which the doors answer, one file per thing of the domain.
//!
//! A view promises what `docs/api.md` says: money as text with four decimals and its currency beside it, days as
//! `AAAA-MM-DD`, and `null` for what the source did not state. Views are made from rows here and nowhere else, so
//! every door shows the same facts in the same words.

mod bundle;
mod contracts;
mod entities;
mod evidence;
mod findings;
mod flags;
mod identity;
mod investigations;
mod moment;
mod parties;
mod precision;
mod registrations;
mod sources;
mod tenders;
mod verdicts;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::queries::Marks;

pub use bundle::{BundleSaid, EvidenceKey, FlagAgainstOwn, SignedBy, Verification, Verified};
pub use contracts::{Amendment, Contract, ContractBuyer, ContractDetail, ContractSupplier, Item, Version};
pub use entities::{Entity, EntityChange, EntityLink};
pub use evidence::{EvidenceFlag, EvidenceRow, EvidenceRun, EvidenceSegment, EvidenceShape};
pub use findings::{
    Arithmetic, Explained, Finding, FindingCoverage, FindingShape, FindingSummary, Law, Links, Party, PeerGroup,
    Subject,
};
pub use flags::{
    Coverage, Flag, FlagCoverage, FlagExplanation, FlagParameter, FlagPreview, FlagShape, HitsAt, ParameterPreview,
};
pub use identity::{ApiKey, MadeKey, User, WhoAmI};
pub use investigations::{Investigation, InvestigationDetail, InvestigationFlag, Progress};
pub use moment::{FlagAtMoment, Judged, JudgedAt, MomentReport};
pub use parties::{Buyer, BuyerDetail, Sanction, Supplier, SupplierDetail, Totals};
pub use precision::{Interval, Precision, Share, VersionPrecision};
pub use registrations::{Partner, Registration};
pub use sources::{Duplicates, Errors, Fetch, Gaps, Period, Presence, Source};
pub use tenders::{Bid, Tender, TenderDetail};
pub use verdicts::{GivenOn, Statement, Verdict};

/// The currency of amounts whose row is older than the column, and of every sum: amounts in others are not added.
pub(crate) const CURRENCY: &str = "BRL";

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct List<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Where this page ends.
    pub page: PageInfo,
    /// Where each row stands.
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) marks: Marks,
}

impl<T> List<T> {
    /// Where each row stands.
    #[must_use]
    pub fn marks(&self) -> &Marks {
        &self.marks
    }
}

/// Where a page ends.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PageInfo {
    /// Give it as `cursor`, with the same filters and sort, for the next page; null on the last.
    pub next_cursor: Option<String>,
    /// The most rows that this page could hold.
    pub limit: usize,
}

/// A text in Portuguese and in English.
#[derive(Debug, Clone, Serialize, serde::Deserialize, ToSchema)]
pub struct Text {
    /// Portuguese.
    pub pt: String,
    /// English.
    pub en: String,
}

/// What the number called `line` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// Lines of the file; 1 is the first.
    Line,
    /// Records of a JSON file; 1 is the first.
    Record,
}

impl LineKind {
    /// Of a file, by the ending of its name (that of the packed file, where it is one of an archive).
    #[must_use]
    pub fn of(file: &str) -> Self {
        let name = file.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let json = [".json", ".jsonl", ".ndjson", ".geojson"].iter().any(|ending| name.ends_with(ending));
        if json { Self::Record } else { Self::Line }
    }
}

/// Where a record came from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Provenance {
    /// The file as it was named.
    pub file: Option<String>,
    /// Line of the file (1 is the first), or ordinal of the record in a JSON page.
    pub line: Option<i64>,
    /// Which of the two `line` is.
    pub line_kind: Option<LineKind>,
    /// SHA-256 of the file, in hex.
    pub file_sha256: Option<String>,
    /// Hash of the raw row, CPFs masked.
    pub row_hash: Option<String>,
    /// When we read it.
    pub fetched_at: Option<String>,
}

impl Provenance {
    /// Takes the provenance out of a canonical row.
    pub(crate) fn take(row: &mut Map<String, Value>) -> Self {
        let file = take_text(row, "file");
        Self {
            line_kind: file.as_deref().map(LineKind::of),
            file,
            line: row.get("line").and_then(Value::as_i64),
            file_sha256: take_text(row, "file_sha256"),
            row_hash: take_text(row, "row_hash"),
            fetched_at: take_text(row, "fetched_at"),
        }
    }
}

/// Takes a text out of a canonical row; `None` when the source did not state it.
pub(crate) fn take_text(row: &mut Map<String, Value>, column: &str) -> Option<String> {
    match row.remove(column) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// An amount in ten-thousandths, as text with four decimals.
pub(crate) fn money(scaled: Option<i64>) -> Option<String> {
    scaled.map(|n| model::Money::from_scaled(n).to_string())
}

#[cfg(test)]
mod tests {
    use super::LineKind;

    #[test]
    fn the_ordinal_of_a_json_record_is_no_line() {
        for (file, kind) in [
            ("202403_Compras.csv", LineKind::Line),
            ("contratos.zip!contratos.CSV", LineKind::Line),
            ("Licitacao.txt", LineKind::Line),
            ("pncp.json", LineKind::Record),
            ("pages.zip!p1.JSON", LineKind::Record),
            ("releases.jsonl.gz", LineKind::Record),
        ] {
            assert_eq!(LineKind::of(file), kind, "{file}");
        }
    }
}
