//! Watching what changes, whoever changes it: this process or another over the same data.
//!
//! On SQLite a look costs some microseconds while nothing was written, for SQLite counts commits; only after one are the marks
//! read. A server is asked by one thread of this process every [`POLL_EVERY`], and a look tells what that thread saw last.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::db::pool::{Lent, Pool};
use crate::replicas::Replicas;
use crate::{Db, Error, Result, Store};

/// Events of before the first look that are told: what was kept on the disk may be older.
const EVENTS_BEFORE: i64 = 10_000;
/// How often a server is asked.
const POLL_EVERY: Duration = Duration::from_millis(150);
/// After how long without its answer nobody can say how it stands.
const SIGHT: Duration = Duration::from_secs(1);

/// An event: number, stream, and the flag that it is about.
type Seen = (u64, String, Option<String>);

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
    place: Place,
    seq: i64,
}

enum Place {
    /// The file, and the commits it had at the last look.
    Folder(Lent, Option<i64>),
    /// Who asks the server, and what was told of it at the last look.
    Server(Arc<Poller>, Option<u64>),
}

impl Store {
    /// One who watches; the first look tells how it stands.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn watch(&self) -> Result<Watch> {
        if let Some(poller) = self.poller()? {
            let seq = poller.since();
            return Ok(Watch { place: Place::Server(poller, None), seq });
        }
        let db = self.reader()?;
        if let Db::Sqlite(file) = &*db {
            // Who looks stands before an answer: it never waits.
            file.busy_timeout(Duration::ZERO)?;
        }
        let seq = last_event(&db)?;
        Ok(Watch { place: Place::Folder(db, None), seq: (seq - EVENTS_BEFORE).max(0) })
    }
}

impl Watch {
    /// The event behind which everything is told.
    #[must_use]
    pub fn since(&self) -> u64 {
        self.seq.cast_unsigned()
    }

    /// Has a server asked now, so that the next look tells what was written before this.
    pub fn refresh(&self) {
        if let Place::Server(poller, _) = &self.place {
            poller.poll();
        }
    }

    /// What changed since the look before; nothing when nothing was written.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn look(&mut self) -> Result<Option<Change>> {
        let change = match &mut self.place {
            Place::Folder(db, commits) => {
                let now: i64 = db.query_row("pragma data_version", [], |row| row.get(0))?;
                if *commits == Some(now) {
                    return Ok(None);
                }
                // Both are read of one commit.
                db.execute_batch("begin")?;
                let change = read(db, self.seq);
                db.execute_batch("commit")?;
                let change = change?;
                // What could not be read is looked at again.
                *commits = Some(now);
                change
            }
            Place::Server(poller, told) => match poller.told(told, self.seq)? {
                Some(change) => change,
                None => return Ok(None),
            },
        };
        self.seq = self.seq.max(change.seq.cast_signed());
        Ok(Some(change))
    }
}

fn last_event(db: &Db) -> Result<i64> {
    db.query_row("select coalesce(max(seq), 0) from events", [], |row| row.get(0))
}

/// How it stands, and the events behind `since`.
fn read(db: &Db, since: i64) -> Result<Change> {
    let marks: String = db.query_row(include_str!("../sql/epoch.sql"), [], |row| row.get(0))?;
    let flag = if db.is_postgres() { "cast(payload as json) ->> 'flag'" } else { "json_extract(payload, '$.flag')" };
    let mut statement = db.prepare(&format!("select seq, stream, {flag} from events where seq > ?1 order by seq"))?;
    let events =
        statement.query_map([since], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?, row.get(2)?)))?;
    let events: Vec<Seen> = events.collect::<rusqlite::Result<_>>()?;
    let seq = events.last().map_or(since.cast_unsigned(), |(seq, ..)| *seq);
    Ok(Change { epoch: xxhash_rust::xxh3::xxh3_64(marks.as_bytes()), seq, events })
}

/// Asks a server how it stands, for all who watch.
pub(crate) struct Poller {
    pool: Arc<Pool>,
    replicas: Option<Arc<Replicas>>,
    since: i64,
    /// Held while the server is asked: whoever looks meanwhile does not wait for it.
    asking: Mutex<()>,
    state: Mutex<State>,
}

struct State {
    /// Changes seen so far; none before the first answer.
    changes: u64,
    epoch: u64,
    seq: i64,
    events: VecDeque<Seen>,
    away: Option<String>,
    answered_at: Instant,
}

impl Poller {
    /// Asks once, and goes on asking until nobody watches.
    pub(crate) fn start(pool: &Arc<Pool>, replicas: Option<Arc<Replicas>>) -> Result<Arc<Self>> {
        let since = (last_event(&*pool.lend()?)? - EVENTS_BEFORE).max(0);
        let state = State {
            changes: 0,
            epoch: 0,
            seq: since,
            events: VecDeque::new(),
            away: None,
            answered_at: Instant::now(),
        };
        let poller = Arc::new(Self {
            pool: Arc::clone(pool),
            replicas,
            since,
            asking: Mutex::default(),
            state: Mutex::new(state),
        });
        poller.poll();
        let weak: Weak<Self> = Arc::downgrade(&poller);
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                loop {
                    std::thread::sleep(POLL_EVERY);
                    let Some(poller) = weak.upgrade() else { return };
                    poller.poll();
                }
            })
            .map_err(|error| Error::Away(error.to_string()))?;
        Ok(poller)
    }

    fn since(&self) -> i64 {
        self.since
    }

    fn poll(&self) {
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, seq) = (Instant::now(), self.state().seq);
        let asked = self.pool.lend().and_then(|db| read(&db, seq));
        let mut state = self.state();
        match asked {
            Ok(change) => {
                if state.changes == 0 || change.epoch != state.epoch || !change.events.is_empty() {
                    // As if this process had written it: no replica is asked that has not got it yet, for what it says would be kept
                    // as if it were new.
                    drop(self.replicas.as_ref().map(Replicas::writes));
                    state.changes += 1;
                    state.epoch = change.epoch;
                    state.seq = change.seq.cast_signed();
                    state.events.extend(change.events);
                    let beyond = state.events.len().saturating_sub(usize::try_from(EVENTS_BEFORE).unwrap_or(0));
                    state.events.drain(..beyond);
                }
                state.away = None;
                state.answered_at = begun;
            }
            Err(error) => state.away = Some(error.to_string()),
        }
    }

    /// What one who was told `told` and knows the events up to `seq` is told now.
    fn told(&self, told: &mut Option<u64>, seq: i64) -> Result<Option<Change>> {
        let state = self.state();
        if let Some(away) = &state.away {
            return Err(Error::Away(away.clone()));
        }
        if state.answered_at.elapsed() > SIGHT {
            return Err(Error::Away("it does not answer".to_owned()));
        }
        if *told == Some(state.changes) {
            return Ok(None);
        }
        *told = Some(state.changes);
        let events = state.events.iter().filter(|(of, ..)| of.cast_signed() > seq).cloned().collect();
        Ok(Some(Change { epoch: state.epoch, seq: state.seq.cast_unsigned(), events }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
