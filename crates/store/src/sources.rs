//! The board of sources: what is held from where, of when, and what could not be kept.

use rusqlite::params;

use crate::{Result, Store};

/// One source and table.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct SourceRow {
    pub source: String,
    pub table: String,
    pub rows: i64,
    pub from: Option<String>,
    pub to: Option<String>,
}

/// A file that was read.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct FileRow {
    pub source: String,
    pub files: i64,
    pub last_ingest_at: String,
}

/// Quarantined rows by reason.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct QuarantineCount {
    pub source: String,
    pub reason: String,
    pub rows: i64,
}

/// Segments of a table.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct SegmentCount {
    pub table: String,
    pub live: i64,
    pub bytes: i64,
    pub closed: i64,
    pub lost: i64,
}

impl Store {
    /// Rows and period of every source and table, from the manifest (what the lake holds is what counts).
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn source_rows(&self) -> Result<Vec<SourceRow>> {
        self.read(|db| {
            let mut statement = db.prepare(
                "select source, tbl, sum(rows), min(min_on), max(max_on) from segments
                 where valid_to is null and tbl not in ('buyers', 'suppliers') group by source, tbl order by source, tbl",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(SourceRow {
                    source: row.get(0)?,
                    table: row.get(1)?,
                    rows: row.get(2)?,
                    from: row.get(3)?,
                    to: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Segments of every table: those that count with their number and bytes, and how many are of the past.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn segment_counts(&self) -> Result<Vec<SegmentCount>> {
        self.read(|db| {
            let mut statement = db.prepare(
                "select tbl, count(*) filter (where valid_to is null),
                        cast(coalesce(sum(bytes) filter (where valid_to is null), 0) as bigint),
                        count(*) filter (where valid_to is not null), count(*) filter (where lost)
                 from segments group by tbl order by tbl",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(SegmentCount {
                    table: row.get(0)?,
                    live: row.get(1)?,
                    bytes: row.get(2)?,
                    closed: row.get(3)?,
                    lost: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Rows of every table, of all sources, from the manifest.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn rows_by_table(&self) -> Result<Vec<(String, i64)>> {
        self.read(|db| {
            let mut statement = db.prepare(
                "select tbl, cast(sum(rows) as bigint) from segments where valid_to is null group by tbl order by tbl",
            )?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Files read per source, and when last.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn source_files(&self) -> Result<Vec<FileRow>> {
        self.read(|db| {
            let mut statement =
                db.prepare("select source, count(*), max(fetched_at) from files group by source order by source")?;
            let rows = statement.query_map([], |row| {
                Ok(FileRow { source: row.get(0)?, files: row.get(1)?, last_ingest_at: row.get(2)? })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Quarantined rows by source and reason.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn quarantine_counts(&self) -> Result<Vec<QuarantineCount>> {
        self.read(|db| {
            let mut statement = db.prepare(
                "select f.source, q.reason, count(*) from quarantine q join files f on f.id = q.file_id group by 1, 2 order by 1, 2",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(QuarantineCount { source: row.get(0)?, reason: row.get(1)?, rows: row.get(2)? })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Name and SHA-256 of a file by its number.
    ///
    /// # Errors
    /// The database cannot be read; there is no such file.
    pub fn file(&self, id: i64) -> Result<(String, String)> {
        self.read(|db| {
            db.prepare("select name, sha256 from files where id = ?1")?
                .query_row(params![id], |row| Ok((row.get(0)?, row.get(1)?)))
        })
    }

    /// Number of ingests, and the first that was not judged yet, if any.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn ingests(&self) -> Result<(i64, Option<i64>)> {
        self.read(|db| {
            db.query_row(
                "select count(*), min(id) filter (where judged_at is null) from ingests where finished_at is not null",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
        })
    }

    /// Rows of each canonical table.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn table_counts(&self) -> Result<Vec<(String, i64)>> {
        self.read(|db| {
            model::TABLES
                .iter()
                .map(|table| {
                    let sql = format!("select count(*) from {}", table.name);
                    Ok((table.name.to_owned(), db.query_row(&sql, [], |row| row.get(0))?))
                })
                .collect()
        })
    }
}
