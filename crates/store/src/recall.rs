//! What was found and concluded before of the subjects of an investigation.

use rusqlite::params;

use crate::{Result, Store};

/// An earlier investigation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct EarlierInvestigation {
    pub id: String,
    pub status: String,
    pub created_at: String,
    pub asked: String,
    /// Findings that it has in common.
    pub shared: i64,
}

/// A verdict that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct RecalledVerdict {
    pub finding_id: String,
    pub flag: String,
    pub verdict: String,
    pub reason: String,
    pub who: String,
    pub given_at: String,
    /// It is of a finding of this investigation; else of another one about the same supplier.
    pub is_of_it: bool,
}

/// A statement that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct RecalledStatement {
    pub id: i64,
    pub finding_id: String,
    pub who: String,
    pub made_at: String,
}

impl Store {
    /// The investigations before this one, newest first, at most `limit`, and how many findings each has in common with it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn earlier_investigations(&self, id: &str, limit: usize) -> Result<Vec<EarlierInvestigation>> {
        self.read(|db| {
            let sql = "select e.id, e.status, e.created_at, e.asked,
                    (select count(*) from investigation_findings a where a.investigation_id = ?1 and exists (
                        select 1 from investigation_findings b
                        where b.investigation_id = e.id and b.finding_id = a.finding_id))
                from (select i.rid, i.id, i.status, i.created_at, i.asked from investigations i
                      where i.created_at <= (select created_at from investigations where id = ?1) and i.id <> ?1
                      order by i.created_at desc, i.rid desc limit ?2) e
                order by e.created_at desc, e.rid desc";
            let mut statement = db.prepare(sql)?;
            let rows = statement.query_map(params![id, limit.cast_signed()], |row| {
                Ok(EarlierInvestigation {
                    id: row.get(0)?,
                    status: row.get(1)?,
                    created_at: row.get(2)?,
                    asked: row.get(3)?,
                    shared: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The verdicts that stand on findings of this investigation, and on others about the same suppliers, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn recalled_verdicts(&self, id: &str, limit: usize) -> Result<Vec<RecalledVerdict>> {
        self.read(|db| {
            let of_it = "exists (select 1 from investigation_findings a
                where a.investigation_id = ?1 and a.finding_id = s.finding_id)";
            let sql = format!(
                "select s.finding_id, v.flag, v.verdict, v.reason, v.who, v.given_at, case when {of_it} then 1 else 0 end
                 from standing_verdicts s join verdicts v on v.id = s.verdict_id
                 left join findings p on p.id = s.finding_id
                 where {of_it} or p.supplier_id in (
                     select f.supplier_id from investigation_findings a join findings f on f.id = a.finding_id
                     where a.investigation_id = ?1 and f.supplier_id is not null)
                 order by v.given_at desc limit ?2"
            );
            let mut statement = db.prepare(&sql)?;
            let rows = statement.query_map(params![id, limit.cast_signed()], |row| {
                Ok(RecalledVerdict {
                    finding_id: row.get(0)?,
                    flag: row.get(1)?,
                    verdict: row.get(2)?,
                    reason: row.get(3)?,
                    who: row.get(4)?,
                    given_at: row.get(5)?,
                    is_of_it: row.get::<_, i64>(6)? == 1,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The statements that stand on findings of this investigation, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn recalled_statements(&self, id: &str, limit: usize) -> Result<Vec<RecalledStatement>> {
        self.read(|db| {
            let sql = "select t.id, t.finding_id, t.who, t.made_at from statements t
                left join statement_withdrawals w on w.statement_id = t.id
                where w.statement_id is null and exists (select 1 from investigation_findings a
                    where a.investigation_id = ?1 and a.finding_id = t.finding_id)
                order by t.made_at desc limit ?2";
            let mut statement = db.prepare(sql)?;
            let rows = statement.query_map(params![id, limit.cast_signed()], |row| {
                Ok(RecalledStatement {
                    id: row.get(0)?,
                    finding_id: row.get(1)?,
                    who: row.get(2)?,
                    made_at: row.get(3)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}
