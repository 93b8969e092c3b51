//! Statements: what those whom a finding is about say to it. They are only ever added; one that is withdrawn is kept, with
//! the day on which it was.

use crate::db::{OptionalExtension, Row};
use rusqlite::params;

use crate::{Result, Store};

/// A statement that is made now.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct NewStatement<'a> {
    pub finding_id: &'a str,
    pub who: &'a str,
    pub text: &'a str,
    pub contact: Option<&'a str>,
    pub made_at: &'a str,
}

/// A statement as it is held. How to reach its author stays in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct StatementRow {
    pub id: i64,
    pub who: String,
    pub text: String,
    pub made_at: String,
    pub withdrawn_at: Option<String>,
    /// Why it was withdrawn, where that was said.
    pub withdrawn_because: Option<String>,
}

const SELECT: &str = "select t.id, t.who, t.text, t.made_at, w.withdrawn_at, w.reason
     from statements t left join statement_withdrawals w on w.statement_id = t.id";

fn statement_from(row: &Row<'_>) -> rusqlite::Result<StatementRow> {
    Ok(StatementRow {
        id: row.get(0)?,
        who: row.get(1)?,
        text: row.get(2)?,
        made_at: row.get(3)?,
        withdrawn_at: row.get(4)?,
        withdrawn_because: row.get(5)?,
    })
}

impl Store {
    /// Adds a statement; gives its number.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn add_statement(&self, statement: &NewStatement<'_>) -> Result<i64> {
        self.writer()?.query_row(
            "insert into statements (finding_id, who, text, contact, made_at) values (?1, ?2, ?3, ?4, ?5) returning id",
            params![statement.finding_id, statement.who, statement.text, statement.contact, statement.made_at],
            |row| row.get(0),
        )
    }

    /// Marks a statement as withdrawn; one that was withdrawn before stays as it is.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn withdraw_statement(&self, id: i64, reason: Option<&str>, at: &str) -> Result<()> {
        self.writer()?.execute(
            "insert into statement_withdrawals (statement_id, reason, withdrawn_at) values (?1, ?2, ?3) on conflict do nothing",
            params![id, reason, at],
        )?;
        Ok(())
    }

    /// The statements to a finding, oldest first; at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn statements(&self, finding_id: &str, limit: usize) -> Result<Vec<StatementRow>> {
        self.read(|db| {
            let mut statement = db.prepare(&format!("{SELECT} where t.finding_id = ?1 order by t.id limit ?2"))?;
            let rows = statement.query_map(params![finding_id, limit.cast_signed()], statement_from)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// One statement.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn statement(&self, id: i64) -> Result<Option<StatementRow>> {
        self.read(|db| db.prepare(&format!("{SELECT} where t.id = ?1"))?.query_row([id], statement_from).optional())
    }
}
