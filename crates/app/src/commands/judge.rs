//! Judging: the catalogue over what an ingest touched, or over everything when the catalogue changed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flags::{Coverage, Flag, Judged, Outcomes};
use lake::{Reading, Scope, Session, SessionLimits};
use serde::Serialize;
use serde_json::{Value, json};
use store::{CoverageRow, JudgedFinding, Judgement, RunRecord};

use crate::views::LineKind;
use crate::{App, Error, Result, VERSION, WriterLock};

/// The most rows of evidence that one answer holds; `rows_total` says how many there are.
const EVIDENCE_ROWS_MAX: usize = 500;

/// What a run of the catalogue gave.
#[derive(Debug, Clone, Serialize)]
pub struct JudgeReport {
    /// `all`, or `since ingest N`.
    pub scope: String,
    /// Per flag.
    pub flags: Vec<JudgedFlag>,
    /// Seconds from start to end.
    pub seconds: f64,
}

/// What one flag gave in a run.
#[derive(Debug, Clone, Serialize)]
pub struct JudgedFlag {
    /// Its code.
    pub code: String,
    /// Hits in the groups that were judged.
    pub hits: u64,
    /// Seconds.
    pub seconds: f64,
}

impl App {
    /// Judges every flag over everything, whatever was judged before.
    ///
    /// # Errors
    /// Another writer; a segment is missing; the disk is full. What was judged before stands then.
    pub fn judge_all(&self, tell: &mut dyn FnMut(&str)) -> Result<JudgeReport> {
        let _lock = WriterLock::take(self.folder(), Duration::from_secs(600))?;
        self.judge(Scope::All, tell)
    }

    /// Judges what waits to be judged; `None` when nothing does. The caller holds the writer's lock.
    pub(crate) fn judge_pending(&self, tell: &mut dyn FnMut(&str)) -> Result<Option<JudgeReport>> {
        let (ingests, pending) = self.store().ingests()?;
        if ingests == 0 {
            return Ok(None);
        }
        let same_catalogue = self.store().last_catalogue()?.as_deref() == Some(self.catalogue().version());
        let outcomes_there = self.catalogue().flags().iter().all(|flag| {
            let kept = |path: PathBuf| kept_with(flag, &path).iter().all(|file| file.is_file());
            self.outcomes_path(flag).is_ok_and(|path| path.is_some_and(kept))
        });
        if same_catalogue && outcomes_there {
            return pending.map(|since| self.judge(Scope::Since(since), tell)).transpose();
        }
        self.judge(Scope::All, tell).map(Some)
    }

    fn judge(&self, scope: Scope, tell: &mut dyn FnMut(&str)) -> Result<JudgeReport> {
        let started = Instant::now();
        let judged_up_to = i64::MAX;
        // Taken before anything is read, and nothing is written meanwhile: what was held then is what is judged.
        let judged_at = self.store().next_instant()?;
        let session = self.lake().session(self.store(), scope, Reading::Held, &self.session_limits())?;
        let folder = self.folder().join("outcomes");
        std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, &e))?;
        let run_number = self.store().next_run()?;
        let mut judgements = Vec::new();
        let mut report = Vec::new();
        for flag in self.catalogue().flags() {
            tell(&flag.code);
            let flag_started = Instant::now();
            let before = if scope == Scope::All { None } else { self.outcomes_path(flag)? };
            let name = format!("{}-{run_number:08}.parquet", flag.code);
            let after = folder.join(&name);
            let outcomes = Outcomes { before: before.as_deref(), after: &after };
            let judged = self.with_room(&session, flag, || judge_once(&session, flag, outcomes))?;
            let Some((judged, coverage)) = judged else { continue };
            report.push(JudgedFlag {
                code: flag.code.clone(),
                hits: judged.hits.len() as u64,
                seconds: flag_started.elapsed().as_secs_f64(),
            });
            judgements.push(Judgement {
                flag: flag.code.clone(),
                groups: before.is_some().then_some(judged.groups),
                findings: judged.hits.into_iter().map(|hit| to_store(flag, hit)).collect(),
                coverage: coverage
                    .into_iter()
                    .map(|c| CoverageRow {
                        flag: flag.code.clone(),
                        source: c.source,
                        outcome: c.outcome,
                        field: c.field,
                        n: c.n,
                    })
                    .collect(),
                outcomes: name,
            });
        }
        let scope_text = match scope {
            Scope::All => "all".to_owned(),
            Scope::Since(ingest) => format!("since ingest {ingest}"),
        };
        let parameters: serde_json::Map<String, Value> =
            self.catalogue().flags().iter().map(|flag| (flag.code.clone(), flag.values().into())).collect();
        let run = RunRecord {
            judged_at,
            catalogue_version: self.catalogue().version().to_owned(),
            program_version: VERSION.to_owned(),
            law_version: model::law::LAW_VERSION.to_string(),
            segments: as_json(&session.segment_set())?,
            parameters: as_json(&parameters)?,
            scope: scope_text.clone(),
        };
        self.store().write_judgements(&run, &judgements, judged_up_to)?;
        self.remove_old_outcomes(&folder)?;
        Ok(JudgeReport { scope: scope_text, flags: report, seconds: started.elapsed().as_secs_f64() })
    }

    /// Does a flag's `work` in a session; what needs more memory than that begins with is done again with twice as much,
    /// and again, as far as the settings go.
    pub(crate) fn with_room<T>(
        &self,
        session: &Session,
        flag: &Flag,
        work: impl Fn() -> flags::Result<T>,
    ) -> Result<T> {
        let analysis = &self.settings().analysis;
        let mut memory_mib = analysis.memory_mib;
        loop {
            let done = work();
            if !done.as_ref().is_err_and(flags::Error::is_out_of_memory) || memory_mib >= analysis.memory_max_mib {
                if memory_mib > analysis.memory_mib {
                    session.allow_memory(analysis.memory_mib)?;
                }
                return Ok(done?);
            }
            memory_mib = memory_mib.saturating_mul(2).min(analysis.memory_max_mib);
            tracing::info!(flag = flag.code, memory_mib, "judged again with more memory");
            session.allow_memory(memory_mib)?;
        }
    }

    /// A session over the segments that count, for one question.
    pub(crate) fn session(&self) -> Result<Session> {
        Ok(self.lake().session(self.store(), Scope::All, Reading::Files, &self.session_limits())?)
    }

    /// What a session may use, by the settings.
    pub(crate) fn session_limits(&self) -> SessionLimits {
        let analysis = &self.settings().analysis;
        SessionLimits { memory_mib: analysis.memory_mib, threads: analysis.threads, spill: self.folder().join("spill") }
    }

    pub(crate) fn outcomes_path(&self, flag: &Flag) -> Result<Option<PathBuf>> {
        Ok(self.store().outcomes_file(&flag.code)?.map(|name| self.folder().join("outcomes").join(name)))
    }

    /// Removes the outcomes of runs that newer ones replaced, or that were never committed.
    fn remove_old_outcomes(&self, folder: &Path) -> Result<()> {
        let mut current = Vec::new();
        for flag in self.catalogue().flags() {
            current.extend(self.outcomes_path(flag)?.iter().flat_map(|path| kept_with(flag, path)));
        }
        for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, &e))?.flatten() {
            let path = entry.path();
            if !current.contains(&path) {
                std::fs::remove_file(&path).map_err(|e| Error::io(&path, &e))?;
            }
        }
        Ok(())
    }

    /// What a stranger needs to redo a finding's arithmetic: rows with file and line, formula, SQL, parameters,
    /// segment hashes, law.
    ///
    /// # Errors
    /// No such finding; the analysis fails.
    pub fn evidence(&self, id: &str) -> Result<Value> {
        let held = self.store().finding(id)?.ok_or_else(|| Error::not_found("finding", id))?;
        let flag = self.catalogue().flag(&held.flag).ok_or_else(|| Error::not_found("flag", &held.flag))?;
        let finding: Value = serde_json::from_str(&held.body).map_err(store::Error::from)?;
        let session = self.session()?;
        let ids = flags::evidence_rows(&session, flag, &held.group_key, &held.subject_id)?;
        let mut rows = Vec::new();
        for (table, id) in ids.iter().take(EVIDENCE_ROWS_MAX) {
            if let Some(row) = self.store().row(table, id)? {
                rows.push(evidence_row(table, row));
            }
        }
        let segments: Vec<Value> = session
            .segments()
            .iter()
            .filter(|s| rows.iter().any(|row| row["table"] == s.table.as_str() && in_partition(row, s)))
            .map(|s| json!({"path": s.path, "sha256": s.sha256, "rows": s.rows}))
            .collect();
        let run = self.store().run(held.run_id)?;
        let parameters: serde_json::Map<String, Value> =
            flag.parameters.iter().map(|p| (p.name.clone(), json!(p.default))).collect();
        Ok(json!({
            "flag": {"code": flag.code, "version": flag.version, "formula": flag.formula, "sql": flag.sql, "peers_sql": flag.peers_sql()},
            "parameters": parameters,
            "arithmetic": finding["arithmetic"],
            "peers": finding["peers"],
            "law": finding["law"],
            "finding": crate::views::Finding::try_from(held.clone())?,
            "rows": rows,
            "rows_total": ids.len(),
            "segments": segments,
            "run": {
                "id": held.run_id, "judged_at": run.judged_at, "catalogue_version": run.catalogue_version,
                "program_version": run.program_version, "law_version": run.law_version, "scope": run.scope,
                "known_at": run.judged_at, "segments": from_json(&run.segments), "parameters": from_json(&run.parameters)[&held.flag],
            },
        }))
    }
}

/// The files that are kept of one judgement: its outcomes, and the tips of what can be previewed.
fn kept_with(flag: &Flag, outcomes: &Path) -> Vec<PathBuf> {
    let tips = flag.previewable().map(|parameter| flags::tips_path(outcomes, &parameter.name));
    std::iter::once(outcomes.to_owned()).chain(tips).collect()
}

fn as_json(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(value).map_err(store::Error::from)?)
}

/// Null for what runs of before this was kept left.
fn from_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn to_store(flag: &Flag, hit: flags::Hit) -> JudgedFinding {
    JudgedFinding {
        id: hit.id,
        flag: flag.code.clone(),
        severity: hit.severity,
        kind: flag.kind.clone(),
        gravity: hit.gravity,
        amount: hit.amount.scaled(),
        as_of: hit.as_of,
        group_key: hit.group_key,
        subject_id: hit.subject_id,
        buyer_id: hit.buyer_id,
        supplier_id: hit.supplier_id,
        contract_ids: hit.contract_ids,
        body: hit.body,
    }
}

pub(crate) fn evidence_row(table: &str, mut fields: serde_json::Map<String, Value>) -> Value {
    let mut take = |name: &str| fields.shift_remove(name).unwrap_or(Value::Null);
    let (id, source, file, sha256) = (take("id"), take("source"), take("file"), take("file_sha256"));
    let (line, row_hash, fetched_at) = (take("line"), take("row_hash"), take("fetched_at"));
    let line_kind = file.as_str().map(LineKind::of);
    // Contact data are compared, never shown; a hash of a telephone is a telephone to who tries them all.
    for internal in ["file_id", "ingest_id", "address_key", "phone_keys", "email_key"] {
        take(internal);
    }
    json!({
        "table": table, "id": id, "source": source, "file": file, "file_sha256": sha256, "line": line, "line_kind": line_kind,
        "row_hash": row_hash, "fetched_at": fetched_at, "fields": fields,
    })
}

fn in_partition(row: &Value, segment: &store::Segment) -> bool {
    if segment.source != "all" && row["source"] != segment.source.as_str() {
        return false;
    }
    let fields = &row["fields"];
    let month = fields["partition_on"].as_str().and_then(|day| day.get(..7));
    let root = fields["cnpj_root"].as_str().or(fields["company_root"].as_str()).and_then(|root| root.get(..2));
    [Some("all"), month.or(Some("undated")), root].contains(&Some(segment.partition.as_str()))
}

fn judge_once(
    session: &Session,
    flag: &Flag,
    outcomes: Outcomes<'_>,
) -> flags::Result<Option<(Judged, Vec<Coverage>)>> {
    let Some(judged) = flags::judge(session, flag, outcomes)? else { return Ok(None) };
    flags::write_tips(session, flag, outcomes.after)?;
    Ok(Some((judged, flags::outcomes_of(session, outcomes.after)?)))
}
