//! Replicas of the server: questions go to one that is near enough, and to the primary when none is.
//!
//! A watcher looks at all of them several times a second. A replica is passed over while it is away, while it is further behind than
//! [`LAG_MAX`], and while it has not yet replayed what this process wrote last: so whoever wrote through this process reads
//! their own writes. Only questions that may end early (those of the doors) are sent there; who decides asks the primary.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::db::Db;
use crate::db::pool::{Lent, Pool};
use crate::{Error, Result};

/// How far behind a replica may be.
const LAG_MAX: Duration = Duration::from_secs(2);
/// How often they are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a look is good for.
const LOOK_GOOD: Duration = Duration::from_secs(1);
/// Positions of the primary that are remembered: more than [`LAG_MAX`] of them.
const PAST_MAX: usize = 64;

/// Where questions went, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Reads {
    pub replica: u64,
    /// To the primary: who asks has just written.
    pub written: u64,
    /// To the primary: every replica that answers is too far behind.
    pub behind: u64,
    /// To the primary: no replica answers.
    pub away: u64,
}

/// The replicas of a server.
pub(crate) struct Replicas {
    all: Vec<Replica>,
    next: AtomicUsize,
    /// Connections that may be writing.
    writing: AtomicUsize,
    /// Up to where a replica must have come; the greatest number until it is known.
    written: AtomicU64,
    /// Something was written since `written` was last found.
    dirty: AtomicU64,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    replica: AtomicU64,
    written: AtomicU64,
    behind: AtomicU64,
    away: AtomicU64,
}

struct Replica {
    pool: Arc<Pool>,
    seen: Mutex<Option<Seen>>,
}

#[derive(Clone, Copy)]
struct Seen {
    at: Instant,
    replayed: u64,
    lag: Duration,
}

impl Replica {
    fn seen(&self) -> MutexGuard<'_, Option<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Replicas {
    /// Begins to watch the replicas behind these pools.
    pub(crate) fn watch(primary: &Arc<Pool>, pools: Vec<Arc<Pool>>) -> Arc<Self> {
        let all = pools.into_iter().map(|pool| Replica { pool, seen: Mutex::default() }).collect();
        let replicas = Arc::new(Self {
            all,
            next: AtomicUsize::new(0),
            writing: AtomicUsize::new(0),
            written: AtomicU64::new(u64::MAX),
            dirty: AtomicU64::new(1),
            counts: Counts::default(),
        });
        let (watched, primary) = (Arc::downgrade(&replicas), Arc::clone(primary));
        std::thread::spawn(move || keep_watch(&watched, &primary));
        replicas
    }

    /// Notes that this process writes, from now until what is given back is dropped.
    pub(crate) fn writes(self: &Arc<Self>) -> Writes {
        self.writing.fetch_add(1, Ordering::SeqCst);
        Writes(Arc::clone(self))
    }

    pub(crate) fn reads(&self) -> Reads {
        let n = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &self.counts;
        Reads {
            replica: n(&counts.replica),
            written: n(&counts.written),
            behind: n(&counts.behind),
            away: n(&counts.away),
        }
    }

    /// How far each is behind, in seconds; nothing of one that does not answer.
    pub(crate) fn lags(&self) -> Vec<Option<f64>> {
        let seen = self.all.iter().map(|replica| *replica.seen());
        seen.map(|seen| seen.filter(|s| s.at.elapsed() < LOOK_GOOD).map(|s| s.lag.as_secs_f64())).collect()
    }

    /// Lends a connection to a replica that may answer; none when the primary has to.
    pub(crate) fn lend(&self) -> Option<Lent> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let (mut answers, mut near) = (false, false);
        for at in 0..self.all.len() {
            let replica = &self.all[(first + at) % self.all.len()];
            let seen = *replica.seen();
            let Some(seen) = seen.filter(|seen| seen.at.elapsed() < LOOK_GOOD) else { continue };
            answers = true;
            if seen.lag > LAG_MAX {
                continue;
            }
            near = true;
            if !self.has_what_was_written(seen.replayed) {
                continue;
            }
            match replica.pool.lend() {
                Ok(lent) => {
                    self.counts.replica.fetch_add(1, Ordering::Relaxed);
                    return Some(lent);
                }
                Err(_) => *replica.seen() = None,
            }
        }
        let counts = &self.counts;
        let because = if near {
            &counts.written
        } else if answers {
            &counts.behind
        } else {
            &counts.away
        };
        because.fetch_add(1, Ordering::Relaxed);
        None
    }

    fn has_what_was_written(&self, replayed: u64) -> bool {
        self.writing.load(Ordering::SeqCst) == 0
            && self.dirty.load(Ordering::SeqCst) == 0
            && replayed >= self.written.load(Ordering::SeqCst)
    }

    /// Finds up to where the primary has come, and how far each replica is behind.
    fn look(&self, primary: &Arc<Pool>, past: &mut VecDeque<(Instant, u64)>) {
        let dirty = self.dirty.load(Ordering::SeqCst);
        let at = Instant::now();
        if let Ok(position) = position(primary, "pg_current_wal_insert_lsn()") {
            past.push_back((at, position));
            if past.len() > PAST_MAX {
                past.pop_front();
            }
            if dirty > 0 {
                self.written.store(position, Ordering::SeqCst);
                // What was written after the look leaves its own mark.
                self.dirty.fetch_sub(dirty, Ordering::SeqCst);
            }
        }
        for replica in &self.all {
            let seen = position(&replica.pool, "pg_last_wal_replay_lsn()").ok().map(|replayed| {
                let missed = past.iter().find(|(_, position)| *position > replayed);
                Seen { at: Instant::now(), replayed, lag: missed.map_or(Duration::ZERO, |(at, _)| at.elapsed()) }
            });
            *replica.seen() = seen;
        }
    }
}

/// This process writes, as long as it is there.
pub(crate) struct Writes(Arc<Replicas>);

impl Drop for Writes {
    fn drop(&mut self) {
        self.0.dirty.fetch_add(1, Ordering::SeqCst);
        self.0.writing.fetch_sub(1, Ordering::SeqCst);
    }
}

fn keep_watch(replicas: &Weak<Replicas>, primary: &Arc<Pool>) {
    let mut past = VecDeque::new();
    while let Some(watched) = replicas.upgrade() {
        watched.look(primary, &mut past);
        drop(watched);
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A position in the primary's journal, in bytes.
fn position(pool: &Arc<Pool>, of: &str) -> Result<u64> {
    let lent = pool.lend()?;
    let db: &Db = &lent;
    let sql = format!("select cast(coalesce({of} - '0/0'::pg_lsn, -1) as bigint)");
    let position: i64 = db.query_row(&sql, [], |row| row.get(0))?;
    u64::try_from(position).map_err(|_| Error::Away("it is no replica".to_owned()))
}
