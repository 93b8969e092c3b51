//! Watching what changes, whoever changes it: this process or another over the same folder.
//!
//! One look costs some microseconds while nothing was written: SQLite counts commits. Only after one are the marks read.

use std::time::Duration;

use rusqlite::Connection;

use crate::{Result, Store};

/// Events of before the first look that are told: what was kept on the disk may be older.
const EVENTS_BEFORE: i64 = 10_000;

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Another when the data, or what was judged of them, changed.
    pub epoch: u64,
    /// The last event.
    pub seq: u64,
    /// Events since the look before: number, stream, and the flag that it is about.
    pub events: Vec<(u64, String, Option<String>)>,
}

/// One who watches.
pub struct Watch {
    db: Connection,
    commits: Option<i64>,
    seq: i64,
}

impl Store {
    /// One who watches; the first look tells how it stands.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn watch(&self) -> Result<Watch> {
        let db = self.reader()?;
        // Who looks stands before an answer: it never waits.
        db.busy_timeout(Duration::ZERO)?;
        let seq: i64 = db.query_row("select coalesce(max(seq), 0) from events", [], |row| row.get(0))?;
        Ok(Watch { db, commits: None, seq: (seq - EVENTS_BEFORE).max(0) })
    }
}

impl Watch {
    /// The event behind which everything is told.
    #[must_use]
    pub fn since(&self) -> u64 {
        self.seq.cast_unsigned()
    }

    /// What changed since the look before; nothing when nothing was written.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn look(&mut self) -> Result<Option<Change>> {
        let commits: i64 = self.db.prepare_cached("pragma data_version")?.query_row([], |row| row.get(0))?;
        if self.commits == Some(commits) {
            return Ok(None);
        }
        let transaction = self.db.unchecked_transaction()?;
        let mut statement = transaction.prepare_cached(include_str!("../sql/epoch.sql"))?;
        let columns = statement.column_count();
        let marks = statement.query_row([], |row| {
            (0..columns).map(|n| row.get::<_, rusqlite::types::Value>(n)).collect::<rusqlite::Result<Vec<_>>>()
        })?;
        drop(statement);
        let sql = "select seq, stream, json_extract(payload, '$.flag') from events where seq > ?1 order by seq";
        let mut statement = transaction.prepare_cached(sql)?;
        let events = statement.query_map([self.seq], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))?;
        let events = events.map(|event| event.map(|(seq, stream, flag)| (seq.cast_unsigned(), stream, flag)));
        let events: Vec<(u64, String, Option<String>)> = events.collect::<rusqlite::Result<_>>()?;
        drop(statement);
        transaction.commit()?;
        self.commits = Some(commits);
        if let Some((seq, ..)) = events.last() {
            self.seq = seq.cast_signed();
        }
        let epoch = xxhash_rust::xxh3::xxh3_64(format!("{marks:?}").as_bytes());
        Ok(Some(Change { epoch, seq: self.seq.cast_unsigned(), events }))
    }
}
