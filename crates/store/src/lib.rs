//! The operational database: rows, full-text search, the lake's manifest, findings.
//!
//! One SQLite file. A single writer commits whole ingests; any number of readers see the last commit and never wait.
//! Canonical tables are made from the model's columns, so a record has one shape everywhere.

mod bulk;
mod cache_store;
pub mod chain;
mod copying;
pub mod db;
mod entities;
mod error;
mod findings;
mod history;
pub mod identity;
mod ingest;
pub mod ingest_jobs;
mod investigation_plan;
pub mod investigations;
mod keys;
mod likeness;
mod linking;
mod links;
mod put;
mod quality;
mod quarantine;
mod read;
mod recall;
mod replicas;
mod schema;
mod scope;
pub mod search;
mod segments;
mod server;
mod sources;
mod sqlite;
mod statements;
mod values;
pub mod verdicts;
mod watch;

use std::cell::Cell;
use std::path::Path;
use std::time::Instant;

pub use cache_store::CacheStore;
pub use copying::Copied;
pub use db::{Db, OptionalExtension, Params, PoolFigures, PoolSettings, Row};
pub use error::{Error, Result};
pub use findings::{
    CoverageRow, FindingFilter, FindingRow, FindingSort, JudgedFinding, Judgement, RunRecord, VerdictFilter,
};
pub use ingest::{Account, Ingest, NewFile, Outcome, Progress, QuarantinedRow};
pub use ingest_jobs::IngestJobRow;
pub use investigations::{InvestigationFilter, InvestigationFindingRow, InvestigationFlagRow, InvestigationRow};
pub use linking::LinkedReport;
pub use links::{Decision, EntityKind, LinkChange, LinkFilter, LinkRow};
pub use quality::{Noted, QualityNote, SourceFiles, SourceMonth};
pub use quarantine::{FileHead, QuarantineFilter, Quarantined};
pub use read::{
    Below, BuyerFilter, BuyerNames, BuyerRow, ContractFilter, ContractRow, ContractSort, Counted, CountedAmendments,
    Cursor, GlanceFilter, Glanced, Marked, NameSort, Owner, Page, ReadFile, Registered, RowVersion, SanctionRow,
    SupplierFilter, SupplierRow, TenderFilter, Totals,
};
pub use recall::{EarlierInvestigation, RecalledStatement, RecalledVerdict};
pub use replicas::Reads;
pub use scope::PlacedFinding;
pub use segments::{NewSegment, Scanner, Segment, TouchedPartition};
pub use sources::{FileRow, QuarantineCount, SegmentCount, SourceRow};
pub use statements::{NewStatement, StatementRow};
pub use verdicts::{VerdictCount, VerdictRow};
pub use watch::{Change, Watch};

use db::pool::Lent;
use server::Server;
use sqlite::Folder;

/// Steps of SQLite's machine between two looks at the clock; some tens of microseconds.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// Notes something under a key.
pub(crate) const SET_META: &str =
    "insert into meta (key, value) values (?1, ?2) on conflict (key) do update set value = excluded.value";

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Runs `work`; queries that it still runs on this thread after `deadline` are interrupted and give an error, so that
/// nobody's long question keeps a connection when the one who asked has left.
pub fn within<T>(deadline: Instant, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Instant>);
    impl Drop for Restore {
        fn drop(&mut self) {
            DEADLINE.set(self.0);
        }
    }
    let _restore = Restore(DEADLINE.replace(Some(deadline)));
    work()
}

/// The hash by which records are looked up (XXH3-64 of the id).
#[must_use]
pub fn id_hash(id: &str) -> i64 {
    xxhash_rust::xxh3::xxh3_64(id.as_bytes()).cast_signed()
}

/// The newest version of the schema that this program knows.
pub const SCHEMA_VERSION: i64 = schema::VERSION;

/// The version of the schema in a file; 0 when there is none. Changes nothing.
///
/// # Errors
/// Not a database.
pub fn schema_in(path: &Path) -> Result<i64> {
    if path.is_file() { schema::version(&sqlite::connect(path, true)?) } else { Ok(0) }
}

/// The version of the schema at a server; 0 when there is none. Changes nothing.
///
/// # Errors
/// It cannot be reached.
pub fn schema_at(server: PoolSettings) -> Result<i64> {
    schema::version(&*db::pool::Pool::new(server)?.lend()?)
}

/// Whether the address of a server can be read.
///
/// # Errors
/// [`Error::Address`], with the reason.
pub fn check_address(url: &str) -> Result<()> {
    url.parse::<tokio_postgres::Config>().map(|_| ()).map_err(|error| Error::Address(db::told(&error)))
}

/// The database of one data folder, or of a server.
pub struct Store {
    home: Home,
}

enum Home {
    Folder(Folder),
    Server(Server),
}

impl Store {
    /// Opens the database in a file, making it when it is not there, and brings its schema up to date.
    ///
    /// `readers` is the number of connections kept for queries.
    ///
    /// # Errors
    /// Not a database, written by a newer program, no right to write.
    pub fn open(path: &Path, readers: usize) -> Result<Self> {
        Ok(Self { home: Home::Folder(Folder::open(path, readers)?) })
    }

    /// Opens the database of a PostgreSQL server with its replicas, and brings its schema up to date.
    ///
    /// # Errors
    /// It cannot be reached, was written by a newer program, or gives no right to write.
    pub fn connect(settings: PoolSettings, replicas: Vec<PoolSettings>) -> Result<Self> {
        Ok(Self { home: Home::Server(Server::open(settings, replicas)?) })
    }

    /// Runs `query` on a reader, waiting for one to be free.
    ///
    /// # Errors
    /// Whatever `query` gives.
    pub fn read<T>(&self, query: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        match &self.home {
            Home::Folder(folder) => folder.read(DEADLINE.get(), query),
            Home::Server(server) => server.read(DEADLINE.get(), query),
        }
    }

    /// Does `work` in one short transaction, alone among those that append to the log: all of it is written, or nothing.
    ///
    /// # Errors
    /// Whatever `work` gives; another writer holds the database for too long ([`Error::is_busy`]).
    pub fn write<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Db) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        match &self.home {
            Home::Folder(folder) => folder.write(work),
            Home::Server(server) => server.write(Some(db::Lock::Log), work),
        }
    }

    /// Does `work` in one short transaction that shuts nobody out but from the rows it changes; on SQLite, as [`Self::write`].
    ///
    /// # Errors
    /// Whatever `work` gives.
    pub fn change<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Db) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        match &self.home {
            Home::Folder(folder) => folder.write(work),
            Home::Server(server) => server.write(None, work),
        }
    }

    /// Does `work`, which is one statement, and so all or nothing by itself.
    ///
    /// # Errors
    /// Whatever `work` gives.
    pub fn change_at_once<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Db) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        match &self.home {
            Home::Folder(folder) => folder.write(work),
            Home::Server(server) => work(&*server.lend()?),
        }
    }

    /// A connection that may write. Who writes holds the data folder's lock.
    pub(crate) fn writer(&self) -> Result<Lent> {
        match &self.home {
            Home::Folder(folder) => Ok(Lent::own(folder.writer()?)),
            Home::Server(server) => server.lend(),
        }
    }

    /// A connection that writes much.
    pub(crate) fn loader(&self) -> Result<Lent> {
        match &self.home {
            Home::Folder(folder) => Ok(Lent::own(folder.writer()?)),
            Home::Server(server) => server.loader(),
        }
    }

    /// A connection that only reads, for one who reads all of a table.
    pub(crate) fn reader(&self) -> Result<Lent> {
        match &self.home {
            Home::Folder(folder) => Ok(Lent::own(folder.scanner()?)),
            Home::Server(server) => server.loader(),
        }
    }

    /// Who asks the server for all that watch it, if the database is a server's.
    pub(crate) fn poller(&self) -> Result<Option<std::sync::Arc<watch::Poller>>> {
        match &self.home {
            Home::Folder(_) => Ok(None),
            Home::Server(server) => server.poller().map(Some),
        }
    }

    /// Whether the database is a server's.
    #[must_use]
    pub fn is_server(&self) -> bool {
        matches!(self.home, Home::Server(_))
    }

    /// The connections for questions: readers of the file, or all to the server.
    #[must_use]
    pub fn pool(&self) -> PoolFigures {
        match &self.home {
            Home::Folder(folder) => folder.figures(),
            Home::Server(server) => server.figures(),
        }
    }

    /// Who waits to write, where writers stand in line in this process.
    #[must_use]
    pub fn waiting_to_write(&self) -> usize {
        sqlite::waiting_to_write()
    }

    /// How far each replica is behind, in seconds; nothing of one that does not answer.
    #[must_use]
    pub fn replica_lags(&self) -> Vec<Option<f64>> {
        match &self.home {
            Home::Folder(_) => Vec::new(),
            Home::Server(server) => server.lags(),
        }
    }

    /// Where questions went, if the server has replicas.
    #[must_use]
    pub fn reads(&self) -> Option<Reads> {
        match &self.home {
            Home::Folder(_) => None,
            Home::Server(server) => server.reads(),
        }
    }

    /// Checks the database's own structure; an empty list is a sound database. A server checks its own.
    ///
    /// # Errors
    /// The check could not run.
    pub fn integrity(&self) -> Result<Vec<String>> {
        self.read(|db| {
            if db.is_postgres() {
                return db.query_row("select 1", [], |_| Ok(Vec::new()));
            }
            let mut statement = db.prepare("pragma quick_check(20)")?;
            let lines =
                statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(lines.into_iter().filter(|line| line != "ok").collect())
        })
    }
}
