//! Findings: what flags hit, what was withdrawn, and how much was judged.

use std::collections::BTreeSet;

use rusqlite::params;
use tokio_postgres::types::Type;

use crate::db::{Append, Db, Lock, OptionalExtension, Row};

use crate::links::{self, EntityKind};
use crate::read::{Conditions, Walk, walk};
use crate::verdicts::{STANDING_COLUMNS, STANDING_JOIN, VerdictRow, standing_from};
use crate::{Cursor, Page, Result, Store};

/// A hit, ready to be written.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct JudgedFinding {
    pub id: String,
    pub flag: String,
    pub severity: String,
    pub kind: String,
    /// Order of gravity, greater is graver.
    pub gravity: i64,
    /// Money at stake, ten-thousandths of a real.
    pub amount: i64,
    pub as_of: String,
    pub group_key: String,
    pub subject_id: String,
    pub buyer_id: Option<String>,
    pub supplier_id: Option<String>,
    pub contract_ids: Vec<String>,
    /// The finding as JSON, without the fields that depend on when it was first seen.
    pub body: String,
}

/// One run of the catalogue over a scope.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct RunRecord {
    pub judged_at: String,
    pub catalogue_version: String,
    pub program_version: String,
    pub law_version: String,
    /// Which segments were read, as JSON: `count`, `rows` and the SHA-256 over their contents.
    pub segments: String,
    /// With which values of the parameters, as JSON: flag → name → value.
    pub parameters: String,
    /// `all`, or the first ingest whose changes were judged.
    pub scope: String,
}

/// Counted outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct CoverageRow {
    pub flag: String,
    pub source: String,
    pub outcome: String,
    /// The missing field, for `not_computable`; else empty.
    pub field: String,
    pub n: i64,
}

/// What one flag's judgement gave over a scope.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Judgement {
    pub flag: String,
    /// The peer groups that were judged; `None` for all.
    pub groups: Option<Vec<String>>,
    pub findings: Vec<JudgedFinding>,
    pub coverage: Vec<CoverageRow>,
    /// Name of the file that holds every outcome.
    pub outcomes: String,
}

/// A finding as it is held.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct FindingRow {
    pub id: String,
    pub flag: String,
    pub severity: String,
    pub kind: String,
    pub state: String,
    pub gravity: i64,
    pub amount: i64,
    pub as_of: String,
    pub group_key: String,
    pub subject_id: String,
    pub run_id: i64,
    pub first_seen_at: String,
    pub updated_at: String,
    pub body: String,
    /// The verdict that stands.
    pub verdict: Option<VerdictRow>,
}

/// What findings are asked for.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are the query parameters'")]
pub struct FindingFilter {
    pub flag: Option<String>,
    pub severity: Option<String>,
    pub kind: Option<String>,
    /// `None` for all.
    pub state: Option<String>,
    pub buyer_id: Option<String>,
    pub supplier_id: Option<String>,
    pub contract_id: Option<String>,
    pub verdict: Option<VerdictFilter>,
}

/// Findings with which verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum VerdictFilter {
    Confirmed,
    Dismissed,
    /// Nobody gave one.
    None,
}

/// The order of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub enum FindingSort {
    #[default]
    GravestFirst,
    DearestFirst,
    NewestFirst,
}

impl VerdictFilter {
    /// Few findings have a verdict, so those lead where one is asked for.
    fn condition(self) -> &'static str {
        match self {
            Self::Confirmed => "p.id in (select finding_id from standing_verdicts where verdict = 'confirmed')",
            Self::Dismissed => "p.id in (select finding_id from standing_verdicts where verdict = 'dismissed')",
            Self::None => "not exists (select 1 from standing_verdicts n where n.finding_id = p.id)",
        }
    }
}

/// Context is of use only beside another finding: unasked it stands in nobody's list alone.
pub(crate) const BESIDE: &str = "(+p.kind <> 'context'
    or exists (select 1 from findings o where o.buyer_id = p.buyer_id and o.state = 'open' and o.kind <> 'context'))";

pub(crate) fn select() -> String {
    format!("select p.*, {STANDING_COLUMNS} from findings p {STANDING_JOIN}")
}

pub(crate) fn finding_from(row: &Row<'_>) -> rusqlite::Result<FindingRow> {
    Ok(FindingRow {
        id: row.get("id")?,
        flag: row.get("flag")?,
        severity: row.get("severity")?,
        kind: row.get("kind")?,
        state: row.get("state")?,
        gravity: row.get("gravity")?,
        amount: row.get("amount")?,
        as_of: row.get("as_of")?,
        group_key: row.get("group_key")?,
        subject_id: row.get("subject_id")?,
        run_id: row.get("run_id")?,
        first_seen_at: row.get("first_seen_at")?,
        updated_at: row.get("updated_at")?,
        body: row.get("body")?,
        verdict: standing_from(row)?,
    })
}

impl Store {
    /// Writes a run's judgements in one transaction: new and changed findings, those that no longer hold (they become
    /// `withdrawn`), coverage, and that the ingests up to `judged_up_to` are judged.
    ///
    /// # Errors
    /// The database cannot be written; nothing is changed then.
    pub fn write_judgements(&self, run: &RunRecord, judgements: &[Judgement], judged_up_to: i64) -> Result<i64> {
        let connection = self.loader()?;
        let transaction = connection.begin(Lock::Facts)?;
        let run_id = transaction.query_row(
            "insert into runs (id, judged_at, catalogue_version, program_version, law_version, segments, scope, parameters)
             values ((select coalesce(max(id), 0) + 1 from runs), ?1, ?2, ?3, ?4, ?5, ?6, ?7) returning id",
            params![run.judged_at, run.catalogue_version, run.program_version, run.law_version, run.segments, run.scope, run.parameters],
            |row| row.get(0),
        )?;
        transaction.execute_batch(
            "create temp table judged_groups (k text primary key); create temp table judged_ids (id text primary key)",
        )?;
        for judgement in judgements {
            write_judgement(&transaction, run, run_id, judgement)?;
        }
        transaction.execute(
            "update ingests set judged_at = ?1 where judged_at is null and finished_at is not null and id <= ?2",
            params![run.judged_at, judged_up_to],
        )?;
        transaction.execute_batch("drop table judged_groups; drop table judged_ids")?;
        transaction.commit()?;
        if connection.sqlite().is_some() {
            let _ = connection.execute_batch("pragma wal_checkpoint(passive)");
        }
        Ok(run_id)
    }

    /// One page of findings.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn findings(
        &self,
        filter: &FindingFilter,
        sort: FindingSort,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<FindingRow>> {
        // Who asks for one contract or party gets few rows; a unary plus keeps the other indexes from leading.
        let given = filter.verdict.filter(|verdict| *verdict != VerdictFilter::None);
        let narrow = filter.contract_id.is_some()
            || filter.buyer_id.is_some()
            || filter.supplier_id.is_some()
            || given.is_some();
        let conditions = self.conditions(filter, narrow)?;
        let column = match (sort, narrow) {
            (FindingSort::GravestFirst, false) => "p.gravity",
            (FindingSort::GravestFirst, true) => "+p.gravity",
            (FindingSort::DearestFirst, false) => "p.amount",
            (FindingSort::DearestFirst, true) => "+p.amount",
            (FindingSort::NewestFirst, false) => "p.as_of",
            (FindingSort::NewestFirst, true) => "+p.as_of",
        };
        self.read(|db| {
            let by = Walk { column, descending: true, after, limit };
            walk(db, &select(), &conditions, &by, finding_from)
        })
    }

    /// What a filter says; `narrow` keeps the indexes of large lists from leading.
    fn conditions(&self, filter: &FindingFilter, narrow: bool) -> Result<Conditions> {
        let mut conditions = Conditions::default();
        conditions.add_some(if narrow { "+p.flag = ?" } else { "p.flag = ?" }, filter.flag.as_ref());
        conditions.add_some("p.severity = ?", filter.severity.as_ref());
        conditions.add_some("p.kind = ?", filter.kind.as_ref());
        conditions.add_some(if narrow { "+p.state = ?" } else { "p.state = ?" }, filter.state.as_ref());
        // Who asks for one id of an entity is shown the findings of all its ids.
        if let Some(id) = &filter.buyer_id {
            links::add_one_of(&mut conditions, "p.buyer_id", self.entity_members(EntityKind::Buyer, id)?);
        }
        if let Some(id) = &filter.supplier_id {
            links::add_one_of(&mut conditions, "p.supplier_id", self.entity_members(EntityKind::Supplier, id)?);
        }
        conditions.add_some(
            "p.id in (select finding_id from finding_contracts where contract_id = ?)",
            filter.contract_id.as_ref(),
        );
        if filter.kind.is_none() && filter.flag.is_none() {
            conditions.add(if narrow { BESIDE } else { "+p.kind <> 'context'" }, vec![]);
        }
        if let Some(verdict) = filter.verdict {
            conditions.add(verdict.condition(), vec![]);
        }
        Ok(conditions)
    }

    /// Up to `limit` findings that a filter wants and that runs behind a place made, changed or withdrew, in the order of runs; and whether
    /// there are more.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn findings_behind(
        &self,
        filter: &FindingFilter,
        (run, rid): (i64, i64),
        limit: usize,
    ) -> Result<(Vec<(i64, FindingRow)>, bool)> {
        let mut conditions = self.conditions(filter, true)?;
        conditions.add("(p.run_id, p.rid) > (?, ?)", vec![Box::new(run), Box::new(rid)]);
        let sql = format!(
            "{} where {} order by p.run_id, p.rid limit {}",
            select(),
            conditions.where_clause(),
            limit.saturating_add(1)
        );
        self.read(|db| {
            let mut statement = db.prepare(&sql)?;
            let rows =
                statement.query_map(conditions.values().as_slice(), |row| Ok((row.get("rid")?, finding_from(row)?)))?;
            let mut rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            Ok((rows, more))
        })
    }

    /// Which finding the last run touched last: its run and row; zeros when there is none.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn last_touched(&self) -> Result<(i64, i64)> {
        let sql = "select run_id, rid from findings order by run_id desc, rid desc limit 1";
        self.read(|db| {
            let last = db.prepare(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            Ok(last.unwrap_or_default())
        })
    }

    /// One finding.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn finding(&self, id: &str) -> Result<Option<FindingRow>> {
        self.read(|db| {
            let sql = format!("{} where p.id = ?1", select());
            db.prepare(&sql)?.query_row([id], finding_from).optional()
        })
    }

    /// The run that last judged a finding.
    ///
    /// # Errors
    /// The database cannot be read; there is no such run.
    pub fn run(&self, id: i64) -> Result<RunRecord> {
        self.read(|db| {
            db
                .prepare("select judged_at, catalogue_version, program_version, law_version, segments, scope, parameters from runs where id = ?1")?
                .query_row([id], |row| {
                    Ok(RunRecord {
                        judged_at: row.get(0)?,
                        catalogue_version: row.get(1)?,
                        program_version: row.get(2)?,
                        law_version: row.get(3)?,
                        segments: row.get(4)?,
                        scope: row.get(5)?,
                        parameters: row.get(6)?,
                    })
                })
        })
    }

    /// The catalogue version of the newest run, if there was one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn last_catalogue(&self) -> Result<Option<String>> {
        self.read(|db| {
            db.query_row("select catalogue_version from runs order by id desc limit 1", [], |row| row.get(0)).optional()
        })
    }

    /// The number that the next run will have.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn next_run(&self) -> Result<i64> {
        self.read(|db| db.query_row("select coalesce(max(id), 0) + 1 from runs", [], |row| row.get(0)))
    }

    /// Name of the file that holds every outcome of a flag.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn outcomes_file(&self, flag: &str) -> Result<Option<String>> {
        self.read(|db| {
            db.prepare("select value from meta where key = ?1")?
                .query_row([format!("outcomes:{flag}")], |row| row.get(0))
                .optional()
        })
    }

    /// Number of open findings of each flag that has some.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn open_findings(&self) -> Result<Vec<(String, i64)>> {
        self.read(|db| {
            let mut statement =
                db.prepare("select flag, count(*) from findings where state = 'open' group by flag order by flag")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Counted outcomes of every flag and source.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn coverage(&self) -> Result<Vec<CoverageRow>> {
        self.read(|db| {
            let mut statement = db.prepare(
                "select flag, source, outcome, field, n from coverage order by flag, source, outcome, field",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(CoverageRow {
                    flag: row.get(0)?,
                    source: row.get(1)?,
                    outcome: row.get(2)?,
                    field: row.get(3)?,
                    n: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }
}

fn write_judgement(db: &Db, run: &RunRecord, run_id: i64, judgement: &Judgement) -> Result<()> {
    db.execute_batch("delete from judged_groups; delete from judged_ids")?;
    keep_texts(db, "judged_groups", "k", judgement.groups.iter().flatten())?;
    keep_texts(db, "judged_ids", "id", judgement.findings.iter().map(|finding| &finding.id))?;
    for finding in &judgement.findings {
        write_finding(db, run, run_id, finding)?;
    }
    let in_scope = if judgement.groups.is_some() { "group_key in (select k from judged_groups)" } else { "true" };
    db.prepare(&format!(
        "update findings set state = 'withdrawn', updated_at = ?2, run_id = ?3
         where flag = ?1 and state = 'open' and {in_scope} and id not in (select id from judged_ids)"
    ))?
    .execute(params![judgement.flag, run.judged_at, run_id])?;
    db.prepare("delete from coverage where flag = ?1")?.execute([&judgement.flag])?;
    db.prepare(crate::SET_META)?.execute([format!("outcomes:{}", judgement.flag), judgement.outcomes.clone()])?;
    for row in &judgement.coverage {
        db.prepare("insert into coverage (flag, source, outcome, field, n) values (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![row.flag, row.source, row.outcome, row.field, row.n])?;
    }
    Ok(())
}

/// Puts texts into a table of one column, each once; on PostgreSQL all at once.
fn keep_texts<'a>(db: &Db, table: &str, column: &str, texts: impl Iterator<Item = &'a String>) -> Result<()> {
    let texts: BTreeSet<&str> = texts.map(String::as_str).collect();
    let insert = format!("insert into {table} values (?1)");
    let mut append = Append::new(table, &[(column, Type::TEXT)]);
    for text in texts {
        if db.is_postgres() {
            append.push(text.into())?;
        } else {
            db.prepare(&insert)?.execute([text])?;
        }
    }
    append.flush(db).map(|_| ())
}

fn write_finding(db: &Db, run: &RunRecord, run_id: i64, finding: &JudgedFinding) -> Result<()> {
    let held: Option<(i64, String, String)> = db
        .prepare("select rid, state, body from findings where id = ?1")?
        .query_row([&finding.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match held {
        Some((_, state, body)) if state == "open" && body == finding.body => return Ok(()),
        Some((rid, _, _)) => {
            db.prepare(
                "update findings set severity=?2, kind=?3, state='open', gravity=?4, amount=?5, as_of=?6, group_key=?7,
                 buyer_id=?8, supplier_id=?9, run_id=?10, updated_at=?11, body=?12 where rid=?1",
            )?
            .execute(params![
                rid,
                finding.severity,
                finding.kind,
                finding.gravity,
                finding.amount,
                finding.as_of,
                finding.group_key,
                finding.buyer_id,
                finding.supplier_id,
                run_id,
                run.judged_at,
                finding.body
            ])?;
        }
        None => {
            db.prepare(
                "insert into findings (id, flag, severity, kind, state, gravity, amount, as_of, group_key, subject_id,
                 buyer_id, supplier_id, run_id, first_seen_at, updated_at, body)
                 values (?1, ?2, ?3, ?4, 'open', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?14)",
            )?
            .execute(params![
                finding.id,
                finding.flag,
                finding.severity,
                finding.kind,
                finding.gravity,
                finding.amount,
                finding.as_of,
                finding.group_key,
                finding.subject_id,
                finding.buyer_id,
                finding.supplier_id,
                run_id,
                run.judged_at,
                finding.body
            ])?;
        }
    }
    db.prepare("delete from finding_contracts where finding_id = ?1")?.execute([&finding.id])?;
    for contract in &finding.contract_ids {
        db.prepare("insert into finding_contracts (contract_id, finding_id) values (?1, ?2) on conflict do nothing")?
            .execute([contract, &finding.id])?;
    }
    Ok(())
}
