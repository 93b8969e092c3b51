//! The rows that findings rest on: each with its file, line and hash, so that any number can be walked back.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use lake::{Reading, Scope, Session};
use report::dossier::Language;
use serde_json::{Value, json};
use store::FindingRow;

use crate::commands::judge::evidence_row;
use crate::{App, Result};

/// The most rows of one finding that a dossier holds.
pub(super) const ROWS_MAX: usize = 30;
/// The most characters of a text within a row; the whole stands in the finding's evidence and in the file.
const TEXT_CHARS_MAX: usize = 600;

/// Up to so many rows the lake is taken into memory for a dossier.
const HELD_ROWS_MAX: u64 = 500_000;
/// From so much patience on taking rows into memory pays.
const LONG: Duration = Duration::from_secs(30);

/// What a file gave.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileCited {
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) source: String,
    pub(super) fetched_at: String,
}

/// Gathers evidence for as long as it may.
pub(super) struct Gathering<'a> {
    app: &'a App,
    /// Nothing before it was asked for; then what came of opening it.
    session: Option<Option<Session>>,
    patience: Duration,
    until: Instant,
    /// Findings whose judgement could not be gone through again in the time there was.
    pub(super) short: u64,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(app: &'a App, patience: Duration) -> Self {
        Self { app, session: None, patience, until: Instant::now() + patience, short: 0 }
    }

    /// One that goes through no judgement again, and only lends the lake.
    pub(super) fn without_rows(app: &'a App, patience: Duration) -> Self {
        Self { until: Instant::now(), ..Self::new(app, patience) }
    }

    /// The rows of a finding: what its judgement read, as `findings/{id}/evidence` gives it; of one that is not stored, or when
    /// there is no time, the rows of the contracts that it names.
    pub(super) fn of(&mut self, held: Option<&FindingRow>, body: &Value) -> Result<Value> {
        if let Some(held) = held {
            match self.judged(held) {
                Some(ids) => return self.rows("judgement", &ids),
                None => self.short += 1,
            }
        }
        let contracts = body["contract_ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let ids: Vec<_> = contracts.map(|id| ("contracts".to_owned(), id.to_owned())).collect();
        self.rows("contracts", &ids)
    }

    fn judged(&mut self, held: &FindingRow) -> Option<Vec<(String, String)>> {
        let until = self.until;
        if Instant::now() >= until {
            return None;
        }
        let flag = self.app.catalogue().flag(&held.flag)?;
        let session = self.session()?;
        let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        let _clock = session.deadline(left);
        let rows = flags::evidence_rows(session, flag, &held.group_key, &held.subject_id);
        rows.map_err(|error| tracing::warn!(finding = held.id, %error, "the evidence could not be gathered")).ok()
    }

    /// The session in which all is asked; nothing when the lake cannot be read, or not in time.
    pub(super) fn session(&mut self) -> Option<&Session> {
        if self.session.is_none() {
            self.session = Some(self.opened());
        }
        self.session.as_ref()?.as_ref()
    }

    /// How long a question beside those of the findings may take.
    pub(super) fn aside(&self) -> Duration {
        self.patience / 2
    }

    /// A session for many questions. Opening one reads the ends of all segments and cannot be interrupted: it is left behind after
    /// the time. Where there is much time, few rows are taken into memory, for each question asks them all again.
    fn opened(&self) -> Option<Session> {
        let (app, patience) = (self.app.clone(), self.patience);
        let (sender, opened) = channel();
        std::thread::spawn(move || {
            // Nobody may wait for it any more.
            let _ = sender.send(open(&app, patience));
        });
        let opened = opened.recv_timeout(self.patience).ok()?;
        opened.map_err(|error| tracing::warn!(%error, "a dossier goes without the lake")).ok()
    }

    fn rows(&self, basis: &str, ids: &[(String, String)]) -> Result<Value> {
        let mut rows = Vec::new();
        for (table, id) in ids.iter().take(ROWS_MAX) {
            if let Some(row) = self.app.store().row(table, id)? {
                let mut row = evidence_row(table, row);
                slim(&mut row["fields"]);
                rows.push(row);
            }
        }
        Ok(json!({"basis": basis, "rows": rows, "rows_total": ids.len()}))
    }
}

/// What is said of findings whose judgement could not be gone through again in the time there was.
pub(super) fn told_short(short: u64, language: Language) -> Option<String> {
    let n = language.count(i128::from(short)).text;
    (short > 0).then(|| match language {
        Language::Pt => format!("De {n} achado(s) não houve tempo de refazer a leitura: deles estão aqui as linhas dos contratos que citam, se citam algum; todas estão em `/api/v1/findings/ACHADO/evidence`."),
        Language::En => format!("For {n} finding(s) there was no time to go through the reading again: the rows of the contracts that they name, if they name any, stand here; all of them are at `/api/v1/findings/FINDING/evidence`."),
    })
}

fn open(app: &App, patience: Duration) -> Result<Session> {
    let rows: u64 = app.store().segments_live()?.iter().map(|segment| segment.rows).sum();
    let held = patience >= LONG && rows <= HELD_ROWS_MAX;
    let reading = if held { Reading::Held } else { Reading::Files };
    Ok(app.lake().session(app.store(), Scope::All, reading, &app.session_limits())?)
}

/// Leaves out of a row what no source stated, and shortens what is very long.
fn slim(fields: &mut Value) {
    let Some(members) = fields.as_object_mut() else { return };
    members.retain(|name, value| !value.is_null() && name != "metadata");
    for value in members.values_mut() {
        match value {
            Value::String(text) if text.chars().count() > TEXT_CHARS_MAX => {
                *text = text.chars().take(TEXT_CHARS_MAX).chain(['…']).collect();
            }
            _ => {}
        }
    }
}

/// The files that rows of evidence stand in, with how many rows each gave here.
pub(super) fn files_of(findings: &[Value]) -> BTreeMap<FileCited, u64> {
    let mut files = BTreeMap::new();
    for row in findings.iter().flat_map(rows_of) {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let file = FileCited {
            name: text("file"),
            sha256: text("file_sha256"),
            source: text("source"),
            fetched_at: text("fetched_at"),
        };
        if !file.name.is_empty() {
            *files.entry(file).or_default() += 1;
        }
    }
    files
}

/// The rows of evidence of a finding.
pub(super) fn rows_of(finding: &Value) -> impl Iterator<Item = &Value> {
    finding["evidence"]["rows"].as_array().into_iter().flatten()
}
