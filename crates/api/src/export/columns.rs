//! The columns of the tables: their names, where their values stand in a row, and their types.

use serde_json::Value;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Int,
    /// Yes or no.
    Bool,
    /// An amount, with four decimals.
    Money,
    /// A day.
    Day,
    /// Several texts, parted by spaces in forms that have no lists.
    Texts,
}

/// A column.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Where its values stand in a row.
    path: &'static [&'static str],
    /// Its type.
    pub kind: Kind,
}

impl Column {
    /// Its value in a row; null when it is not stated.
    pub fn of<'a>(&self, row: &'a Value) -> &'a Value {
        self.path.iter().fold(row, |value, name| &value[*name])
    }
}

const fn at(name: &'static str, path: &'static [&'static str], kind: Kind) -> Column {
    Column { name, path, kind }
}

/// Of contracts.
pub const CONTRACTS: &[Column] = &[
    at("id", &["id"], Kind::Text),
    at("source", &["source"], Kind::Text),
    at("number", &["number"], Kind::Text),
    at("process", &["process"], Kind::Text),
    at("object", &["object"], Kind::Text),
    at("modality", &["modality"], Kind::Text),
    at("modality_as_stated", &["modality_as_stated"], Kind::Text),
    at("legal_basis", &["legal_basis"], Kind::Text),
    at("regime", &["regime"], Kind::Text),
    at("status", &["status"], Kind::Text),
    at("category", &["category"], Kind::Text),
    at("buyer_id", &["buyer", "id"], Kind::Text),
    at("buyer_name", &["buyer", "name"], Kind::Text),
    at("buyer_state", &["buyer", "state"], Kind::Text),
    at("supplier_id", &["supplier", "id"], Kind::Text),
    at("supplier_name", &["supplier", "name"], Kind::Text),
    at("signed_on", &["signed_on"], Kind::Day),
    at("published_on", &["published_on"], Kind::Day),
    at("starts_on", &["starts_on"], Kind::Day),
    at("ends_on", &["ends_on"], Kind::Day),
    at("value_initial", &["value_initial"], Kind::Money),
    at("value_final", &["value_final"], Kind::Money),
    at("currency", &["currency"], Kind::Text),
    at("income", &["income"], Kind::Bool),
    at("activity", &["activity"], Kind::Text),
    at("activity_basis", &["activity_basis"], Kind::Text),
    at("tender_id", &["tender_id"], Kind::Text),
    at("file", &["provenance", "file"], Kind::Text),
    at("line", &["provenance", "line"], Kind::Int),
    at("line_kind", &["provenance", "line_kind"], Kind::Text),
    at("file_sha256", &["provenance", "file_sha256"], Kind::Text),
    at("row_hash", &["provenance", "row_hash"], Kind::Text),
    at("fetched_at", &["provenance", "fetched_at"], Kind::Text),
];

/// Of findings.
pub const FINDINGS: &[Column] = &[
    at("id", &["id"], Kind::Text),
    at("flag", &["flag"], Kind::Text),
    at("version", &["version"], Kind::Int),
    at("kind", &["kind"], Kind::Text),
    at("severity", &["severity"], Kind::Text),
    at("state", &["state"], Kind::Text),
    at("title_pt", &["title", "pt"], Kind::Text),
    at("summary_pt", &["summary", "pt"], Kind::Text),
    at("summary_en", &["summary", "en"], Kind::Text),
    at("subject_type", &["subject", "type"], Kind::Text),
    at("subject_id", &["subject", "id"], Kind::Text),
    at("buyer_id", &["buyer", "id"], Kind::Text),
    at("buyer_name", &["buyer", "name"], Kind::Text),
    at("supplier_id", &["supplier", "id"], Kind::Text),
    at("supplier_name", &["supplier", "name"], Kind::Text),
    at("contract_ids", &["contract_ids"], Kind::Texts),
    // With as many decimals as they have, of several units: text.
    at("measure", &["measure"], Kind::Text),
    at("threshold", &["threshold"], Kind::Text),
    at("unit", &["unit"], Kind::Text),
    at("amount", &["amount"], Kind::Money),
    at("currency", &["currency"], Kind::Text),
    at("as_of", &["as_of"], Kind::Day),
    at("known_at", &["known_at"], Kind::Text),
    at("first_seen_at", &["first_seen_at"], Kind::Text),
    at("updated_at", &["updated_at"], Kind::Text),
    at("counterfactual_pt", &["counterfactual", "pt"], Kind::Text),
    at("verdict", &["verdict", "verdict"], Kind::Text),
    at("verdict_reason", &["verdict", "reason"], Kind::Text),
    at("evidence", &["links", "evidence"], Kind::Text),
];
