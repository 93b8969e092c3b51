//! Ingests that were asked for, as they are read: made of their events alone.

use crate::db::{Db, OptionalExtension, Row};
use rusqlite::params;
use serde_json::Value;

use crate::{Result, Store};

/// An ingest that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct IngestJobRow {
    pub id: i64,
    /// `queued`, `running`, `done`, `interrupted` or `failed`.
    pub status: String,
    /// As JSON.
    pub paths: String,
    pub asked_at: String,
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
    /// As JSON.
    pub report: Option<String>,
    pub error: Option<String>,
}

/// Puts one event of an ingest into its table.
///
/// # Errors
/// The database cannot be written.
pub fn apply(db: &Db, id: i64, kind: &str, at: &str, payload: &Value) -> Result<()> {
    match kind {
        "ingest.requested" => {
            db.prepare("insert into ingest_jobs (id, status, paths, asked_at) values (?1, 'queued', ?2, ?3)")?
                .execute(params![id, payload["paths"].to_string(), payload["asked_at"].as_str()])?;
        }
        "ingest.started" => {
            db.prepare("update ingest_jobs set status = 'running', started_at = ?2 where id = ?1")?
                .execute(params![id, at])?;
        }
        "ingest.ended" => {
            let report = (!payload["report"].is_null()).then(|| payload["report"].to_string());
            db.prepare("update ingest_jobs set status = ?2, report = ?3, error = ?4, ended_at = ?5 where id = ?1")?
                .execute(params![id, payload["status"].as_str(), report, payload["error"].as_str(), at])?;
        }
        _ => {}
    }
    Ok(())
}

/// The number that the next ingest to be asked for has.
///
/// # Errors
/// The database cannot be read.
pub fn next_number(db: &Db) -> Result<i64> {
    db.query_row("select coalesce(max(id), 0) + 1 from ingest_jobs", [], |row| row.get(0))
}

fn job_from(row: &Row<'_>) -> rusqlite::Result<IngestJobRow> {
    Ok(IngestJobRow {
        id: row.get("id")?,
        status: row.get("status")?,
        paths: row.get("paths")?,
        asked_at: row.get("asked_at")?,
        started_at: row.get("started_at")?,
        ended_at: row.get("ended_at")?,
        report: row.get("report")?,
        error: row.get("error")?,
    })
}

impl Store {
    /// The newest ingests that were asked for, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn ingest_jobs(&self, limit: usize) -> Result<Vec<IngestJobRow>> {
        self.read(|db| {
            let mut statement = db.prepare("select * from ingest_jobs order by id desc limit ?1")?;
            let rows = statement.query_map([limit.cast_signed()], job_from)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// One of them.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn ingest_job(&self, id: i64) -> Result<Option<IngestJobRow>> {
        self.read(|db| db.prepare("select * from ingest_jobs where id = ?1")?.query_row([id], job_from).optional())
    }
}
