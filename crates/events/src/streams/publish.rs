//! Handing tasks on to their streams, and filling streams again that forgot them.

use std::collections::HashSet;

use rusqlite::params;
use store::{Db, OptionalExtension};

use super::{GROUP, PUBLISH, RENUMBER, Streams, TRIM};
use crate::local::now_ms;
use crate::{Error, Result};

/// Tasks handed on at once.
const BATCH: usize = 500;
/// Letters looked for at once among those of the dead that are dead no longer.
const SWEEP: usize = 1_000;
/// The stream of those that failed for good, for who watches Redis; no topic is named so.
pub(super) const DEAD: &str = "dead";

/// What of topic `?1` is to be handed on at `?2`, up to `?3`.
const DUE: &str =
    "select id from tasks where topic = ?1 and state = 'ready' and due_ms <= ?2 order by due_ms, id limit ?3";
/// What is to be put among the dead letters.
const DEAD_DUE: &str = "select id from tasks
    where ?1 = 'dead' and state = 'dead' and entry is null and due_ms <= ?2 order by id limit ?3";
/// What was numbered beyond `?2` in topic `?1`.
const UNSENT: &str = "select entry, id, topic || ' ' || key from tasks
    where topic = ?1 and state = 'sent' and entry > ?2 order by entry";
/// Dead letters numbered beyond `?2`.
const DEAD_UNSENT: &str = "select entry, id, topic || ' ' || key || ': ' || coalesce(error, '') from tasks
    where ?1 = 'dead' and state = 'dead' and entry > ?2 order by entry";
/// What a worker without Redis was at, and left.
const LEFT_BEHIND: &str = "update tasks set state = 'ready', worker = null, lease_ms = null
    where topic = ?1 and state = 'taken' and lease_ms <= ?2";
/// Topics that have, or had, something to hand on.
const TOPICS: &str = "select substr(name, 9) from outbox_cursors where name like 'streams/%'
    union select distinct topic from tasks where state in ('ready', 'taken')
    union select 'dead' from tasks where state = 'dead'";

/// A task under its number: number, task, what it is about.
type Numbered = (i64, i64, String);

impl Streams<'_> {
    /// Hands on what is due, of every topic, and drops from the streams what is done; gives the number handed on.
    pub(super) fn publish_all(&self) -> Result<usize> {
        let mut published = 0;
        for topic in self.topics()? {
            published += self.publish(&topic)?;
            if topic == DEAD {
                self.sweep_dead()?;
            } else {
                let _: i64 = self.redis.run(&TRIM, &self.key(&topic), &[])?;
            }
        }
        Ok(published)
    }

    pub(super) fn topics(&self) -> Result<Vec<String>> {
        let topics = self.local.store.read(|db| {
            let mut statement = db.prepare(TOPICS)?;
            let topics = statement.query_map([], |row| row.get(0))?;
            Ok(topics.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        Ok(topics)
    }

    /// Hands on what is due of one topic.
    pub(super) fn publish(&self, topic: &str) -> Result<usize> {
        let mut published = 0;
        loop {
            let numbered = self.number(topic)?;
            let (sent, unsent) = self.local.store.read(|db| {
                let sent = cursor(db, &sent_of(topic))?;
                Ok((sent, unsent(db, topic, sent)?))
            })?;
            let highest = unsent.last().map_or(sent, |(entry, ..)| *entry);
            let before = self.add(topic, sent, &unsent)?;
            // Less than is known: it forgot. More than was ever numbered: the store is a copy from before.
            if before < sent || before > highest && before > self.numbered(topic)? {
                self.refill(topic, before)?;
                continue;
            }
            if highest > sent {
                self.local.bell.ring();
                self.local.store.write(|db| raise(db, &sent_of(topic), highest))?;
            }
            published += unsent.len();
            if numbered < BATCH {
                return Ok(published);
            }
        }
    }

    /// Whether something of this topic waits to be handed on.
    pub(super) fn waits(&self, topic: &str) -> Result<bool> {
        let sql = "select exists (select 1 from tasks where topic = ?1 and state = 'ready' and due_ms <= ?2)
                       or exists (select 1 from tasks where topic = ?1 and state = 'taken' and lease_ms <= ?2)
                       or (?1 = 'dead' and exists (select 1 from tasks where state = 'dead' and entry is null))";
        Ok(self.local.store.read(|db| db.prepare(sql)?.query_row(params![topic, now_ms()], |r| r.get(0)))?)
    }

    /// Gives the next numbers of the stream to what is due; gives how many.
    fn number(&self, topic: &str) -> Result<usize> {
        if !self.waits(topic)? {
            return Ok(0);
        }
        self.local.store.write(|db| {
            let now = now_ms();
            db.prepare(LEFT_BEHIND)?.execute(params![topic, now])?;
            let mut statement = db.prepare(if topic == DEAD { DEAD_DUE } else { DUE })?;
            let ids = statement.query_map(params![topic, now, BATCH.cast_signed()], |row| row.get(0))?;
            let ids = ids.collect::<rusqlite::Result<Vec<i64>>>()?;
            let mut entry = cursor(db, &numbered_of(topic))?;
            let sql =
                "update tasks set entry = ?2, state = case state when 'ready' then 'sent' else state end where id = ?1";
            for id in &ids {
                entry += 1;
                db.prepare(sql)?.execute([*id, entry])?;
            }
            raise(db, &numbered_of(topic), entry)?;
            Ok(ids.len())
        })
    }

    fn numbered(&self, topic: &str) -> Result<i64> {
        Ok(self.local.store.read(|db| cursor(db, &numbered_of(topic)))?)
    }

    /// Adds what the stream does not hold yet; gives the number that it had come to.
    fn add(&self, topic: &str, sent: i64, unsent: &[Numbered]) -> Result<i64> {
        let mut arguments = vec![group_of(topic).to_owned(), sent.to_string()];
        for (entry, task, about) in unsent {
            arguments.extend([entry.to_string(), task.to_string(), about.clone()]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.redis.run(&PUBLISH, &self.key(topic), &arguments)
    }

    /// Has everything that was handed on handed on anew, under numbers that the stream never saw.
    fn refill(&self, topic: &str, seen: i64) -> Result<()> {
        let from = self.local.store.write(|db| {
            let sql = if topic == DEAD {
                "update tasks set entry = null where ?1 = 'dead' and state = 'dead'"
            } else {
                "update tasks set entry = null, state = 'ready' where topic = ?1 and state = 'sent'"
            };
            db.prepare(sql)?.execute([topic])?;
            let from = cursor(db, &numbered_of(topic))?.max(seen);
            raise(db, &numbered_of(topic), from)?;
            raise(db, &sent_of(topic), from)?;
            Ok::<_, Error>(from)
        })?;
        self.redis.run(&RENUMBER, &self.key(topic), &[group_of(topic), &from.to_string()])
    }

    /// Drops letters from the stream of the dead that were replayed or dropped.
    fn sweep_dead(&self) -> Result<()> {
        let key = self.key(DEAD);
        let held: i64 = self.redis.with(|redis| redis::cmd("XLEN").arg(&key).query(redis))?;
        let dead: i64 = self.local.store.read(|db| {
            let sql = "select count(*) from tasks where state = 'dead' and entry is not null";
            db.prepare(sql)?.query_row([], |row| row.get(0))
        })?;
        if held <= dead {
            return Ok(());
        }
        type Entries = Vec<(String, Vec<String>)>;
        // Looked at before the store, which knows of each of them by then.
        let entries: Entries = self
            .redis
            .with(|redis| redis::cmd("XRANGE").arg(&key).arg("-").arg("+").arg("COUNT").arg(SWEEP).query(redis))?;
        let known: HashSet<String> = self.local.store.read(|db| {
            let mut statement = db.prepare("select entry || '-0' from tasks where state = 'dead' and entry > 0")?;
            let ids = statement.query_map([], |row| row.get(0))?;
            Ok(ids.collect::<rusqlite::Result<_>>()?)
        })?;
        let gone: Vec<&String> = entries.iter().map(|(id, _)| id).filter(|id| !known.contains(*id)).collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.redis.with(|redis| redis::cmd("XDEL").arg(&key).arg(gone).query(redis))
    }
}

fn group_of(topic: &str) -> &'static str {
    if topic == DEAD { "" } else { GROUP }
}

/// The cursor of numbers given.
fn numbered_of(topic: &str) -> String {
    format!("streams/{topic}")
}

/// The cursor of numbers known to be in the stream.
fn sent_of(topic: &str) -> String {
    format!("sent/{topic}")
}

fn unsent(db: &Db, topic: &str, sent: i64) -> store::Result<Vec<Numbered>> {
    let mut statement = db.prepare(if topic == DEAD { DEAD_UNSENT } else { UNSENT })?;
    let rows = statement.query_map(params![topic, sent], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn cursor(db: &Db, name: &str) -> store::Result<i64> {
    let sql = "select seq from outbox_cursors where name = ?1";
    Ok(db.prepare(sql)?.query_row([name], |row| row.get(0)).optional()?.unwrap_or(0))
}

fn raise(db: &Db, name: &str, to: i64) -> Result<()> {
    let sql = "insert into outbox_cursors (name, seq) values (?1, ?2)
               on conflict (name) do update set seq = excluded.seq
               where excluded.seq > outbox_cursors.seq";
    db.prepare(sql)?.execute(params![name, to])?;
    Ok(())
}
