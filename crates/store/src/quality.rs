//! What the board of sources tells beside rows and periods: months, repeats, unread files, values that no mapping knows.
//!
//! Nothing here looks at rows: months come from the manifest, files from their accounts, and values from notes that are
//! written after an ingest for the sources and tables it touched.

use crate::db::{Lock, OptionalExtension};
use rusqlite::params;

use crate::{Result, Store};

/// Rows of one source and table in one partition of the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct SourceMonth {
    pub source: String,
    pub table: String,
    /// `AAAA-MM`, `undated`, `all` or another table's own parts.
    pub partition: String,
    pub rows: i64,
}

/// The accounts of a source's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct SourceFiles {
    pub source: String,
    /// Rows that changed nothing: repeats, and rows older than what was held.
    pub unchanged: i64,
    /// Files that were not read to their end.
    pub incomplete: i64,
    /// Rows that could not be kept.
    pub quarantined: i64,
}

/// A value of a source's table, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct QualityNote {
    pub source: String,
    pub table: String,
    pub field: String,
    pub value: String,
    pub n: i64,
}

/// What the notes speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Sources and tables whose segments changed since the notes were written, as (source, table).
    pub stale: Vec<(String, String)>,
    /// The newest ingest.
    pub newest: i64,
}

impl Store {
    /// Rows per source, table and partition, from the manifest.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn source_months(&self) -> Result<Vec<SourceMonth>> {
        self.read(|db| {
            let mut statement = db.prepare(
                "select source, tbl, partition, sum(rows) from segments
                 where valid_to is null and tbl not in ('buyers', 'suppliers') group by 1, 2, 3 order by 1, 2, 3",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(SourceMonth { source: row.get(0)?, table: row.get(1)?, partition: row.get(2)?, rows: row.get(3)? })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// The accounts of each source's files, summed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn source_accounts(&self) -> Result<Vec<SourceFiles>> {
        self.read(|db| {
            let mut statement = db.prepare(
                "select source, sum(unchanged), count(*) filter (where not complete), sum(quarantined)
                 from files group by 1 order by 1",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(SourceFiles {
                    source: row.get(0)?,
                    unchanged: row.get(1)?,
                    incomplete: row.get(2)?,
                    quarantined: row.get(3)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Names of a source's files that were not read to their end, newest first; at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn incomplete_files(&self, source: &str, limit: usize) -> Result<Vec<String>> {
        self.read(|db| {
            let mut statement =
                db.prepare("select name from files where source = ?1 and not complete order by id desc limit ?2")?;
            let rows = statement.query_map(params![source, limit.cast_signed()], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// The notes, most frequent value first; `None` when none were written yet.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn quality_notes(&self) -> Result<Option<Vec<QualityNote>>> {
        self.read(|db| {
            if noted_ingest(db)? == 0 {
                return Ok(None);
            }
            let mut statement = db.prepare(
                "select source, tbl, field, value, n from quality_notes order by source, tbl, field, n desc, value",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(QualityNote {
                    source: row.get(0)?,
                    table: row.get(1)?,
                    field: row.get(2)?,
                    value: row.get(3)?,
                    n: row.get(4)?,
                })
            })?;
            Ok(Some(rows.collect::<rusqlite::Result<Vec<_>>>()?))
        })
    }

    /// What the notes do not speak of yet.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn noted(&self) -> Result<Noted> {
        self.read(|db| {
            let since = noted_ingest(db)?;
            let newest = db.query_row("select coalesce(max(id), 0) from ingests", [], |row| row.get(0))?;
            let mut statement = db.prepare(
                "select distinct source, tbl from segments
                 where (from_ingest > ?1 or to_ingest > ?1) and tbl not in ('buyers', 'suppliers') order by 1, 2",
            )?;
            let stale = statement.query_map([since], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(Noted { stale: stale.collect::<rusqlite::Result<Vec<_>>>()?, newest })
        })
    }

    /// Replaces the notes of the sources and tables that were stale, in one transaction.
    ///
    /// # Errors
    /// The database cannot be written; the old notes stand then.
    pub fn write_quality_notes(&self, noted: &Noted, notes: &[QualityNote]) -> Result<()> {
        let connection = self.loader()?;
        let transaction = connection.begin(Lock::Facts)?;
        for (source, table) in &noted.stale {
            transaction
                .prepare("delete from quality_notes where source = ?1 and tbl = ?2")?
                .execute(params![source, table])?;
        }
        for note in notes {
            transaction
                .prepare("insert into quality_notes (source, tbl, field, value, n) values (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![note.source, note.table, note.field, note.value, note.n])?;
        }
        transaction.execute(crate::SET_META, params!["noted_ingest", noted.newest.to_string()])?;
        transaction.commit()?;
        Ok(())
    }
}

/// The ingest up to which notes were written; 0 for none.
fn noted_ingest(db: &crate::Db) -> Result<i64> {
    let text: Option<String> =
        db.query_row("select value from meta where key = 'noted_ingest'", [], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
}
