//! The database in a file of the data folder: readers beside one short writer, and whoever holds the folder's lock.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};
use trace::Phase;

use crate::db::{Lite, PoolFigures, Role};
use crate::{Db, Error, Result, schema, search};

/// How long a connection waits for a lock before it says so.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a short transaction waits for an ingest's: less than a request may take, so that its caller hears of it.
const SHORT_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an ingest stands back between two batches for who waits to write.
const GIVE_WAY_MAX: Duration = Duration::from_secs(1);
/// How many of this process wait to write.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// The database of one data folder.
pub(crate) struct Folder {
    path: PathBuf,
    readers: Mutex<Vec<Db>>,
    readers_max: usize,
    /// Who waits for a reader.
    waiting: AtomicUsize,
    returned: Condvar,
    /// For short transactions, one after the other.
    short: Mutex<Short>,
    short_returned: Condvar,
}

/// The connection for short transactions; made when the first comes.
#[derive(Default)]
struct Short {
    connection: Option<Db>,
    is_lent: bool,
}

impl Folder {
    /// Opens the database, making it when it is not there, and brings its schema up to date.
    ///
    /// `readers` is the number of connections kept for queries.
    ///
    /// # Errors
    /// Not a database, written by a newer program, no right to write.
    pub(crate) fn open(path: &Path, readers: usize) -> Result<Self> {
        let writer = connect(path, false)?;
        schema::migrate(&writer)?;
        let connections = (0..readers.max(1)).map(|_| connect(path, true)).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            path: path.to_owned(),
            readers_max: connections.len(),
            readers: Mutex::new(connections),
            waiting: AtomicUsize::new(0),
            returned: Condvar::new(),
            short: Mutex::default(),
            short_returned: Condvar::new(),
        })
    }

    /// Runs `query` on a reader, waiting for one to be free.
    ///
    /// # Errors
    /// Whatever `query` gives.
    pub(crate) fn read<T>(&self, until: Option<Instant>, query: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        let mut free = self.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let connection = loop {
            match free.pop() {
                Some(connection) => break connection,
                None => {
                    self.waiting.fetch_add(1, Ordering::Relaxed);
                    free = self.returned.wait(free).unwrap_or_else(std::sync::PoisonError::into_inner);
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                }
            }
        };
        drop(free);
        let mut lent = Lent { folder: self, connection: Some(connection) };
        let connection = lent.connection.as_mut().expect("a lent connection is there until it is dropped");
        if until.is_some() {
            connection.set_deadline(until)?;
        }
        trace::step_of(Phase::Database, || query(connection))
    }

    /// Does `work` in one short transaction, alone among writers: all of it is written, or nothing.
    ///
    /// # Errors
    /// Whatever `work` gives; another writer holds the database for too long ([`Error::is_busy`]).
    pub(crate) fn write<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Db) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        WAITING.fetch_add(1, Ordering::Relaxed);
        let lent = self.lend_short();
        let begun = lent.and_then(|mut lent| {
            lent.begin()?;
            Ok(lent)
        });
        WAITING.fetch_sub(1, Ordering::Relaxed);
        let lent = begun?;
        trace::step_of(Phase::Database, || {
            let done = work(lent.transaction())?;
            lent.commit()?;
            Ok(done)
        })
    }

    /// Lends the connection for short transactions, with what is left of the time that its borrower may wait.
    fn lend_short(&self) -> Result<LentShort<'_>> {
        let deadline = Instant::now() + SHORT_BUSY_TIMEOUT;
        let mut short = self.short.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        while short.is_lent {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::busy());
            }
            let waited = self.short_returned.wait_timeout(short, left);
            short = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        let connection = short.connection.take();
        short.is_lent = true;
        drop(short);
        let mut lent = LentShort { folder: self, connection, in_transaction: false };
        if lent.connection.is_none() {
            lent.connection = Some(self.short_writer()?);
        }
        if let Some(db) = lent.transaction().sqlite() {
            db.busy_timeout(deadline.saturating_duration_since(Instant::now()))?;
        }
        Ok(lent)
    }

    /// A connection for short transactions: it keeps few pages.
    fn short_writer(&self) -> Result<Db> {
        let connection = open_file(&self.path, false)?;
        connection.pragma_update(None, "cache_size", -8_192)?;
        Ok(Db::Sqlite(Lite::new(connection, Role::Writer)))
    }

    /// The readers, and who waits for one.
    pub(crate) fn figures(&self) -> PoolFigures {
        let idle = self.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).len();
        let (open, waiting) = (self.readers_max, self.waiting.load(Ordering::Relaxed));
        PoolFigures { open, idle, waiting, kept_max: open, size: open }
    }

    /// A connection that may write. Who writes holds the data folder's lock.
    pub(crate) fn writer(&self) -> Result<Db> {
        connect(&self.path, false)
    }

    /// A connection that only reads, for one who reads all of a table: what it has read is not kept mapped.
    pub(crate) fn scanner(&self) -> Result<Db> {
        let connection = open_file(&self.path, true)?;
        connection.pragma_update(None, "mmap_size", 0)?;
        Ok(Db::Sqlite(Lite::new(connection, Role::Bulk)))
    }
}

impl Drop for Folder {
    /// Folds the log into the database file, so that this one file is whole when nobody has it open: connections that only
    /// read cannot do it.
    fn drop(&mut self) {
        self.readers.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
        self.short.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).connection.take();
        let _ = connect(&self.path, false);
    }
}

/// A reader on loan; it goes back when dropped, also when the query panics.
struct Lent<'a> {
    folder: &'a Folder,
    connection: Option<Db>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            let _ = connection.set_deadline(None);
            self.folder.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(connection);
            self.folder.returned.notify_one();
        }
    }
}

/// The connection for short transactions on loan; what was not committed is undone when it goes back.
struct LentShort<'a> {
    folder: &'a Folder,
    connection: Option<Db>,
    in_transaction: bool,
}

impl LentShort<'_> {
    fn transaction(&self) -> &Db {
        self.connection.as_ref().expect("a lent connection is there until it is dropped")
    }

    fn begin(&mut self) -> Result<()> {
        self.transaction().execute_batch("begin immediate")?;
        self.in_transaction = true;
        Ok(())
    }

    fn commit(mut self) -> Result<()> {
        self.transaction().execute_batch("commit")?;
        self.in_transaction = false;
        Ok(())
    }
}

impl Drop for LentShort<'_> {
    fn drop(&mut self) {
        // One that cannot be undone is not used again.
        let undone = !self.in_transaction || self.transaction().execute_batch("rollback").is_ok();
        let mut short = self.folder.short.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        short.connection = self.connection.take().filter(|_| undone);
        short.is_lent = false;
        self.folder.short_returned.notify_one();
    }
}

/// How many of this process wait to write.
pub(crate) fn waiting_to_write() -> usize {
    WAITING.load(Ordering::Relaxed)
}

/// Lets those of this process who wait to write go first, for a while: SQLite's lock knows no order.
pub(crate) fn give_way() {
    let deadline = Instant::now() + GIVE_WAY_MAX;
    while WAITING.load(Ordering::Relaxed) > 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn connect(path: &Path, read_only: bool) -> Result<Db> {
    let role = if read_only { Role::Reader } else { Role::Bulk };
    Ok(Db::Sqlite(Lite::new(open_file(path, read_only)?, role)))
}

/// Gives SQL what this crate does with words: `holds_words(words, text, …)` says whether all of them stand in the texts.
fn add_functions(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("holds_words", -1, flags, |context| {
        let words: String = context.get(0)?;
        let words: Vec<&str> = words.split(' ').collect();
        let texts = (1..context.len()).filter_map(|at| context.get_raw(at).as_str().ok());
        Ok(search::hold_words(&words, texts))
    })?;
    Ok(())
}

fn open_file(path: &Path, read_only: bool) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX
        | if read_only {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        };
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(128);
    add_functions(&connection)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "temp_store", "file")?;
    if read_only {
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
        connection.pragma_update(None, "cache_size", -8_192)?;
    } else {
        connection.pragma_update(None, "page_size", 8_192)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "cache_size", -98_304)?;
    }
    Ok(connection)
}
