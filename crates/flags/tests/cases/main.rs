//! The cases of every flag (`flags/*/cases/*.toml`), and the flags' arithmetic against a second, independent one.
//!
//! A case gives the rows of the canonical tables and what must come of every subject: outcome, missing field, and where
//! it matters the measure, threshold, severity and amount. A subject that no expectation names fails the case.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod arithmetic;
mod case;
mod preview;
mod texts;

use std::collections::BTreeSet;

use case::{Case, Expected, cases_of, judged};
use flags::Catalogue;

/// Every flag with its cases.
fn each_flag() -> Vec<(flags::Flag, Vec<Case>)> {
    let catalogue = Catalogue::embedded().unwrap();
    catalogue.flags().iter().map(|flag| (flag.clone(), cases_of(&flag.code))).collect()
}

fn run(code: &str) {
    let catalogue = Catalogue::embedded().unwrap();
    let flag = catalogue.flag(code).unwrap();
    let cases = cases_of(code);
    let faults: Vec<String> =
        cases.iter().filter_map(|case| case.check(flag).and_then(|()| case.check_evidence(flag)).err()).collect();
    assert!(faults.is_empty(), "{} of {} cases of {code} fail:\n{}", faults.len(), cases.len(), faults.join("\n"));
    println!("{code}: {} cases", cases.len());
}

#[test]
fn sanctioned_suppliers_are_judged_as_the_cases_say() {
    run("BR01");
}

#[test]
fn splitting_is_judged_as_the_cases_say() {
    run("BR02");
}

#[test]
fn bunching_is_judged_as_the_cases_say() {
    run("BR03");
}

#[test]
fn amendments_are_judged_as_the_cases_say() {
    run("BR04");
}

#[test]
fn unit_prices_are_judged_as_the_cases_say() {
    run("BR05");
}

#[test]
fn concentration_is_judged_as_the_cases_say() {
    run("BR11");
}

#[test]
fn successors_of_sanctioned_suppliers_are_judged_as_the_cases_say() {
    run("BR15");
}

#[test]
fn rotation_is_judged_as_the_cases_say() {
    run("BR17");
}

#[test]
fn direct_awards_are_judged_as_the_cases_say() {
    run("BR12");
}

#[test]
fn shared_ties_are_judged_as_the_cases_say() {
    run("BR14");
}

#[test]
fn co_bidding_pairs_are_judged_as_the_cases_say() {
    run("BR16");
}

#[test]
fn bid_screens_are_judged_as_the_cases_say() {
    run("BR18");
}

#[test]
fn near_duplicates_are_judged_as_the_cases_say() {
    run("BR19");
}

#[test]
fn single_bidders_are_judged_as_the_cases_say() {
    run("BR06");
}

#[test]
fn short_windows_are_judged_as_the_cases_say() {
    run("BR07");
}

#[test]
fn young_companies_are_judged_as_the_cases_say() {
    run("BR08");
}

#[test]
fn irregular_registrations_are_judged_as_the_cases_say() {
    run("BR09");
}

#[test]
fn awards_at_the_estimate_are_judged_as_the_cases_say() {
    run("BR10");
}

#[test]
fn late_publications_are_judged_as_the_cases_say() {
    run("BR23");
}

#[test]
fn hasty_and_stalled_decisions_are_judged_as_the_cases_say() {
    run("BR28");
}

#[test]
fn recurrent_inexigibilidades_are_judged_as_the_cases_say() {
    run("BR13");
}

#[test]
fn companies_over_capacity_are_judged_as_the_cases_say() {
    run("BR21");
}

#[test]
fn activity_mismatches_are_judged_as_the_cases_say() {
    run("BR20");
}

#[test]
fn year_end_bursts_are_judged_as_the_cases_say() {
    run("BR22");
}

#[test]
fn round_values_are_judged_as_the_cases_say() {
    run("BR24");
}

#[test]
fn leading_digits_are_judged_as_the_cases_say() {
    run("BR25");
}

#[test]
fn periodic_spending_is_judged_as_the_cases_say() {
    run("BR27");
}

#[test]
fn vague_objects_are_judged_as_the_cases_say() {
    run("BR26");
}

#[test]
fn every_flag_has_cases_for_each_outcome_and_each_field_it_needs() {
    for (flag, cases) in each_flag() {
        let expected: Vec<&Expected> = cases.iter().flat_map(|c| &c.expect).collect();
        for outcome in ["hit", "clear", "not_computable"] {
            assert!(expected.iter().any(|e| e.outcome == outcome), "{}: no case ends with {outcome}", flag.code);
        }
        let missing: BTreeSet<&str> = expected.iter().filter_map(|e| e.missing.as_deref()).collect();
        for field in &flag.needs {
            assert!(missing.contains(field.as_str()), "{}: no case lacks {field}", flag.code);
        }
    }
}

#[test]
fn every_case_fails_when_another_outcome_is_expected() {
    for (flag, cases) in each_flag() {
        for case in cases {
            let got = judged(&flag, case.rows());
            for at in 0..case.expect.len() {
                let mut other = case.clone();
                let expected = &mut other.expect[at];
                expected.outcome = if expected.outcome == "clear" { "hit" } else { "clear" }.to_owned();
                assert!(other.compare(got.clone()).is_err(), "{}: \"{}\" cannot fail", flag.code, case.name);
            }
        }
    }
}

#[test]
fn in_parts_comes_out_what_comes_out_at_once() {
    let mut parted = 0;
    for (flag, cases) in each_flag() {
        let hits = |case: &&Case| case.expect.iter().any(|expected| expected.outcome == "hit");
        for case in cases.iter().filter(hits) {
            let judged_in = |parts: u64| {
                let session = lake::Session::of_rows(case.rows()).unwrap();
                let folder = tempfile::tempdir().unwrap();
                let after = folder.path().join("outcomes.parquet");
                let outcomes = flags::Outcomes { before: None, after: &after };
                let judged = flags::judge_in_parts(&session, &flag, outcomes, parts).unwrap().unwrap();
                let mut rows = Vec::new();
                let sql = format!("select * from read_parquet('{}') order by subject_id", after.display());
                session
                    .rows(&sql, |row| {
                        rows.push(
                            ["subject_id", "group_key", "outcome", "missing", "measure"]
                                .map(|c| row.get(c).map(str::to_owned)),
                        );
                        Ok(())
                    })
                    .unwrap();
                (rows, judged.hits.into_iter().map(|hit| hit.body).collect::<Vec<_>>())
            };
            let at_once = judged_in(1);
            let groups: BTreeSet<_> = at_once.0.iter().map(|row| &row[1]).collect();
            // One group is one part.
            if groups.len() == 1 {
                continue;
            }
            parted += 1;
            assert!(at_once == judged_in(3), "{}: \"{}\"", flag.code, case.name);
        }
    }
    assert!(parted > 5, "only {parted} cases have more than one group");
}
