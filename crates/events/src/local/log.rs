//! The log in the store. A transaction begins by taking the one place for who appends, so what a decision reads cannot change
//! under it, and positions in the log come in the order of commits.

use rusqlite::params;
use serde_json::Value;
use store::chain::{self, EventRow, NewEventRow};
use store::{Db, OptionalExtension};

use super::{Embedded, now_ms};
use crate::{
    Answered, CommandKey, Error, Event, EventStore, Expected, NewEvent, NewTask, ReadModels, Result, Snapshot,
    TRACEPARENT, Unit,
};

/// How long the answer to a command with a key is kept.
const ANSWERS_KEPT_MS: i64 = 24 * 60 * 60 * 1_000;

impl EventStore for Embedded<'_> {
    fn transact(&self, work: &mut dyn FnMut(&mut dyn Unit) -> Result<()>) -> Result<()> {
        let rings = self.store.write(|db| {
            let mut unit = LocalUnit { db, models: self.models, rings: false };
            work(&mut unit)?;
            Ok::<_, Error>(unit.rings)
        })?;
        if rings {
            self.bell.ring();
        }
        Ok(())
    }

    fn stream(&self, stream: &str, version: i64, limit: usize) -> Result<Vec<Event>> {
        let sql = "select * from events where stream = ?1 and version > ?2 order by version limit ?3";
        let rows = self.store.read(|db| {
            let mut statement = db.prepare(sql)?;
            let rows = statement.query_map(params![stream, version, limit.cast_signed()], chain::event_from)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        rows.iter().map(Event::of).collect()
    }

    fn rows(&self, seq: i64, limit: usize) -> Result<Vec<EventRow>> {
        Ok(self.store.read(|db| rows_behind(db, seq, limit))?)
    }

    fn noted_head(&self) -> Result<Option<(i64, String)>> {
        Ok(self.store.read(chain::noted_head)?)
    }

    fn lag(&self, cursor: &str) -> Result<i64> {
        let sql = "select coalesce((select max(seq) from events), 0)
                        - coalesce((select seq from outbox_cursors where name = ?1), 0)";
        Ok(self.store.read(|db| db.prepare(sql)?.query_row([cursor], |row| row.get(0)))?)
    }

    fn rebuild(&self) -> Result<u64> {
        self.store.write(|db| {
            for table in self.models.tables() {
                db.empty(table)?;
            }
            db.empty("snapshots")?;
            let (mut seq, mut count) = (0, 0);
            loop {
                let rows = rows_behind(db, seq, 1_000)?;
                let Some(last) = rows.last() else { return Ok(count) };
                seq = last.seq;
                count += rows.len() as u64;
                for row in &rows {
                    self.models.apply(db, &Event::of(row)?)?;
                }
            }
        })
    }
}

fn rows_behind(db: &Db, seq: i64, limit: usize) -> store::Result<Vec<EventRow>> {
    let mut statement = db.prepare("select * from events where seq > ?1 order by seq limit ?2")?;
    let rows = statement.query_map(params![seq, limit.cast_signed()], chain::event_from)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What there is to say about how an event came, with the trace that it came in.
fn placed(metadata: &Value) -> Value {
    let mut metadata = metadata.clone();
    if let (Some(current), Some(said)) = (trace::current(), metadata.as_object_mut()) {
        said.insert(TRACEPARENT.to_owned(), current.place().traceparent().into());
    }
    metadata
}

/// One transaction.
struct LocalUnit<'a> {
    db: &'a Db,
    models: &'a dyn ReadModels,
    /// Something was written that others wait for.
    rings: bool,
}

impl Unit for LocalUnit<'_> {
    fn version(&mut self, stream: &str) -> Result<i64> {
        let sql = "select coalesce(max(version), 0) from events where stream = ?1";
        Ok(self.db.prepare(sql)?.query_row([stream], |row| row.get(0))?)
    }

    fn stream_after(&mut self, stream: &str, version: i64) -> Result<Vec<Event>> {
        let sql = "select * from events where stream = ?1 and version > ?2 order by version";
        let mut statement = self.db.prepare(sql)?;
        let rows = statement.query_map(params![stream, version], chain::event_from)?;
        rows.map(|row| Event::of(&row?)).collect()
    }

    fn snapshot(&mut self, stream: &str, format: u32) -> Result<Option<Snapshot>> {
        let sql = "select version, state from snapshots where stream = ?1 and format = ?2";
        let from = |row: &store::Row<'_>| Ok(Snapshot { version: row.get(0)?, state: row.get(1)? });
        Ok(self.db.prepare(sql)?.query_row(params![stream, i64::from(format)], from).optional()?)
    }

    fn keep_snapshot(&mut self, stream: &str, format: u32, snapshot: &Snapshot) -> Result<()> {
        let sql = "insert into snapshots (stream, version, format, state) values (?1, ?2, ?3, ?4)
            on conflict (stream) do update set version = excluded.version, format = excluded.format, state = excluded.state";
        self.db.prepare(sql)?.execute(params![stream, snapshot.version, i64::from(format), snapshot.state])?;
        Ok(())
    }

    fn append(&mut self, stream: &str, expected: Expected, events: &[NewEvent]) -> Result<Vec<Event>> {
        let found = self.version(stream)?;
        if let Expected::Version(expected) = expected
            && expected != found
        {
            return Err(Error::Conflict { stream: stream.to_owned(), expected, found });
        }
        let recorded_at = model::dates::now_text();
        let mut appended = Vec::with_capacity(events.len());
        for (version, event) in (found + 1..).zip(events) {
            let row = NewEventRow {
                stream,
                version,
                kind: event.kind,
                payload: &event.payload.to_string(),
                metadata: &placed(&event.metadata).to_string(),
                recorded_at: &recorded_at,
            };
            let event = Event::of(&chain::append(self.db, &row)?)?;
            self.models.apply(self.db, &event)?;
            appended.push(event);
        }
        self.rings |= !events.is_empty();
        Ok(appended)
    }

    fn enqueue(&mut self, task: &NewTask) -> Result<bool> {
        self.rings = true;
        super::queue::enqueue(self.db, task)
    }

    fn withdraw(&mut self, topic: &str, prefix: &str) -> Result<usize> {
        self.rings = true;
        super::queue::withdraw(self.db, topic, prefix)
    }

    fn answer_to(&mut self, command: &CommandKey) -> Result<Option<Answered>> {
        let sql = "select body_hash, answer from command_answers where command = ?1 and key = ?2 and answered_ms > ?3";
        let found: Option<(String, String)> = self
            .db
            .prepare(sql)?
            .query_row(params![command.command, command.key, now_ms() - ANSWERS_KEPT_MS], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        match found {
            Some((body_hash, _)) if body_hash != command.body_hash => Err(Error::KeyReused),
            found => Ok(found.map(|(_, answer)| Answered(answer))),
        }
    }

    fn note_answer(&mut self, command: &CommandKey, answer: &str) -> Result<()> {
        let now = now_ms();
        self.db.prepare("delete from command_answers where answered_ms <= ?1")?.execute([now - ANSWERS_KEPT_MS])?;
        self.db
            .prepare(
                "insert into command_answers (command, key, body_hash, answer, answered_ms) values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![command.command, command.key, command.body_hash, answer, now])?;
        Ok(())
    }

    fn cursor(&mut self, name: &str) -> Result<i64> {
        let sql = "select seq from outbox_cursors where name = ?1";
        Ok(self.db.prepare(sql)?.query_row([name], |row| row.get(0)).optional()?.unwrap_or(0))
    }

    fn set_cursor(&mut self, name: &str, seq: i64) -> Result<()> {
        self.db
            .prepare("insert into outbox_cursors (name, seq) values (?1, ?2) on conflict (name) do update set seq = excluded.seq")?
            .execute(params![name, seq])?;
        Ok(())
    }

    fn log(&mut self, seq: i64, limit: usize) -> Result<Vec<Event>> {
        rows_behind(self.db, seq, limit)?.iter().map(Event::of).collect()
    }

    fn db(&self) -> &Db {
        self.db
    }
}
