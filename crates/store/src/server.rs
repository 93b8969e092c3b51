//! The database of a PostgreSQL server.

use std::sync::Arc;
use std::time::Instant;

use crate::db::pool::{Lent, Pool};
use crate::db::{Lock, PoolFigures, PoolSettings};
use crate::{Db, Error, Result, schema};

/// A server and the connections to it.
pub(crate) struct Server {
    pool: Arc<Pool>,
}

impl Server {
    pub(crate) fn open(settings: PoolSettings) -> Result<Self> {
        let server = Self { pool: Pool::new(settings)? };
        schema::migrate(&*server.loader()?)?;
        Ok(server)
    }

    pub(crate) fn read<T>(&self, until: Option<Instant>, query: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        let mut lent = self.pool.lend()?;
        lent.set_deadline(until)?;
        query(&lent)
    }

    pub(crate) fn write<T, E: From<Error>>(
        &self,
        lock: Option<Lock>,
        work: impl FnOnce(&Db) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let lent = self.pool.lend()?;
        let transaction = lent.begin(lock)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    pub(crate) fn lend(&self) -> Result<Lent> {
        self.pool.lend()
    }

    /// A connection for long work, which is closed after it.
    pub(crate) fn loader(&self) -> Result<Lent> {
        let lent = self.pool.lend()?;
        if let Db::Postgres(pg) = &*lent {
            pg.be_patient()?;
        }
        Ok(lent)
    }

    pub(crate) fn figures(&self) -> PoolFigures {
        self.pool.figures()
    }
}
