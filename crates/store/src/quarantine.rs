//! The quarantine: rows that could not be kept, each with its file, line, column, reason and text.

use crate::db::{Db, OptionalExtension, Row};
use rusqlite::params;
use serde::Serialize;

use crate::ingest::{Account, Outcome};
use crate::{Ingest, Result, Store};

/// A quarantined row.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names are those of the quarantine")]
pub struct Quarantined {
    pub id: i64,
    pub source: String,
    pub format: String,
    pub file: String,
    #[serde(skip)]
    pub file_id: i64,
    /// 1 is the first line; for JSON, the ordinal of the record.
    pub line: u64,
    pub column: Option<String>,
    pub reason: String,
    pub detail: String,
    /// As it came, CPFs masked.
    pub raw: String,
    /// Whether `raw` is all of it: only then can it be read again.
    pub whole: bool,
}

/// Which rows of the quarantine.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are those of the quarantine")]
pub struct QuarantineFilter {
    pub id: Option<i64>,
    pub source: Option<String>,
    pub reason: Option<String>,
    /// Part of the file's name.
    pub file: Option<String>,
}

/// What the rows of a file need to be read again by themselves.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are those of the table")]
pub struct FileHead {
    pub name: String,
    pub source: String,
    pub format: String,
    pub head: String,
    pub mapping: String,
}

const SELECT: &str =
    "select q.id, f.source, f.format, f.name, q.file_id, q.line, q.col, q.reason, q.detail, q.raw, q.whole
    from quarantine q join files f on f.id = q.file_id
    where (q.id = ?1 or ?1 is null) and (f.source = ?2 or ?2 is null) and (q.reason = ?3 or ?3 is null)
      and (instr(f.name, ?4) > 0 or ?4 is null) and q.id > ?5 order by q.id limit ?6";

fn quarantined_from(row: &Row<'_>) -> rusqlite::Result<Quarantined> {
    Ok(Quarantined {
        id: row.get(0)?,
        source: row.get(1)?,
        format: row.get(2)?,
        file: row.get(3)?,
        file_id: row.get(4)?,
        line: row.get::<_, i64>(5)?.cast_unsigned(),
        column: row.get(6)?,
        reason: row.get(7)?,
        detail: row.get(8)?,
        raw: row.get(9)?,
        whole: row.get(10)?,
    })
}

fn page(db: &Db, filter: &QuarantineFilter, after: i64, limit: usize) -> Result<Vec<Quarantined>> {
    let mut statement = db.prepare(SELECT)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement
        .query_map(params![filter.id, filter.source, filter.reason, filter.file, after, limit], quarantined_from)?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
}

impl Store {
    /// Rows of the quarantine with a number greater than `after`, in the order in which they came.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn quarantined(&self, filter: &QuarantineFilter, after: i64, limit: usize) -> Result<Vec<Quarantined>> {
        self.read(|db| page(db, filter, after, limit))
    }

    /// What the rows of a file need to be read again.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn file_head(&self, file_id: i64) -> Result<Option<FileHead>> {
        self.read(|db| {
            let sql = "select name, source, format, head, mapping from files where id = ?1";
            let head = db.prepare(sql)?.query_row([file_id], |row| {
                Ok(FileHead {
                    name: row.get(0)?,
                    source: row.get(1)?,
                    format: row.get(2)?,
                    head: row.get(3)?,
                    mapping: row.get(4)?,
                })
            });
            head.optional()
        })
    }
}

impl Ingest {
    /// Takes up a file again, for rows of it that were quarantined: where a later file spoke of the same record, that stands.
    pub fn reopen_file(&mut self, file_id: i64) {
        self.begin_again(file_id);
    }

    /// A quarantined row was read: it leaves the quarantine, and the file's account says what became of it.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn release(&mut self, row: &Quarantined, outcome: Outcome) -> Result<()> {
        let mut gained = Account::default();
        gained.book(outcome);
        self.connection.prepare("delete from quarantine where id = ?1")?.execute([row.id])?;
        self.connection
            .prepare(
                "update files set quarantined = quarantined - 1, kept = kept + ?2, unchanged = unchanged + ?3,
                        replaced = replaced + ?4 where id = ?1",
            )?
            .execute(params![
                row.file_id,
                gained.kept.cast_signed(),
                gained.unchanged.cast_signed(),
                gained.replaced.cast_signed()
            ])?;
        Ok(())
    }

    /// A quarantined row still cannot be kept, perhaps for another reason now.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn keep_quarantined(&mut self, id: i64, column: Option<&str>, reason: &str, detail: &str) -> Result<()> {
        self.connection
            .prepare("update quarantine set col = ?2, reason = ?3, detail = ?4 where id = ?1")?
            .execute(params![id, column, reason, detail])?;
        Ok(())
    }
}
