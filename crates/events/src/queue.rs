//! The queue as a trait: tasks are taken for a while, acknowledged after their effect, tried again later, and at last put
//! aside as dead letters, from where they can be replayed or dropped.

use std::time::Duration;

use serde_json::Value;
use trace::Place;

use crate::{Result, place_in};

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTask {
    /// Who does it.
    pub topic: String,
    /// Names it within its topic: enqueued twice it is one task.
    pub key: String,
    /// It waits for earlier tasks of its topic and lane.
    pub lane: Option<String>,
    /// What is to be done.
    pub body: Value,
}

/// A task that someone has taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its number.
    pub id: i64,
    /// Who does it.
    pub topic: String,
    /// Its name within its topic.
    pub key: String,
    /// What is to be done.
    pub body: Value,
    /// Which attempt this is; 1 is the first. One that was taken from a dead worker counts too.
    pub attempt: u32,
}

impl Task {
    /// The place in a trace that it was asked for from. It rides in the body, which names nothing: a task is the same task wherever it is
    /// asked for from.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        place_in(&self.body)
    }
}

/// A task that failed for good.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Dead {
    pub id: i64,
    pub topic: String,
    pub key: String,
    pub body: Value,
    pub attempts: u32,
    pub error: String,
    pub enqueued_at: String,
    pub died_at: String,
}

/// What becomes of a task that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is tried again after this time.
    Again(Duration),
    /// It failed for good.
    Dead,
}

/// How long to wait before a task is tried again: twice as long each time, up to a limit, and somewhere between half of that
/// and all of it, so that many that failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Before the second attempt.
    pub first: Duration,
    /// At most.
    pub longest: Duration,
    /// Attempts until it is dead.
    pub attempts_max: u32,
}

impl Backoff {
    /// What becomes of a task whose attempt of this number failed.
    #[must_use]
    pub fn after(&self, attempt: u32) -> Fate {
        if attempt >= self.attempts_max {
            return Fate::Dead;
        }
        let doubled = self.first.saturating_mul(1 << attempt.saturating_sub(1).min(20)).min(self.longest);
        Fate::Again(doubled.mul_f64(rand::random_range(0.5..=1.0)))
    }
}

/// The queue.
pub trait Queue: Send + Sync {
    /// Takes the task of these topics that is due longest, for `lease`; also one whose taker let its lease run out.
    ///
    /// # Errors
    /// The queue cannot be written.
    fn take(&self, topics: &[&str], worker: &str, lease: Duration) -> Result<Option<Task>>;

    /// Keeps a task for `lease` from now on; false when it is someone else's by now, or was taken back.
    ///
    /// # Errors
    /// The queue cannot be written.
    fn renew(&self, task: &Task, worker: &str, lease: Duration) -> Result<bool>;

    /// Whether a task is still this worker's, without keeping it any longer.
    ///
    /// # Errors
    /// The queue cannot be read.
    fn is_held(&self, task: &Task, worker: &str) -> Result<bool>;

    /// Acknowledges a task: its effect happened. False when it was no longer this worker's.
    ///
    /// # Errors
    /// The queue cannot be written.
    fn ack(&self, task: &Task, worker: &str) -> Result<bool>;

    /// Gives a task back untried: its worker stops.
    ///
    /// # Errors
    /// The queue cannot be written.
    fn release(&self, task: &Task, worker: &str) -> Result<()>;

    /// Says that a task failed, and what becomes of it. False when it was no longer this worker's.
    ///
    /// # Errors
    /// The queue cannot be written.
    fn fail(&self, task: &Task, worker: &str, error: &str, fate: Fate) -> Result<bool>;

    /// Up to `limit` dead letters behind number `after`.
    ///
    /// # Errors
    /// The queue cannot be read.
    fn dead(&self, after: i64, limit: usize) -> Result<Vec<Dead>>;

    /// One dead letter.
    ///
    /// # Errors
    /// The queue cannot be read.
    fn dead_letter(&self, id: i64) -> Result<Option<Dead>>;

    /// Makes a dead letter a task again, with all its attempts; false when there is none of this number.
    ///
    /// # Errors
    /// The queue cannot be written.
    fn replay(&self, id: i64) -> Result<bool>;

    /// Forgets a dead letter; false when there is none of this number.
    ///
    /// # Errors
    /// The queue cannot be written.
    fn drop_dead(&self, id: i64) -> Result<bool>;

    /// How many tasks there are of each topic and state (`ready`, `blocked`, `taken`, `dead`; over Redis also `outbox`, for what
    /// was not handed on yet, and `sent`, for what was while Redis cannot be asked how it stands).
    ///
    /// # Errors
    /// The queue cannot be read.
    fn counts(&self) -> Result<Vec<(String, String, i64)>>;

    /// Hands tasks on to where workers take them, if that is elsewhere; gives their number. Who relays does it again and again.
    ///
    /// # Errors
    /// [`crate::Error::Redis`] while that place is away: the tasks wait where they are.
    fn hand_on(&self) -> Result<usize> {
        Ok(0)
    }

    /// Makes the tasks that another kind of queue handed on this one's, before workers start.
    ///
    /// # Errors
    /// The queue cannot be written.
    fn take_over(&self) -> Result<()> {
        Ok(())
    }

    /// Lets no task wait longer than `wait_max`, and no lease last longer than `lease`: the clock was set back, and their hours are far off.
    /// Also done before workers start, for it may have been set while none ran.
    ///
    /// # Errors
    /// The queue cannot be written.
    fn mend_times(&self, wait_max: Duration, lease: Duration) -> Result<()>;

    /// How many tasks that were handed on nobody has read yet, by topic; -1 where it is not known.
    ///
    /// # Errors
    /// The place where they are cannot be asked.
    fn lags(&self) -> Result<Vec<(String, i64)>> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_end() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(3), attempts_max: 4 };
        for (attempt, most) in [(1, 1.0), (2, 2.0), (3, 3.0)] {
            let Fate::Again(wait) = backoff.after(attempt) else { panic!("attempt {attempt} is not the last") };
            assert!(wait.as_secs_f64() >= most / 2.0 && wait.as_secs_f64() <= most, "{attempt}: {wait:?}");
        }
        assert_eq!((backoff.after(4), backoff.after(9)), (Fate::Dead, Fate::Dead));
    }
}
