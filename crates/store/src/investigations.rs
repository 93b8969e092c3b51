//! Investigations as they are read: made of their events alone.

use crate::db::{Db, OptionalExtension, Row};
use rusqlite::params;
use serde_json::Value;

use crate::investigation_plan;
use crate::read::{Conditions, Walk, walk};
use crate::verdicts::{STANDING_COLUMNS, STANDING_JOIN};
use crate::{Cursor, FindingRow, Page, Result, Store};

/// An investigation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct InvestigationRow {
    pub id: String,
    pub user_id: String,
    /// `active`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// While active: `requested`, `planned`, `running` or `writing`.
    pub phase: Option<String>,
    /// Scope and question, as JSON.
    pub asked: String,
    pub plan: Option<String>,
    pub summary: Option<String>,
    pub error: Option<String>,
    pub findings: i64,
    pub created_at: String,
    pub updated_at: String,
    pub ended_at: Option<String>,
    /// Number of its last event.
    pub version: i64,
}

/// What became of one flag in an investigation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct InvestigationFlagRow {
    pub flag: String,
    /// `waiting`, `running`, `judged`, `failed` or `cancelled`.
    pub state: String,
    pub attempts: i64,
    pub findings: i64,
    /// What it came to, as JSON.
    pub outcome: Option<String>,
    pub error: Option<String>,
}

/// A finding of an investigation: as it is stored now, or as it was judged for it.
#[derive(Debug, Clone)]
pub struct InvestigationFindingRow {
    /// Its id.
    pub id: String,
    /// As it is stored; `None` for one that was judged at a moment.
    pub stored: Option<FindingRow>,
    /// As it was judged at a moment.
    pub body: Option<String>,
    /// Since when it had the form in which it was attached.
    pub known_since: Option<String>,
}

/// Which investigations are wanted.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are the query parameters'")]
pub struct InvestigationFilter {
    pub status: Option<String>,
    pub user: Option<String>,
}

/// The tables that are made of the log here.
pub const TABLES: [&str; 3] = ["investigations", "investigation_flags", "investigation_findings"];

fn investigation_from(row: &Row<'_>) -> rusqlite::Result<InvestigationRow> {
    Ok(InvestigationRow {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        status: row.get("status")?,
        phase: row.get("phase")?,
        asked: row.get("asked")?,
        plan: row.get("plan")?,
        summary: row.get("summary")?,
        error: row.get("error")?,
        findings: row.get("findings")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        ended_at: row.get("ended_at")?,
        version: row.get("version")?,
    })
}

/// Puts one event of an investigation into its tables.
///
/// # Errors
/// The database cannot be written.
pub fn apply(db: &Db, id: &str, version: i64, kind: &str, at: &str, payload: &Value) -> Result<()> {
    let text = |name: &str| payload[name].as_str();
    let json = |name: &str| (!payload[name].is_null()).then(|| payload[name].to_string());
    if kind == "investigation.requested" {
        db.prepare(
            "insert into investigations (id, user_id, status, phase, asked, findings, created_at, updated_at, version)
             values (?1, ?2, 'active', 'requested', ?3, 0, ?4, ?4, ?5)",
        )?
        .execute(params![id, text("user"), json("asked"), at, version])?;
        return Ok(());
    }
    apply_to_plan(db, id, kind, at, payload)?;
    match kind {
        "investigation.planned" => {
            set(db, "phase = 'planned'", params![id])?;
            for flag in payload["flags"].as_array().into_iter().flatten() {
                db.prepare(
                    "insert into investigation_flags (investigation_id, flag, state, attempts, findings)
                     values (?1, ?2, 'waiting', 0, 0)",
                )?
                .execute(params![id, flag.as_str()])?;
            }
        }
        "investigation.flag_started" => {
            set(db, "phase = 'running'", params![id])?;
            set_flag(db, "state = 'running', attempts = ?3", params![id, text("flag"), payload["attempt"].as_i64()])?;
        }
        "investigation.plan_edited" => apply_edited(db, id, payload)?,
        "investigation.step_started" => set(db, "phase = 'running'", params![id])?,
        "investigation.part_started" => {
            set(db, "phase = 'running'", params![id])?;
            for flag in payload["flags"].as_array().into_iter().flatten() {
                let attempt = payload["attempt"].as_i64();
                set_flag(db, "state = 'running', attempts = ?3", params![id, flag.as_str(), attempt])?;
            }
        }
        "investigation.skipped" => {
            for flag in payload["flags"].as_array().into_iter().flatten() {
                set_flag(db, "state = 'skipped', error = ?3", params![id, flag.as_str(), text("because")])?;
            }
        }
        "investigation.flag_judged" => apply_judged(db, id, payload)?,
        "investigation.flag_failed" => set_flag(
            db,
            "state = 'failed', error = ?3, attempts = ?4",
            params![id, text("flag"), text("error"), payload["attempts"].as_i64()],
        )?,
        "investigation.reopened" => {
            set(
                db,
                "status = 'active', phase = ?2, summary = null, error = null, ended_at = null",
                params![id, text("phase")],
            )?;
            set_flag(db, "state = 'waiting', error = null", params![id, text("flag")])?;
            settle_flags(db, id, "left", "waiting")?;
        }
        "investigation.writing" => set(db, "phase = 'writing'", params![id])?,
        "investigation.completed" => set(
            db,
            "status = 'completed', phase = null, summary = ?2, ended_at = ?3",
            params![id, json("summary"), at],
        )?,
        "investigation.failed" => {
            set(
                db,
                "status = 'failed', phase = null, error = ?2, summary = ?3, ended_at = ?4",
                params![id, text("error"), json("summary"), at],
            )?;
            settle_flags(db, id, "waiting", "left")?;
            settle_flags(db, id, "running", "left")?;
        }
        "investigation.cancelled" => {
            set(db, "status = 'cancelled', phase = null, ended_at = ?2", params![id, at])?;
            settle_flags(db, id, "waiting", "cancelled")?;
            settle_flags(db, id, "running", "cancelled")?;
        }
        _ => {}
    }
    db.prepare("update investigations set updated_at = ?2, version = ?3 where id = ?1")?
        .execute(params![id, at, version])?;
    Ok(())
}

/// The plan is read whole and written whole: its steps are few.
fn apply_to_plan(db: &Db, id: &str, kind: &str, at: &str, payload: &Value) -> Result<()> {
    let held: Option<Option<String>> =
        db.prepare("select plan from investigations where id = ?1")?.query_row([id], |row| row.get(0)).optional()?;
    let mut plan = held.flatten().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null);
    if investigation_plan::note(&mut plan, kind, at, payload) && !plan.is_null() {
        set(db, "plan = ?2", params![id, plan.to_string()])?;
    }
    Ok(())
}

/// What was dropped from the plan is no longer of the investigation.
fn apply_edited(db: &Db, id: &str, payload: &Value) -> Result<()> {
    let left: Vec<&str> = payload["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let held: Vec<String> = db
        .prepare("select flag from investigation_flags where investigation_id = ?1")?
        .query_map([id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for flag in held.iter().filter(|flag| !left.contains(&flag.as_str())) {
        db.prepare("delete from investigation_flags where investigation_id = ?1 and flag = ?2")?
            .execute(params![id, flag])?;
    }
    Ok(())
}

fn set(db: &Db, what: &str, values: impl crate::db::Params) -> Result<()> {
    db.prepare(&format!("update investigations set {what} where id = ?1"))?.execute(values)?;
    Ok(())
}

/// Puts every flag of an investigation that is in one state into another.
fn settle_flags(db: &Db, id: &str, from: &str, to: &str) -> Result<()> {
    db.prepare("update investigation_flags set state = ?3 where investigation_id = ?1 and state = ?2")?
        .execute(params![id, from, to])?;
    Ok(())
}

fn set_flag(db: &Db, what: &str, values: impl crate::db::Params) -> Result<()> {
    let sql = format!("update investigation_flags set {what} where investigation_id = ?1 and flag = ?2");
    db.prepare(&sql)?.execute(values)?;
    Ok(())
}

fn apply_judged(db: &Db, id: &str, payload: &Value) -> Result<()> {
    let flag = payload["flag"].as_str();
    set_flag(
        db,
        "state = 'judged', findings = ?3, outcome = ?4, error = null",
        params![id, flag, payload["findings"].as_i64(), payload["outcome"].to_string()],
    )?;
    for found in payload["attached"].as_array().into_iter().flatten() {
        db.prepare(
            "insert into investigation_findings (investigation_id, finding_id, flag, gravity, body, known_since)
             values (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            id,
            found["id"].as_str(),
            flag,
            found["gravity"].as_i64(),
            found["body"].as_str(),
            found["known_since"].as_str()
        ])?;
    }
    db.prepare(
        "update investigations set findings =
             (select sum(findings) from investigation_flags where investigation_id = ?1) where id = ?1",
    )?
    .execute([id])?;
    Ok(())
}

/// How many investigations are active.
///
/// # Errors
/// The database cannot be read.
pub fn count_active(db: &Db) -> Result<i64> {
    let sql = "select count(*) from investigations indexed by idx_active_investigations where status = 'active'";
    db.prepare(sql)?.query_row([], |row| row.get(0))
}

/// How many of them wait for a person to start them.
///
/// # Errors
/// The database cannot be read.
pub fn count_held(db: &Db) -> Result<i64> {
    let sql = "select count(*) from investigations where status = 'active' and phase in ('requested', 'planned')
               and asked like '%\"hold\":true%'";
    db.prepare(sql)?.query_row([], |row| row.get(0))
}

impl Store {
    /// One page of investigations, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn investigations(
        &self,
        filter: &InvestigationFilter,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<InvestigationRow>> {
        let mut conditions = Conditions::default();
        conditions.add_some("i.status = ?", filter.status.as_ref());
        conditions.add_some("i.user_id = ?", filter.user.as_ref());
        self.read(|db| {
            let by = Walk { column: "i.created_at", descending: true, after, limit };
            walk(db, "select i.* from investigations i", &conditions, &by, investigation_from)
        })
    }

    /// One investigation.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn investigation(&self, id: &str) -> Result<Option<InvestigationRow>> {
        self.read(|db| {
            let mut statement = db.prepare("select * from investigations where id = ?1")?;
            statement.query_row([id], investigation_from).optional()
        })
    }

    /// What became of the flags of an investigation, by code.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn investigation_flags(&self, id: &str) -> Result<Vec<InvestigationFlagRow>> {
        self.read(|db| {
            let mut statement =
                db.prepare("select * from investigation_flags where investigation_id = ?1 order by flag")?;
            let rows = statement.query_map([id], |row| {
                Ok(InvestigationFlagRow {
                    flag: row.get("flag")?,
                    state: row.get("state")?,
                    attempts: row.get("attempts")?,
                    findings: row.get("findings")?,
                    outcome: row.get("outcome")?,
                    error: row.get("error")?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// One page of the findings that are attached to an investigation, gravest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn investigation_findings(
        &self,
        id: &str,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<InvestigationFindingRow>> {
        let mut conditions = Conditions::default();
        conditions.add("a.investigation_id = ?", vec![Box::new(id.to_owned())]);
        let select = format!(
            "select a.rid, a.gravity, a.finding_id, a.body as attached_body, a.known_since, {FINDING_COLUMNS}, {STANDING_COLUMNS}
             from investigation_findings a left join findings p on p.id = a.finding_id and a.body is null {STANDING_JOIN}"
        );
        self.read(|db| {
            let by = Walk { column: "a.gravity", descending: true, after, limit };
            walk(db, &select, &conditions, &by, |row| {
                let stored = row.get::<_, Option<String>>("id")?.is_some();
                Ok(InvestigationFindingRow {
                    id: row.get("finding_id")?,
                    stored: stored.then(|| crate::findings::finding_from(row)).transpose()?,
                    body: row.get("attached_body")?,
                    known_since: row.get("known_since")?,
                })
            })
        })
    }
}

/// A finding's columns without its row number and gravity: those are the attachment's here, and equal.
const FINDING_COLUMNS: &str = "p.id, p.flag, p.severity, p.kind, p.state, p.amount, p.as_of, p.group_key, p.subject_id, \
     p.run_id, p.first_seen_at, p.updated_at, p.body";
