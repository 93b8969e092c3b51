//! Verifying an evidence bundle: offline, with no data folder, trusting nothing of it.
//!
//! Limits, hashes and signature first; then its rows go into an empty session that is shut off from everything, its SQL
//! is run there, and what comes out is compared with what it says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use flags::{Flag, LawTables, Redone};
use lake::{Confinement, Session};
use report::{Bundle, Issuer};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::commands::bundle::{BESIDE, outcome_of};
use crate::commands::verify_dossier::{DossierVerification, verify_dossier};
use crate::views::{BundleSaid, FlagAgainstOwn, SignedBy, Verification, Verified};
use crate::{Error, Result};

/// The most bytes of an archive that are read from a file.
const FILE_BYTES_MAX: u64 = 65 << 20;
/// The most rows that are loaded.
const ROWS_MAX: usize = 200_000;
/// How long its SQL may run.
const SQL_TIME_MAX: Duration = Duration::from_secs(60);
/// How long the whole may take.
const TIME_MAX: Duration = Duration::from_secs(180);
/// What its SQL may use.
pub(crate) const CONFINEMENT: Confinement = Confinement { memory_mib: 1_024, threads: 2 };

/// What a file is, and what verifying it came to.
#[derive(Debug, Clone)]
pub enum Checked {
    /// An evidence bundle, or nothing that could be read.
    Bundle(Box<Verification>),
    /// A dossier.
    Dossier(Box<DossierVerification>),
}

/// Verifies the dossier or evidence bundle in a file; `wanted` is the issuer that must have signed it, if one must.
///
/// # Errors
/// The file cannot be read. What is wrong with its content is in the answer.
pub fn verify_file(path: &Path, wanted: Option<Issuer>) -> Result<Checked> {
    let bytes = bytes_of(path)?;
    Ok(match verify_dossier(&bytes, wanted.as_ref()) {
        Some(found) => Checked::Dossier(Box::new(found)),
        None => Checked::Bundle(Box::new(verify_in_time(bytes, wanted))),
    })
}

/// Verifies the bundle in a file, as [`verify_file`].
///
/// # Errors
/// The file cannot be read. What is wrong with its content is in the answer.
pub fn verify_bundle(path: &Path, wanted: Option<Issuer>) -> Result<Verification> {
    Ok(verify_in_time(bytes_of(path)?, wanted))
}

fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, &e))?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, FILE_BYTES_MAX), &mut bytes)
        .map_err(|e| Error::io(path, &e))?;
    Ok(bytes)
}

/// What is judged beside SQL cannot be interrupted; after the time it is left behind.
fn verify_in_time(bytes: Vec<u8>, wanted: Option<Issuer>) -> Verification {
    let (sender, answer) = channel();
    std::thread::spawn(move || {
        // Nobody may wait for it any more.
        let _ = sender.send(verify(&bytes, wanted.as_ref()));
    });
    answer.recv_timeout(TIME_MAX).unwrap_or_else(|error| {
        let because = match error {
            RecvTimeoutError::Timeout => format!("the judgement takes longer than {} s", TIME_MAX.as_secs()),
            RecvTimeoutError::Disconnected => "the judgement ended in a fault of this program".to_owned(),
        };
        broken(because)
    })
}

/// Verifies the bundle in `bytes`.
pub(crate) fn verify(bytes: &[u8], wanted: Option<&Issuer>) -> Verification {
    let bundle = match Bundle::read(bytes, wanted) {
        Ok(bundle) => bundle,
        Err(error) => return broken(error.to_string()),
    };
    let mut answer = broken(String::new());
    answer.bundle = Some(said(&bundle));
    let key = if wanted.is_some() { "demanded" } else { "own" };
    answer.signature = Some(SignedBy { fingerprint: bundle.issuer.fingerprint(), key });
    match compare(&bundle, &mut answer) {
        Ok(()) => {
            answer.broken = None;
            answer.verdict = if answer.differences.is_empty() { Verified::Equal } else { Verified::Different };
        }
        Err(because) => answer.broken = Some(because),
    }
    answer
}

fn broken(because: String) -> Verification {
    Verification {
        verdict: Verified::Broken,
        broken: Some(because),
        differences: Vec::new(),
        bundle: None,
        signature: None,
        flag: None,
        law_differs: None,
        redone: None,
        not_compared: Vec::new(),
    }
}

fn said(bundle: &Bundle) -> BundleSaid {
    let manifest = bundle.manifest.clone();
    BundleSaid {
        finding: manifest.finding,
        flag: manifest.flag,
        flag_version: manifest.flag_version,
        state: manifest.state,
        outcome: manifest.outcome,
        subject: manifest.subject,
        as_of: manifest.as_of,
        known_at: manifest.known_at,
        made_at: manifest.made_at,
        program_version: manifest.program_version,
        catalogue_version: manifest.catalogue_version,
        inputs: manifest.inputs,
        inputs_are: manifest.inputs_are,
        recomputed: manifest.recomputed,
        taken_as_given: manifest.taken_as_given,
    }
}

type Step<T> = std::result::Result<T, String>;

/// Redoes the judgement and writes what differs into `answer`; the error says why the bundle is broken.
fn compare(bundle: &Bundle, answer: &mut Verification) -> Step<()> {
    let files = flag_files(bundle)?;
    answer.flag = Some(against_own(&bundle.manifest.flag, &files));
    let flag = flag_of(bundle, &files)?;
    let law = law_of(bundle)?;
    answer.law_differs = Some(law_differing(&flag, &law)?);
    let redone = redo(bundle, &flag, &law)?;
    answer.redone = redone.as_ref().map(|redone| {
        let cell = |name: &str| redone.row.get(name).cloned().flatten();
        json!({"outcome": cell("outcome"), "measure": cell("measure"), "threshold": cell("threshold"), "missing": cell("missing")})
    });
    answer.differences = differences(bundle, redone.as_ref(), &mut answer.not_compared)?;
    Ok(())
}

fn flag_files(bundle: &Bundle) -> Step<BTreeMap<String, String>> {
    let text = |(name, bytes): (&str, &[u8])| match String::from_utf8(bytes.to_vec()) {
        Ok(text) => Ok((name.to_owned(), text)),
        Err(_) => Err(format!("flag/{name}: not UTF-8")),
    };
    bundle.below("flag/").map(text).collect()
}

fn against_own(code: &str, files: &BTreeMap<String, String>) -> FlagAgainstOwn {
    let own = flags::files_of(code).unwrap_or_default();
    let names: std::collections::BTreeSet<&String> = own.keys().chain(files.keys()).collect();
    let files_differ: Vec<String> =
        names.into_iter().filter(|name| own.get(*name) != files.get(*name)).cloned().collect();
    FlagAgainstOwn { same: files_differ.is_empty(), files_differ }
}

/// The bundle's flag, with the values of its parameters.
fn flag_of(bundle: &Bundle, files: &BTreeMap<String, String>) -> Step<Flag> {
    let manifest = &bundle.manifest;
    let mut flag = Flag::of_files(&manifest.flag, files).map_err(|e| e.to_string())?;
    if flag.code != manifest.flag || flag.version != manifest.flag_version {
        return Err(format!("flag/flag.toml is {} v{}, not what the manifest names", flag.code, flag.version));
    }
    if flags::finding_id(&manifest.flag, &manifest.subject) != manifest.finding {
        return Err("the finding's id is not that of this flag and subject".to_owned());
    }
    let parameters: BTreeMap<String, f64> = json_of(bundle, "params.json")?;
    if parameters.len() != flag.parameters.len() {
        return Err("params.json: not the flag's parameters".to_owned());
    }
    for parameter in &mut flag.parameters {
        let value = parameters.get(&parameter.name).filter(|value| value.is_finite());
        parameter.default = *value.ok_or_else(|| format!("params.json: {} is missing", parameter.name))?;
    }
    Ok(flag)
}

fn law_of(bundle: &Bundle) -> Step<LawTables> {
    #[derive(serde::Deserialize)]
    struct Law {
        tables: LawTables,
    }
    json_of::<Law>(bundle, "law.json").map(|law| law.tables)
}

/// The tables of limits in which the bundle's law is not this program's own.
fn law_differing(flag: &Flag, law: &LawTables) -> Step<Vec<String>> {
    let session = Session::confined(CONFINEMENT).map_err(|e| e.to_string())?;
    let own = flags::law_tables(&session, flag.derived()).map_err(|e| e.to_string())?;
    Ok(own.iter().filter(|(name, rows)| law.get(*name) != Some(*rows)).map(|(name, _)| name.clone()).collect())
}

/// Judges the subject over the bundle's rows alone.
fn redo(bundle: &Bundle, flag: &Flag, law: &LawTables) -> Step<Option<Redone>> {
    let session = Session::confined(CONFINEMENT).map_err(|e| e.to_string())?;
    session.expect_one_select("flag/flag.sql", &flag.sql).map_err(|e| e.to_string())?;
    if let Some(peers) = flag.peers_sql() {
        session.expect_one_select("flag/peers.sql", peers).map_err(|e| e.to_string())?;
    }
    let deadline = session.deadline(SQL_TIME_MAX);
    load(bundle, &session)?;
    let manifest = &bundle.manifest;
    flags::redo(&session, flag, &manifest.group, &manifest.subject, Some(law)).map_err(|error| {
        if deadline.has_passed() {
            format!("flag/: the SQL takes longer than {} s", SQL_TIME_MAX.as_secs())
        } else {
            error.to_string()
        }
    })
}

fn load(bundle: &Bundle, session: &Session) -> Step<()> {
    let (mut merged, mut left) = (Vec::new(), ROWS_MAX);
    for (name, bytes) in bundle.below("inputs/") {
        let table = name.strip_suffix(".jsonl").ok_or_else(|| format!("inputs/{name}: not JSON Lines"))?;
        let rows = rows_of(name, bytes, left)?;
        left -= rows.len();
        if table == "merged_buyers" {
            let text = |row: &Map<String, Value>, name: &str| row.get(name)?.as_str().map(str::to_owned);
            merged.extend(rows.iter().filter_map(|row| Some((text(row, "buyer_id")?, text(row, "entity_id")?))));
            continue;
        }
        if bundle.manifest.inputs.get(table) != Some(&(rows.len() as u64)) {
            return Err(format!("inputs/{name}: {} rows, not as many as the manifest says", rows.len()));
        }
        session.load(table, &rows, BESIDE).map_err(|e| format!("inputs/{e}"))?;
    }
    session.load_merged_buyers(&merged).map_err(|e| format!("inputs/merged_buyers.jsonl: {e}"))
}

fn rows_of(name: &str, bytes: &[u8], rows_max: usize) -> Step<Vec<Map<String, Value>>> {
    let mut rows = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        if rows.len() == rows_max {
            return Err(format!("inputs/{name}: more than {ROWS_MAX} rows in all"));
        }
        rows.push(serde_json::from_slice(line).map_err(|e| format!("inputs/{name}: row {}: {e}", rows.len() + 1))?);
    }
    Ok(rows)
}

/// What came out otherwise than the bundle says: the row of the SQL column by column, and the finding field by field.
fn differences(
    bundle: &Bundle,
    redone: Option<&Redone>,
    not_compared: &mut Vec<String>,
) -> Step<Vec<flags::Difference>> {
    let manifest = &bundle.manifest;
    let finding: Map<String, Value> = json_of(bundle, "finding.json")?;
    let judged: Value = json_of(bundle, "judged.json")?;
    let mut found = flags::differences("manifest.outcome", &json!(manifest.outcome), &json!(outcome_of(redone)));
    found.extend(flags::differences("judged", &judged, &json!(redone.map(|redone| &redone.row))));
    let mut same = |what: &str, said: Value, here: Value| found.extend(flags::differences(what, &said, &here));
    let said = |name: &str| finding.get(name).cloned().unwrap_or_default();
    same("finding.id", said("id"), json!(manifest.finding));
    same("finding.state", said("state"), json!(manifest.state));
    same("finding.as_of", said("as_of"), json!(manifest.as_of));
    same("finding.known_at", said("known_at"), json!(manifest.known_at));
    let Some(now) = redone.and_then(|redone| redone.finding.as_ref()) else {
        // Of a finding that was withdrawn only its not being one any more can be shown.
        if manifest.state != "withdrawn" {
            same("finding", json!("hit"), json!(outcome_of(redone)));
        }
        not_compared.extend(finding.keys().cloned());
        return Ok(found);
    };
    if manifest.state == "withdrawn" {
        same("finding.state", json!("withdrawn"), json!("open"));
    }
    for (name, value) in now.as_object().into_iter().flatten() {
        same(&format!("finding.{name}"), said(name), value.clone());
    }
    not_compared.extend(
        finding
            .keys()
            .filter(|name| now.get(name.as_str()).is_none() && !["state", "known_at"].contains(&name.as_str()))
            .cloned(),
    );
    Ok(found)
}

fn json_of<T: DeserializeOwned>(bundle: &Bundle, path: &str) -> Step<T> {
    let bytes = bundle.member(path).map_err(|e| e.to_string())?;
    serde_json::from_slice(bytes).map_err(|e| format!("{path}: {e}"))
}
