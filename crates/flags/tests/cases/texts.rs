//! What findings say, over every hit of every case: no text has an empty place, each explanation that is computed is seen in
//! each of its outcomes, and one that is not says why.

use std::collections::BTreeSet;

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

#[test]
fn no_text_of_a_finding_has_an_empty_place() {
    for (flag, cases) in each_flag() {
        let mut findings = 0;
        for case in &cases {
            for finding in case.findings(&flag) {
                findings += 1;
                let fault = |what: &str| format!("{}: \"{}\": {what}", flag.code, case.name);
                let mut all = Vec::new();
                texts("", &finding, &mut all);
                for (at, text) in all {
                    assert!(!text.contains(['{', '}']), "{}", fault(&format!("{at}: {text}")));
                }
                for language in ["pt", "en"] {
                    let sentence = finding["counterfactual"][language].as_str().unwrap();
                    assert!(sentence.len() > 30, "{}", fault(sentence));
                    for empty in ["não informado", "not stated", "()", "  ", "NaN", "null"] {
                        assert!(!sentence.contains(empty), "{}", fault(sentence));
                    }
                }
                assert!(
                    finding["counterfactual"]["pt"].as_str().unwrap().contains(|c: char| c.is_ascii_digit()),
                    "{}",
                    fault("the counterfactual has no number")
                );
                for explanation in finding["explanations"].as_array().unwrap() {
                    let because = explanation["because"]["pt"].as_str().unwrap();
                    assert!(!because.contains("não informado"), "{}", fault(because));
                }
            }
        }
        assert!(findings > 0, "{}: no hit", flag.code);
    }
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

#[test]
fn what_is_said_of_an_explanation_is_said_for_its_outcome() {
    for (flag, cases) in each_flag() {
        for case in &cases {
            for finding in case.findings(&flag) {
                for (told, known) in finding["explanations"].as_array().unwrap().iter().zip(&flag.explanations) {
                    let said = match told["outcome"].as_str().unwrap() {
                        "likely" => &known.likely,
                        "possible" => &known.possible,
                        "ruled_out" => &known.ruled_out,
                        "not_checked" => &known.not_checked,
                        other => panic!("{}: {} is {other}", flag.code, known.code),
                    };
                    assert!(
                        said.is_some(),
                        "{}: \"{}\": {} is {} and nothing says why",
                        flag.code,
                        case.name,
                        known.code,
                        told["outcome"]
                    );
                }
            }
        }
    }
}
