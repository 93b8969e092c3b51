//! Exit codes, and one JSON document on stdout.

use std::process::Stdio;

use testkit::files::{self, Purchase};
use testkit::{House, Program};

#[test]
fn the_exit_code_says_how_it_ended() {
    let house = House::new();
    let good = house.file("good.csv", files::purchases(&[Purchase::new(1, "1,0000")]));
    let mut bad_row = Purchase::new(2, "1,0000");
    bad_row.signed = "00/00/0000".to_owned();
    let partly = house.file("partly.csv", files::purchases(&[bad_row, Purchase::new(3, "1,0000")]));
    let garbage = house.file("garbage.bin", "\u{1}\u{2}garbage");
    let _ = house.ingest(&[&good]).ends_with(0);
    let _ = house.ingest(&[&partly]).ends_with(3);
    // A file that was named must be readable; what merely lies in a folder need not be.
    let _ = house.ingest(&[&garbage]).ends_with(1);
    let _ = house.ingest(&[&house.root().join("in")]).ends_with(0);
    let missing = house.ingest(&[&house.root().join("nowhere.csv")]).ends_with(1);
    assert!(missing.stderr.contains("nowhere.csv"), "{}", missing.stderr);
    let _ = house.program().args(["flags", "list"]).run().ends_with(0);
    let _ = house.program().args(["flags", "explain", "br05"]).run().ends_with(0);
    let _ = house.program().arg("--version").run().ends_with(0);
    for wrong in [
        &["ingest"][..],
        &["fly"],
        &["ingest", "x", "--colour"],
        &["sample", "--contracts", "many", "--out", "x"],
        &["flags"],
        &["sample", "--contracts", "1", "--out", "x"],
    ] {
        let run = house.program().args(wrong).run().ends_with(2);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{wrong:?}");
    }
    let unknown = house.program().args(["flags", "explain", "BR99"]).run();
    assert!(unknown.code != Some(0) && unknown.stderr.contains("BR99"), "{unknown:?}");
    let source = house.program().args(["ingest", "--source", "no-such"]).arg(&good).run().ends_with(2);
    assert!(source.stderr.contains("no-such") && source.stderr.contains("portal-compras"), "{source:?}");
}

#[test]
fn every_command_gives_one_json_document_on_stdout() {
    let house = House::new();
    let file = house.file("good.csv", files::purchases(&[Purchase::new(1, "1,0000")]));
    let report = house.ingested(&[&file], 0);
    for key in ["read", "kept", "unchanged", "replaced", "quarantined"] {
        assert!(report["totals"][key].is_u64(), "{key}");
    }
    assert_eq!(report["files"][0]["source"], "portal-compras");
    let list = house.json(&["flags", "list"]);
    let codes: Vec<&str> = list["flags"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    // Every folder of a flag, and nothing else.
    let folders = std::fs::read_dir(std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../flags").unwrap();
    let mut expected: Vec<String> = folders
        .map(|folder| folder.unwrap().file_name().to_str().unwrap().split('-').next().unwrap().to_owned())
        .collect();
    expected.sort();
    assert_eq!(codes, expected);
    let coverage = house.json(&["flags", "coverage"]);
    for flag in coverage["flags"].as_array().unwrap() {
        assert!(flag["code"].is_string() && flag["hit"].is_u64() && flag["clear"].is_u64(), "{flag}");
        assert!(flag["not_computable"].is_object(), "{flag}");
    }
    assert_eq!(coverage["flags"][0]["not_computable"]["sanctions"], 1, "{coverage:#}");
    assert_eq!(house.json(&["flags", "explain", "BR11"])["code"], "BR11");
    assert!(house.json(&["flags", "run"])["flags"].is_array());
    assert!(house.json(&["doctor"])["checks"].is_array());
    let out = house.root().join("s");
    // What is planted needs some contracts of its own.
    assert!(
        house.json(&["sample", "--contracts", "150", "--out", out.to_str().unwrap()])["contracts"].as_u64().unwrap()
            >= 150
    );
}

#[test]
fn a_demonstration_makes_ingests_and_shows_the_gravest_findings() {
    let house = House::new();
    let report = house.json(&["demo", "--contracts", "800", "--no-serve"]);
    let gravest = report["gravest"].as_array().unwrap();
    assert_eq!(gravest.len(), 10);
    assert!(gravest.iter().all(|f| f["severity"] == "critical"), "{gravest:#?}");
    assert!(report["ingest"]["totals"]["kept"].as_u64().unwrap() > 800);
    let shown = House::new().program().args(["demo", "--contracts", "200", "--no-serve"]).run().ends_with(0);
    assert!(shown.stdout.contains("fictícios") && shown.stdout.contains("Um sinal não é prova"), "{}", shown.stdout);
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let house = House::new();
    let mut child = house
        .program()
        .args(["flags", "explain", "BR01"])
        .into_command()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(
        !String::from_utf8_lossy(&output.stderr).contains("panicked"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_ne!(output.status.code(), Some(101));
}

#[test]
fn the_program_runs_from_any_folder() {
    let house = House::new();
    house.file("c.csv", files::purchases(&[Purchase::new(1, "1,0000")]));
    let run = Program::new()
        .current_dir(house.root())
        .args(["ingest", "in/c.csv", "--json", "--data-dir", "here"])
        .run()
        .ends_with(0);
    assert_eq!(run.json()["totals"]["kept"], 1);
    assert!(house.root().join("here/cidadao.db").is_file());
    // Without a folder named, the default one lies where the program was started.
    let _ = Program::new().current_dir(house.root()).args(["ingest", "in/c.csv"]).run().ends_with(0);
    assert!(house.root().join(".cidadao/cidadao.db").is_file());
}
