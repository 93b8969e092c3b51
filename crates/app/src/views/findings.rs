//! Findings: the body that the judgement wrote, with what depends on when it was seen.
//!
//! The body is passed on as it was written, so a finding never loses a field on its way out; [`FindingShape`] says
//! to people and programs what stands in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::FindingRow;
use utoipa::ToSchema;

use super::{Statement, Text, Verdict};

/// A finding, whole; [`FindingShape`] describes it.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Finding(Map<String, Value>);

impl TryFrom<FindingRow> for Finding {
    type Error = crate::Error;

    fn try_from(mut row: FindingRow) -> crate::Result<Self> {
        let mut body: Map<String, Value> = serde_json::from_str(&row.body).map_err(store::Error::from)?;
        let verdict = row.verdict.take().map(|verdict| Verdict::new(verdict, &row)).transpose()?;
        let links = json!({
            "evidence": format!("/api/v1/findings/{}/evidence", row.id),
            "page": format!("/achados/{}", row.id),
        });
        body.insert("state".to_owned(), row.state.into());
        body.insert("known_at".to_owned(), row.updated_at.clone().into());
        body.insert("first_seen_at".to_owned(), row.first_seen_at.into());
        body.insert("updated_at".to_owned(), row.updated_at.into());
        body.insert("links".to_owned(), links);
        body.insert("verdict".to_owned(), serde_json::to_value(verdict).map_err(store::Error::from)?);
        Ok(Self(body))
    }
}

impl Finding {
    /// With everything that people said of it.
    ///
    /// # Errors
    /// It cannot be JSON.
    pub(crate) fn with_said(mut self, verdicts: &[Verdict], statements: &[Statement]) -> crate::Result<Self> {
        self.0.insert("verdict_history".to_owned(), serde_json::to_value(verdicts).map_err(store::Error::from)?);
        self.0.insert("statements".to_owned(), serde_json::to_value(statements).map_err(store::Error::from)?);
        Ok(self)
    }

    /// With one field more.
    pub(crate) fn with(mut self, field: &str, value: Value) -> Self {
        self.0.insert(field.to_owned(), value);
        self
    }

    /// A finding as it was written down.
    ///
    /// # Errors
    /// It is damaged.
    pub(crate) fn of_text(text: &str) -> crate::Result<Self> {
        Ok(Self(serde_json::from_str(text).map_err(store::Error::from)?))
    }

    /// What was found at a moment and is not stored: it has no evidence or page of its own, and was never seen before.
    pub(crate) fn at_moment(hit: &flags::Hit, known_at: Option<&str>) -> crate::Result<Self> {
        let mut body: Map<String, Value> = serde_json::from_str(&hit.body).map_err(store::Error::from)?;
        body.insert("state".to_owned(), "open".into());
        body.insert("known_at".to_owned(), known_at.into());
        for stored in ["first_seen_at", "updated_at", "links"] {
            body.insert(stored.to_owned(), Value::Null);
        }
        Ok(Self(body))
    }
}

/// A finding in short, as it stands under a contract or a party.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FindingSummary {
    /// Stable: made of flag and subject.
    pub id: String,
    /// The flag's code.
    pub flag: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// `rule`, `signal` or `context`.
    pub kind: String,
    /// `open` or `withdrawn`.
    #[serde(default)]
    pub state: String,
    /// What it is.
    pub title: Text,
    /// What was found.
    pub summary: Text,
    /// Money at stake.
    pub amount: Option<String>,
    /// Of the amount.
    pub currency: Option<String>,
    /// What was measured.
    pub measure: Option<String>,
    /// Of the measure.
    pub unit: Option<String>,
    /// The day of the facts.
    pub as_of: Option<String>,
    /// `confirmed` or `dismissed` by the last person who looked at it; null when nobody did.
    #[serde(default)]
    pub verdict: Option<String>,
}

impl TryFrom<FindingRow> for FindingSummary {
    type Error = crate::Error;

    fn try_from(row: FindingRow) -> crate::Result<Self> {
        let mut summary: Self = serde_json::from_str(&row.body).map_err(store::Error::from)?;
        summary.state = row.state;
        summary.verdict = row.verdict.map(|verdict| verdict.verdict);
        Ok(summary)
    }
}

/// A finding: what was measured against what, under which law, among which peers, and what may explain it.
/// It is a reason to look closer, never proof.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Finding)]
pub struct FindingShape {
    /// Stable: made of flag and subject.
    pub id: String,
    /// The flag's code.
    pub flag: String,
    /// The flag's version.
    pub version: u32,
    /// `rule` (a legal limit), `signal` (out of pattern) or `context`.
    pub kind: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// `open`, or `withdrawn` when it no longer holds.
    pub state: String,
    /// What it is.
    pub title: Text,
    /// What was found.
    pub summary: Text,
    /// What was judged.
    pub subject: Subject,
    /// Who buys.
    pub buyer: Option<Party>,
    /// Who sells.
    pub supplier: Option<Party>,
    /// The contracts it speaks of.
    pub contract_ids: Vec<String>,
    /// What was measured.
    pub measure: Option<String>,
    /// Beyond this it is a hit.
    pub threshold: Option<String>,
    /// Of measure and threshold: `BRL`, `z`, `days` …
    pub unit: Option<String>,
    /// Money at stake.
    pub amount: Option<String>,
    /// Of the amount.
    pub currency: String,
    /// The day of the facts: none of them is of a later one. Null when they state no day.
    pub as_of: Option<String>,
    /// What we held at this instant makes it; of a stored finding, since when this form of it is known.
    pub known_at: String,
    /// When it was first seen; null for one that was judged at a moment and is not stored.
    pub first_seen_at: Option<String>,
    /// When it last changed; null as above.
    pub updated_at: Option<String>,
    /// The law then in force, for a rule.
    pub law: Option<Law>,
    /// The reckoning, step by step.
    pub arithmetic: Vec<Arithmetic>,
    /// Who it was compared with; null for a rule.
    pub peers: Option<PeerGroup>,
    /// What may explain it without wrongdoing.
    pub explanations: Vec<Explained>,
    /// What would have made it clear.
    pub counterfactual: Text,
    /// What was read, and what was missing.
    pub coverage: FindingCoverage,
    /// Where to go on; null as above.
    pub links: Option<Links>,
    /// The verdict that stands: the last one; null when nobody gave one.
    pub verdict: Option<Verdict>,
    /// Every verdict, newest first (only in `findings/{id}`).
    pub verdict_history: Option<Vec<Verdict>>,
    /// What those whom it is about say to it, oldest first (only in `findings/{id}`).
    pub statements: Option<Vec<Statement>>,
}

/// What was judged.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Subject {
    /// `contract`, `item`, `supplier` …
    pub r#type: String,
    /// Its id.
    pub id: String,
}

/// A buyer or supplier, in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Party {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
}

/// A legal limit as in force on the day of the facts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Law {
    /// The law.
    pub regime: Option<String>,
    /// Its article.
    pub article: Option<String>,
    /// The act that set the amount.
    pub act: Option<String>,
    /// The limit.
    pub limit: Option<String>,
    /// First and last day in force; null for no end.
    pub in_force: Vec<Option<String>>,
}

/// A step of the reckoning.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Arithmetic {
    /// What is reckoned.
    pub label: Text,
    /// How.
    pub expression: String,
    /// What comes out.
    pub result: String,
}

/// Who a subject was compared with.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PeerGroup {
    /// Who belongs to it.
    pub definition: Text,
    /// How many.
    pub n: Option<u64>,
    /// Their median.
    pub median: Option<String>,
    /// Median absolute deviation.
    pub mad: Option<String>,
    /// Where the subject stands among them, 0 to 100.
    pub percentile: Option<String>,
    /// Their values, for a plot.
    pub values: Vec<String>,
    /// Of the values.
    pub unit: Option<String>,
    /// The subject's own value.
    pub marked: Option<String>,
}

/// An innocent explanation and whether it holds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Explained {
    /// Its code.
    pub code: String,
    /// `ruled_out`, `possible`, `likely` or `not_checked`.
    pub outcome: String,
    /// Why.
    pub because: Option<Text>,
}

/// What was read for a finding.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FindingCoverage {
    /// Rows.
    pub rows_read: Option<u64>,
    /// Rows that lack a field, by field.
    pub fields_missing: BTreeMap<String, u64>,
    /// The sources.
    pub sources: Vec<Option<String>>,
}

/// Where to go on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Links {
    /// The evidence, in this API.
    pub evidence: String,
    /// The page for people.
    pub page: String,
}
