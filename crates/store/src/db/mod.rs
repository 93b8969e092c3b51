//! One connection, whichever database is behind it.
//!
//! A [`Db`] is SQLite or PostgreSQL. The store writes one text of SQL with `?1` parameters and reads rows by column; what the
//! two say differently is translated in [`dialect`], and what they do differently stands in `schema` and `copy`. Values
//! travel as SQLite's own (`ToSql`, `FromSql`, `ValueRef`): those are the few kinds that both know.

mod copy;
pub mod dialect;
pub mod listen;
mod params;
pub(crate) mod pool;
mod postgres;
mod row;
pub mod slow;
pub mod timing;
mod wire;

use std::time::Instant;

use rusqlite::CachedStatement;
use rusqlite::types::Value;

pub(crate) use copy::Append;
pub use params::Params;
pub use pool::{PoolFigures, PoolSettings};
pub(crate) use postgres::told;
pub use postgres::{Pg, Streamed};
pub use row::{Row, RowIndex, Rows};

use crate::{Error, Result};
pub(crate) use timing::Role;
use timing::{Timer, Timers};

/// A connection to the database.
pub enum Db {
    /// To a file of this machine.
    Sqlite(Box<Lite>),
    /// To a server.
    Postgres(Box<Pg>),
}

/// A connection to a file, and what times its statements.
pub struct Lite {
    connection: rusqlite::Connection,
    pub(crate) timers: Timers,
}

impl Lite {
    pub(crate) fn new(connection: rusqlite::Connection, role: Role) -> Box<Self> {
        Box::new(Self { connection, timers: Timers::of(role) })
    }
}

impl std::ops::Deref for Lite {
    type Target = rusqlite::Connection;

    fn deref(&self) -> &rusqlite::Connection {
        &self.connection
    }
}

/// Which writers exclude each other. On SQLite all do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Who appends to the log, so that positions come in the order of commits.
    Log,
    /// Who writes records, findings and what is derived of them.
    Facts,
    /// Who brings the schema up to date.
    Schema,
}

impl Lock {
    /// The key of its advisory lock; "cid" and a number.
    fn key(self) -> i64 {
        match self {
            Self::Log => 0x63_69_64_01,
            Self::Facts => 0x63_69_64_02,
            Self::Schema => 0x63_69_64_03,
        }
    }
}

/// A query that is ready to be run.
pub struct Statement<'a> {
    ready: Ready<'a>,
    timer: Timer,
}

enum Ready<'a> {
    Sqlite(CachedStatement<'a>, slow::Watched<'a>),
    Postgres(&'a Pg, postgres::Prepared),
}

impl Db {
    /// Whether the database is a PostgreSQL server.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Makes a query ready, or takes the one that was made ready before.
    ///
    /// # Errors
    /// The database does not understand it, or does not answer.
    pub fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        listen::count();
        listen::hear(sql);
        let ready = match self {
            Self::Sqlite(db) => Ready::Sqlite(db.prepare_cached(sql)?, slow::Watched::new(db, sql)),
            Self::Postgres(pg) => Ready::Postgres(pg, pg.prepare(sql)?),
        };
        Ok(Statement { ready, timer: self.timers().timer(sql) })
    }

    /// Runs a statement; gives the number of rows it changed.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.prepare(sql)?.execute(params)
    }

    /// Runs a query of which the first row is wanted; see [`Statement::query_row`].
    ///
    /// # Errors
    /// There is no row; the database cannot be read.
    pub fn query_row<T>(
        &self,
        sql: &str,
        params: impl Params,
        from: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.prepare(sql)?.query_row(params, from)
    }

    /// Runs one statement for each of many rows of values, without waiting for one before the next is sent.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) fn execute_each(&self, sql: &str, rows: impl Iterator<Item = Vec<Value>>) -> Result<()> {
        listen::count();
        let _time = timing::begin(&self.timers().timer(sql));
        match self {
            Self::Sqlite(db) => {
                let mut statement = db.prepare_cached(sql)?;
                for row in rows {
                    statement.execute(rusqlite::params_from_iter(row))?;
                }
                Ok(())
            }
            Self::Postgres(pg) => pg.execute_each(sql, rows),
        }
    }

    /// Runs statements without parameters, as they stand.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn execute_batch(&self, sql: &str) -> Result<()> {
        let _time = timing::begin(&self.timers().timer(sql));
        match self {
            Self::Sqlite(db) => Ok(db.execute_batch(sql)?),
            Self::Postgres(pg) => pg.batch(sql),
        }
    }

    /// Begins a transaction, alone among those of the same lock; undone when dropped.
    ///
    /// # Errors
    /// Another holds the lock for too long.
    pub fn begin(&self, lock: impl Into<Option<Lock>>) -> Result<Transaction<'_>> {
        self.begin_alone(lock.into())?;
        Ok(Transaction { db: self, open: true })
    }

    /// Begins a transaction that is ended by hand.
    pub(crate) fn begin_alone(&self, lock: Option<Lock>) -> Result<()> {
        match self {
            Self::Sqlite(db) => Ok(db.execute_batch("begin immediate")?),
            Self::Postgres(pg) => {
                // One question for both.
                let locks =
                    lock.map_or_else(String::new, |lock| format!("; select pg_advisory_xact_lock({})", lock.key()));
                let begun = pg.batch(&format!("begin{locks}"));
                if begun.is_err() {
                    let _ = pg.batch("rollback");
                }
                begun
            }
        }
    }

    /// Shuts others out from what goes by this name until the transaction ends. On SQLite who writes is alone anyway.
    ///
    /// # Errors
    /// Another holds it for too long.
    pub fn lock_name(&self, name: &str) -> Result<()> {
        if self.is_postgres() {
            self.query_row("select pg_advisory_xact_lock(hashtextextended(?1, 0))", [name], |_| Ok(()))?;
        }
        Ok(())
    }

    /// Deletes every row of a table; numbers of rows begin at 1 again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn empty(&self, table: &str) -> Result<()> {
        self.execute_batch(&match self {
            Self::Sqlite(_) => format!("delete from {table}"),
            Self::Postgres(_) => format!("truncate {table} restart identity"),
        })
    }

    /// Has queries on this connection end with an error after `deadline`.
    pub(crate) fn set_deadline(&mut self, deadline: Option<Instant>) -> Result<()> {
        match (self, deadline) {
            (Self::Sqlite(db), Some(deadline)) => {
                db.connection.progress_handler(crate::STEPS_BETWEEN_LOOKS, Some(move || Instant::now() >= deadline))?;
            }
            (Self::Sqlite(db), None) => db.connection.progress_handler(0, None::<fn() -> bool>)?,
            (Self::Postgres(pg), deadline) => pg.set_deadline(deadline),
        }
        Ok(())
    }

    /// The SQLite connection, for what only SQLite has.
    pub(crate) fn sqlite(&self) -> Option<&rusqlite::Connection> {
        match self {
            Self::Sqlite(db) => Some(&db.connection),
            Self::Postgres(_) => None,
        }
    }

    /// What times its statements.
    pub(crate) fn timers(&self) -> &Timers {
        match self {
            Self::Sqlite(db) => &db.timers,
            Self::Postgres(pg) => &pg.timers,
        }
    }
}

impl Statement<'_> {
    /// Runs it; gives the number of rows it changed.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn execute(&mut self, params: impl Params) -> Result<usize> {
        let _time = timing::begin(&self.timer);
        match &mut self.ready {
            Ready::Sqlite(statement, watched) => {
                let _asking = watched.begin();
                Ok(params.with(|values| statement.execute(values))?)
            }
            Ready::Postgres(pg, statement) => params.with(|values| pg.execute(statement, values)),
        }
    }

    /// Its first row; [`OptionalExtension::optional`] makes none of an answer without rows.
    ///
    /// # Errors
    /// There is no row; the database cannot be read.
    pub fn query_row<T>(
        &mut self,
        params: impl Params,
        from: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let _time = timing::begin(&self.timer);
        match &mut self.ready {
            Ready::Sqlite(statement, watched) => {
                let _asking = watched.begin();
                Ok(params.with(|values| statement.query_row(values, |row| from(&Row::Sqlite(row))))?)
            }
            Ready::Postgres(pg, statement) => {
                let rows = params.with(|values| pg.query(statement, values))?;
                let first = rows.first().ok_or(rusqlite::Error::QueryReturnedNoRows)?;
                Ok(from(&Row::Postgres(first))?)
            }
        }
    }

    /// Its rows, each as `from` makes of it. On PostgreSQL all are fetched first, so that another query may run between two.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn query_map<T, F>(&mut self, params: impl Params, from: F) -> Result<row::Mapped<'_, F>>
    where
        F: FnMut(&Row<'_>) -> rusqlite::Result<T>,
    {
        let time = timing::begin(&self.timer);
        Ok(match &mut self.ready {
            Ready::Sqlite(statement, watched) => {
                let asking = watched.begin();
                let rows = params.with(|values| statement.query(values))?;
                row::Mapped::Sqlite(rows, from, time, asking)
            }
            Ready::Postgres(pg, statement) => {
                let rows = params.with(|values| pg.query(statement, values))?;
                row::Mapped::Postgres(rows.into_iter(), from)
            }
        })
    }

    /// Its rows, one after the other as they come: no other query runs on this connection until they are read.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn query(&mut self, params: impl Params) -> Result<Rows<'_>> {
        let time = timing::begin(&self.timer);
        match &mut self.ready {
            Ready::Sqlite(statement, watched) => {
                let asking = watched.begin();
                Ok(Rows::Sqlite(params.with(|values| statement.query(values))?, time, asking))
            }
            Ready::Postgres(pg, statement) => params.with(|values| pg.stream(statement, values, time)),
        }
    }
}

/// A transaction under way; what was not committed is undone when it is dropped.
pub struct Transaction<'a> {
    db: &'a Db,
    open: bool,
}

impl Transaction<'_> {
    /// Makes it stand.
    ///
    /// # Errors
    /// The database cannot be written; nothing is changed then.
    pub fn commit(mut self) -> Result<()> {
        self.db.execute_batch("commit")?;
        self.open = false;
        Ok(())
    }
}

impl std::ops::Deref for Transaction<'_> {
    type Target = Db;

    fn deref(&self) -> &Db {
        self.db
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.open {
            let _ = self.db.execute_batch("rollback");
        }
    }
}

/// Makes none of an answer without rows.
pub trait OptionalExtension<T> {
    /// # Errors
    /// Every other error.
    fn optional(self) -> Result<Option<T>>;
}

impl<T> OptionalExtension<T> for Result<T> {
    fn optional(self) -> Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(Error::Sqlite(rusqlite::Error::QueryReturnedNoRows)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
