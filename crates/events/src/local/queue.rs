//! The queue in the store.

use std::time::Duration;

use rusqlite::params;
use store::{Db, OptionalExtension, Row};

use super::{Embedded, millis, now_ms};
use crate::{Dead, Error, Fate, NewTask, Queue, Result, TRACEPARENT, Task};

/// The most characters of an error that are kept.
const ERROR_CHARS_MAX: usize = 2_000;

/// A task of topic `?1` whose taker let its lease run out by `?2`.
const ABANDONED: &str =
    "select id from tasks where topic = ?1 and state = 'taken' and lease_ms <= ?2 order by lease_ms limit 1";
/// The task of topic `?1` that is due longest at `?2`.
const DUE: &str =
    "select id from tasks where topic = ?1 and state = 'ready' and due_ms <= ?2 order by due_ms, id limit 1";
/// Lets the first task of lane `?2` in topic `?1` go, once the one before it ended.
const PROMOTE: &str = "update tasks set state = 'ready' where state = 'blocked'
    and id = (select min(id) from tasks where topic = ?1 and lane = ?2 and state <> 'dead')";

/// Who puts into a lane or takes out of it does so alone; see [`Db::lock_name`].
fn lock_lane(db: &Db, topic: &str, lane: &str) -> Result<()> {
    Ok(db.lock_name(&format!("{topic} {lane}"))?)
}

/// Shuts the lane of a task to others before the task is touched, so that no two wait for each other.
fn lock_lane_of(db: &Db, topic: &str, id: i64) -> Result<()> {
    if !db.is_postgres() {
        return Ok(());
    }
    let lane = db.prepare("select lane from tasks where id = ?1")?.query_row([id], |row| row.get(0)).optional()?;
    lane.flatten().map_or(Ok(()), |lane: String| lock_lane(db, topic, &lane))
}

pub(super) fn enqueue(db: &Db, task: &NewTask) -> Result<bool> {
    if let Some(lane) = &task.lane {
        lock_lane(db, &task.topic, lane)?;
    }
    let mut body = task.body.clone();
    if let (Some(current), Some(body)) = (trace::current(), body.as_object_mut()) {
        body.entry(TRACEPARENT).or_insert_with(|| current.place().traceparent().into());
    }
    let added = db
        .prepare(
            "insert into tasks (topic, key, lane, body, state, attempts, due_ms, enqueued_at)
             values (?1, ?2, ?3, ?4, case when exists (
                 select 1 from tasks where topic = ?1 and lane = ?3 and state <> 'dead') then 'blocked' else 'ready' end,
                 0, ?5, ?6) on conflict do nothing",
        )?
        .execute(params![task.topic, task.key, task.lane, body.to_string(), now_ms(), model::dates::now_text()])?;
    Ok(added > 0)
}

pub(super) fn withdraw(db: &Db, topic: &str, prefix: &str) -> Result<usize> {
    let beyond = format!("{prefix}\u{10ffff}");
    if db.is_postgres() {
        let sql = "select distinct lane from tasks where topic = ?1 and key >= ?2 and key < ?3 and lane is not null order by lane";
        let mut statement = db.prepare(sql)?;
        for lane in statement.query_map([topic, prefix, &beyond], |row| row.get::<_, String>(0))? {
            lock_lane(db, topic, &lane?)?;
        }
    }
    let sql = "delete from tasks where topic = ?1 and key >= ?2 and key < ?3 returning lane";
    let mut statement = db.prepare(sql)?;
    let lanes = statement.query_map([topic, prefix, &beyond], |row| row.get(0))?;
    let lanes = lanes.collect::<rusqlite::Result<Vec<Option<String>>>>()?;
    for lane in lanes.iter().flatten() {
        db.prepare(PROMOTE)?.execute([topic, lane])?;
    }
    Ok(lanes.len())
}

fn task_from(row: &Row<'_>) -> rusqlite::Result<(Task, String)> {
    let task = Task {
        id: row.get("id")?,
        topic: row.get("topic")?,
        key: row.get("key")?,
        body: serde_json::Value::Null,
        attempt: row.get("attempts")?,
    };
    Ok((task, row.get("body")?))
}

fn dead_from(row: &Row<'_>) -> rusqlite::Result<(Dead, String)> {
    let dead = Dead {
        id: row.get("id")?,
        topic: row.get("topic")?,
        key: row.get("key")?,
        body: serde_json::Value::Null,
        attempts: row.get("attempts")?,
        error: row.get::<_, Option<String>>("error")?.unwrap_or_default(),
        enqueued_at: row.get("enqueued_at")?,
        died_at: row.get::<_, Option<String>>("died_at")?.unwrap_or_default(),
    };
    Ok((dead, row.get("body")?))
}

impl Embedded<'_> {
    /// Changes the task if it is still this worker's.
    fn change(&self, task: &Task, worker: &str, what: &str, values: &[&dyn rusqlite::ToSql]) -> Result<bool> {
        let sql = format!("{what} where id = ?1 and state = 'taken' and worker = ?2 and attempts = ?3");
        let mut all: Vec<&dyn rusqlite::ToSql> = vec![&task.id, &worker, &task.attempt];
        all.extend(values);
        self.store.change_at_once(|db| Ok(db.prepare(&sql)?.execute(all.as_slice())? > 0))
    }

    /// Looks and takes in one statement, past those that others are about to take.
    fn take_from_server(&self, topics: &[&str], worker: &str, lease: Duration) -> Result<Option<Task>> {
        let now = now_ms();
        let lease_ms = now + millis(lease);
        self.store.change_at_once(|db| {
            for (topic, which) in topics.iter().flat_map(|topic| [(topic, ABANDONED), (topic, DUE)]) {
                let sql = format!(
                    "update tasks set state = 'taken', attempts = attempts + 1, worker = ?3, lease_ms = ?4
                     where id = ({which} for update skip locked) returning *"
                );
                let taken = db.prepare(&sql)?.query_row(params![topic, now, worker, lease_ms], task_from).optional()?;
                if let Some((task, body)) = taken {
                    return Ok(Some(Task { body: serde_json::from_str(&body)?, ..task }));
                }
            }
            Ok(None)
        })
    }

    /// Ends the task if it is still this worker's, and lets the next of its lane go.
    fn end(&self, task: &Task, worker: &str, what: &str, values: &[&dyn rusqlite::ToSql]) -> Result<bool> {
        let sql = format!("{what} where id = ?1 and state = 'taken' and worker = ?2 and attempts = ?3 returning lane");
        let mut all: Vec<&dyn rusqlite::ToSql> = vec![&task.id, &worker, &task.attempt];
        all.extend(values);
        // One that is in no lane lets nobody go.
        if self.store.is_server() {
            let alone = sql.replace(" returning lane", " and lane is null");
            if self.store.change_at_once(|db| Ok::<_, Error>(db.execute(&alone, all.as_slice())? > 0))? {
                return Ok(true);
            }
        }
        self.end_and_promote(task, &sql, &all)
    }

    fn end_and_promote(&self, task: &Task, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<bool> {
        let lane: Option<Option<String>> = self.store.change(|db| {
            lock_lane_of(db, &task.topic, task.id)?;
            let lane: Option<Option<String>> = db.prepare(sql)?.query_row(values, |row| row.get(0)).optional()?;
            if let Some(Some(lane)) = &lane {
                db.prepare(PROMOTE)?.execute([&task.topic, lane])?;
            }
            Ok::<_, Error>(lane)
        })?;
        if lane.as_ref().is_some_and(Option::is_some) {
            self.bell.ring();
        }
        Ok(lane.is_some())
    }

    /// Ends a task that was handed on as this entry: it is done.
    pub(crate) fn end_sent(&self, task: &Task, entry: i64) -> Result<bool> {
        let sql = "delete from tasks where id = ?1 and state = 'sent' and entry = ?2 returning lane";
        self.end_and_promote(task, sql, &[&task.id, &entry])
    }

    /// Ends a task that was handed on as this entry: it failed for good.
    pub(crate) fn bury_sent(&self, task: &Task, entry: i64, error: &str) -> Result<bool> {
        let error: String = error.chars().take(ERROR_CHARS_MAX).collect();
        let sql = "update tasks set state = 'dead', entry = null, attempts = ?3, error = ?4, died_at = ?5
                   where id = ?1 and state = 'sent' and entry = ?2 returning lane";
        self.end_and_promote(task, sql, &[&task.id, &entry, &task.attempt, &error, &model::dates::now_text()])
    }
}

impl Queue for Embedded<'_> {
    fn take(&self, topics: &[&str], worker: &str, lease: Duration) -> Result<Option<Task>> {
        if self.store.is_server() {
            return self.take_from_server(topics, worker, lease);
        }
        let now = now_ms();
        // Most looks find nothing: those need not become writers.
        let due = |db: &Db, topic: &str| -> store::Result<Option<i64>> {
            let first = |sql: &str| db.prepare(sql)?.query_row(params![topic, now], |row| row.get(0)).optional();
            Ok(match first(ABANDONED)? {
                None => first(DUE)?,
                abandoned => abandoned,
            })
        };
        for topic in topics {
            if self.store.read(|db| due(db, topic))?.is_none() {
                continue;
            }
            let taken = self.store.write(|db| {
                let Some(id) = due(db, topic)? else { return Ok(None) };
                let sql = "update tasks set state = 'taken', attempts = attempts + 1, worker = ?2, lease_ms = ?3
                           where id = ?1 returning *";
                let taken = db.prepare(sql)?.query_row(params![id, worker, now_ms() + millis(lease)], task_from)?;
                Ok::<_, Error>(Some(taken))
            })?;
            if let Some((task, body)) = taken {
                return Ok(Some(Task { body: serde_json::from_str(&body)?, ..task }));
            }
        }
        Ok(None)
    }

    fn renew(&self, task: &Task, worker: &str, lease: Duration) -> Result<bool> {
        self.change(task, worker, "update tasks set lease_ms = ?4", &[&(now_ms() + millis(lease))])
    }

    fn is_held(&self, task: &Task, worker: &str) -> Result<bool> {
        let sql =
            "select exists (select 1 from tasks where id = ?1 and state = 'taken' and worker = ?2 and attempts = ?3)";
        let held = self
            .store
            .read(|db| db.prepare(sql)?.query_row(params![task.id, worker, task.attempt], |row| row.get(0)))?;
        Ok(held)
    }

    fn ack(&self, task: &Task, worker: &str) -> Result<bool> {
        self.end(task, worker, "delete from tasks", &[])
    }

    fn release(&self, task: &Task, worker: &str) -> Result<()> {
        let what =
            "update tasks set state = 'ready', attempts = attempts - 1, worker = null, lease_ms = null, due_ms = ?4";
        self.change(task, worker, what, &[&now_ms()])?;
        self.bell.ring();
        Ok(())
    }

    fn fail(&self, task: &Task, worker: &str, error: &str, fate: Fate) -> Result<bool> {
        let error: String = error.chars().take(ERROR_CHARS_MAX).collect();
        match fate {
            Fate::Again(wait) => {
                let what = "update tasks set state = 'ready', worker = null, lease_ms = null, error = ?4, due_ms = ?5";
                self.change(task, worker, what, &[&error, &(now_ms() + millis(wait))])
            }
            Fate::Dead => {
                let what = "update tasks set state = 'dead', worker = null, lease_ms = null, error = ?4, died_at = ?5";
                self.end(task, worker, what, &[&error, &model::dates::now_text()])
            }
        }
    }

    fn dead(&self, after: i64, limit: usize) -> Result<Vec<Dead>> {
        let rows = self.store.read(|db| {
            let sql = "select * from tasks where state = 'dead' and id > ?1 order by id limit ?2";
            let mut statement = db.prepare(sql)?;
            let rows = statement.query_map(params![after, limit.cast_signed()], dead_from)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        rows.into_iter().map(|(dead, body)| Ok(Dead { body: serde_json::from_str(&body)?, ..dead })).collect()
    }

    fn dead_letter(&self, id: i64) -> Result<Option<Dead>> {
        Ok(self.dead(id - 1, 1)?.into_iter().find(|dead| dead.id == id))
    }

    fn replay(&self, id: i64) -> Result<bool> {
        let done = self.store.change(|db| {
            let topic =
                db.prepare("select topic from tasks where id = ?1")?.query_row([id], |row| row.get(0)).optional()?;
            let Some(topic) = topic else { return Ok(false) };
            let topic: String = topic;
            lock_lane_of(db, &topic, id)?;
            // One of its lane may be under way: then it comes next.
            let sql =
                "update tasks set attempts = 0, due_ms = ?2, died_at = null, entry = null, state = case when exists (
                           select 1 from tasks o where o.topic = tasks.topic and o.lane = tasks.lane
                               and o.state in ('ready', 'sent', 'taken')) then 'blocked' else 'ready' end
                       where id = ?1 and state = 'dead'";
            Ok::<_, Error>(db.prepare(sql)?.execute([id, now_ms()])? > 0)
        })?;
        self.bell.ring();
        Ok(done)
    }

    fn drop_dead(&self, id: i64) -> Result<bool> {
        let sql = "delete from tasks where id = ?1 and state = 'dead'";
        self.store.write(|db| Ok(db.prepare(sql)?.execute([id])? > 0))
    }

    fn counts(&self) -> Result<Vec<(String, String, i64)>> {
        let counts = self.store.read(|db| {
            let mut statement = db.prepare("select topic, state, count(*) from tasks group by topic, state")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })?;
        Ok(counts)
    }

    fn mend_times(&self, wait_max: Duration, lease: Duration) -> Result<()> {
        let now = now_ms();
        let (due, until) = (now + millis(wait_max), now + millis(lease));
        self.store.write(|db| {
            db.prepare("update tasks set due_ms = ?1 where state = 'ready' and due_ms > ?1")?.execute([due])?;
            db.prepare("update tasks set lease_ms = ?1 where state = 'taken' and lease_ms > ?1")?.execute([until])?;
            Ok::<_, Error>(())
        })?;
        self.bell.ring();
        Ok(())
    }

    fn take_over(&self) -> Result<()> {
        let sql = "update tasks set state = 'ready', entry = null where state = 'sent'";
        if self.store.read(|db| {
            db.prepare("select exists (select 1 from tasks where state = 'sent')")?.query_row([], |r| r.get(0))
        })? {
            self.store.write(|db| Ok::<_, Error>(db.execute(sql, [])?))?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use store::Store;

    use super::*;

    #[test]
    fn who_looks_for_a_task_does_not_read_the_whole_table() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("plan.db"), 1).unwrap();
        let plan = |sql: &str| -> Vec<String> {
            let read = |db: &Db| {
                let mut statement = db.prepare(&format!("explain query plan {sql}"))?;
                let rows = statement.query_map(params!["t", 1], |row| row.get::<_, String>(3))?;
                Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
            };
            store.read(read).unwrap()
        };
        for sql in [
            DUE.to_owned(),
            ABANDONED.to_owned(),
            "select * from events where stream = ?1 and version > ?2 order by version".to_owned(),
            "select * from tasks where state = 'dead' and id > ?2 and ?1 is not null order by id".to_owned(),
            "select * from investigations where status = ?1 and user_id = ?2 order by created_at desc, rid desc"
                .to_owned(),
        ] {
            let steps = plan(&sql);
            let reads = |table: &str| steps.iter().any(|step| step.starts_with(&format!("SCAN {table}")));
            assert!(!["tasks", "events", "investigations"].into_iter().any(reads), "{sql}: {steps:#?}");
        }
        let list =
            plan("select * from investigations where status = ?1 and user_id = ?2 order by created_at desc, rid desc");
        assert!(list[0].contains("idx_investigations_composite") && list.len() == 1, "{list:?}");
    }
}
