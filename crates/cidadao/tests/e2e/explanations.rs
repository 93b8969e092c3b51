//! What findings say over a whole sample: every place is filled, and every explanation has one of four outcomes and a reason.

use serde_json::Value;
use testkit::House;

use super::sample;

#[test]
fn no_finding_of_a_sample_has_an_empty_place() {
    let house = House::new();
    let _ = house.ingest(&[&sample(&house, 2_000, 23)]).ends_with(3);
    let findings = house.serve().walk("findings?state=all", 100);
    assert!(findings.len() > 20, "{}", findings.len());
    let outcomes = ["ruled_out", "possible", "likely", "not_checked"];
    let mut computed = 0;
    for finding in &findings {
        let fault = |what: &str| format!("{} {}: {what}", finding["flag"], finding["id"]);
        let text = finding.to_string();
        for place in ["{ev_", "{measure", "{threshold", "{peer_", ":brl}", ":date}"] {
            assert!(!text.contains(place), "{}", fault(place));
        }
        for language in ["pt", "en"] {
            let sentence = finding["counterfactual"][language].as_str().unwrap();
            assert!(!sentence.contains("não informado") && !sentence.contains("not stated"), "{}", fault(sentence));
            assert!(sentence.contains(|c: char| c.is_ascii_digit()), "{}", fault(sentence));
        }
        let explanations = finding["explanations"].as_array().unwrap();
        assert!(!explanations.is_empty(), "{}", fault("no explanation"));
        for told in explanations {
            let outcome = told["outcome"].as_str().unwrap();
            assert!(outcomes.contains(&outcome), "{}", fault(outcome));
            computed += usize::from(outcome != "not_checked");
            for language in ["pt", "en"] {
                let because = told["because"][language].as_str().unwrap_or_else(|| panic!("{}", fault("no reason")));
                assert!(!because.is_empty() && !because.contains("não informado"), "{}", fault(because));
            }
        }
        assert_eq!(finding["verdict"], Value::Null);
    }
    assert!(computed > findings.len(), "hardly an explanation is computed");
}
