//! The sample's truth against what a data folder holds: which planted cases were found, which benign twins were hit, and
//! which hits nobody planted.
//!
//! The truth names what is judged by what the sample knows: the subject itself, the peer group, the bidders, the contracts or
//! the item. `evaluate_sample.sql` finds the subjects that these name among the outcomes. A case is `found` when a subject
//! of it has the outcome that was planted; what was got instead, with the missing field, is said of every other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use lake::{Literal, Session};
use serde::Serialize;
use serde_json::Value;

use crate::{App, Error, Result};

/// Keys are given to the session in lots of this many.
const LOT: usize = 2_000;
/// Hits that nobody planted are listed up to this many for each flag.
const LISTED_MAX: usize = 50;
/// A truth file may be this large: the plan of the largest sample is below a tenth of it.
const TRUTH_BYTES_MAX: u64 = 1 << 30;

/// What came of all planted cases.
#[derive(Debug, Clone, Serialize)]
pub struct SampleEvaluation {
    /// The folder of the sample.
    pub sample: String,
    /// By flag.
    pub flags: Vec<FlagEvaluation>,
}

/// What came of the cases of one flag.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FlagEvaluation {
    /// The flag.
    pub code: String,
    /// Whether the catalogue has it.
    pub in_catalogue: bool,
    /// Cases that must be hits, those that are, and their share.
    pub planted: u64,
    /// See `planted`.
    pub found: u64,
    /// `found / planted`; null without any.
    pub recall: Option<f64>,
    /// Cases that must not be hits: benign twins, cases that cannot be computed, cases that are not judged.
    pub twins: u64,
    /// Those that are hits all the same.
    pub twins_hit: u64,
    /// Those that have another outcome than was planted, but no hit.
    pub twins_otherwise: u64,
    /// All hits of the flag.
    pub hits: u64,
    /// Hits whose subject a case planted as a hit.
    pub hits_planted: u64,
    /// Hits that no case speaks of.
    pub hits_unplanted: u64,
    /// `hits_planted / hits`; null without hits.
    pub precision: Option<f64>,
    /// Cases that came out otherwise than planted.
    pub otherwise: Vec<Otherwise>,
    /// The first of the subjects that are hits and that nobody planted, by id.
    pub unplanted: Vec<String>,
    /// By kind of case.
    pub cases: Vec<CaseEvaluation>,
}

/// What came of one kind of case.
#[derive(Debug, Clone, Serialize)]
pub struct CaseEvaluation {
    /// The kind.
    pub case: String,
    /// What must come out.
    pub expect: String,
    /// How many were planted.
    pub planted: u64,
    /// How many came out so.
    pub right: u64,
}

/// A case that came out otherwise.
#[derive(Debug, Clone, Serialize)]
pub struct Otherwise {
    /// The line of the truth file.
    pub truth: Value,
    /// What its subjects got.
    pub got: Vec<Got>,
}

/// What a subject got.
#[derive(Debug, Clone, Serialize)]
pub struct Got {
    /// The subject.
    pub subject: String,
    /// `hit`, `clear` or `not_computable`.
    pub outcome: String,
    /// The field that was missing.
    pub missing: Option<String>,
}

/// Compares the truth of a sample with the outcomes of the data folder.
///
/// # Errors
/// There is no truth file, or a line of it is no case; the outcomes cannot be read.
pub fn evaluate_sample(app: &App, folder: &Path) -> Result<SampleEvaluation> {
    let mut by_flag: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for case in truth(&folder.join("truth.jsonl"))? {
        let flag = text(&case, "flag").to_owned();
        if flag != "quarantine" {
            by_flag.entry(flag).or_default().push(case);
        }
    }
    for flag in app.catalogue().flags() {
        by_flag.entry(flag.code.clone()).or_default();
    }
    let session = app.session()?;
    let mut flags = Vec::new();
    for (code, cases) in by_flag {
        let outcomes = match app.catalogue().flags().iter().find(|flag| flag.code == code) {
            Some(flag) => app.outcomes_path(flag)?,
            None => None,
        };
        let Some(outcomes) = outcomes else {
            flags.push(FlagEvaluation { code, planted: count(&cases, "hit"), ..FlagEvaluation::default() });
            continue;
        };
        flags.push(evaluate(&session, code, cases, &outcomes)?);
    }
    Ok(SampleEvaluation { sample: folder.display().to_string(), flags })
}

fn count(cases: &[Value], expect: &str) -> u64 {
    cases.iter().filter(|case| text(case, "expect") == expect).count() as u64
}

fn truth(path: &Path) -> Result<Vec<Value>> {
    let size = std::fs::metadata(path).map_err(|e| Error::io(path, &e))?.len();
    if size > TRUTH_BYTES_MAX {
        return Err(Error::Io { path: path.to_owned(), because: format!("{size} bytes are too many") });
    }
    let lines = std::fs::read_to_string(path).map_err(|e| Error::io(path, &e))?;
    let parsed = lines.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
    parsed
        .collect::<std::result::Result<_, _>>()
        .map_err(|e| Error::Io { path: path.to_owned(), because: e.to_string() })
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().map(|all| all.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// What a case names, as (kind, key, rest): see `evaluate_sample.sql`.
fn keys(flag: &str, case: &Value) -> Vec<(&'static str, String, String)> {
    let one = |kind, key: &str| (kind, key.to_owned(), String::new());
    match flag {
        "BR05" => vec![("item", text(case, "contract_id").to_owned(), text(case, "catalog_code").to_owned())],
        "BR11" => {
            let prefix = format!("{}|{}", text(case, "subject_id"), case["year"]);
            texts(&case["subject"]["contracts"])
                .into_iter()
                .map(|id| ("activity", id.to_owned(), prefix.clone()))
                .collect()
        }
        "BR16" => vec![one("pair", &texts(&case["bidders"]).join("|"))],
        _ if case["bidders"].is_array() => texts(&case["bidders"]).into_iter().map(|root| one("first", root)).collect(),
        _ if case["group_key"].is_string() => vec![one("group", text(case, "group_key"))],
        _ if case["buyer_id"].is_string() => {
            vec![("buyer", text(case, "buyer_id").to_owned(), case["of_year"].to_string())]
        }
        _ if case["subject_ids"].is_array() => {
            texts(&case["subject_ids"]).into_iter().map(|id| one("subject", id)).collect()
        }
        _ => vec![one("subject", text(case, "subject_id"))],
    }
}

fn evaluate(session: &Session, code: String, cases: Vec<Value>, outcomes: &Path) -> Result<FlagEvaluation> {
    let file = Literal::Text(outcomes.to_string_lossy().into_owned()).sql();
    session.run(&format!("create or replace temp view outcomes as select * from read_parquet({file})"))?;
    session.run("create or replace temp table named (case_at integer, kind varchar, key varchar, rest varchar)")?;
    let all: Vec<(usize, (&str, String, String))> = cases
        .iter()
        .enumerate()
        .flat_map(|(at, case)| keys(&code, case).into_iter().map(move |key| (at, key)))
        .collect();
    for lot in all.chunks(LOT) {
        let mut sql = String::from("insert into named values ");
        for (place, (at, (kind, key, rest))) in lot.iter().enumerate() {
            let (key, rest) = (Literal::Text(key.clone()).sql(), Literal::Text(rest.clone()).sql());
            let comma = if place == 0 { "" } else { "," };
            let _ = write!(sql, "{comma}({at}, '{kind}', {key}, {rest})");
        }
        session.run(&sql)?;
    }
    let mut got: BTreeMap<usize, Vec<Got>> = BTreeMap::new();
    session.rows(include_str!("evaluate_sample.sql"), |row| {
        let field = |name: &str| row.get(name).unwrap_or_default().to_owned();
        let at = field("case_at").parse().unwrap_or(usize::MAX);
        let missing = row.get("missing").map(str::to_owned);
        got.entry(at).or_default().push(Got { subject: field("subject_id"), outcome: field("outcome"), missing });
        Ok(())
    })?;
    let mut hits: BTreeSet<String> = BTreeSet::new();
    session.rows("select subject_id from outcomes where outcome = 'hit'", |row| {
        hits.extend(row.get("subject_id").map(str::to_owned));
        Ok(())
    })?;
    Ok(score(code, cases, got, hits))
}

/// Counts what came of the cases. What is left of `hits` in the end nobody planted.
fn score(
    code: String,
    cases: Vec<Value>,
    mut got: BTreeMap<usize, Vec<Got>>,
    mut hits: BTreeSet<String>,
) -> FlagEvaluation {
    let mut flag = FlagEvaluation { code, in_catalogue: true, hits: hits.len() as u64, ..FlagEvaluation::default() };
    let mut kinds: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for (at, case) in cases.into_iter().enumerate() {
        let got = got.remove(&at).unwrap_or_default();
        let expect = text(&case, "expect").to_owned();
        let right = as_expected(&expect, &got);
        let hit = got.iter().any(|g| g.outcome == "hit");
        let kind = kinds.entry((text(&case, "case").to_owned(), expect.clone())).or_default();
        *kind = (kind.0 + 1, kind.1 + u64::from(right));
        let of_case: u64 = got.iter().map(|g| u64::from(hits.remove(&g.subject))).sum();
        if expect == "hit" {
            flag.planted += 1;
            flag.found += u64::from(right);
            flag.hits_planted += of_case;
        } else {
            flag.twins += 1;
            flag.twins_hit += u64::from(hit);
            flag.twins_otherwise += u64::from(!right && !hit);
        }
        if !right {
            flag.otherwise.push(Otherwise { truth: case, got });
        }
    }
    flag.hits_unplanted = hits.len() as u64;
    flag.unplanted = hits.into_iter().take(LISTED_MAX).collect();
    flag.recall = share(flag.found, flag.planted);
    flag.precision = share(flag.hits_planted, flag.hits);
    let case = |((case, expect), (planted, right))| CaseEvaluation { case, expect, planted, right };
    flag.cases = kinds.into_iter().map(case).collect();
    flag
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn as_expected(expect: &str, got: &[Got]) -> bool {
    let is = |outcome: &str| got.iter().any(|g| g.outcome == outcome);
    match expect {
        "hit" => is("hit"),
        "clear" => !got.is_empty() && !is("hit") && !is("not_computable"),
        "not_computable" => is("not_computable") && !is("hit"),
        // What the flag does not judge has no outcome.
        _ => got.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn got(subject: &str, outcome: &str) -> Got {
        Got { subject: subject.to_owned(), outcome: outcome.to_owned(), missing: None }
    }

    #[test]
    fn hits_are_told_apart_by_who_planted_them() {
        let cases = vec![
            json!({"case": "a", "expect": "hit", "subject_id": "x"}),
            json!({"case": "a", "expect": "hit", "subject_id": "y"}),
            json!({"case": "b", "expect": "clear", "subject_id": "z"}),
            json!({"case": "c", "expect": "not_judged", "subject_id": "w"}),
        ];
        let outcomes = [(0, "x", "hit"), (1, "y", "clear"), (2, "z", "hit")];
        let of_case = outcomes.map(|(at, subject, outcome)| (at, vec![got(subject, outcome)])).into();
        let hits = ["x", "z", "q"].map(str::to_owned).into();
        let flag = score("BR99".to_owned(), cases, of_case, hits);
        assert_eq!((flag.planted, flag.found, flag.recall), (2, 1, Some(0.5)));
        assert_eq!((flag.twins, flag.twins_hit, flag.twins_otherwise), (2, 1, 0));
        assert_eq!((flag.hits, flag.hits_planted, flag.hits_unplanted), (3, 1, 1));
        assert_eq!(flag.unplanted, ["q"]);
        assert_eq!(flag.otherwise.len(), 2);
    }

    #[test]
    fn a_group_is_clear_only_when_all_of_it_is() {
        assert!(as_expected("clear", &[got("a", "clear"), got("b", "clear")]));
        assert!(!as_expected("clear", &[got("a", "clear"), got("b", "not_computable")]));
        assert!(!as_expected("clear", &[]));
        assert!(!as_expected("not_judged", &[got("a", "clear")]));
    }
}
