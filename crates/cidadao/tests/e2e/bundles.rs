//! A stranger gets an evidence bundle, redoes the judgement in an empty folder, and is not fooled by one that was tampered
//! with: what is broken is refused, what came out otherwise is named.

#[allow(dead_code, reason = "the cases are checked where the flags are")]
#[path = "../../../flags/tests/cases/case.rs"]
mod case;

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use flags::Catalogue;
use report::{Bundle, Seal, pack};
use serde_json::{Map, Value, json};
use testkit::canonical::{Rows, hold};
use testkit::server::encoded;
use testkit::{House, Program, Run, Server};

use super::sample;

type Members = BTreeMap<String, Vec<u8>>;

/// The bundle of a finding, as the server gives it.
fn bundle_of(server: &Server, id: &str) -> Vec<u8> {
    let path = format!("/api/v1/findings/{}/evidence", encoded(id));
    let answer = server.get_with(&path, &[("accept", "application/zip")]);
    assert_eq!(answer.status, 200, "{id}: {}", answer.text());
    assert_eq!(answer.header("content-type"), "application/zip");
    assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"{id}.zip\""));
    answer.body
}

/// A folder with nothing in it but a bundle.
struct Stranger(tempfile::TempDir);

impl Stranger {
    fn with(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b.zip"), bytes).unwrap();
        Self(folder)
    }

    fn bundle(&self) -> PathBuf {
        self.0.path().join("b.zip")
    }

    /// `verify --json` there; nothing else may come to lie there by it.
    fn verify(&self, more: &[&str]) -> Run {
        let run = Program::new().args(["verify", "b.zip", "--json"]).args(more).current_dir(self.0.path()).run();
        assert_eq!(std::fs::read_dir(self.0.path()).unwrap().count(), 1, "verify leaves nothing behind");
        run
    }
}

#[track_caller]
fn equal(bytes: &[u8]) -> Value {
    let found = Stranger::with(bytes).verify(&[]).ends_with(0).json();
    assert_eq!(found["verdict"], "equal", "{found:#}");
    found
}

/// Must be refused, for a reason that holds these words.
#[track_caller]
fn broken(bytes: &[u8], because: &str) {
    let found = Stranger::with(bytes).verify(&[]).ends_with(1).json();
    assert_eq!(found["verdict"], "broken", "{found:#}");
    assert!(found["broken"].as_str().unwrap().contains(because), "{} is not because of {because}", found["broken"]);
}

fn named(found: &Value) -> Vec<&str> {
    found["differences"].as_array().unwrap().iter().map(|d| d["what"].as_str().unwrap()).collect()
}

/// The members of an archive, unpacked without any care.
fn unpacked(bytes: &[u8]) -> Members {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut members = Members::new();
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        member.read_to_end(&mut content).unwrap();
        members.insert(member.name().to_owned(), content);
    }
    members
}

fn zipped(members: &Members) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in members {
        archive.start_file(path, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A bundle with its members changed, hashes put right, and signed by a key of the forger's own.
fn forged(bytes: &[u8], change: impl FnOnce(&mut Members)) -> Vec<u8> {
    let manifest = Bundle::read(bytes, None).unwrap().manifest;
    let mut members = unpacked(bytes);
    members.remove("manifest.json").unwrap();
    members.remove("manifest.sig").unwrap();
    change(&mut members);
    pack(manifest, &members, &Seal::of_seed(&[9; 32])).unwrap()
}

fn json_in(members: &Members, path: &str) -> Value {
    serde_json::from_slice(&members[path]).unwrap()
}

/// A house with the first hit of a flag's cases, judged; `None` when no case of it can be held as records.
fn house_with_a_hit(code: &str) -> Option<(House, Server, String, Rows)> {
    for case in case::cases_of(code) {
        if !case.expect.iter().any(|expected| expected.outcome == "hit") {
            continue;
        }
        let house = House::new();
        if let Err(because) = hold(&house.data(), case.rows(), 1) {
            println!("{code}: \"{}\": {because}", case.name);
            continue;
        }
        let _ = house.json(&["flags", "run"]);
        let server = house.serve();
        let found = server.json(&format!("findings?flag={code}"));
        if let Some(id) = found["data"][0]["id"].as_str() {
            let id = id.to_owned();
            return Some((house, server, id, case.rows().clone()));
        }
        println!("{code}: \"{}\": no hit from the records", case.name);
    }
    None
}

/// Another value for a cell, of the same kind.
fn another(value: &Value) -> Option<Value> {
    let text = match value {
        Value::String(text) => text,
        Value::Bool(yes) => return Some(json!(!yes)),
        Value::Number(number) => return Some(json!(number.as_i64()? + 1_000)),
        _ => return None,
    };
    let day = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    Some(match text.split_once('.') {
        _ if day => json!(format!("{}{}", if text.starts_with("19") { "2031" } else { "1990" }, &text[4..])),
        Some((whole, part)) if part.len() == 4 && whole.parse::<i64>().is_ok() => json!(format!("9{whole}.{part}")),
        _ => json!(format!("{text}x")),
    })
}

/// Changes one value of the inputs after the other until the judgement comes out otherwise; which one it was.
fn first_value_that_matters(bytes: &[u8], folder: &Path) -> Option<String> {
    let members = unpacked(bytes);
    let inputs: Vec<&String> = members.keys().filter(|path| path.starts_with("inputs/")).collect();
    let mut tries = 0;
    for path in inputs {
        let rows: Vec<Map<String, Value>> =
            members[path].split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        for (at, row) in rows.iter().enumerate().take(4) {
            for (name, value) in row.iter().filter(|(name, _)| {
                !["id", "name", "source", "file", "file_sha256", "fetched_at", "line", "row_hash"]
                    .contains(&name.as_str())
            }) {
                let Some(other) = another(value) else { continue };
                let mut rows = rows.clone();
                rows[at].insert(name.clone(), other);
                let lines: String = rows.iter().map(|row| format!("{}\n", json!(row))).collect();
                let forgery = forged(bytes, |members| drop(members.insert(path.clone(), lines.into_bytes())));
                let file = folder.join("forged.zip");
                std::fs::write(&file, forgery).unwrap();
                let found = serde_json::to_value(app::verify_bundle(&file, None).unwrap()).unwrap();
                if found["verdict"] == "different" {
                    return Some(format!("{path}: {name} of row {}: {}", at + 1, named(&found)[0]));
                }
                tries += 1;
                if tries > 150 {
                    return None;
                }
            }
        }
    }
    None
}

#[test]
fn the_bundle_of_every_flag_is_redone_by_a_stranger_and_tells_when_it_was_changed() {
    let catalogue = Catalogue::embedded().unwrap();
    let chosen = std::env::var("CIDADAO_SEED").unwrap_or_default();
    for flag in catalogue.flags().iter().filter(|flag| chosen.is_empty() || flag.code == chosen) {
        let code = flag.code.as_str();
        let (house, server, id, _) = house_with_a_hit(code).unwrap_or_else(|| panic!("{code}: no case gives a hit"));
        let started = std::time::Instant::now();
        let bytes = bundle_of(&server, &id);
        let made = started.elapsed();
        let started = std::time::Instant::now();
        let found = equal(&bytes);
        println!("{code}: {} bytes, made in {made:.2?}, verified in {:.2?}", bytes.len(), started.elapsed());
        assert_eq!((&found["bundle"]["finding"], &found["bundle"]["flag"]), (&json!(id), &json!(code)));
        assert_eq!(found["flag"], json!({"same": true, "files_differ": []}), "{code}");
        assert_eq!(found["law_differs"], json!([]), "{code}");
        assert_eq!(found["redone"]["outcome"], "hit", "{code}");

        // A number of the finding, hashes put right.
        let finding = json_in(&unpacked(&bytes), "finding.json");
        assert_eq!(finding["measure"], found["redone"]["measure"], "{code}");
        let forgery = forged(&bytes, |members| {
            let mut finding = finding.clone();
            finding["measure"] = json!("123456.7890");
            members.insert("finding.json".to_owned(), finding.to_string().into_bytes());
        });
        let told = Stranger::with(&forgery).verify(&[]).ends_with(1).json();
        assert_eq!((&told["verdict"], named(&told)), (&json!("different"), vec!["finding.measure"]), "{code}");

        let what = first_value_that_matters(&bytes, house.root());
        println!("{code}: {}", what.unwrap_or_else(|| panic!("{code}: no value of the inputs matters")));
    }
}

#[test]
fn a_bundle_of_the_sample_is_signed_by_the_key_that_the_server_shows() {
    let house = House::new();
    let files = sample(&house, 1_000, 29);
    let _ = house.ingest(&[&files]).ends_with(3);
    let server = house.serve();
    let id = server.json("findings?flag=BR05")["data"][0]["id"].as_str().unwrap().to_owned();
    let bytes = bundle_of(&server, &id);
    let key = server.json("evidence/key");
    let stranger = Stranger::with(&bytes);
    let public = key["public_key"].as_str().unwrap();
    let found = stranger.verify(&["--key", public]).ends_with(0).json();
    assert_eq!(found["signature"], json!({"fingerprint": key["fingerprint"], "key": "demanded"}));
    assert_eq!(equal(&bytes)["signature"]["key"], "own");
    let pem = house.file("key.pem", key["pem"].as_str().unwrap());
    let _ = stranger.verify(&["--key", pem.to_str().unwrap()]).ends_with(0);
    let other = Seal::of_seed(&[9; 32]).issuer();
    let refused = stranger.verify(&["--key", &other.hex()]).ends_with(1).json();
    assert!(refused["broken"].as_str().unwrap().contains(&other.fingerprint()), "{refused}");
    let _ = stranger.verify(&["--key", "nonsense"]).ends_with(2);
    let _ = Program::new().arg("verify").run().ends_with(2);

    // The private key is its owner's alone, and stands in no bundle.
    let secret = std::fs::read_to_string(house.data().join("evidence.key")).unwrap();
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&house.data().join("evidence.key").metadata().unwrap().permissions())
            & 0o777,
        0o600
    );
    assert!(unpacked(&bytes).values().all(|member| !String::from_utf8_lossy(member).contains(secret.trim())));

    // The command line gives the same evidence.
    let out = house.root().join("cli.zip");
    let _ = house.json(&["flags", "bundle", &id, "-o", out.to_str().unwrap()]);
    let _ = equal(&std::fs::read(out).unwrap());
    let _ = house.program().args(["flags", "bundle", "fnd_none"]).run().ends_with(1);
    // JSON stays what everybody gets who does not ask for the archive.
    let plain = server.get(&format!("/api/v1/findings/{id}/evidence"));
    assert_eq!(
        (plain.header("content-type"), plain.json()["finding"]["id"].as_str()),
        ("application/json", Some(&*id))
    );
    let missing = server.get_with("/api/v1/findings/fnd_none/evidence", &[("accept", "application/zip")]);
    assert_eq!(missing.status, 404);
}

#[test]
fn what_was_tampered_with_is_refused_and_the_reason_named() {
    let house = House::new();
    let files = sample(&house, 1_000, 29);
    let _ = house.ingest(&[&files]).ends_with(3);
    let server = house.serve();
    let id = server.json("findings?flag=BR05")["data"][0]["id"].as_str().unwrap().to_owned();
    let bytes = bundle_of(&server, &id);
    let members = unpacked(&bytes);
    let with = |path: &str, content: &[u8]| {
        let mut members = members.clone();
        members.insert(path.to_owned(), content.to_vec());
        zipped(&members)
    };

    // Changed without putting anything right.
    for path in ["inputs/items.jsonl", "finding.json", "flag/flag.sql", "LEIA-ME.md"] {
        let mut content = members[path].clone();
        let middle = content.len() / 2;
        content[middle] ^= 1;
        broken(&with(path, &content), path);
    }
    let mut manifest = members["manifest.json"].clone();
    manifest.push(b' ');
    broken(&with("manifest.json", &manifest), "manifest.sig");
    let mut signature = members["manifest.sig"].clone();
    signature[5] ^= 1;
    broken(&with("manifest.sig", &signature), "manifest.sig");
    broken(&with("inputs/more.jsonl", b"{}"), "inputs/more.jsonl");
    for path in ["inputs/items.jsonl", "manifest.sig", "manifest.json"] {
        let mut members = members.clone();
        members.remove(path).unwrap();
        broken(&zipped(&members), path);
    }
    broken(&bytes[..bytes.len() / 2], "ZIP");
    broken(b"", "ZIP");
    broken(&with("../escaped", b"x"), "../escaped");
    broken(&with("/etc/absolute", b"x"), "/etc/absolute");
    broken(&with("bomb", &vec![0; 400 << 20]), "bomb");

    // SQL that asks for more than to judge, signed by a key of its own.
    for (sql, because) in [
        ("drop table contracts", "flag/flag.sql"),
        ("select 1; select 2", "flag/flag.sql"),
        ("copy contracts to '/tmp/x.csv'", "flag/flag.sql"),
        (
            "select content as subject_id, 'hit' as outcome from read_text('/etc/passwd')",
            "file system operations are disabled",
        ),
        (
            "select string_agg(repeat('x', 1000000), '') as subject_id, 'hit' as outcome from range(5000)",
            "Out of Memory",
        ),
    ] {
        let forgery = forged(&bytes, |members| drop(members.insert("flag/flag.sql".to_owned(), sql.into())));
        broken(&forgery, because);
    }

    // A rule that is not ours says so, also where it comes out alike.
    let forgery = forged(&bytes, |members| {
        let sql = String::from_utf8(members["flag/flag.sql"].clone()).unwrap();
        members.insert("flag/flag.sql".to_owned(), format!("-- changed\n{sql}").into());
    });
    assert_eq!(equal(&forgery)["flag"], json!({"same": false, "files_differ": ["flag.sql"]}));
    let forgery = forged(&bytes, |members| {
        let mut parameters = json_in(members, "params.json");
        parameters["z_min"] = json!(19.5);
        members.insert("params.json".to_owned(), parameters.to_string().into());
    });
    let told = Stranger::with(&forgery).verify(&[]).ends_with(1).json();
    assert!(named(&told).contains(&"judged.threshold"), "{told:#}");
    let _ = Stranger::with(&bytes).verify(&[]).ends_with(0);
}

#[test]
fn the_bundle_of_a_withdrawn_finding_says_so() {
    let (house, server, id, rows) = house_with_a_hit("BR19").unwrap();
    drop(server);
    let mut changed = rows;
    for (at, contract) in changed.get_mut("contracts").unwrap().iter_mut().enumerate() {
        let object = format!("{at} {}", ["cadeiras de rodas", "merenda escolar", "asfalto frio"][at % 3].repeat(3));
        contract.insert("object".to_owned(), json!(object));
    }
    hold(&house.data(), &changed, 2).unwrap();
    let _ = house.json(&["flags", "run"]);
    let server = house.serve();
    assert_eq!(server.json(&format!("findings/{id}"))["state"], "withdrawn");
    let bytes = bundle_of(&server, &id);
    let found = equal(&bytes);
    assert_eq!((&found["bundle"]["state"], &found["bundle"]["outcome"]), (&json!("withdrawn"), &json!("clear")));
    let stranger = Stranger::with(&bytes);
    let text = Program::new().arg("verify").arg(stranger.bundle()).run().ends_with(0).stdout;
    assert!(text.contains("igual / equal") && text.contains("RETIRADO / WITHDRAWN"), "{text}");
    let readme = String::from_utf8(unpacked(&bytes)["LEIA-ME.md"].clone()).unwrap();
    assert!(readme.contains("Este achado foi retirado") && readme.contains("This finding was withdrawn"), "{readme}");
}

/// Members changed at random and signed as they are: no fault of the program, whatever the answer.
#[test]
fn no_forged_member_is_too_much_for_who_verifies() {
    let start = testkit::seed::Seed::printed("forged members");
    let seconds: f64 = std::env::var("CIDADAO_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(5.0);
    for code in ["BR02", "BR17"] {
        let (house, server, id, _) = house_with_a_hit(code).unwrap();
        let bytes = bundle_of(&server, &id);
        let paths: Vec<String> = unpacked(&bytes).into_keys().filter(|path| !path.starts_with("manifest.")).collect();
        let file = house.root().join("forged.zip");
        let until = std::time::Instant::now() + std::time::Duration::from_secs_f64(seconds / 2.0);
        let (mut seed, mut verdicts) = (start.clone(), BTreeMap::<String, u32>::new());
        while std::time::Instant::now() < until {
            let forgery = forged(&bytes, |members| {
                let path = &paths[usize::try_from(seed.below(paths.len() as u64)).unwrap()];
                mutate(&mut seed, members.get_mut(path).unwrap());
            });
            std::fs::write(&file, forgery).unwrap();
            let found = app::verify_bundle(&file, None).unwrap();
            let said = found.broken.unwrap_or_default();
            assert!(!said.contains("fault of this program"), "{code}: {said}");
            *verdicts.entry(format!("{:?}", found.verdict)).or_default() += 1;
        }
        println!("{code}: {verdicts:?}");
    }
}

fn mutate(seed: &mut testkit::seed::Seed, bytes: &mut Vec<u8>) {
    let mut place = |below: usize| usize::try_from(seed.below(below.max(1) as u64)).unwrap();
    let at = place(bytes.len());
    let length = place((bytes.len() - at).min(100));
    const INJECTED: [&str; 9] =
        ["null", "-1", "\"", "{", "]", "9999999999999999999999", "1e308", "\0", "'; drop table x; --"];
    match place(5) {
        0 => bytes[at] ^= 1 << place(8),
        1 => drop(bytes.drain(at..at + length)),
        2 => drop(bytes.splice(at..at + length, INJECTED[place(INJECTED.len())].bytes())),
        3 => {
            let piece = bytes[at..at + length].repeat(1 + place(30));
            drop(bytes.splice(at..at, piece));
        }
        _ => bytes[at..at + length].reverse(),
    }
}
