//! The chain of the event log: each event holds the hash of the one before it.
//!
//! An event's hash is SHA-256, in lower-case hex, over its **canonical form**: the line `cidadao event 1`, then for each of
//! `previous`, `stream`, `version`, `type`, `payload`, `metadata` and `recorded_at`, in this order, the length in bytes in
//! decimal, a colon, the bytes as they are stored, and a line feed. `previous` is the hash of the event before, 64 zeros for
//! the first. The position in the log is no part of it: the chain says it, so that a row which stands in another's place is
//! told from one whose content was changed.

use std::fmt::Write as _;

use crate::db::{Db, OptionalExtension};
use rusqlite::params;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::Result;

/// What the first event follows.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The key in `meta` that names the last event, so that a log whose end is missing is seen to be short.
const HEAD: &str = "events_head";

/// An event as the table holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct EventRow {
    pub seq: i64,
    pub stream: String,
    pub version: i64,
    pub kind: String,
    pub payload: String,
    pub metadata: String,
    pub recorded_at: String,
    pub previous: String,
    pub hash: String,
}

/// What is to be appended.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct NewEventRow<'a> {
    pub stream: &'a str,
    pub version: i64,
    pub kind: &'a str,
    pub payload: &'a str,
    pub metadata: &'a str,
    pub recorded_at: &'a str,
}

impl EventRow {
    /// The hash that its content has.
    #[must_use]
    pub fn reckoned(&self) -> String {
        let new = NewEventRow {
            stream: &self.stream,
            version: self.version,
            kind: &self.kind,
            payload: &self.payload,
            metadata: &self.metadata,
            recorded_at: &self.recorded_at,
        };
        hash_of(&new, &self.previous)
    }
}

fn hash_of(event: &NewEventRow<'_>, previous: &str) -> String {
    let version = event.version.to_string();
    let mut hash = Sha256::new_with_prefix(b"cidadao event 1\n");
    for field in [previous, event.stream, &version, event.kind, event.payload, event.metadata, event.recorded_at] {
        hash.update(format!("{}:", field.len()));
        hash.update(field);
        hash.update(b"\n");
    }
    hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
        hex
    })
}

/// Position and hash of the last event; `(0, GENESIS)` when there is none.
///
/// # Errors
/// The database cannot be read.
pub fn last(db: &Db) -> Result<(i64, String)> {
    let found = db
        .prepare("select seq, hash from events order by seq desc limit 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.unwrap_or_else(|| (0, GENESIS.to_owned())))
}

/// Appends an event behind the last one, within the caller's transaction.
///
/// # Errors
/// The database cannot be written; the stream has this version already.
pub fn append(db: &Db, event: &NewEventRow<'_>) -> Result<EventRow> {
    let (seq, previous) = last(db)?;
    let row = EventRow {
        seq: seq + 1,
        stream: event.stream.to_owned(),
        version: event.version,
        kind: event.kind.to_owned(),
        payload: event.payload.to_owned(),
        metadata: event.metadata.to_owned(),
        recorded_at: event.recorded_at.to_owned(),
        hash: hash_of(event, &previous),
        previous,
    };
    db.prepare(
        "insert into events (seq, stream, version, type, payload, metadata, recorded_at, previous, hash)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        row.seq,
        row.stream,
        row.version,
        row.kind,
        row.payload,
        row.metadata,
        row.recorded_at,
        row.previous,
        row.hash
    ])?;
    db.prepare(crate::SET_META)?.execute(params![HEAD, format!("{} {}", row.seq, row.hash)])?;
    Ok(row)
}

/// Position and hash of the last event as they were noted when it was appended.
///
/// # Errors
/// The database cannot be read.
pub fn noted_head(db: &Db) -> Result<Option<(i64, String)>> {
    let text: Option<String> =
        db.query_row("select value from meta where key = ?1", [HEAD], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| {
        let (seq, hash) = text.split_once(' ')?;
        Some((seq.parse().ok()?, hash.to_owned()))
    }))
}

/// An event out of a row with all columns.
///
/// # Errors
/// A column is missing.
pub fn event_from(row: &crate::Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        seq: row.get("seq")?,
        stream: row.get("stream")?,
        version: row.get("version")?,
        kind: row.get("type")?,
        payload: row.get("payload")?,
        metadata: row.get("metadata")?,
        recorded_at: row.get("recorded_at")?,
        previous: row.get("previous")?,
        hash: row.get("hash")?,
    })
}

/// Puts the verdicts of before the log into it, in the order in which they were given.
pub(crate) fn take_over_verdicts(db: &Db) -> Result<()> {
    let now = model::dates::now_text();
    let mut statement = db.prepare("select * from verdicts order by id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let finding_id: String = row.get("finding_id")?;
        let verdict = crate::verdicts::verdict_from(&row, "")?;
        let payload = serde_json::to_string(&crate::verdicts::payload(&finding_id, &verdict))?;
        let stream = crate::verdicts::stream_of(&finding_id);
        append(
            db,
            &NewEventRow {
                stream: &stream,
                version: verdict.version,
                kind: crate::verdicts::VERDICT_GIVEN,
                payload: &payload,
                metadata: &json!({"migrated_from": 3}).to_string(),
                recorded_at: &now,
            },
        )?;
    }
    Ok(())
}
