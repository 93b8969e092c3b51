//! A stranger redoes a finding's arithmetic from its evidence, and finds every row in the file it came from.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};
use testkit::server::encoded;
use testkit::{House, Server};

use super::sample;

fn answering() -> (House, Server) {
    let house = House::new();
    let files = sample(&house, 1_000, 29);
    let _ = house.ingest(&[&files]).ends_with(3);
    let server = house.serve();
    (house, server)
}

/// The evidence of every finding of a flag, up to a number of them.
fn evidence(server: &Server, flag: &str, most: usize) -> Vec<Value> {
    let found = server.walk(&format!("findings?flag={flag}"), 100);
    assert!(!found.is_empty(), "the sample has findings of {flag}");
    found.iter().take(most).map(|f| server.json(&format!("findings/{}/evidence", f["id"].as_str().unwrap()))).collect()
}

fn rows<'a>(evidence: &'a Value, table: &str) -> Vec<&'a Value> {
    let rows: Vec<&Value> = evidence["rows"].as_array().unwrap().iter().filter(|r| r["table"] == table).collect();
    assert_eq!(
        evidence["rows"].as_array().unwrap().len() as u64,
        evidence["rows_total"].as_u64().unwrap(),
        "all rows are shown"
    );
    rows
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap_or_else(|| panic!("{value} is a number as text")).parse().unwrap()
}

fn value_of(contract: &Value) -> f64 {
    let fields = &contract["fields"];
    number(if fields["value_initial"].is_null() { &fields["value_final"] } else { &fields["value_initial"] })
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// The raw line, or record, that a row of evidence says it came from; its file must have the hash that is stated.
fn raw(row: &Value) -> String {
    let name = row["file"].as_str().unwrap();
    let (path, member) =
        name.split_once(".zip!").map_or((name.to_owned(), None), |(zip, member)| (format!("{zip}.zip"), Some(member)));
    let mut bytes = std::fs::read(Path::new(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    assert_eq!(sha256(&bytes), row["file_sha256"].as_str().unwrap(), "{name}");
    if let Some(member) = member {
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut out = Vec::new();
        std::io::Read::read_to_end(&mut archive.by_name(member).unwrap(), &mut out).unwrap();
        bytes = out;
    }
    let line = usize::try_from(row["line"].as_u64().unwrap()).unwrap();
    let of_json = name.ends_with(".json");
    assert_eq!(row["line_kind"], if of_json { "record" } else { "line" }, "{name}");
    if of_json {
        let page: Value = serde_json::from_slice(&bytes).unwrap();
        let records = page["data"].as_array().or(page.as_array()).unwrap();
        return records[line - 1].to_string();
    }
    let text: String = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => error.into_bytes().iter().map(|b| char::from(*b)).collect(),
    };
    text.lines().nth(line - 1).unwrap().to_owned()
}

/// Whether a raw line holds an amount, in whatever style it writes numbers.
fn holds(raw: &str, amount: &Value) -> bool {
    let digits = amount.as_str().unwrap().replace('.', "");
    let plain: String = raw.chars().filter(|c| !matches!(c, '.' | ',')).collect();
    let trimmed = digits.trim_start_matches('0').trim_end_matches('0');
    plain.contains(trimmed)
}

#[test]
fn every_row_of_evidence_stands_in_its_file_on_its_line_with_its_amounts() {
    let (house, server) = answering();
    let mut checked = 0;
    for flag in ["BR01", "BR05", "BR11", "BR19"] {
        for evidence in evidence(&server, flag, 3) {
            for row in evidence["rows"].as_array().unwrap() {
                let raw = raw(row);
                let fields = &row["fields"];
                let amounts = ["value_initial", "value_final", "total", "quantity"];
                for name in amounts.into_iter().filter(|n| fields[n].is_string()) {
                    assert!(
                        holds(&raw, &fields[name]),
                        "{flag}: {name} = {} is not in {}:{}: {raw}",
                        fields[name],
                        row["file"],
                        row["line"]
                    );
                    checked += 1;
                }
                if let Some(number) = fields["number"].as_str().filter(|_| row["table"] == "contracts") {
                    assert!(raw.contains(number), "{number}: {raw}");
                }
            }
            let segments = evidence["segments"].as_array().unwrap();
            assert!(!segments.is_empty());
            for segment in segments {
                let bytes = std::fs::read(house.data().join("lake").join(segment["path"].as_str().unwrap())).unwrap();
                assert_eq!(sha256(&bytes), segment["sha256"].as_str().unwrap());
            }
            assert!(!evidence["arithmetic"].as_array().unwrap().is_empty());
            assert!(evidence["flag"]["sql"].as_str().unwrap().contains("subject_id"));
            assert!(evidence["run"]["catalogue_version"].is_string() && evidence["run"]["law_version"].is_string());
        }
    }
    assert!(checked > 100, "{checked} amounts were looked up");
}

#[test]
fn concentration_is_reckoned_again_from_its_rows() {
    let (_house, server) = answering();
    for evidence in evidence(&server, "BR11", 12) {
        let mut shares: BTreeMap<String, f64> = BTreeMap::new();
        for contract in rows(&evidence, "contracts") {
            let fields = &contract["fields"];
            if let Some(supplier) = fields["supplier_root"].as_str().or(fields["supplier_id"].as_str()) {
                *shares.entry(supplier.to_owned()).or_default() += value_of(contract);
            }
        }
        let total: f64 = shares.values().sum();
        let hhi: f64 = shares.values().map(|v| (100.0 * v / total).powi(2)).sum();
        let finding = &evidence["finding"];
        assert!((hhi - number(&finding["measure"])).abs() < 0.011, "{hhi} against {}", finding["measure"]);
        assert!(hhi > number(&finding["threshold"]));
        assert!((total - number(&finding["amount"])).abs() < 0.001, "{total} against {}", finding["amount"]);
        assert!(rows(&evidence, "contracts").len() >= 10);
    }
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n % 2 == 1 { values[n / 2] } else { f64::midpoint(values[n / 2 - 1], values[n / 2]) }
}

#[test]
fn a_robust_z_is_reckoned_again_from_its_rows() {
    let (_house, server) = answering();
    let mut by_mad = 0;
    for evidence in evidence(&server, "BR05", 12) {
        let finding = &evidence["finding"];
        let items = rows(&evidence, "items");
        let own =
            items.iter().find(|i| i["id"] == finding["subject"]["id"]).expect("the item itself is among the rows");
        let mut logs: Vec<f64> = items.iter().map(|i| number(&i["fields"]["unit_price"]).ln()).collect();
        assert_eq!(logs.len() as u64, finding["peers"]["n"].as_u64().unwrap());
        let centre = middle(&mut logs);
        let mad = middle(&mut logs.iter().map(|x| (x - centre).abs()).collect::<Vec<_>>());
        let price = number(&own["fields"]["unit_price"]);
        if mad > 0.0 {
            by_mad += 1;
            let z = 0.6745 * (price.ln() - centre) / mad;
            assert!(
                (z - number(&finding["measure"])).abs() < 0.001 * z.abs().max(1.0),
                "{z} against {}",
                finding["measure"]
            );
            assert!(z > number(&finding["threshold"]));
        }
        // The price itself follows from the row: total by quantity, to the fourth decimal.
        let reckoned = number(&own["fields"]["total"]) / number(&own["fields"]["quantity"]);
        assert!((reckoned - price).abs() <= 0.000_051, "{reckoned} against {price}");
        let (same, all) = (&own["fields"]["unit"], items.iter().all(|i| i["fields"]["unit"] == own["fields"]["unit"]));
        assert!(all, "peers are of one unit: {same}");
    }
    assert!(by_mad > 0);
}

#[test]
fn a_sanction_is_compared_again_with_the_signature() {
    let (_house, server) = answering();
    for evidence in evidence(&server, "BR01", 8) {
        let contract = rows(&evidence, "contracts")[0];
        let signed = contract["fields"]["signed_on"].as_str().unwrap();
        let sanctions = rows(&evidence, "sanctions");
        assert!(!sanctions.is_empty());
        let bars = |s: &&&Value| {
            let f = &s["fields"];
            f["starts_on"].as_str().is_some_and(|d| d <= signed)
                && f["ends_on"].as_str().is_none_or(|d| signed <= d)
                && f["bars_contracting"] == true
        };
        assert!(sanctions.iter().any(|s| bars(&s)), "{evidence:#}");
        let same = |s: &Value| s["fields"]["supplier_root"] == contract["fields"]["supplier_root"];
        assert!(sanctions.iter().all(|s| same(s)));
    }
}

#[test]
fn likeness_is_reckoned_again_from_the_two_objects() {
    let (_house, server) = answering();
    let shingles = |text: &Value| {
        let folded = model::text::normal_name(text.as_str().unwrap());
        folded.as_bytes().windows(5).map(<[u8]>::to_vec).collect::<std::collections::BTreeSet<_>>()
    };
    for evidence in evidence(&server, "BR19", 8) {
        let pair = rows(&evidence, "contracts");
        assert_eq!(pair.len(), 2);
        let (a, b) = (shingles(&pair[0]["fields"]["object"]), shingles(&pair[1]["fields"]["object"]));
        let jaccard = a.intersection(&b).count() as f64 / a.union(&b).count() as f64;
        assert!(
            (jaccard - number(&evidence["finding"]["measure"])).abs() < 0.000_1,
            "{jaccard} against {}",
            evidence["finding"]["measure"]
        );
        let (one, two) = (value_of(pair[0]), value_of(pair[1]));
        assert!((one - two).abs() <= 0.010_2 * one.min(two), "{one} and {two}");
        let detail = server.json(&format!("contracts/{}", encoded(pair[1]["id"].as_str().unwrap())));
        assert_eq!(detail["provenance"]["line"], pair[1]["line"]);
    }
}
