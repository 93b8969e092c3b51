//! The database of a PostgreSQL server, and its replicas.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use trace::Phase;

use crate::db::pool::{Lent, Pool};
use crate::db::{Lock, PoolFigures, PoolSettings, Role};
use crate::replicas::{Reads, Replicas, Writes};
use crate::watch::Poller;
use crate::{Db, Error, Result, schema};

/// A server and the connections to it.
pub(crate) struct Server {
    pool: Arc<Pool>,
    replicas: Option<Arc<Replicas>>,
    poller: Mutex<Weak<Poller>>,
}

impl Server {
    pub(crate) fn open(settings: PoolSettings, replicas: Vec<PoolSettings>) -> Result<Self> {
        let pool = Pool::new(settings)?;
        let pools = replicas.into_iter().map(Pool::new).collect::<Result<Vec<_>>>()?;
        let mut server = Self { pool, replicas: None, poller: Mutex::default() };
        schema::migrate(&*server.loader()?)?;
        if !pools.is_empty() {
            server.replicas = Some(Replicas::watch(&server.pool, pools));
        }
        Ok(server)
    }

    /// A question that may end early may be asked of a replica.
    pub(crate) fn read<T>(&self, until: Option<Instant>, query: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        let replica = self.replicas.as_ref().filter(|_| until.is_some()).and_then(|replicas| replicas.lend());
        let role = if replica.is_some() { Role::Replica } else { Role::Reader };
        let mut lent = replica.map_or_else(|| self.pool.lend(), Ok)?;
        lent.timers().lend_for(role);
        lent.set_deadline(until)?;
        trace::step_of(Phase::Database, || query(&lent))
    }

    pub(crate) fn write<T, E: From<Error>>(
        &self,
        lock: Option<Lock>,
        work: impl FnOnce(&Db) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let _writes = self.writes();
        let lent = self.pool.lend()?;
        lent.timers().lend_for(Role::Writer);
        trace::step_of(Phase::Database, || {
            let transaction = lent.begin(lock)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
    }

    pub(crate) fn lend(&self) -> Result<Lent> {
        let lent = self.pool.lend()?;
        lent.timers().lend_for(Role::Writer);
        Ok(lent.that_writes(self.writes()))
    }

    /// A connection for long work, which is closed after it.
    pub(crate) fn loader(&self) -> Result<Lent> {
        let lent = self.lend()?;
        lent.timers().lend_for(Role::Bulk);
        if let Db::Postgres(pg) = &*lent {
            pg.be_patient()?;
        }
        Ok(lent)
    }

    /// Who asks the server for all that watch it.
    pub(crate) fn poller(&self) -> Result<Arc<Poller>> {
        let mut held = self.poller.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(poller) = held.upgrade() {
            return Ok(poller);
        }
        let poller = Poller::start(&self.pool, self.replicas.clone())?;
        *held = Arc::downgrade(&poller);
        Ok(poller)
    }

    fn writes(&self) -> Option<Writes> {
        self.replicas.as_ref().map(Replicas::writes)
    }

    pub(crate) fn figures(&self) -> PoolFigures {
        self.pool.figures()
    }

    /// How far each replica is behind, in seconds; nothing of one that does not answer.
    pub(crate) fn lags(&self) -> Vec<Option<f64>> {
        self.replicas.as_ref().map_or_else(Vec::new, |replicas| replicas.lags())
    }

    pub(crate) fn reads(&self) -> Option<Reads> {
        self.replicas.as_ref().map(|replicas| replicas.reads())
    }
}
