//! What findings say, over every hit of every case: no text has an empty place, each explanation that is computed is seen in
//! each of its outcomes, and one that is not says why.

use std::collections::BTreeSet;

use flags::Flag;
use serde_json::Value;

use crate::each_flag;

/// Every text of a finding, with where it stands.
fn texts<'a>(at: &str, value: &'a Value, out: &mut Vec<(String, &'a str)>) {
    match value {
        Value::String(text) => out.push((at.to_owned(), text)),
        Value::Array(values) => values.iter().for_each(|value| texts(at, value, out)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| texts(&format!("{at}.{name}"), value, out)),
        _ => {}
    }
}

/// What is wrong with what a finding says.
fn faults_of(flag: &Flag, finding: &Value) -> Vec<String> {
    let mut all = Vec::new();
    texts("", finding, &mut all);
    let mut faults: Vec<String> = all
        .into_iter()
        .filter(|(_, text)| text.contains(['{', '}']))
        .map(|(at, text)| format!("{at} has an empty place: {text}"))
        .collect();
    for language in ["pt", "en"] {
        let sentence = finding["counterfactual"][language].as_str().unwrap();
        let empty =
            ["não informado", "not stated", "()", "  ", "NaN", "null"].iter().any(|word| sentence.contains(word));
        if empty || !sentence.contains(|c: char| c.is_ascii_digit()) {
            faults.push(format!("the counterfactual has an empty place, or no number: {sentence}"));
        }
    }
    for (told, known) in finding["explanations"].as_array().unwrap().iter().zip(&flag.explanations) {
        let said = match told["outcome"].as_str().unwrap() {
            "likely" => &known.likely,
            "possible" => &known.possible,
            "ruled_out" => &known.ruled_out,
            "not_checked" => &known.not_checked,
            other => panic!("{} is {other}", known.code),
        };
        let because = told["because"]["pt"].as_str().unwrap();
        if said.is_none() {
            faults.push(format!("nothing says why {} is {}", known.code, told["outcome"]));
        }
        if because.contains("não informado") {
            faults.push(format!("{} has an empty place: {because}", known.code));
        }
    }
    faults
}

#[test]
fn no_text_of_a_finding_has_an_empty_place_and_every_explanation_says_why() {
    let mut faults = Vec::new();
    for (flag, cases) in each_flag() {
        let found: Vec<(String, Value)> = cases
            .iter()
            .flat_map(|case| case.findings(&flag).into_iter().map(|finding| (case.name.clone(), finding)))
            .collect();
        assert!(!found.is_empty(), "{}: no hit", flag.code);
        for (case, finding) in found {
            faults.extend(faults_of(&flag, &finding).into_iter().map(|f| format!("{} \"{case}\": {f}", flag.code)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_outcome_of_an_explanation_has_a_case_that_expects_it() {
    let mut lacking = Vec::new();
    for (flag, cases) in each_flag() {
        let expected: BTreeSet<(&str, &str)> = cases
            .iter()
            .flat_map(|case| &case.expect)
            .flat_map(|expected| &expected.explanations)
            .map(|(code, outcome)| (code.as_str(), outcome.as_str()))
            .collect();
        for explanation in &flag.explanations {
            let computed = [
                ("likely", explanation.likely.is_some()),
                ("possible", explanation.possible.is_some()),
                ("ruled_out", explanation.ruled_out.is_some()),
            ];
            for (outcome, said) in computed {
                if said && !expected.contains(&(explanation.code.as_str(), outcome)) {
                    lacking.push(format!("{} {} {outcome}", flag.code, explanation.code));
                }
            }
        }
    }
    assert!(lacking.is_empty(), "no case expects:\n{}", lacking.join("\n"));
}
