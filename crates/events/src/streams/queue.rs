//! The queue's promises, kept by Redis for who is at what and by the store for what is left to do.

use std::time::Duration;

use rusqlite::params;
use store::OptionalExtension;

use super::{FIGURES, GROUP, HOLD, LEFT, Streams, TAKE, WAITING};
use crate::local::millis;
use crate::{Dead, Error, EventStore, Fate, Queue, Result, Task, Unit};

/// What may be done to an entry that is a worker's.
enum Hold<'a> {
    Look,
    End,
    /// To a reader, free again after this time, with as many attempts made.
    Move(&'a str, Duration, u32),
}

impl Streams<'_> {
    fn take_from(&self, topic: &str, worker: &str, lease: Duration) -> Result<Option<Task>> {
        let (key, left, lease) = (self.key(topic), millis(LEFT).to_string(), millis(lease).to_string());
        loop {
            let taken: Option<(String, u32, i64)> = self.redis.run(&TAKE, &key, &[GROUP, worker, &left, &lease])?;
            let Some((entry, attempt, id)) = taken else { return Ok(None) };
            let sql = "select key, body from tasks where id = ?1 and topic = ?2 and state = 'sent' and entry = ?3";
            let held: Option<(String, String)> = self.local.store.read(|db| {
                let mut statement = db.prepare(sql)?;
                let row =
                    statement.query_row(params![id, topic, number_of(&entry)], |row| Ok((row.get(0)?, row.get(1)?)));
                row.optional()
            })?;
            if let Some((key, body)) = held {
                return Ok(Some(Task {
                    id,
                    topic: topic.to_owned(),
                    key,
                    body: serde_json::from_str(&body)?,
                    attempt,
                }));
            }
            // Done, taken back, or handed on anew under another number.
            self.hold_entry(topic, &entry, worker, attempt, &Hold::End)?;
        }
    }

    /// Does something to a task's entry if that is this worker's.
    fn hold(&self, task: &Task, worker: &str, what: &Hold<'_>) -> Result<bool> {
        let Some(entry) = self.entry_of(task)? else { return Ok(false) };
        self.hold_entry(&task.topic, &entry, worker, task.attempt, what)
    }

    fn hold_entry(&self, topic: &str, entry: &str, worker: &str, attempt: u32, what: &Hold<'_>) -> Result<bool> {
        let attempt = attempt.to_string();
        let (reader, idle, attempts);
        let mut arguments = vec![GROUP, worker, entry, &attempt];
        match what {
            Hold::Look => arguments.push("look"),
            Hold::End => arguments.push("end"),
            Hold::Move(to, free_after, made) => {
                reader = *to;
                idle = millis(LEFT.saturating_sub(*free_after)).to_string();
                attempts = made.to_string();
                arguments.extend(["move", reader, &idle, &attempts]);
            }
        }
        self.redis.run(&HOLD, &self.key(topic), &arguments)
    }

    /// The entry that a task was handed on as; none when it is done or was taken back.
    fn entry_of(&self, task: &Task) -> Result<Option<String>> {
        let sql = "select entry || '-0' from tasks where id = ?1 and state = 'sent'";
        Ok(self.local.store.read(|db| db.prepare(sql)?.query_row([task.id], |row| row.get(0)).optional())?)
    }

    /// Ends a task, which is over whether Redis hears of it or not: an entry without a task is dropped by who takes it.
    fn end(&self, task: &Task, worker: &str, end: impl FnOnce(i64) -> Result<bool>) -> Result<bool> {
        let Some(entry) = self.entry_of(task)? else { return Ok(false) };
        match self.hold_entry(&task.topic, &entry, worker, task.attempt, &Hold::Look) {
            Ok(false) => return Ok(false),
            Ok(true) | Err(Error::Redis(_)) => {}
            Err(error) => return Err(error),
        }
        if !end(number_of(&entry))? {
            return Ok(false);
        }
        match self.hold_entry(&task.topic, &entry, worker, task.attempt, &Hold::End) {
            Ok(_) | Err(Error::Redis(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Entries of a topic that workers are at, and those that nobody has read.
    fn figures(&self, topic: &str) -> Result<(i64, i64)> {
        self.redis.run(&FIGURES, &self.key(topic), &[GROUP, WAITING])
    }
}

fn number_of(entry: &str) -> i64 {
    entry.split_once('-').and_then(|(number, _)| number.parse().ok()).unwrap_or_default()
}

impl Queue for Streams<'_> {
    fn take(&self, topics: &[&str], worker: &str, lease: Duration) -> Result<Option<Task>> {
        for topic in topics {
            if let Some(task) = self.take_from(topic, worker, lease)? {
                return Ok(Some(task));
            }
            if self.waits(topic)? {
                self.publish(topic)?;
                if let Some(task) = self.take_from(topic, worker, lease)? {
                    return Ok(Some(task));
                }
            }
        }
        Ok(None)
    }

    fn renew(&self, task: &Task, worker: &str, lease: Duration) -> Result<bool> {
        self.hold(task, worker, &Hold::Move(worker, lease, task.attempt))
    }

    fn is_held(&self, task: &Task, worker: &str) -> Result<bool> {
        self.hold(task, worker, &Hold::Look)
    }

    fn ack(&self, task: &Task, worker: &str) -> Result<bool> {
        self.end(task, worker, |entry| self.local.end_sent(task, entry))
    }

    fn release(&self, task: &Task, worker: &str) -> Result<()> {
        self.hold(task, worker, &Hold::Move(WAITING, Duration::ZERO, task.attempt.saturating_sub(1)))?;
        self.local.bell.ring();
        Ok(())
    }

    fn fail(&self, task: &Task, worker: &str, error: &str, fate: Fate) -> Result<bool> {
        match fate {
            Fate::Again(wait) => self.hold(task, worker, &Hold::Move(WAITING, wait, task.attempt)),
            Fate::Dead => self.end(task, worker, |entry| self.local.bury_sent(task, entry, error)),
        }
    }

    fn dead(&self, after: i64, limit: usize) -> Result<Vec<Dead>> {
        self.local.dead(after, limit)
    }

    fn dead_letter(&self, id: i64) -> Result<Option<Dead>> {
        self.local.dead_letter(id)
    }

    fn replay(&self, id: i64) -> Result<bool> {
        self.local.replay(id)
    }

    fn drop_dead(&self, id: i64) -> Result<bool> {
        self.local.drop_dead(id)
    }

    fn counts(&self) -> Result<Vec<(String, String, i64)>> {
        let (mut counts, mut away) = (Vec::new(), false);
        for (topic, state, count) in self.local.counts()? {
            // Who does not answer is asked once.
            let figures = if state == "sent" && !away { self.figures(&topic).ok() } else { None };
            away |= state == "sent" && figures.is_none();
            match (state.as_str(), figures) {
                ("ready", _) => counts.push((topic, "outbox".to_owned(), count)),
                (_, Some((taken, _))) => {
                    let taken = taken.min(count);
                    counts.push((topic.clone(), "taken".to_owned(), taken));
                    counts.push((topic, "ready".to_owned(), count - taken));
                }
                _ => counts.push((topic, state, count)),
            }
        }
        Ok(counts)
    }

    fn hand_on(&self) -> Result<usize> {
        self.publish_all()
    }

    fn mend_times(&self, wait_max: Duration, lease: Duration) -> Result<()> {
        // Those in Redis wait by its own count of time.
        self.local.mend_times(wait_max, lease)
    }

    fn lags(&self) -> Result<Vec<(String, i64)>> {
        let topics = self.topics()?.into_iter().filter(|topic| topic != super::publish::DEAD);
        topics.map(|topic| self.figures(&topic).map(|(_, lag)| (topic, lag))).collect()
    }
}

impl EventStore for Streams<'_> {
    fn transact(&self, work: &mut dyn FnMut(&mut dyn Unit) -> Result<()>) -> Result<()> {
        self.local.transact(work)
    }

    fn stream(&self, stream: &str, version: i64, limit: usize) -> Result<Vec<crate::Event>> {
        self.local.stream(stream, version, limit)
    }

    fn rows(&self, seq: i64, limit: usize) -> Result<Vec<store::chain::EventRow>> {
        self.local.rows(seq, limit)
    }

    fn noted_head(&self) -> Result<Option<(i64, String)>> {
        self.local.noted_head()
    }

    fn lag(&self, cursor: &str) -> Result<i64> {
        self.local.lag(cursor)
    }

    fn rebuild(&self) -> Result<u64> {
        self.local.rebuild()
    }
}
