//! Connections to a PostgreSQL server: some are kept, more are opened under load and closed when they come back.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Db, Pg};
use crate::replicas::Writes;
use crate::{Error, Result};

/// How long a borrower waits for a connection.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How long a connection may have lain idle and be lent without a look at whether the server still answers.
const FRESH: Duration = Duration::from_millis(500);
/// How long a server that could not be reached is not asked again.
const LEFT_ALONE: Duration = Duration::from_millis(250);

/// How a server is used.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct PoolSettings {
    pub url: String,
    /// Connections at most; two fifths of them are kept.
    pub size: usize,
    pub statement_timeout: Duration,
    pub lock_timeout: Duration,
}

/// The connections of a pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PoolFigures {
    pub open: usize,
    pub idle: usize,
    pub waiting: usize,
    pub kept_max: usize,
    pub size: usize,
}

/// The connections to one server.
pub(crate) struct Pool {
    settings: PoolSettings,
    config: tokio_postgres::Config,
    held: Mutex<Held>,
    returned: Condvar,
}

#[derive(Default)]
struct Held {
    idle: Vec<(Db, Instant)>,
    open: usize,
    waiting: usize,
    away_until: Option<(Instant, String)>,
}

impl Pool {
    /// # Errors
    /// The address cannot be read.
    pub(crate) fn new(settings: PoolSettings) -> Result<Arc<Self>> {
        let mut config: tokio_postgres::Config =
            settings.url.parse().map_err(|error| Error::Address(super::postgres::told(&error)))?;
        let millis = |time: Duration| time.as_millis();
        // Plans are kept: one made while a table was empty must not read it through when it has grown.
        let options = format!(
            "{} -c client_min_messages=warning -c jit=off -c enable_seqscan=off -c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout=600000",
            config.get_options().unwrap_or_default(),
            millis(settings.statement_timeout),
            millis(settings.lock_timeout)
        );
        config.options(options.trim()).application_name("cidadao");
        // A server that is gone without a word is noticed within a minute, also by long work.
        let second = Duration::from_secs(1);
        config.keepalives_idle(20 * second).keepalives_interval(10 * second).keepalives_retries(3);
        Ok(Arc::new(Self { settings, config, held: Mutex::default(), returned: Condvar::new() }))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept_max(&self) -> usize {
        (self.settings.size * 2 / 5).max(1)
    }

    pub(crate) fn figures(&self) -> PoolFigures {
        let held = self.held();
        PoolFigures {
            open: held.open,
            idle: held.idle.len(),
            waiting: held.waiting,
            kept_max: self.kept_max(),
            size: self.settings.size,
        }
    }

    /// Lends a connection.
    ///
    /// # Errors
    /// All are lent for too long; the server cannot be reached.
    pub(crate) fn lend(self: &Arc<Self>) -> Result<Lent> {
        let deadline = Instant::now() + WAIT_MAX;
        let mut held = self.held();
        loop {
            if let Some((db, since)) = held.idle.pop() {
                drop(held);
                if since.elapsed() < FRESH || matches!(&db, Db::Postgres(pg) if pg.answers()) {
                    return Ok(Lent { db: Some(db), pool: Some(Arc::clone(self)), writes: None });
                }
                // The others were cut with it.
                held = self.held();
                held.open -= held.idle.len() + 1;
                held.idle.clear();
                continue;
            }
            if held.open < self.settings.size {
                held.open += 1;
                return self.open(held);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::busy());
            }
            held.waiting += 1;
            held = self.returned.wait_timeout(held, left).unwrap_or_else(PoisonError::into_inner).0;
            held.waiting -= 1;
        }
    }

    fn open(self: &Arc<Self>, mut held: MutexGuard<'_, Held>) -> Result<Lent> {
        if let Some((until, because)) = &held.away_until
            && Instant::now() < *until
        {
            let because = because.clone();
            held.open -= 1;
            return Err(Error::Away(because));
        }
        drop(held);
        match Pg::connect(&self.config, &self.settings) {
            Ok(pg) => {
                self.held().away_until = None;
                Ok(Lent { db: Some(Db::Postgres(Box::new(pg))), pool: Some(Arc::clone(self)), writes: None })
            }
            Err(error) => {
                let mut held = self.held();
                held.open -= 1;
                held.away_until = Some((Instant::now() + LEFT_ALONE, error.to_string()));
                self.returned.notify_one();
                Err(error)
            }
        }
    }

    fn take_back(&self, db: Db) {
        let sound = matches!(&db, Db::Postgres(pg) if pg.tidy());
        let mut held = self.held();
        if sound && (held.open <= self.kept_max() || held.waiting > 0) {
            held.idle.push((db, Instant::now()));
        } else {
            held.open -= 1;
        }
        drop(held);
        self.returned.notify_one();
    }
}

/// A connection on loan, or one's own; what was left open is undone when it goes back.
pub(crate) struct Lent {
    db: Option<Db>,
    pool: Option<Arc<Pool>>,
    /// Dropped after the connection went back.
    writes: Option<Writes>,
}

impl Lent {
    /// One through which something may be written.
    pub(crate) fn that_writes(mut self, writes: Option<Writes>) -> Self {
        self.writes = writes;
        self
    }

    /// One that belongs to nobody else.
    pub(crate) fn own(db: Db) -> Self {
        Self { db: Some(db), pool: None, writes: None }
    }
}

impl std::ops::DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Db {
        self.db.as_mut().expect("there until it is dropped")
    }
}

impl std::ops::Deref for Lent {
    type Target = Db;

    fn deref(&self) -> &Db {
        self.db.as_ref().expect("there until it is dropped")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(db), Some(pool)) = (self.db.take(), &self.pool) {
            pool.take_back(db);
        }
    }
}
