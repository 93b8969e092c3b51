//! The cache's third tier: a database of its own beside the store's, so that no ingest's long lock stands before it.
//!
//! It may be deleted at any time, and what cannot be read of it is thrown away: nothing in it is a fact. It is bounded in bytes; the oldest
//! go first.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cache::Persistent;
use rusqlite::{Connection, params};

use crate::Result;

/// How long who puts waits for another process that puts; then the entry is let go.
const BUSY: Duration = Duration::from_millis(200);
/// What is freed when it is full: a tenth, so that not every entry frees one.
const FREED: u64 = 10;

/// The third tier in a file.
pub struct CacheStore {
    reader: Mutex<Connection>,
    writer: Mutex<Connection>,
    bytes_max: u64,
    entries: AtomicU64,
    bytes: AtomicU64,
}

impl CacheStore {
    /// Opens the file, making it when it is not there, and anew when it cannot be read.
    ///
    /// # Errors
    /// It can be neither opened nor made.
    pub fn open(path: &Path, bytes_max: u64) -> Result<Self> {
        match Self::open_as_it_is(path, bytes_max) {
            Ok(opened) => Ok(opened),
            Err(_) => {
                for ending in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
                }
                Self::open_as_it_is(path, bytes_max)
            }
        }
    }

    fn open_as_it_is(path: &Path, bytes_max: u64) -> Result<Self> {
        let writer = connect(path)?;
        writer.execute_batch(include_str!("../sql/cache.sql"))?;
        let sql = "select count(*), coalesce(sum(length(entry)), 0) from entries";
        let (entries, bytes): (i64, i64) = writer.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (entries, bytes) = (entries.cast_unsigned().into(), bytes.cast_unsigned().into());
        let reader = Mutex::new(connect(path)?);
        Ok(Self { reader, writer: Mutex::new(writer), bytes_max, entries, bytes })
    }

    fn insert(&self, key: u128, entry: &[u8]) -> Result<()> {
        let length = entry.len() as u64;
        if length > self.bytes_max / FREED {
            return Ok(());
        }
        let db = held(&self.writer);
        let transaction = db.unchecked_transaction()?;
        let old: Option<i64> = transaction
            .prepare_cached("delete from entries where key = ?1 returning length(entry)")?
            .query_map([key.to_le_bytes()], |row| row.get(0))?
            .next()
            .transpose()?;
        transaction
            .prepare_cached("insert into entries (key, entry) values (?1, ?2)")?
            .execute(params![key.to_le_bytes(), entry])?;
        let (mut entries, mut bytes) = (self.entries.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        bytes = (bytes + length).saturating_sub(old.unwrap_or_default().cast_unsigned());
        entries += u64::from(old.is_none());
        if bytes > self.bytes_max {
            let keep = self.bytes_max - self.bytes_max / FREED;
            while bytes > keep {
                let sql = "delete from entries where id = (select min(id) from entries) returning length(entry)";
                let freed: Option<i64> =
                    transaction.prepare_cached(sql)?.query_map([], |row| row.get(0))?.next().transpose()?;
                let Some(freed) = freed else { break };
                bytes = bytes.saturating_sub(freed.cast_unsigned());
                entries = entries.saturating_sub(1);
            }
        }
        transaction.commit()?;
        self.entries.store(entries, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
        Ok(())
    }

    fn find(&self, key: u128) -> Result<Option<Vec<u8>>> {
        let db = held(&self.reader);
        let mut statement = db.prepare_cached("select entry from entries where key = ?1")?;
        Ok(statement.query_map([key.to_le_bytes()], |row| row.get(0))?.next().transpose()?)
    }

    fn last(&self, entries: usize) -> Result<Vec<Vec<u8>>> {
        let db = held(&self.reader);
        let mut statement = db.prepare_cached("select entry from entries order by id desc limit ?1")?;
        Ok(statement.query_map([entries.cast_signed()], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }
}

impl Persistent for CacheStore {
    fn get(&self, key: u128) -> Option<Vec<u8>> {
        self.find(key).ok().flatten()
    }

    fn put(&self, key: u128, entry: &[u8]) {
        // A miss later is all that it costs.
        let _ = self.insert(key, entry);
    }

    fn newest(&self, entries: usize) -> Vec<Vec<u8>> {
        self.last(entries).unwrap_or_default()
    }

    fn held(&self) -> (u64, u64) {
        (self.entries.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

fn held(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "cache_size", -2_048)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_its_bytes_and_the_oldest_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.db");
        let store = CacheStore::open(&path, 10_000).unwrap();
        for key in 0..100_u128 {
            store.put(key, &[7; 500]);
        }
        let (entries, bytes) = store.held();
        assert!(bytes <= 10_000 && entries * 500 == bytes, "{entries} {bytes}");
        assert!(store.get(0).is_none() && store.get(99).is_some());
        store.put(99, &[8; 100]);
        assert_eq!((store.get(99).unwrap(), store.held().0), (vec![8; 100], entries));
        drop(store);
        let again = CacheStore::open(&path, 10_000).unwrap();
        assert_eq!((again.newest(1), again.held().0), (vec![vec![8; 100]], entries));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.db");
        std::fs::write(&path, [b'x'; 4_096]).unwrap();
        let store = CacheStore::open(&path, 10_000).unwrap();
        store.put(1, b"a");
        assert_eq!(store.get(1).as_deref(), Some(&b"a"[..]));
    }
}
