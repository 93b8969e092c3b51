//! Judged at two dates: of the facts up to a day, as they were held at an instant; the same bytes from the same data.

use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::House;
use testkit::files::{self, Purchase, Sanctioned};
use testkit::house::files_below;
use testkit::state::assert_same;

use super::{sample, short_sample};

fn now() -> String {
    // Instants in the manifest have microseconds; none of the next ingest may be this one.
    let now = model::dates::now_text();
    std::thread::sleep(std::time::Duration::from_millis(5));
    now
}

/// The id of every finding with what it says, but for what only a stored one has.
fn said(findings: &Value) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let mut finding = finding.clone();
            for stored in ["known_at", "first_seen_at", "updated_at", "links", "verdict"] {
                finding.as_object_mut().unwrap().remove(stored);
            }
            (finding["id"].as_str().unwrap().to_owned(), finding)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn stored(house: &House, flag: &str) -> Value {
    house.serve().json(&format!("findings?flag={flag}&limit=100"))["data"].clone()
}

/// Two contracts, of which only the first falls under a sanction; then the first is corrected, and a second sanction comes.
fn before_and_after() -> (House, String, Value) {
    let house = House::new();
    let mut first = Purchase::new(1, "100,0000");
    let mut second = Purchase::new(2, "200,0000");
    second.supplier = files::cnpj(2);
    second.signed = "05/02/2024".into();
    let sanction = Sanctioned::new(1, &first.supplier);
    let rows = [first.clone(), second.clone()];
    let one = [
        house.file("202402_Compras.csv", files::purchases(&rows)),
        house.file("20250801_CEIS.csv", files::ceis(std::slice::from_ref(&sanction))),
    ];
    let _ = house.ingested(&[&one[0], &one[1]], 0);
    let then = now();
    let found_then = stored(&house, "BR01");
    assert_eq!(found_then.as_array().unwrap().len(), 1);
    first.signed = "31/12/2023".into();
    let mut later = Sanctioned::new(2, &second.supplier);
    later.starts = "03/02/2024".into();
    let two = [
        house.file("b/202402_Compras.csv", files::purchases(&[first, second])),
        house.file("b/20250802_CEIS.csv", files::ceis(&[sanction, later])),
    ];
    let _ = house.ingested(&[&two[0], &two[1]], 0);
    (house, then, found_then)
}

#[test]
fn what_was_held_then_gives_what_was_found_then() {
    let (house, then, found_then) = before_and_after();
    let found_now = stored(&house, "BR01");
    assert_ne!(said(&found_now), said(&found_then), "the second files change what is found");
    let state = house.state();
    let at =
        |options: &[&str]| house.json(&[&["flags", "run", "--flag", "BR01"], options].concat())["findings"].clone();
    assert_eq!(said(&at(&["--known-at", &then])), said(&found_then));
    assert_eq!(said(&at(&["--as-of", "2026-01-01"])), said(&found_now));
    for finding in at(&["--known-at", &then]).as_array().unwrap() {
        assert_eq!(finding["known_at"], then.as_str());
        assert_eq!(finding["as_of"], "2024-02-05", "the day of the facts");
        assert!(finding["links"].is_null() && finding["first_seen_at"].is_null(), "it is not stored");
    }
    // A stored finding says what it was made from: asked for at that instant, it comes out again.
    let known_at = found_now[0]["known_at"].as_str().unwrap();
    assert_eq!(said(&at(&["--known-at", known_at])), said(&found_now));
    assert_same(&state, &house.state(), "nothing of it is stored");

    let server = house.serve();
    let asked = server.json(&format!("flags/BR01/findings?known_at={}", testkit::server::encoded(&then)));
    assert_eq!((said(&asked["data"]), asked["total"].as_u64()), (said(&found_then), Some(1)));
    assert_eq!(asked["counts"]["hit"], 1);
    // Before anything was held, nothing was found.
    let early = server.json("flags/BR01/findings?known_at=2020-01-01T00:00:00-03:00");
    assert_eq!((early["total"].as_u64(), early["at"]["segments"]["count"].as_u64()), (Some(0), Some(0)));
    for refused in ["known_at=2199-01-01T00:00:00-03:00", "known_at=ontem", "as_of=2024-13-01", "as_on=2024-01-01"] {
        assert_eq!(server.get(&format!("/api/v1/flags/BR01/findings?{refused}")).status, 400, "{refused}");
    }
}

#[test]
fn a_sanction_counts_from_its_day_and_a_contract_from_its_own() {
    let (house, ..) = before_and_after();
    let hits = |day: &str| {
        let report = house.json(&["flags", "run", "--flag", "BR01", "--as-of", day]);
        (report["flags"][0]["hit"].as_i64().unwrap(), report["flags"][0]["clear"].as_i64().unwrap())
    };
    // The corrected contract is of 31 December; the other of 5 February, its supplier barred since the third.
    assert_eq!(hits("2023-12-30"), (0, 0));
    assert_eq!(hits("2024-02-04").0, 0);
    assert_eq!(hits("2024-02-05").0, 1);
}

#[test]
fn no_fact_of_a_later_day_makes_a_finding() {
    let house = House::new();
    let files = sample(&house, 1_000, 77);
    let _ = house.ingest(&[&files]).ends_with(3);
    let mut seen = 0;
    let day = "2024-06-30";
    let report = house.json(&["flags", "run", "--as-of", day]);
    for finding in report["findings"].as_array().unwrap() {
        assert!(finding["as_of"].as_str().is_some_and(|of| of <= day), "{day}: {finding}");
        seen += 1;
    }
    assert!(seen > 0, "the sample has findings of before that day");
}

fn bytes_at(house: &House, options: &[&str]) -> String {
    house.program().args(["flags", "run", "--json"]).args(options).run().ends_with(0).stdout
}

#[test]
fn the_same_data_gives_the_same_bytes_also_when_the_lake_was_written_anew() {
    let place = House::new();
    let files = short_sample(&place, 1_000, 78);
    let houses = [House::new(), House::new()];
    for house in &houses {
        let _ = house.ingest(&[&files]).ends_with(3);
    }
    let then = now();
    let options = ["--as-of", "2026-03-31", "--known-at", &then];
    let bytes = bytes_at(&houses[0], &options);
    let found = serde_json::from_str::<Value>(&bytes).unwrap()["findings"].as_array().unwrap().len();
    assert!(found > 3, "{found} findings are too few to compare");
    assert!(bytes == bytes_at(&houses[1], &options), "two folders with the same files");

    // Segments are lost: what was held then is no longer known, and that is said with their names.
    let lost: Vec<PathBuf> = files_below(&houses[0].data().join("lake/contracts")).into_iter().take(3).collect();
    for path in &lost {
        std::fs::remove_file(path).unwrap();
    }
    let name = lost[0].strip_prefix(houses[0].data().join("lake")).unwrap().to_string_lossy().into_owned();
    let refused = |house: &House| {
        let run = house.program().args(["flags", "run", "--json"]).args(options).run().ends_with(1);
        assert!(run.stderr.contains("3 segments are gone") && run.stderr.contains(&name), "{}", run.stderr);
    };
    refused(&houses[0]);
    let _ = houses[0].program().args(["doctor", "--repair"]).run();
    refused(&houses[0]);
    let server = houses[0].serve();
    let answer = server.get(&format!("/api/v1/flags/BR01/findings?known_at={}", testkit::server::encoded(&then)));
    assert_eq!((answer.status, answer.json()["type"].as_str()), (410, Some("/problems/segments-gone")));
    assert!(answer.text().contains(&name));
    drop(server);

    let later = now();
    let options = ["--as-of", "2026-03-31", "--known-at", &later];
    assert!(
        bytes_at(&houses[0], &options) == bytes_at(&houses[1], &options),
        "the lake was written anew from the rows"
    );
}

#[test]
fn what_a_run_depended_on_stands_in_the_evidence() {
    let (house, ..) = before_and_after();
    let server = house.serve();
    let finding = &server.json("findings?flag=BR01")["data"][0];
    let run = server.json(&format!("findings/{}/evidence", finding["id"].as_str().unwrap()))["run"].clone();
    let report = house.json(&["flags", "run", "--flag", "BR05", "--known-at", run["known_at"].as_str().unwrap()]);
    for same in ["catalogue_version", "law_version", "program_version", "segments"] {
        assert_eq!(run[same], report[same], "{same}");
    }
    assert_eq!(run["parameters"], serde_json::json!({ "list_reach_days": 2192.0 }));
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    let kept: String = db.query_row("select parameters from runs order by id desc", [], |row| row.get(0)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap()["BR05"], report["flags"][0]["parameters"]);
}

#[test]
fn coverage_by_source_adds_up_to_the_whole() {
    let house = House::new();
    let files = sample(&house, 1_000, 79);
    let _ = house.ingest(&[&files]).ends_with(3);
    let mut sources = std::collections::BTreeSet::new();
    let sum = |counts: &Value| -> [i64; 3] {
        let missing = counts["not_computable"].as_object().unwrap().values().map(|n| n.as_i64().unwrap()).sum();
        [counts["hit"].as_i64().unwrap(), counts["clear"].as_i64().unwrap(), missing]
    };
    for flag in house.json(&["flags", "coverage"])["flags"].as_array().unwrap() {
        let mut added = [0; 3];
        for (source, counts) in flag["by_source"].as_object().unwrap() {
            sources.insert(source.clone());
            added.iter_mut().zip(sum(counts)).for_each(|(added, n)| *added += n);
        }
        assert_eq!(added, sum(flag), "{}", flag["code"]);
    }
    assert!(sources.len() > 1, "{sources:?}");

    // What was judged in memory for all flags comes out the same for one after the other, read from the files.
    let stored = house.json(&["flags", "coverage"]);
    let read = house.json(&["flags", "run", "--known-at", &now()]);
    let counts = |flags: &Value| -> Vec<(Value, [i64; 3])> {
        flags["flags"].as_array().unwrap().iter().map(|flag| (flag["code"].clone(), sum(flag))).collect()
    };
    assert_eq!(counts(&stored), counts(&read));
}

/// The hits that `flags/{code}/preview` tells for one value.
fn told(preview: &Value) -> u64 {
    preview["parameters"][0]["at"][0]["hit"].as_u64().unwrap()
}

#[test]
fn a_preview_tells_what_a_run_would_find() {
    let place = House::new();
    let files = sample(&place, 3_000, 80);
    let paths: Vec<PathBuf> = files_below(&files).into_iter().filter(|p| !p.ends_with("truth.jsonl")).collect();
    let house = House::new();
    // In parts: what is kept is kept right by later ingests.
    for part in paths.chunks(paths.len().div_ceil(2)) {
        let part: Vec<&Path> = part.iter().map(PathBuf::as_path).collect();
        let _ = house.ingest(&part);
    }
    let server = house.serve();
    let mut previewed = 0;
    for flag in server.json("flags")["data"].as_array().unwrap() {
        let code = flag["code"].as_str().unwrap();
        for parameter in flag["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            let path = format!("flags/{code}/preview?{name}={}", parameter["default"]);
            if parameter["preview"].is_null() {
                let refused = server.get(&format!("/api/v1/{path}"));
                assert_eq!((refused.status, refused.json()["type"].as_str()), (400, Some("/problems/not-previewable")));
                continue;
            }
            let preview = server.json(&path);
            assert_eq!(told(&preview), flag["coverage"]["hit"].as_u64().unwrap(), "{code} {name}");
            assert_eq!(preview["current"]["hit"], flag["coverage"]["hit"], "{code} {name}");
            previewed += 1;
        }
    }
    assert!(previewed > 20, "{previewed}");
    let others = [
        ("BR05", "z_min", "2"),
        ("BR11", "hhi_min", "1500"),
        ("BR10", "discount_max", "0.05"),
        ("BR12", "z_min", "1"),
        ("BR28", "hasty_max", "12"),
        ("BR23", "local_holidays", "0"),
    ];
    let options: Vec<String> =
        others.iter().map(|(flag, name, value)| format!("--param={flag}.{name}={value}")).collect();
    let codes = others.map(|(flag, ..)| flag).join(",");
    let run = house.program().args(["flags", "run", "--json", "--flag", &codes]).args(&options).run().ends_with(0);
    let mut moved = 0;
    for flag in run.json()["flags"].as_array().unwrap() {
        let (code, name, value) = others.iter().find(|(code, ..)| flag["code"] == *code).unwrap();
        let preview = server.json(&format!("flags/{code}/preview?{name}={value}"));
        assert_eq!(told(&preview), flag["hit"].as_u64().unwrap(), "{code} {name}={value}");
        moved += usize::from(preview["current"]["hit"] != flag["hit"]);
        println!("{code} {name}={value}: {} hits, now {}", flag["hit"], preview["current"]["hit"]);
    }
    assert!(moved >= 3, "other values give other counts");
    for refused in ["BR05/preview?z_min=99", "BR05/preview?z_min=x", "BR05/preview?z=3", "BR05/preview?z_min=3&z_min=4"]
    {
        assert_eq!(server.get(&format!("/api/v1/flags/{refused}")).status, 400, "{refused}");
    }
    let many = server.json("flags/BR05/preview?z_min=3,3.5,4");
    let hits: Vec<u64> =
        many["parameters"][0]["at"].as_array().unwrap().iter().map(|at| at["hit"].as_u64().unwrap()).collect();
    assert!(hits.len() == 3 && hits.is_sorted_by(|a, b| a >= b), "{hits:?}");
}
