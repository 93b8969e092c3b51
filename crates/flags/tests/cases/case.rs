//! A case as it is written, and how it is checked.
//!
//! In a row, `each` makes one row per value (`{n}` in any text is its number) and `unset` drops a default.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flags::{Flag, Outcomes, evidence_rows, judge};
use lake::{Literal, Session};
use serde::Deserialize;
use serde_json::{Map, Value};

type Rows = BTreeMap<String, Vec<Map<String, Value>>>;

/// What must come of a subject.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub subject: String,
    pub outcome: String,
    pub missing: Option<String>,
    pub measure: Option<f64>,
    pub threshold: Option<f64>,
    pub severity: Option<String>,
    pub amount: Option<String>,
    /// The article of law that the finding cites.
    pub law: Option<String>,
    /// Outcomes of innocent explanations, by code.
    #[serde(default)]
    pub explanations: BTreeMap<String, String>,
}

/// One case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    pub expect: Vec<Expected>,
    /// The outcome of every subject that `expect` does not name; without it there must be none.
    pub others: Option<String>,
    #[serde(default)]
    pub rows: Rows,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The file of the same folder whose defaults, base and crowd these cases have too.
    like: Option<String>,
    /// Columns that every row of a table has unless it says otherwise.
    #[serde(default)]
    defaults: BTreeMap<String, Map<String, Value>>,
    /// Rows that every case has, unless it gives rows of that table.
    #[serde(default)]
    base: Rows,
    /// Rows that every case has beside its own: a crowd to compare with.
    #[serde(default)]
    always: Rows,
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

/// What was judged of a subject.
#[derive(Debug, Clone)]
pub struct Got {
    pub outcome: String,
    pub missing: Option<String>,
    pub measure: Option<f64>,
    pub threshold: Option<f64>,
    pub severity: Option<String>,
    pub amount: Option<String>,
    pub explanations: BTreeMap<String, String>,
    /// The finding of a hit.
    pub body: Option<Value>,
}

/// The cases in the folder of a flag.
pub fn cases_of(code: &str) -> Vec<Case> {
    let flags = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../flags");
    let folder =
        paths(&flags).into_iter().find(|p| p.file_name().unwrap().to_string_lossy().starts_with(code)).unwrap();
    let mut cases = Vec::new();
    for path in paths(&folder.join("cases")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let file: File = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file = match &file.like {
            None => file,
            Some(name) => {
                let text = std::fs::read_to_string(path.with_file_name(name)).unwrap();
                let other: File = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
                File { cases: file.cases, like: None, ..other }
            }
        };
        for mut case in file.cases {
            for (table, rows) in &file.base {
                case.rows.entry(table.clone()).or_insert_with(|| rows.clone());
            }
            for (table, rows) in &file.always {
                case.rows.entry(table.clone()).or_default().extend(rows.clone());
            }
            case.rows = std::mem::take(&mut case.rows)
                .into_iter()
                .map(|(t, rows)| (t.clone(), filled(&rows, file.defaults.get(&t))))
                .collect();
            cases.push(case);
        }
    }
    assert!(!cases.is_empty(), "{code} has no cases");
    cases
}

fn paths(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Rows with their defaults, and one row for each value of `each`.
fn filled(rows: &[Map<String, Value>], defaults: Option<&Map<String, Value>>) -> Vec<Map<String, Value>> {
    let mut all = Vec::new();
    for row in rows {
        let mut full = defaults.cloned().unwrap_or_default();
        full.extend(row.clone());
        if let Some(Value::Array(names)) = full.remove("unset") {
            for name in names {
                full.remove(name.as_str().unwrap()).unwrap_or_else(|| panic!("{name} has no default to unset"));
            }
        }
        let Some(Value::Object(each)) = full.remove("each") else {
            all.push(full);
            continue;
        };
        let (column, values) = each.into_iter().next().unwrap();
        for (at, value) in values.as_array().unwrap().iter().enumerate() {
            let mut one = full.clone();
            for cell in one.values_mut() {
                if let Value::String(text) = cell {
                    *text = text.replace("{n}", &(at + 1).to_string());
                }
            }
            one.insert(column.clone(), value.clone());
            all.push(one);
        }
    }
    all
}

/// Every outcome that a flag gives for some rows.
pub fn judged(flag: &Flag, rows: &Rows) -> BTreeMap<String, Got> {
    let session = Session::of_rows(rows).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let after = folder.path().join("outcomes.parquet");
    let judged = judge(&session, flag, Outcomes { before: None, after: &after }).unwrap().unwrap();
    let mut outcomes = BTreeMap::new();
    let sql = format!("select * from read_parquet({})", Literal::Text(after.to_string_lossy().into_owned()).sql());
    session
        .rows(&sql, |row| {
            let number = |name: &str| row.get(name).map(|n| n.parse().unwrap());
            let subject = row.get("subject_id").unwrap().to_owned();
            let got = Got {
                outcome: row.get("outcome").unwrap().to_owned(),
                missing: row.get("missing").map(str::to_owned),
                measure: number("measure"),
                threshold: number("threshold"),
                severity: None,
                amount: None,
                explanations: BTreeMap::new(),
                body: None,
            };
            assert!(outcomes.insert(subject.clone(), got).is_none(), "{subject} was judged twice");
            Ok(())
        })
        .unwrap();
    for hit in judged.hits {
        let got = outcomes.get_mut(&hit.subject_id).unwrap();
        (got.severity, got.amount) = (Some(hit.severity), Some(hit.amount.to_string()));
        let body: Value = serde_json::from_str(&hit.body).unwrap();
        for explanation in body["explanations"].as_array().unwrap() {
            let text = |name: &str| explanation[name].as_str().unwrap().to_owned();
            got.explanations.insert(text("code"), text("outcome"));
        }
        got.body = Some(body);
    }
    outcomes
}

impl Case {
    #[allow(dead_code, reason = "the tests of bundles read it, those of outcomes do not")]
    /// Its rows, by table.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The rows behind every hit: there are some, and each is one of the case's.
    pub fn check_evidence(&self, flag: &Flag) -> Result<(), String> {
        let session = Session::of_rows(&self.rows).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let after = folder.path().join("outcomes.parquet");
        for hit in judge(&session, flag, Outcomes { before: None, after: &after }).unwrap().unwrap().hits {
            let rows = evidence_rows(&session, flag, &hit.group_key, &hit.subject_id).map_err(|e| e.to_string())?;
            let held = |(table, id): &(String, String)| {
                let ids = self.rows.get(table).into_iter().flatten();
                ids.filter_map(|row| row["id"].as_str()).any(|held| held == id)
            };
            if rows.is_empty() || !rows.iter().all(held) {
                return Err(format!("\"{}\": {}: the rows behind it are {rows:?}", self.name, hit.subject_id));
            }
        }
        Ok(())
    }

    /// Every finding that comes of the rows.
    pub fn findings(&self, flag: &Flag) -> Vec<Value> {
        judged(flag, &self.rows).into_values().filter_map(|got| got.body).collect()
    }

    /// Judges the rows and compares.
    pub fn check(&self, flag: &Flag) -> Result<(), String> {
        self.compare(judged(flag, &self.rows))
    }

    /// Compares what was judged with what is expected.
    pub fn compare(&self, mut got: BTreeMap<String, Got>) -> Result<(), String> {
        for expected in &self.expect {
            let fault = |because: &str, got: &dyn std::fmt::Debug| {
                Err(format!("\"{}\": {}: {because}, got {got:?}", self.name, expected.subject))
            };
            let found = got.remove(&expected.subject);
            let Some(found) = found else {
                if expected.outcome == "not_judged" {
                    continue;
                }
                return fault("is not judged", &got.keys().collect::<Vec<_>>());
            };
            if found.outcome != expected.outcome || found.missing != expected.missing {
                return fault(&format!("expected {} {:?}", expected.outcome, expected.missing), &found);
            }
            let differs = |wanted: Option<f64>, got: Option<f64>| {
                wanted.is_some_and(|w| got.is_none_or(|g| (w - g).abs() > 0.000_05))
            };
            if differs(expected.measure, found.measure) || differs(expected.threshold, found.threshold) {
                return fault(
                    &format!("expected measure {:?} and threshold {:?}", expected.measure, expected.threshold),
                    &found,
                );
            }
            if expected.severity.is_some() && expected.severity != found.severity {
                return fault(&format!("expected severity {:?}", expected.severity), &found);
            }
            for (code, outcome) in &expected.explanations {
                if found.explanations.get(code) != Some(outcome) {
                    return fault(&format!("expected {code} to be {outcome}"), &found.explanations);
                }
            }
            let law = found.body.as_ref().and_then(|body| body["law"]["article"].as_str());
            if expected.law.is_some() && expected.law.as_deref() != law {
                return fault(&format!("expected the law {:?}", expected.law), &law);
            }
            if expected.amount.is_some() && expected.amount != found.amount {
                return fault(&format!("expected amount {:?}", expected.amount), &found);
            }
        }
        for (subject, found) in got {
            if self.others.as_deref() != Some(found.outcome.as_str()) {
                return Err(format!("\"{}\": {subject} is not expected: {found:?}", self.name));
            }
        }
        Ok(())
    }
}
