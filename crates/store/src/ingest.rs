//! An ingest from its beginning to its commit.
//!
//! A small ingest is one transaction: visible as a whole or not at all. A large one saves its batches, so that neither
//! the log nor what is lost by a crash grows with it: rows, keys, the progress of the file and the touched partitions
//! are committed together, and an ingest that was broken off is continued by whichever comes next, under its number.
//! What its rows do to what is held stands in [`crate::put`].

use std::collections::HashMap;

use crate::db::{Db, Lock, OptionalExtension};
use model::{Buyer, Record, Row as _, Supplier, TABLES, Table};
use rusqlite::params;

use crate::bulk::Bulk;
use crate::db::pool::Lent;
use crate::entities::{Entities, NamedBy};
use crate::keys::Keys;
use crate::put::TableSql;
use crate::schema::{create_indexes, create_partition_indexes, drop_indexes};
use crate::segments::TouchedPartition;
use crate::{Result, Store, id_hash, search};

/// Bytes of the write-ahead log beyond which a batch ends with folding it into the database.
const LOG_BYTES_MAX: u64 = 768 << 20;

/// Bytes of files from which on an ingest into an emptier database drops the secondary indexes and makes them again.
const LARGE_BYTES: u64 = 32 << 20;

/// What a row did; of several records that it states, the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Already held, or older than what is held.
    Unchanged,
    /// A new record.
    Kept,
    /// Took the place of an older record, which stays reachable.
    Replaced,
}

/// The account of a file or an ingest: `read = kept + unchanged + replaced + quarantined`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names are the account's own")]
pub struct Account {
    pub read: u64,
    pub kept: u64,
    pub unchanged: u64,
    pub replaced: u64,
    pub quarantined: u64,
}

impl Account {
    /// Books one outcome.
    pub fn book(&mut self, outcome: Outcome) {
        self.read += 1;
        match outcome {
            Outcome::Kept => self.kept += 1,
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Replaced => self.replaced += 1,
        }
    }

    /// Books one quarantined row.
    pub fn book_quarantined(&mut self) {
        self.read += 1;
        self.quarantined += 1;
    }

    /// Adds another account.
    pub fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.kept += other.kept;
        self.unchanged += other.unchanged;
        self.replaced += other.replaced;
        self.quarantined += other.quarantined;
    }
}

/// A row that could not be kept.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are those of the quarantine")]
pub struct QuarantinedRow<'a> {
    pub line: u64,
    pub column: Option<&'a str>,
    pub reason: &'a str,
    pub detail: &'a str,
    pub raw: &'a str,
    pub whole: bool,
}

/// A file that is about to be read.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the names are those of the table")]
pub struct NewFile<'a> {
    pub name: &'a str,
    pub sha256: &'a str,
    pub member: &'a str,
    pub source: &'a str,
    pub format: &'a str,
    pub head: &'a str,
    pub mapping: &'a str,
    pub reader: &'a str,
}

/// Where the reading of a file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Rows that are dealt with already.
    pub rows_done: u64,
    /// Their account.
    pub account: Account,
}

/// The file that is being read.
#[derive(Clone, Copy)]
pub(crate) struct OpenFile {
    pub(crate) id: i64,
    /// It was read before: what later files say stands over it.
    pub(crate) again: bool,
    /// It was read before by another mapping, so that its rows may say something else now.
    pub(crate) remapped: bool,
}

/// An ingest under way. Dropped without [`Ingest::commit`], it leaves what its saved batches hold and no more.
pub struct Ingest {
    pub(crate) connection: Lent,
    /// On a server, what waits to be sent.
    pub(crate) bulk: Option<Bulk>,
    pub(crate) id: i64,
    started_at: String,
    pub(crate) file: Option<OpenFile>,
    pub(crate) keys: Keys,
    /// Per table, whether any key of it is shared.
    pub(crate) shares_keys: Vec<bool>,
    pub(crate) sql: Vec<TableSql>,
    pub(crate) entities: Entities,
    /// (table, source, partition) → whether rows that the lake already holds changed.
    touched: HashMap<(u8, String, String), bool>,
    last_touch: Option<(u8, String, String, bool)>,
    /// Rows of it are committed: others may read them.
    is_split: bool,
    /// The secondary indexes were dropped for it.
    is_large: bool,
    words: String,
}

pub(crate) fn table_number(name: &str) -> u8 {
    TABLES.iter().position(|t| t.name == name).and_then(|n| u8::try_from(n).ok()).expect("every record has a table")
}

impl Store {
    /// Begins an ingest, or goes on with the one that was broken off. `bytes_expected` decides whether secondary indexes
    /// are dropped and made again at the end.
    ///
    /// # Errors
    /// The database cannot be written (another writer, a full disk, no right).
    pub fn begin_ingest(&self, started_at: &str, bytes_expected: u64) -> Result<Ingest> {
        let connection = self.loader()?;
        if let Some(db) = connection.sqlite() {
            // The log is folded in between batches, not in the middle of a commit.
            db.pragma_update(None, "wal_autocheckpoint", 0)?;
        }
        connection.begin_alone(Some(Lock::Facts))?;
        let open: Option<i64> = connection
            .query_row("select id from ingests where finished_at is null", [], |row| row.get(0))
            .optional()?;
        let id = match open {
            Some(id) => id,
            None => {
                let sql = "insert into ingests (id, started_at)
                           values ((select coalesce(max(id), 0) + 1 from ingests), ?1) returning id";
                connection.query_row(sql, [started_at], |row| row.get(0))?
            }
        };
        let held = bytes_held(&connection)?;
        let is_large = bytes_expected > LARGE_BYTES && bytes_expected / 2 > held;
        if is_large {
            drop_indexes(&connection)?;
        }
        // A look at a server costs more than one into a file: there, knowing all keys pays sooner.
        let filtered = is_large || connection.is_postgres() && bytes_expected > held / 128;
        let keys = Keys::open(&connection, filtered)?;
        let bulk = connection.is_postgres().then(|| Bulk::open(&connection)).transpose()?;
        let shares_keys = TABLES
            .iter()
            .map(|table| {
                let sql = "select exists (select 1 from shared_keys where tbl = ?1)";
                connection.query_row(sql, [table.name], |row| row.get(0))
            })
            .collect::<Result<Vec<bool>>>()?;
        let touched = load_touched(&connection)?;
        Ok(Ingest {
            connection,
            bulk,
            is_large,
            id,
            started_at: started_at.to_owned(),
            file: None,
            keys,
            shares_keys,
            sql: TABLES.iter().map(TableSql::new).collect(),
            entities: Entities::default(),
            touched,
            last_touch: None,
            is_split: open.is_some(),
            words: String::new(),
        })
    }

    /// The ingest that was broken off or is under way, if there is one: its number and when it began.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn open_ingest(&self) -> Result<Option<(i64, String)>> {
        self.read(|db| {
            let sql = "select id, started_at from ingests where finished_at is null";
            db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
    }

    /// The rows of a file seen before, by what it holds; with a mapping, only if it was read by the same.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn file_seen(&self, sha256: &str, member: &str, mapping: Option<&str>) -> Result<Option<u64>> {
        self.read(|db| {
            let sql = "select read from files where sha256 = ?1 and member = ?2 and complete and (mapping = ?3 or ?3 is null)";
            Ok(db
                .prepare(sql)?
                .query_row(params![sha256, member, mapping], |row| row.get::<_, i64>(0))
                .optional()?
                .map(i64::cast_unsigned))
        })
    }
}

/// Bytes that the database takes, as far as it matters how much there is already.
fn bytes_held(db: &Db) -> Result<u64> {
    let bytes: i64 = match db {
        Db::Sqlite(db) => db.query_row("select page_count * 8192 from pragma_page_count", [], |row| row.get(0))?,
        Db::Postgres(_) => db.query_row("select pg_database_size(current_database())", [], |row| row.get(0))?,
    };
    Ok(u64::try_from(bytes).unwrap_or(0))
}

fn load_touched(db: &Db) -> Result<HashMap<(u8, String, String), bool>> {
    let mut statement = db.prepare("select tbl, source, partition, rewrite from touched")?;
    let rows = statement.query_map([], |row| {
        let table: String = row.get(0)?;
        Ok(((table_number(&table), row.get(1)?, row.get(2)?), row.get(3)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

impl Ingest {
    /// Its number.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Whether rows of it are committed already, so that other connections see them.
    #[must_use]
    pub fn is_split(&self) -> bool {
        self.is_split
    }

    /// Begins a file; the rows that follow are its own. A file whose reading was broken off goes on where it stopped.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn begin_file(&mut self, file: &NewFile<'_>) -> Result<Progress> {
        let held = self
            .connection
            .prepare(
                "select id, rows_done, read, kept, unchanged, replaced, quarantined from files
                 where sha256 = ?1 and member = ?2 and source = ?3 and not complete and error is null
                   and reader = ?4 and format = ?5 and mapping = ?6",
            )?
            .query_row(params![file.sha256, file.member, file.source, file.reader, file.format, file.mapping], |row| {
                let n = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
                let account =
                    Account { read: n(2)?, kept: n(3)?, unchanged: n(4)?, replaced: n(5)?, quarantined: n(6)? };
                Ok((row.get(0)?, Progress { rows_done: n(1)?, account }))
            })
            .optional()?;
        if let Some((id, progress)) = held {
            self.file = Some(OpenFile { id, again: false, remapped: false });
            return Ok(progress);
        }
        let remapped: bool = self
            .connection
            .prepare(
                "select exists (select 1 from files where sha256 = ?1 and member = ?2 and source = ?3 and mapping <> ?4)",
            )?
            .query_row(params![file.sha256, file.member, file.source, file.mapping], |row| row.get(0))?;
        self.connection.prepare(
            "insert into files (ingest_id, name, sha256, member, source, format, head, mapping, reader, fetched_at,
                                read, kept, unchanged, replaced, quarantined)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, 0, 0, 0)
             on conflict (sha256, member, source) do update set ingest_id = ?1, name = ?2, format = ?6, head = ?7, mapping = ?8,
                 reader = ?9, fetched_at = ?10, rows_done = 0, error = null, complete = false,
                 read = 0, kept = 0, unchanged = 0, replaced = 0, quarantined = 0",
        )?.execute(params![
            self.id, file.name, file.sha256, file.member, file.source, file.format, file.head, file.mapping, file.reader,
            self.started_at
        ])?;
        let id = self.connection.query_row(
            "select id from files where sha256 = ?1 and member = ?2 and source = ?3",
            params![file.sha256, file.member, file.source],
            |row| row.get(0),
        )?;
        // What a first, broken reading of the same file quarantined is read again.
        self.connection.prepare("delete from quarantine where file_id = ?1")?.execute([id])?;
        self.file = Some(OpenFile { id, again: false, remapped });
        Ok(Progress::default())
    }

    /// Goes on with a file that is held, for rows of it that were quarantined.
    pub(crate) fn begin_again(&mut self, id: i64) {
        self.file = Some(OpenFile { id, again: true, remapped: false });
    }

    /// Ends the file and writes its account down. A file that was not read to its end may come again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn end_file(&mut self, progress: &Progress, error: Option<&str>) -> Result<()> {
        self.note_progress(progress)?;
        let file = self.file.take().expect("a file was begun");
        self.connection.prepare("update files set complete = ?2, error = ?3 where id = ?1")?.execute(params![
            file.id,
            error.is_none(),
            error
        ])?;
        Ok(())
    }

    fn note_progress(&self, progress: &Progress) -> Result<()> {
        let file = self.file.as_ref().expect("a file was begun");
        let account = &progress.account;
        self.connection
            .prepare(
                "update files set rows_done=?2, read=?3, kept=?4, unchanged=?5, replaced=?6, quarantined=?7 where id=?1",
            )?
            .execute(params![
                file.id,
                progress.rows_done.cast_signed(),
                account.read.cast_signed(),
                account.kept.cast_signed(),
                account.unchanged.cast_signed(),
                account.replaced.cast_signed(),
                account.quarantined.cast_signed(),
            ])?;
        Ok(())
    }

    /// Ends a batch: what was put so far is committed, with how far the file is read.
    ///
    /// # Errors
    /// The database cannot be written; the batch is lost then, and those before it stand.
    pub fn save(&mut self, progress: Option<&Progress>) -> Result<()> {
        if let (Some(progress), Some(_)) = (progress, &self.file) {
            self.note_progress(progress)?;
        }
        self.write_batch()?;
        self.connection.execute_batch("commit")?;
        self.is_split = true;
        self.fold_log(LOG_BYTES_MAX)?;
        if self.bulk.is_none() {
            crate::sqlite::give_way();
        }
        self.connection.begin_alone(Some(Lock::Facts))
    }

    /// Folds the log into the database when it is longer than `bytes_max`.
    fn fold_log(&self, bytes_max: u64) -> Result<()> {
        let Some(db) = self.connection.sqlite() else { return Ok(()) };
        let path = db.path().map(|path| format!("{path}-wal"));
        let bytes = path.and_then(|path| std::fs::metadata(path).ok()).map_or(0, |meta| meta.len());
        if bytes > bytes_max {
            db.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?;
        }
        Ok(())
    }

    fn write_batch(&mut self) -> Result<()> {
        if let Some(bulk) = &mut self.bulk {
            bulk.flush(&self.connection)?;
        }
        let entities = std::mem::take(&mut self.entities);
        for (table, rewrite) in entities.write(&self.connection, self.id)? {
            self.touch(&table, "all", "all", rewrite);
        }
        self.keys.flush(&self.connection)?;
        let mut statement = self.connection.prepare(
            "insert into touched (tbl, source, partition, rewrite) values (?1, ?2, ?3, ?4)
             on conflict (tbl, source, partition) do update set rewrite = touched.rewrite or excluded.rewrite",
        )?;
        for ((number, source, partition), rewrite) in &self.touched {
            statement.execute(params![TABLES[usize::from(*number)].name, source, partition, rewrite])?;
        }
        Ok(())
    }

    /// Writes a quarantined row down.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn quarantine(&mut self, row: &QuarantinedRow<'_>) -> Result<()> {
        let file = self.file.as_ref().expect("a file was begun");
        if let Some(bulk) = &mut self.bulk {
            return bulk.put_quarantined(self.id, file.id, row);
        }
        self.connection
            .prepare("insert into quarantine (ingest_id, file_id, line, col, reason, detail, raw, whole) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
            .execute(params![self.id, file.id, row.line.cast_signed(), row.column, row.reason, row.detail, row.raw, row.whole])?;
        Ok(())
    }

    /// Notes a buyer that a row named.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn see_buyer(&mut self, id: &str, source: &str, line: u64, buyer: Buyer) -> Result<()> {
        let file_id = self.file.as_ref().expect("a file was begun").id;
        let by = NamedBy { source, file_id, line };
        let (number, keys) = (table_number(Buyer::TABLE.name), &mut self.keys);
        let may_be_held = || keys.may_hold(number, id_hash(id));
        self.entities.see_buyer(&self.connection, id, by, buyer, may_be_held)
    }

    /// Notes a supplier that a row named.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn see_supplier(&mut self, id: &str, source: &str, line: u64, supplier: Supplier) -> Result<()> {
        let file_id = self.file.as_ref().expect("a file was begun").id;
        let by = NamedBy { source, file_id, line };
        let (number, keys) = (table_number(Supplier::TABLE.name), &mut self.keys);
        let may_be_held = || keys.may_hold(number, id_hash(id));
        self.entities.see_supplier(&self.connection, id, by, supplier, may_be_held)
    }

    pub(crate) fn index_words(&mut self, rid: i64, record: &Record, is_new: bool) -> Result<()> {
        let Record::Contract(contract) = record else { return Ok(()) };
        let texts = [&contract.object, &contract.buyer_name, &contract.supplier_name];
        self.insert_words(rid, texts.into_iter().flatten().map(String::as_str), is_new)
    }

    /// Indexes a contract anew from what is held of it.
    pub(crate) fn index_words_again(&mut self, rid: i64) -> Result<()> {
        self.connection.prepare("delete from contracts_fts where rowid = ?1")?.execute([rid])?;
        let texts: [Option<String>; 3] = self
            .connection
            .prepare("select object, buyer_name, supplier_name from contracts where rid = ?1")?
            .query_row([rid], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
        self.insert_words(rid, texts.iter().flatten().map(String::as_str), false)
    }

    fn insert_words<'t>(&mut self, rid: i64, texts: impl Iterator<Item = &'t str>, is_new: bool) -> Result<()> {
        self.words.clear();
        for text in texts {
            search::index_words(text, &mut self.words);
        }
        if let Some(bulk) = self.bulk.as_mut().filter(|_| is_new) {
            return bulk.put_words(&self.connection, rid, &self.words);
        }
        self.connection
            .prepare("insert into contracts_fts (rowid, words) values (?1, ?2)")?
            .execute(params![rid, self.words])?;
        Ok(())
    }

    pub(crate) fn touch(&mut self, table: &Table, source: &str, partition: &str, rewrite: bool) {
        let number = table_number(table.name);
        // Most rows follow one of their own partition; those cost no allocation.
        let again = self
            .last_touch
            .as_ref()
            .is_some_and(|(n, s, p, r)| *n == number && s == source && p == partition && *r == rewrite);
        if again {
            return;
        }
        *self.touched.entry((number, source.to_owned(), partition.to_owned())).or_default() |= rewrite;
        self.last_touch = Some((number, source.to_owned(), partition.to_owned(), rewrite));
    }

    /// Writes what waits (buyers, suppliers, keys) and makes the indexes by which partitions are found; no rows may follow.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn finish_rows(&mut self) -> Result<()> {
        self.write_batch()?;
        create_partition_indexes(&self.connection)?;
        if self.is_split {
            self.save(None)?;
        }
        Ok(())
    }

    /// Makes the other secondary indexes, where they were dropped.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn finish_indexes(&self) -> Result<()> {
        create_indexes(&self.connection)
    }

    /// The partitions that this ingest touched, in a fixed order.
    #[must_use]
    pub fn touched(&self) -> Vec<TouchedPartition> {
        let mut touched: Vec<TouchedPartition> = self
            .touched
            .iter()
            .map(|((number, source, partition), rewrite)| TouchedPartition {
                table: TABLES[usize::from(*number)],
                source: source.clone(),
                partition: partition.clone(),
                rewrite: *rewrite,
            })
            .collect();
        touched.sort_by(|a, b| (a.table.name, &a.source, &a.partition).cmp(&(b.table.name, &b.source, &b.partition)));
        touched
    }

    /// Makes everything visible at once. Its account is that of its files.
    ///
    /// # Errors
    /// The database cannot be written; nothing is visible then.
    pub fn commit(self, finished_at: &str) -> Result<()> {
        self.connection.execute(
            "update ingests set (finished_at, read, kept, unchanged, replaced, quarantined) =
               (select ?2, coalesce(sum(read), 0), coalesce(sum(kept), 0), coalesce(sum(unchanged), 0),
                       coalesce(sum(replaced), 0), coalesce(sum(quarantined), 0) from files where ingest_id = ?1)
             where id = ?1",
            params![self.id, finished_at],
        )?;
        self.connection.execute("delete from touched", [])?;
        self.connection.execute_batch("commit")?;
        // Readers come back to a short log and to what planners should know; a failure here loses nothing.
        let _ = match (&*self.connection, self.is_large) {
            (Db::Sqlite(db), _) => {
                db.execute_batch("pragma wal_checkpoint(truncate); pragma optimize").map_err(crate::Error::from)
            }
            (db, true) => db.execute_batch("analyze"),
            _ => Ok(()),
        };
        Ok(())
    }
}
