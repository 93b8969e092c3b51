//! Writing: one transaction per ingest, so that it is visible as a whole or not at all.
//!
//! What a row does to what is already there:
//! - an id not held: it is kept;
//! - the same content: unchanged;
//! - a source that dates its records: the newest date wins, whatever the order of files; an older one is kept as a version;
//! - a source that does not: a row from a later file replaces, and the old one stays reachable as a version;
//! - differing rows under one key in one file: separate records, told apart by the start of their content hash,
//!   so that the order of rows does not matter.

use std::collections::{HashMap, HashSet};

use model::{Buyer, ENVELOPE, Record, Sourced, Supplier, TABLES, Table};
use rusqlite::{Connection, OptionalExtension, params};

use crate::entities::{Entities, NamedBy};
use crate::schema::{create_indexes, drop_indexes, hash_columns};
use crate::segments::TouchedPartition;
use crate::values::{Bound, bind, json};
use crate::{Error, Result, Store, id_hash, search};

/// How many characters of the content hash tell records under one key apart.
const SHARED_KEY_HASH_LENGTH: usize = 12;

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
}

/// What one file said of a key so far.
struct SeenKey {
    rid: i64,
    row_hash: u64,
}

/// The file that is being read.
struct OpenFile {
    id: i64,
    seen: HashMap<(u8, i64), SeenKey>,
}

/// An ingest under way. Dropped without [`Ingest::commit`], it leaves no trace.
pub struct Ingest {
    pub(crate) connection: Connection,
    id: i64,
    started_at: String,
    file: Option<OpenFile>,
    shared_keys: HashSet<(u8, i64)>,
    sql: Vec<TableSql>,
    pub(crate) entities: Entities,
    /// (table, source, partition) → whether rows that the lake already holds changed.
    touched: HashMap<(u8, String, String), bool>,
    last_touch: Option<(u8, String, String, bool)>,
    bulk: bool,
    words: String,
}

struct TableSql {
    insert: String,
    update: String,
    columns: usize,
}

impl TableSql {
    fn new(table: &Table) -> Self {
        let mut names: Vec<&str> = vec!["idh"];
        names.extend(ENVELOPE.iter().chain(table.columns).map(|c| c.name));
        names.extend(hash_columns(table.name).iter().map(|(name, _)| *name));
        names.push("partition");
        let marks: Vec<String> = (1..=names.len()).map(|n| format!("?{n}")).collect();
        let sets: Vec<String> = names.iter().zip(&marks).map(|(name, mark)| format!("{name}={mark}")).collect();
        Self {
            insert: format!(
                "insert into {} ({}) values ({}) on conflict (idh) do nothing",
                table.name,
                names.join(","),
                marks.join(",")
            ),
            update: format!("update {} set {} where rid=?{}", table.name, sets.join(","), names.len() + 1),
            columns: names.len(),
        }
    }
}

fn table_number(name: &str) -> u8 {
    TABLES.iter().position(|t| t.name == name).and_then(|n| u8::try_from(n).ok()).expect("every record has a table")
}

impl Store {
    /// Begins an ingest. `bytes_expected` decides whether secondary indexes are dropped and made again at the end.
    ///
    /// # Errors
    /// The database cannot be written (another writer, a full disk, no right).
    pub fn begin_ingest(&self, started_at: &str, bytes_expected: u64) -> Result<Ingest> {
        let connection = self.writer()?;
        connection.execute_batch("begin immediate")?;
        let id: i64 = connection.query_row("select coalesce(max(id), 0) + 1 from ingests", [], |row| row.get(0))?;
        let mut shared_keys = HashSet::new();
        {
            let mut statement = connection.prepare("select tbl, idh from shared_keys")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                shared_keys.insert((table_number(row.get_ref(0)?.as_str().unwrap_or_default()), row.get(1)?));
            }
        }
        let held: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let bulk = bytes_expected > 32 << 20 && bytes_expected / 2 > u64::try_from(held).unwrap_or(0) * 8_192;
        if bulk {
            drop_indexes(&connection)?;
        }
        Ok(Ingest {
            connection,
            id,
            started_at: started_at.to_owned(),
            file: None,
            shared_keys,
            sql: TABLES.iter().map(TableSql::new).collect(),
            entities: Entities::default(),
            touched: HashMap::new(),
            last_touch: None,
            bulk,
            words: String::new(),
        })
    }

    /// The rows of a file seen before, by what it holds.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn file_seen(&self, sha256: &str, member: &str) -> Result<Option<u64>> {
        self.read(|db| {
            Ok(db
                .prepare_cached("select read from files where sha256 = ?1 and member = ?2 and complete")?
                .query_row(params![sha256, member], |row| row.get::<_, i64>(0))
                .optional()?
                .map(i64::cast_unsigned))
        })
    }
}

impl Ingest {
    /// Its number.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Begins a file; the rows that follow are its own.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn begin_file(&mut self, name: &str, sha256: &str, member: &str, source: &str, format: &str) -> Result<()> {
        self.connection.prepare_cached(
            "insert into files (ingest_id, name, sha256, member, source, format, fetched_at, read, kept, unchanged, replaced, quarantined)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, 0, 0, 0)
             on conflict (sha256, member, source) do update set ingest_id = ?1, name = ?2, format = ?6, fetched_at = ?7",
        )?.execute(params![self.id, name, sha256, member, source, format, self.started_at])?;
        let id = self.connection.query_row(
            "select id from files where sha256 = ?1 and member = ?2 and source = ?3",
            params![sha256, member, source],
            |row| row.get(0),
        )?;
        // What a first, broken reading of the same file quarantined is read again.
        self.connection.prepare_cached("delete from quarantine where file_id = ?1")?.execute([id])?;
        self.file = Some(OpenFile { id, seen: HashMap::new() });
        Ok(())
    }

    /// Ends the file and writes its account down. A file that was not read to its end may come again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn end_file(&mut self, account: &Account, complete: bool) -> Result<()> {
        let file = self.file.take().expect("a file was begun");
        self.connection
            .prepare_cached(
                "update files set read=?2, kept=?3, unchanged=?4, replaced=?5, quarantined=?6, complete=?7 where id=?1",
            )?
            .execute(params![
                file.id,
                account.read.cast_signed(),
                account.kept.cast_signed(),
                account.unchanged.cast_signed(),
                account.replaced.cast_signed(),
                account.quarantined.cast_signed(),
                complete
            ])?;
        Ok(())
    }

    /// Writes a quarantined row down.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn quarantine(&mut self, row: &QuarantinedRow<'_>) -> Result<()> {
        let file = self.file.as_ref().expect("a file was begun");
        self.connection
            .prepare_cached("insert into quarantine (ingest_id, file_id, line, col, reason, detail, raw) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute(params![self.id, file.id, row.line.cast_signed(), row.column, row.reason, row.detail, row.raw])?;
        Ok(())
    }

    /// Notes a buyer that a row named.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn see_buyer(&mut self, id: &str, source: &str, line: u64, buyer: Buyer) -> Result<()> {
        let file_id = self.file.as_ref().expect("a file was begun").id;
        self.entities.see_buyer(&self.connection, id, NamedBy { source, file_id, line }, buyer)
    }

    /// Notes a supplier that a row named.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn see_supplier(&mut self, id: &str, source: &str, line: u64, supplier: Supplier) -> Result<()> {
        let file_id = self.file.as_ref().expect("a file was begun").id;
        self.entities.see_supplier(&self.connection, id, NamedBy { source, file_id, line }, supplier)
    }

    /// Puts a record, and says what that did.
    ///
    /// # Errors
    /// The database cannot be written; two ids share a hash.
    pub fn put(&mut self, source: &str, sourced: &mut Sourced) -> Result<Outcome> {
        let table = sourced.record.table();
        let number = table_number(table.name);
        let key = (number, id_hash(&sourced.id));
        if sourced.updated_at.is_some() {
            return self.put_dated(source, &table, sourced);
        }
        let row_hash = short_hash(&sourced.row_hash);
        let file = self.file.as_ref().expect("a file was begun");
        if self.shared_keys.contains(&key) {
            return self.put_apart(source, &table, sourced);
        }
        if let Some(seen) = file.seen.get(&key) {
            if seen.row_hash == row_hash {
                return Ok(Outcome::Unchanged);
            }
            let rid = seen.rid;
            self.part_ways(&table, key, rid)?;
            return self.put_apart(source, &table, sourced);
        }
        let (outcome, rid) = match self.insert(source, &table, sourced)? {
            Some(rid) => (Outcome::Kept, rid),
            None => self.replace_if_changed(source, &table, sourced)?,
        };
        self.file.as_mut().expect("a file was begun").seen.insert(key, SeenKey { rid, row_hash });
        Ok(outcome)
    }

    /// The newest date wins; among rows of one date, the greater content hash, so that order does not matter.
    fn put_dated(&mut self, source: &str, table: &Table, sourced: &Sourced) -> Result<Outcome> {
        if self.insert(source, table, sourced)?.is_some() {
            return Ok(Outcome::Kept);
        }
        let held = self.held(table, &sourced.id)?;
        if held.row_hash == sourced.row_hash {
            return Ok(Outcome::Unchanged);
        }
        let newer = (sourced.updated_at.as_deref(), sourced.row_hash.as_str())
            > (held.updated_at.as_deref(), held.row_hash.as_str());
        if newer {
            self.replace(source, table, sourced, &held)?;
            return Ok(Outcome::Replaced);
        }
        self.keep_version_of(table, sourced)?;
        Ok(Outcome::Unchanged)
    }

    /// A row under a key that several rows share: its content is part of its id.
    fn put_apart(&mut self, source: &str, table: &Table, sourced: &mut Sourced) -> Result<Outcome> {
        let key = std::mem::take(&mut sourced.id);
        sourced.id = apart(&key, &sourced.row_hash);
        if self.insert(source, table, sourced)?.is_none() {
            return Ok(Outcome::Unchanged);
        }
        // Another row of this file may have taken its place before the key was known to be shared.
        self.connection
            .prepare_cached(
                "delete from versions where record_id = ?1 and tbl = ?2 and row_hash = ?3 and valid_to = ?4",
            )?
            .execute(params![key, table.name, sourced.row_hash, self.id])?;
        Ok(Outcome::Kept)
    }

    /// The first row under a key gives way: its content becomes part of its id too.
    fn part_ways(&mut self, table: &Table, key: (u8, i64), rid: i64) -> Result<()> {
        let select = format!("select id, row_hash, source, partition, ingest_id from {} where rid = ?1", table.name);
        let (id, row_hash, source, partition, ingest): (String, String, String, String, i64) = self
            .connection
            .prepare_cached(&select)?
            .query_row([rid], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)))?;
        let id = apart(&id, &row_hash);
        let update = format!("update {} set id = ?1, idh = ?2, ingest_id = ?3 where rid = ?4", table.name);
        self.connection.prepare_cached(&update)?.execute(params![id, id_hash(&id), self.id, rid])?;
        self.touch(table, &source, &partition, ingest != self.id);
        self.shared_keys.insert(key);
        self.connection
            .prepare_cached("insert or ignore into shared_keys (tbl, idh) values (?1, ?2)")?
            .execute(params![table.name, key.1])?;
        Ok(())
    }

    fn replace_if_changed(&mut self, source: &str, table: &Table, sourced: &Sourced) -> Result<(Outcome, i64)> {
        let held = self.held(table, &sourced.id)?;
        if held.row_hash == sourced.row_hash {
            return Ok((Outcome::Unchanged, held.rid));
        }
        self.replace(source, table, sourced, &held)?;
        Ok((Outcome::Replaced, held.rid))
    }

    fn held(&self, table: &Table, id: &str) -> Result<Held> {
        let sql = format!(
            "select rid, id, row_hash, updated_at, ingest_id, source, partition from {} where idh = ?1",
            table.name
        );
        let held = self.connection.prepare_cached(&sql)?.query_row([id_hash(id)], |row| {
            Ok(Held {
                rid: row.get(0)?,
                id: row.get(1)?,
                row_hash: row.get(2)?,
                updated_at: row.get(3)?,
                ingest_id: row.get(4)?,
                source: row.get(5)?,
                partition: row.get(6)?,
            })
        })?;
        if held.id == id { Ok(held) } else { Err(Error::Collision(held.id, id.to_owned())) }
    }

    fn insert(&mut self, source: &str, table: &Table, sourced: &Sourced) -> Result<Option<i64>> {
        let partition = sourced.record.partition();
        let sql = &self.sql[usize::from(table_number(table.name))];
        let file_id = self.file.as_ref().expect("a file was begun").id;
        {
            let mut statement = self.connection.prepare_cached(&sql.insert)?;
            bind(
                &mut statement,
                &Bound { source, sourced, file_id, ingest_id: self.id, partition: &partition, table },
            )?;
            if statement.raw_execute()? == 0 {
                return Ok(None);
            }
        }
        let rid = self.connection.last_insert_rowid();
        self.index_words(rid, &sourced.record)?;
        self.touch(table, source, &partition, false);
        Ok(Some(rid))
    }

    fn replace(&mut self, source: &str, table: &Table, sourced: &Sourced, held: &Held) -> Result<()> {
        self.keep_version(table, held)?;
        let partition = sourced.record.partition();
        let sql = &self.sql[usize::from(table_number(table.name))];
        let file_id = self.file.as_ref().expect("a file was begun").id;
        {
            let mut statement = self.connection.prepare_cached(&sql.update)?;
            bind(
                &mut statement,
                &Bound { source, sourced, file_id, ingest_id: self.id, partition: &partition, table },
            )?;
            statement.raw_bind_parameter(sql.columns + 1, held.rid)?;
            statement.raw_execute()?;
        }
        if let Record::Contract(_) = sourced.record {
            self.connection.prepare_cached("delete from contracts_fts where rowid = ?1")?.execute([held.rid])?;
        }
        self.index_words(held.rid, &sourced.record)?;
        self.touch(table, &held.source, &held.partition, held.ingest_id != self.id);
        self.touch(table, source, &partition, held.ingest_id != self.id);
        Ok(())
    }

    /// Keeps what is held as a version, before it is replaced.
    fn keep_version(&self, table: &Table, held: &Held) -> Result<()> {
        let names: Vec<String> = table.columns.iter().map(|c| format!("'{0}', {0}", c.name)).collect();
        let sql = format!(
            "insert into versions (tbl, record_id, row_hash, file_id, line, valid_from, valid_to, fields)
             select ?1, id, row_hash, file_id, line, ingest_id, ?2, json_object({}) from {} where rid = ?3",
            names.join(", "),
            table.name
        );
        self.connection.prepare_cached(&sql)?.execute(params![table.name, self.id, held.rid])?;
        Ok(())
    }

    /// Keeps a row that came too late to be the newest.
    fn keep_version_of(&self, table: &Table, sourced: &Sourced) -> Result<()> {
        let known: bool = self
            .connection
            .prepare_cached(
                "select exists (select 1 from versions where record_id = ?1 and tbl = ?2 and row_hash = ?3)",
            )?
            .query_row(params![sourced.id, table.name, sourced.row_hash], |row| row.get(0))?;
        if known {
            return Ok(());
        }
        let mut fields = serde_json::Map::new();
        let mut columns = table.columns.iter();
        sourced.record.visit(&mut |value| {
            let name = columns.next().expect("as many values as columns").name;
            fields.insert(name.to_owned(), json(&value));
        });
        let file_id = self.file.as_ref().expect("a file was begun").id;
        self.connection
            .prepare_cached("insert into versions (tbl, record_id, row_hash, file_id, line, valid_from, valid_to, fields) values (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)")?
            .execute(params![
                table.name, sourced.id, sourced.row_hash, file_id, sourced.line.cast_signed(), self.id,
                serde_json::Value::Object(fields).to_string()
            ])?;
        Ok(())
    }

    fn index_words(&mut self, rid: i64, record: &Record) -> Result<()> {
        let Record::Contract(contract) = record else { return Ok(()) };
        self.words.clear();
        for text in [&contract.object, &contract.buyer_name, &contract.supplier_name].into_iter().flatten() {
            search::index_words(text, &mut self.words);
        }
        self.connection
            .prepare_cached("insert into contracts_fts (rowid, words) values (?1, ?2)")?
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

    /// Writes the buyers and suppliers that were seen; no rows may follow.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn finish_rows(&mut self) -> Result<()> {
        let entities = std::mem::take(&mut self.entities);
        let changed = entities.write(&self.connection, self.id)?;
        for (table, rewrite) in changed {
            self.touch(&table, "all", "all", rewrite);
        }
        if self.bulk {
            create_indexes(&self.connection)?;
        }
        Ok(())
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

    /// Makes everything visible at once.
    ///
    /// # Errors
    /// The database cannot be written; nothing is visible then.
    pub fn commit(self, total: &Account, finished_at: &str) -> Result<()> {
        self.connection.execute(
            "insert into ingests (id, started_at, finished_at, read, kept, unchanged, replaced, quarantined)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                self.id,
                self.started_at,
                finished_at,
                total.read.cast_signed(),
                total.kept.cast_signed(),
                total.unchanged.cast_signed(),
                total.replaced.cast_signed(),
                total.quarantined.cast_signed()
            ],
        )?;
        self.connection.execute_batch("commit")?;
        // Readers come back to a short log; a failure here loses nothing.
        let _ = self.connection.execute_batch("pragma wal_checkpoint(truncate); pragma optimize");
        Ok(())
    }
}

/// What is held under an id.
struct Held {
    rid: i64,
    id: String,
    row_hash: String,
    updated_at: Option<String>,
    ingest_id: i64,
    source: String,
    partition: String,
}

fn apart(id: &str, row_hash: &str) -> String {
    format!("{id}~{}", &row_hash[..SHARED_KEY_HASH_LENGTH.min(row_hash.len())])
}

/// The key that a record shares with others; its own id where it shares none.
pub(crate) fn key_of(id: &str) -> &str {
    match id.rsplit_once('~') {
        Some((key, hash)) if hash.len() == SHARED_KEY_HASH_LENGTH && hash.bytes().all(|b| b.is_ascii_hexdigit()) => key,
        _ => id,
    }
}

fn short_hash(row_hash: &str) -> u64 {
    u64::from_str_radix(&row_hash[..16.min(row_hash.len())], 16).unwrap_or_default()
}
