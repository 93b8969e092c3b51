//! The lake's manifest: which Parquet segments count, and since when.

use model::{ENVELOPE, Table};
use rusqlite::params;

use crate::db::pool::Lent;
use crate::db::{Db, Row};
use crate::{Ingest, Result, Store};

/// A partition whose rows an ingest changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedPartition {
    /// Its table.
    pub table: Table,
    /// Its source; `all` for buyers and suppliers.
    pub source: String,
    /// `AAAA-MM`, `undated` or `all`.
    pub partition: String,
    /// Rows that older segments hold changed, so that the partition is written anew.
    pub rewrite: bool,
}

/// A segment that was written and waits to be made visible.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are the manifest's own")]
pub struct NewSegment {
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    pub min_on: Option<String>,
    pub max_on: Option<String>,
    pub sha256: String,
}

/// A segment of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the manifest's own")]
pub struct Segment {
    pub table: String,
    pub source: String,
    pub partition: String,
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    pub sha256: String,
    pub from_ingest: i64,
    pub to_ingest: Option<i64>,
}

const SEGMENT_COLUMNS: &str = "tbl, source, partition, path, rows, bytes, sha256, from_ingest, to_ingest";

fn segment_from(row: &crate::Row<'_>) -> rusqlite::Result<Segment> {
    Ok(Segment {
        table: row.get(0)?,
        source: row.get(1)?,
        partition: row.get(2)?,
        path: row.get(3)?,
        rows: row.get::<_, i64>(4)?.cast_unsigned(),
        bytes: row.get::<_, i64>(5)?.cast_unsigned(),
        sha256: row.get(6)?,
        from_ingest: row.get(7)?,
        to_ingest: row.get(8)?,
    })
}

impl Ingest {
    /// Live segments of a partition, as this ingest sees them.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn live_segments(&self, touched: &TouchedPartition) -> Result<u64> {
        let count: i64 = self
            .connection
            .prepare(
                "select count(*) from segments where tbl = ?1 and source = ?2 and partition = ?3 and valid_to is null",
            )?
            .query_row(params![touched.table.name, touched.source, touched.partition], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }

    /// Reads partitions through the ingest's own connection: what it has put is seen before it is committed.
    #[must_use]
    pub fn scanner(&self) -> Scanner<'_> {
        Scanner { connection: Reader::Own(&self.connection), since: self.id() }
    }

    /// Closes the interval of a partition's live segments.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn close_segments(&self, touched: &TouchedPartition, at: &str) -> Result<()> {
        self.connection
            .prepare("update segments set valid_to = ?4, to_ingest = ?5 where tbl = ?1 and source = ?2 and partition = ?3 and valid_to is null")?
            .execute(params![touched.table.name, touched.source, touched.partition, at, self.id()])?;
        Ok(())
    }

    /// Gives up a segment whose file is missing or altered. Where it counted, its partition is written anew from the rows.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn lose_segment(&mut self, segment: &Segment, at: &str) -> Result<()> {
        self.connection.execute(
            "update segments set lost = true, valid_to = coalesce(valid_to, ?2), to_ingest = coalesce(to_ingest, ?3) where path = ?1",
            params![segment.path, at, self.id()],
        )?;
        if segment.to_ingest.is_none() {
            let table = model::TABLES.iter().find(|table| table.name == segment.table);
            if let Some(table) = table {
                self.touch(table, &segment.source, &segment.partition, true);
            }
        }
        Ok(())
    }

    /// Adds a segment to the manifest; it counts once the ingest is committed.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn add_segment(&self, touched: &TouchedPartition, segment: &NewSegment, at: &str) -> Result<()> {
        self.connection
            .prepare(
                "insert into segments (tbl, source, partition, path, rows, bytes, min_on, max_on, sha256, from_ingest, valid_from)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                touched.table.name, touched.source, touched.partition, segment.path, segment.rows.cast_signed(),
                segment.bytes.cast_signed(), segment.min_on, segment.max_on, segment.sha256, self.id(), at
            ])?;
        Ok(())
    }
}

enum Reader<'a> {
    Own(&'a Db),
    Other(Lent),
}

/// Reads the rows of partitions for the lake.
pub struct Scanner<'a> {
    connection: Reader<'a>,
    since: i64,
}

impl Scanner<'_> {
    /// Visits the rows of a partition in the order they were written: all of them for a rewrite, else the new ones.
    /// Values come in the order of the envelope and the table's columns.
    ///
    /// # Errors
    /// The database cannot be read, or whatever `visit` gives.
    pub fn scan<E: From<crate::Error>>(
        &self,
        touched: &TouchedPartition,
        mut visit: impl FnMut(&Row<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let names: Vec<&str> = ENVELOPE.iter().chain(touched.table.columns).map(|c| c.name).collect();
        let by_source = touched.source != "all";
        let sql = format!(
            "select {} from {} where partition = ?1 and ingest_id >= ?2 {} order by rid",
            names.join(","),
            touched.table.name,
            if by_source { "and source = ?3" } else { "and cast(?3 as text) is not null" }
        );
        let since = if touched.rewrite { 0 } else { self.since };
        let connection: &Db = match &self.connection {
            Reader::Own(connection) => connection,
            Reader::Other(connection) => connection,
        };
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query(params![touched.partition, since, touched.source])?;
        while let Some(row) = rows.next()? {
            visit(&row)?;
        }
        Ok(())
    }
}

impl Store {
    /// Reads partitions through a connection of its own: only what is committed is seen. `since` is the ingest whose rows
    /// are new.
    ///
    /// # Errors
    /// The database cannot be opened.
    pub fn scanner(&self, since: i64) -> Result<Scanner<'static>> {
        Ok(Scanner { connection: Reader::Other(self.reader()?), since })
    }

    /// The segments that count now, in a fixed order.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn segments_live(&self) -> Result<Vec<Segment>> {
        self.segments_where("valid_to is null", [])
    }

    /// The segments that `ingests` since `since` closed: they hold the old form of what changed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn segments_closed_since(&self, since: i64) -> Result<Vec<Segment>> {
        self.segments_where("to_ingest >= ?1 and from_ingest < ?1 and not lost", [since])
    }

    /// Every segment that the manifest names, live or closed, but for those that are known to be lost.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn segments_all(&self) -> Result<Vec<Segment>> {
        self.segments_where("not lost", [])
    }

    pub(crate) fn segments_where(&self, condition: &str, params: impl crate::db::Params) -> Result<Vec<Segment>> {
        self.read(|db| {
            let sql =
                format!("select {SEGMENT_COLUMNS} from segments where {condition} order by tbl, source, partition, id");
            let mut statement = db.prepare(&sql)?;
            let rows = statement.query_map(params, segment_from)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }
}
