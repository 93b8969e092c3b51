//! The sample's truth against what the flags found: no rule break is missed, no benign twin is flagged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use testkit::House;

use super::sample;

/// Outcome and missing field of a subject, by flag.
type Outcomes = BTreeMap<(String, String), (String, String)>;

fn outcomes(house: &House) -> Outcomes {
    let state = house.state();
    state["outcomes"]
        .iter()
        .map(|row| {
            // flag | subject | group | source | outcome | missing | measure; groups hold the same mark.
            let parts: Vec<&str> = row.split('|').collect();
            let at = parts.iter().rposition(|p| ["hit", "clear", "not_computable"].contains(p)).unwrap();
            (parts[0].to_owned(), subject(&parts), parts[at].to_owned(), parts[at + 1].to_owned())
        })
        .map(|(flag, subject, outcome, missing)| ((flag, subject), (outcome, missing)))
        .collect()
}

/// BR11's subjects hold the mark too: `buyer|year|activity`.
fn subject(parts: &[&str]) -> String {
    if parts[0] == "BR11" && parts.len() > 8 { parts[1..4].join("|") } else { parts[1].to_owned() }
}

/// The subjects that a planted case speaks of.
fn subjects(case: &Value, held: &Held) -> Vec<String> {
    let text = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
    match case["flag"].as_str().unwrap() {
        "BR05" => held.items.get(&(text("contract_id"), text("catalog_code"))).cloned().unwrap_or_default(),
        "BR11" => {
            // The line of activity is the one that its contracts were read as.
            let contracts = case["subject"]["contracts"].as_array().unwrap();
            let activities: BTreeSet<&String> =
                contracts.iter().filter_map(|id| held.activities.get(id.as_str().unwrap())).collect();
            activities
                .into_iter()
                .map(|activity| format!("{}|{}|{activity}", text("subject_id"), case["year"]))
                .collect()
        }
        "BR19" => case["subject_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect(),
        _ => vec![text("subject_id")],
    }
}

/// What is needed beside the outcomes to find a planted case again.
struct Held {
    /// (contract, catalogue code) → items.
    items: BTreeMap<(String, String), Vec<String>>,
    /// Contract → line of activity.
    activities: BTreeMap<String, String>,
}

impl Held {
    fn of(house: &House) -> Self {
        let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
        let mut items: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        let mut statement = db.prepare("select contract_id, catalog_code, id from items where contract_id is not null and catalog_code is not null").unwrap();
        let rows = statement.query_map([], |r| Ok(((r.get(0)?, r.get(1)?), r.get(2)?))).unwrap();
        for (key, id) in rows.map(Result::unwrap) {
            items.entry(key).or_default().push(id);
        }
        let mut statement = db.prepare("select id, activity from contracts where activity is not null").unwrap();
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        Self { items, activities: rows.map(Result::unwrap).collect() }
    }
}

#[test]
fn what_was_planted_is_found_and_its_benign_twins_are_not() {
    let house = House::new();
    let files = sample(&house, 20_000, 2_026);
    let _ = house.ingest(&[&files]).ends_with(3);
    let all = outcomes(&house);
    let held = Held::of(&house);
    let truth = std::fs::read_to_string(files.join("truth.jsonl")).unwrap();
    let mut score: BTreeMap<String, [u32; 4]> = BTreeMap::new();
    let mut faults = Vec::new();
    let mut planted = BTreeSet::new();
    for case in truth.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()).filter(|c| c["flag"] != "quarantine") {
        let (flag, expected) = (case["flag"].as_str().unwrap(), case["expect"].as_str().unwrap());
        let subjects = subjects(&case, &held);
        let got: Vec<&(String, String)> =
            subjects.iter().filter_map(|s| all.get(&(flag.to_owned(), s.clone()))).collect();
        let is = |outcome: &str| got.iter().any(|o| o.0 == outcome);
        let right = match expected {
            "hit" => is("hit"),
            "clear" => !got.is_empty() && !is("hit") && !is("not_computable"),
            _ => is("not_computable") && !is("hit"),
        };
        let entry = score.entry(flag.to_owned()).or_default();
        entry[usize::from(expected != "hit") * 2] += 1;
        entry[usize::from(expected != "hit") * 2 + 1] += u32::from(right);
        if expected == "hit" {
            planted.extend(subjects.into_iter().map(|s| (flag.to_owned(), s)));
        }
        if !right {
            faults.push(format!("{flag} {} expected {expected}, got {got:?}: {case}", case["case"]));
        }
    }
    for (flag, [hits, right, twins, well]) in &score {
        println!(
            "{flag}: {right} of {hits} planted found (recall {:.3}), {well} of {twins} twins judged as expected",
            f64::from(*right) / f64::from(*hits)
        );
    }
    // Chance makes outliers and concentration too: what nobody planted is listed, not forbidden. A broken rule is no chance.
    for flag in score.keys() {
        let hits: Vec<&(String, String)> =
            all.iter().filter(|((f, _), o)| f == flag && o.0 == "hit").map(|(subject, _)| subject).collect();
        let others: Vec<&String> = hits.iter().filter(|s| !planted.contains(s)).map(|(_, s)| s).collect();
        println!("{flag}: {} hits, {} that nobody planted: {others:#?}", hits.len(), others.len());
        assert!(flag != "BR01" || others.is_empty(), "a rule break that nobody planted: {others:?}");
    }
    assert!(planted.len() > 100);
    assert!(faults.is_empty(), "{} planted cases are judged otherwise:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn what_was_planted_to_be_quarantined_is_with_file_and_line() {
    let house = House::new();
    let files = sample(&house, 1_000, 8);
    let _ = house.ingest(&[&files]).ends_with(3);
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    let mut statement = db.prepare("select f.name, q.line from quarantine q join files f on f.id = q.file_id").unwrap();
    let found: BTreeSet<(String, i64)> = statement
        .query_map([], |r| Ok((r.get::<_, String>(0)?, r.get(1)?)))
        .unwrap()
        .map(|row| row.map(|(name, line)| (name.rsplit('/').next().unwrap().to_owned(), line)).unwrap())
        .collect();
    let truth = std::fs::read_to_string(files.join("truth.jsonl")).unwrap();
    let expected: BTreeSet<(String, i64)> = truth
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap())
        .filter(|c| c["flag"] == "quarantine")
        // Records of a page are counted from nought there, from one here.
        .map(|c| {
            (
                c["file"].as_str().unwrap().rsplit('/').next().unwrap().to_owned(),
                c["line"].as_i64().or(c["record"].as_i64().map(|n| n + 1)).unwrap(),
            )
        })
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(found, expected);
}
