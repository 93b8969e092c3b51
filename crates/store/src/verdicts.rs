//! Verdicts: what people concluded of findings. They are only ever added; the last of a finding stands.

use crate::db::{Db, Row};
use rusqlite::params;
use serde_json::{Value, json};

use crate::{Result, Store};

/// The event that a verdict is.
pub const VERDICT_GIVEN: &str = "verdict.given";

/// A verdict as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct VerdictRow {
    /// `confirmed` or `dismissed`.
    pub verdict: String,
    pub reason: String,
    pub who: String,
    pub given_at: String,
    pub flag: String,
    pub flag_version: i64,
    /// What the finding said then, as JSON.
    pub given_on: String,
    /// Its number among the verdicts of its finding; 1 is the first.
    pub version: i64,
}

/// How many findings of one version of a flag have which verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct VerdictCount {
    pub flag: String,
    pub flag_version: i64,
    pub verdict: String,
    pub n: i64,
}

/// Columns of the verdict that stands, under names of their own beside a finding's; see [`standing_from`].
pub(crate) const STANDING_COLUMNS: &str = "v.verdict as v_verdict, v.reason as v_reason, v.who as v_who, \
     v.given_at as v_given_at, v.flag as v_flag, v.flag_version as v_flag_version, v.given_on as v_given_on, v.version as v_version";
/// Joins the verdict that stands to a finding `p`.
pub(crate) const STANDING_JOIN: &str =
    "left join standing_verdicts s on s.finding_id = p.id left join verdicts v on v.id = s.verdict_id";

pub(crate) fn verdict_from(row: &Row<'_>, prefix: &str) -> rusqlite::Result<VerdictRow> {
    let column = |name: &str| format!("{prefix}{name}");
    Ok(VerdictRow {
        verdict: row.get(column("verdict").as_str())?,
        reason: row.get(column("reason").as_str())?,
        who: row.get(column("who").as_str())?,
        given_at: row.get(column("given_at").as_str())?,
        flag: row.get(column("flag").as_str())?,
        flag_version: row.get(column("flag_version").as_str())?,
        given_on: row.get(column("given_on").as_str())?,
        version: row.get(column("version").as_str())?,
    })
}

/// The verdict that stands, out of a row that has its columns.
pub(crate) fn standing_from(row: &Row<'_>) -> rusqlite::Result<Option<VerdictRow>> {
    match row.get::<_, Option<String>>("v_verdict")? {
        Some(_) => verdict_from(row, "v_").map(Some),
        None => Ok(None),
    }
}

/// The stream of a finding's verdicts.
#[must_use]
pub fn stream_of(finding_id: &str) -> String {
    format!("finding:{finding_id}")
}

/// A verdict as the payload of its event.
#[must_use]
pub fn payload(finding_id: &str, verdict: &VerdictRow) -> Value {
    json!({
        "finding_id": finding_id, "verdict": verdict.verdict, "reason": verdict.reason, "who": verdict.who,
        "given_at": verdict.given_at, "flag": verdict.flag, "flag_version": verdict.flag_version,
        "given_on": verdict.given_on,
    })
}

/// Puts a verdict into its tables; it stands from now on.
///
/// # Errors
/// The database cannot be written; the payload is not that of a verdict.
pub fn apply_verdict(db: &Db, version: i64, payload: &Value) -> Result<()> {
    let text = |name: &str| payload[name].as_str();
    let flag_version = payload["flag_version"].as_i64();
    let id: i64 = db.query_row(
        "insert into verdicts (finding_id, verdict, reason, who, given_at, flag, flag_version, given_on, version)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) returning id",
        params![
            text("finding_id"),
            text("verdict"),
            text("reason"),
            text("who"),
            text("given_at"),
            text("flag"),
            flag_version,
            text("given_on"),
            version
        ],
        |row| row.get(0),
    )?;
    db.prepare(
        "insert into standing_verdicts (finding_id, verdict_id, verdict, flag, flag_version)
         values (?1, ?2, ?3, ?4, ?5)
         on conflict (finding_id) do update set verdict_id = ?2, verdict = ?3, flag = ?4, flag_version = ?5",
    )?
    .execute(params![text("finding_id"), id, text("verdict"), text("flag"), flag_version])?;
    Ok(())
}

impl Store {
    /// The verdicts of a finding, newest first; at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn verdicts(&self, finding_id: &str, limit: usize) -> Result<Vec<VerdictRow>> {
        self.read(|db| {
            let mut statement = db.prepare("select * from verdicts where finding_id = ?1 order by id desc limit ?2")?;
            let rows = statement.query_map(params![finding_id, limit.cast_signed()], |row| verdict_from(row, ""))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Counts the verdicts that stand, by flag, its version then, and verdict.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn verdict_counts(&self) -> Result<Vec<VerdictCount>> {
        self.read(|db| {
            let mut statement = db.prepare(
                "select flag, flag_version, verdict, count(*) from standing_verdicts
                 group by flag, flag_version, verdict order by flag, flag_version, verdict",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(VerdictCount { flag: row.get(0)?, flag_version: row.get(1)?, verdict: row.get(2)?, n: row.get(3)? })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }
}
