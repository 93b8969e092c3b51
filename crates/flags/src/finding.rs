//! A hit becomes a finding: every field filled from data, or saying why it is not.

use lake::TextRow;
use model::Money;
use serde_json::{Value, json};

use crate::template::{Language, render};
use crate::{Bilingual, Explanation, Flag};

/// Parts ids in one text column.
pub(crate) const ID_SEPARATOR: char = '\u{1f}';
/// The most peer values that a finding carries for its plot.
pub(crate) const PEER_VALUES_MAX: usize = 200;
/// Money beyond this no longer makes a finding graver, in ten-thousandths of a real.
const GRAVITY_AMOUNT_MAX: i64 = 999_999_999_999_999;

/// A hit with all that is said of it.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Stable: a hash of flag and subject.
    pub id: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// Order of gravity: severity first, money second.
    pub gravity: i64,
    /// Money at stake.
    pub amount: Money,
    /// The day of the facts.
    pub as_of: String,
    /// Its peer group.
    pub group_key: String,
    /// What was judged.
    pub subject_id: String,
    /// The buyer's id.
    pub buyer_id: Option<String>,
    /// The supplier's id.
    pub supplier_id: Option<String>,
    /// The contracts it speaks of.
    pub contract_ids: Vec<String>,
    /// The finding as JSON.
    pub body: String,
}

/// The id of the finding that `flag` makes of `subject`.
#[must_use]
pub fn finding_id(flag: &str, subject: &str) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut hash = xxhash_rust::xxh3::xxh3_128(format!("{flag}\u{1f}{subject}").as_bytes());
    let mut id = String::from("fnd_");
    for _ in 0..20 {
        id.push(char::from(LETTERS[(hash & 31) as usize]));
        hash >>= 5;
    }
    id
}

fn severity_rank(severity: &str) -> i64 {
    match severity {
        "critical" => 4,
        "high" => 3,
        "medium" => 2,
        _ => 1,
    }
}

fn both(template: &Bilingual, row: &TextRow) -> Value {
    json!({"pt": render(&template.pt, row, Language::Portuguese), "en": render(&template.en, row, Language::English)})
}

/// Makes the finding of a judged row. `peer_values` are those of its peer group, sorted.
pub(crate) fn hit_of(flag: &Flag, row: &TextRow, peer_values: &[String]) -> Hit {
    let text = |name: &str| row.get(name).unwrap_or_default().to_owned();
    let subject_id = text("subject_id");
    let id = finding_id(&flag.code, &subject_id);
    let severity = row.get("severity").unwrap_or(&flag.severity).to_owned();
    let amount = row.get("amount").and_then(|a| Money::parse(a).ok()).unwrap_or_default();
    let contract_ids: Vec<String> =
        text("contract_ids").split(ID_SEPARATOR).filter(|i| !i.is_empty()).map(str::to_owned).collect();
    let party = |kind: &str| {
        let id = row.get(&format!("{kind}_id"));
        id.map_or(Value::Null, |id| json!({"id": id, "name": row.get(&format!("{kind}_name"))}))
    };
    let steps: Vec<Value> = flag
        .steps
        .iter()
        .filter(|s| s.when.as_deref().is_none_or(|column| row.get(column).is_some()))
        .map(|s| {
            json!({
                "label": both(&s.label, row),
                "expression": render(&s.expression, row, Language::Portuguese),
                "result": render(&s.result, row, Language::Portuguese),
            })
        })
        .collect();
    let law = flag.law.as_ref().map_or(Value::Null, |law| {
        json!({
            "regime": render(&law.regime.pt, row, Language::Portuguese),
            "article": render(&law.article, row, Language::Portuguese),
            "act": render(&law.act, row, Language::Portuguese),
            "limit": row.get("ev_law_limit"),
            "in_force": [row.get("ev_law_from"), row.get("ev_law_to")],
        })
    });
    let peers = flag.peers.as_ref().map_or(Value::Null, |peers| {
        json!({
            "definition": both(&peers.definition, row),
            "n": row.get("peer_n").and_then(|n| n.parse::<u64>().ok()),
            "median": row.get("peer_median"),
            "mad": row.get("peer_mad"),
            "percentile": row.get("peer_percentile"),
            "values": peer_values,
            "unit": peers.unit,
            "marked": row.get("peer_marked"),
        })
    });
    let body = json!({
        "id": id,
        "flag": flag.code,
        "version": flag.version,
        "kind": flag.kind,
        "severity": severity,
        "title": flag.name,
        "summary": both(&flag.finding, row),
        "subject": {"type": flag.subject, "id": subject_id},
        "buyer": party("buyer"),
        "supplier": party("supplier"),
        "contract_ids": contract_ids,
        "measure": row.get("measure"),
        "threshold": row.get("threshold"),
        "unit": flag.unit,
        "amount": amount,
        "currency": "BRL",
        "as_of": row.get("as_of"),
        "law": law,
        "arithmetic": steps,
        "peers": peers,
        "explanations": flag.explanations.iter().map(|e| explanation(e, row)).collect::<Vec<_>>(),
        "counterfactual": both(&flag.counterfactual, row),
        "coverage": {
            "rows_read": row.get("rows_read").and_then(|n| n.parse::<u64>().ok()),
            "fields_missing": {},
            "sources": [row.get("source")],
        },
    });
    Hit {
        gravity: severity_rank(&severity) * (GRAVITY_AMOUNT_MAX + 1) + amount.scaled().clamp(0, GRAVITY_AMOUNT_MAX),
        id,
        severity,
        amount,
        as_of: text("as_of"),
        group_key: text("group_key"),
        subject_id,
        buyer_id: row.get("buyer_id").map(str::to_owned),
        supplier_id: row.get("supplier_id").map(str::to_owned),
        contract_ids,
        body: body.to_string(),
    }
}

fn explanation(explanation: &Explanation, row: &TextRow) -> Value {
    let (outcome, because) = match row.get(&format!("ex_{}", explanation.code)) {
        Some("likely") => ("likely", explanation.likely.as_ref()),
        Some("possible") => ("possible", explanation.possible.as_ref()),
        Some("ruled_out") => ("ruled_out", explanation.ruled_out.as_ref()),
        _ => ("not_checked", explanation.not_checked.as_ref()),
    };
    let general = Bilingual { pt: explanation.pt.clone(), en: explanation.en.clone() };
    json!({"code": explanation.code, "outcome": outcome, "because": both(because.unwrap_or(&general), row)})
}
