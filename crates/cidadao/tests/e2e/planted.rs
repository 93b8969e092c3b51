//! The sample's truth against what the flags found: no rule break is missed, no benign twin is flagged.

use std::collections::BTreeSet;

use serde_json::Value;
use testkit::House;

use super::sample;

/// Broken rules are no chance: nothing but what was planted may be a hit. Of the others chance makes some too.
const RULES: [&str; 9] = ["BR01", "BR02", "BR04", "BR06", "BR07", "BR09", "BR10", "BR15", "BR23"];

#[test]
fn what_was_planted_is_found_and_its_benign_twins_are_not() {
    let house = House::new();
    let files = sample(&house, 20_000, 2_026);
    let _ = house.ingest(&[&files]).ends_with(3);
    let found = house.json(&["eval", "sample", files.to_str().unwrap()]);
    let held = hits_of(&house);
    let catalogue = house.json(&["flags", "list"]);
    let mut faults = Vec::new();
    for code in catalogue["flags"].as_array().unwrap().iter().map(|flag| flag["code"].as_str().unwrap()) {
        let flag = found["flags"].as_array().unwrap().iter().find(|flag| flag["code"] == code).unwrap();
        println!(
            "{code}: {} of {} found, {} hits, unplanted {}",
            flag["found"], flag["planted"], flag["hits"], flag["unplanted"]
        );
        assert!(
            flag["planted"].as_u64() > Some(0) && flag["twins"].as_u64() > Some(0),
            "nothing is planted for {code}"
        );
        faults.extend(flag["otherwise"].as_array().unwrap().iter().map(|case| format!("{code}: {case}")));
        // The account adds up with the findings that people see.
        assert_eq!(flag["hits"].as_u64().unwrap(), held(code), "{code}");
        if RULES.contains(&code) {
            assert_eq!(flag["hits_unplanted"], 0, "a rule break that nobody planted: {}", flag["unplanted"]);
        }
    }
    assert!(faults.is_empty(), "{} planted cases are judged otherwise:\n{}", faults.len(), faults.join("\n"));
}

/// How many open findings a flag has, by the store.
fn hits_of(house: &House) -> impl Fn(&str) -> u64 {
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    move |code: &str| {
        let sql = "select count(*) from findings where flag = ?1 and state = 'open'";
        db.query_row(sql, [code], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap()
    }
}

#[test]
fn a_truth_that_was_not_planted_is_missed() {
    let house = House::new();
    let files = sample(&house, 500, 3);
    let _ = house.ingest(&[&files]).ends_with(3);
    let truth = files.join("truth.jsonl");
    let invented =
        r#"{"flag":"BR01","year":2024,"case":"invented","expect":"hit","source":"pncp","subject_id":"pncp:nobody"}"#;
    std::fs::write(&truth, format!("{}\n{invented}\n", std::fs::read_to_string(&truth).unwrap().trim_end())).unwrap();
    let found = house.json(&["eval", "sample", files.to_str().unwrap()]);
    let flag = found["flags"].as_array().unwrap().iter().find(|flag| flag["code"] == "BR01").unwrap().clone();
    assert_eq!(flag["found"].as_u64().unwrap() + 1, flag["planted"].as_u64().unwrap());
    assert_eq!(flag["otherwise"][0]["truth"]["case"], "invented");
    assert_eq!(flag["otherwise"][0]["got"], Value::Array(Vec::new()));
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
