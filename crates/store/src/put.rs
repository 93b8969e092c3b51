//! What a row does to what is held.
//!
//! - an id not held: it is kept;
//! - the same content: unchanged;
//! - a source that dates its records: the newest date wins, whatever the order of files; an older one is kept as a version;
//! - a source that does not: a row from a later file replaces, and the old one stays reachable as a version;
//! - differing rows under one key in one file: separate records, told apart by the start of their content hash,
//!   so that the order of rows does not matter;
//! - a row that states only part of a record: the newest statement of each field stands, whatever the order.

use model::{ENVELOPE, Sourced, Table};
use rusqlite::params;
use rusqlite::types::{Value as SqlValue, ValueRef};

use crate::ingest::{Outcome, table_number};
use crate::schema::hash_columns;
use crate::values::{Bound, bind, json};
use crate::{Error, Ingest, Result, id_hash};

/// How many characters of the content hash tell records under one key apart.
const SHARED_KEY_HASH_LENGTH: usize = 12;

const INSERT_VERSION: &str = "insert into versions
    (tbl, record_id, row_hash, file_id, line, valid_from, valid_to, fields, updated_at, metadata)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// The statements of one table.
pub(crate) struct TableSql {
    insert: String,
    update: String,
    held: String,
    see_again: String,
    columns: usize,
}

impl TableSql {
    pub(crate) fn new(table: &Table) -> Self {
        let mut names: Vec<&str> = ENVELOPE.iter().chain(table.columns).map(|c| c.name).collect();
        names.extend(hash_columns(table.name).iter().map(|(name, _)| *name));
        names.extend(["partition", "seen_in"]);
        let marks: Vec<String> = (1..=names.len()).map(|n| format!("?{n}")).collect();
        let sets: Vec<String> = names.iter().zip(&marks).map(|(name, mark)| format!("{name}={mark}")).collect();
        let name = table.name;
        Self {
            insert: format!("insert into {name} ({}) values ({})", names.join(","), marks.join(",")),
            update: format!("update {name} set {} where rid=?{}", sets.join(","), names.len() + 1),
            held: format!(
                "select id, row_hash, updated_at, ingest_id, source, partition, seen_in from {name} where rid = ?1"
            ),
            see_again: format!("update {name} set seen_in = ?2 where rid = ?1"),
            columns: names.len(),
        }
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
    /// The last file in which the row stood.
    seen_in: i64,
}

impl Ingest {
    /// Puts a record, and says what that did.
    ///
    /// # Errors
    /// The database cannot be written; two ids share a hash.
    pub fn put(&mut self, source: &str, sourced: &mut Sourced) -> Result<Outcome> {
        let table = sourced.record.table();
        let number = table_number(table.name);
        let idh = id_hash(&sourced.id);
        if self.shares_keys[usize::from(number)] && sourced.updated_at.is_none() && self.is_shared(&table, idh)? {
            return self.put_apart(source, &table, sourced);
        }
        let Some(rid) = self.keys.find(&self.connection, number, idh)? else {
            self.insert(source, &table, sourced)?;
            return Ok(Outcome::Kept);
        };
        let held = self.held(number, rid, &sourced.id)?;
        if sourced.partial {
            return self.put_part(source, &table, sourced, &held);
        }
        if held.row_hash == sourced.row_hash {
            if self.file.is_some_and(|file| file.remapped) {
                self.replace(source, &table, sourced, &held)?;
                return Ok(Outcome::Replaced);
            }
            self.see_again(number, &held)?;
            return Ok(Outcome::Unchanged);
        }
        if sourced.updated_at.is_some() {
            return self.put_dated(source, &table, sourced, &held);
        }
        if held.seen_in > self.file_id() && self.file.is_some_and(|file| file.again) {
            self.keep_version_of(&table, sourced)?;
            return Ok(Outcome::Unchanged);
        }
        if held.seen_in == self.file_id() {
            self.part_ways(&table, &held)?;
            return self.put_apart(source, &table, sourced);
        }
        self.replace(source, &table, sourced, &held)?;
        Ok(Outcome::Replaced)
    }

    pub(crate) fn file_id(&self) -> i64 {
        self.file.as_ref().expect("a file was begun").id
    }

    fn is_shared(&self, table: &Table, idh: i64) -> Result<bool> {
        self.connection
            .prepare("select exists (select 1 from shared_keys where tbl = ?1 and idh = ?2)")?
            .query_row(params![table.name, idh], |row| row.get(0))
    }

    /// The newest date wins; among rows of one date, the greater content hash, so that order does not matter.
    fn put_dated(&mut self, source: &str, table: &Table, sourced: &Sourced, held: &Held) -> Result<Outcome> {
        let newer = (sourced.updated_at.as_deref(), sourced.row_hash.as_str())
            > (held.updated_at.as_deref(), held.row_hash.as_str());
        if newer {
            self.replace(source, table, sourced, held)?;
            return Ok(Outcome::Replaced);
        }
        self.keep_version_of(table, sourced)?;
        Ok(Outcome::Unchanged)
    }

    /// A row under a key that several rows share: its content is part of its id.
    fn put_apart(&mut self, source: &str, table: &Table, sourced: &mut Sourced) -> Result<Outcome> {
        let key = std::mem::take(&mut sourced.id);
        sourced.id = apart(&key, &sourced.row_hash);
        let number = table_number(table.name);
        if let Some(rid) = self.keys.find(&self.connection, number, id_hash(&sourced.id))? {
            self.held(number, rid, &sourced.id)?;
            return Ok(Outcome::Unchanged);
        }
        self.insert(source, table, sourced)?;
        // Another row of this file may have taken its place before the key was known to be shared.
        self.connection
            .prepare("delete from versions where record_id = ?1 and tbl = ?2 and row_hash = ?3 and valid_to = ?4")?
            .execute(params![key, table.name, sourced.row_hash, self.id])?;
        Ok(Outcome::Kept)
    }

    /// The first row under a key gives way: its content becomes part of its id too.
    fn part_ways(&mut self, table: &Table, held: &Held) -> Result<()> {
        let (number, key) = (table_number(table.name), id_hash(&held.id));
        let id = apart(&held.id, &held.row_hash);
        let update = format!("update {} set id = ?1, ingest_id = ?2 where rid = ?3", table.name);
        self.connection.prepare(&update)?.execute(params![id, self.id, held.rid])?;
        self.keys.remove(&self.connection, number, key)?;
        self.keys.add(number, id_hash(&id), held.rid);
        self.touch(table, &held.source, &held.partition, held.ingest_id != self.id);
        self.shares_keys[usize::from(number)] = true;
        self.connection
            .prepare("insert into shared_keys (tbl, idh) values (?1, ?2) on conflict do nothing")?
            .execute(params![table.name, key])?;
        Ok(())
    }

    /// Notes that a held row stands in this file too.
    fn see_again(&mut self, table: u8, held: &Held) -> Result<()> {
        let file = self.file_id();
        if held.seen_in == file {
            return Ok(());
        }
        if let Some(bulk) = &mut self.bulk {
            bulk.see_again(table, held.rid, file);
        } else {
            let sql = &self.sql[usize::from(table)].see_again;
            self.connection.prepare(sql)?.execute([held.rid, file])?;
        }
        Ok(())
    }

    fn held(&mut self, table: u8, rid: i64, id: &str) -> Result<Held> {
        if let Some(bulk) = self.bulk.as_mut().filter(|bulk| bulk.waits(table, rid)) {
            bulk.flush(&self.connection)?;
        }
        let sql = &self.sql[usize::from(table)].held;
        let held = self.connection.prepare(sql)?.query_row([rid], |row| {
            Ok(Held {
                rid,
                id: row.get(0)?,
                row_hash: row.get(1)?,
                updated_at: row.get(2)?,
                ingest_id: row.get(3)?,
                source: row.get(4)?,
                partition: row.get(5)?,
                seen_in: row.get(6)?,
            })
        })?;
        if held.id == id { Ok(held) } else { Err(Error::Collision(held.id, id.to_owned())) }
    }

    fn insert(&mut self, source: &str, table: &Table, sourced: &Sourced) -> Result<()> {
        let partition = sourced.record.partition();
        let number = table_number(table.name);
        let bound = self.bound(source, sourced, &partition, table);
        let rid = match (&mut self.bulk, self.connection.sqlite()) {
            (None, Some(db)) => {
                let mut statement = db.prepare_cached(&self.sql[usize::from(number)].insert)?;
                bind(&mut *statement, &bound)?;
                statement.raw_execute()?;
                db.last_insert_rowid()
            }
            (Some(bulk), _) => bulk.put(&self.connection, number, &bound)?,
            (None, None) => unreachable!("an ingest of a server holds its rows back"),
        };
        self.keys.add(number, id_hash(&sourced.id), rid);
        self.index_words(rid, &sourced.record, true)?;
        self.touch(table, source, &partition, false);
        Ok(())
    }

    fn bound<'a>(&self, source: &'a str, sourced: &'a Sourced, partition: &'a str, table: &'a Table) -> Bound<'a> {
        Bound { source, sourced, file_id: self.file_id(), ingest_id: self.id, partition, table }
    }

    fn replace(&mut self, source: &str, table: &Table, sourced: &Sourced, held: &Held) -> Result<()> {
        self.keep_version(table, held)?;
        self.overwrite(source, table, sourced, held)
    }

    /// Writes a record into the row that is held.
    fn overwrite(&mut self, source: &str, table: &Table, sourced: &Sourced, held: &Held) -> Result<()> {
        let partition = sourced.record.partition();
        {
            let sql = &self.sql[usize::from(table_number(table.name))];
            let mut values: Vec<SqlValue> = Vec::with_capacity(sql.columns + 1);
            bind(&mut values, &self.bound(source, sourced, &partition, table))?;
            values.push(SqlValue::Integer(held.rid));
            self.connection.prepare(&sql.update)?.execute(&values)?;
        }
        if table.name == "contracts" {
            self.connection.prepare("delete from contracts_fts where rowid = ?1")?.execute([held.rid])?;
        }
        self.index_words(held.rid, &sourced.record, false)?;
        self.touch(table, &held.source, &held.partition, held.ingest_id != self.id);
        self.touch(table, source, &partition, held.ingest_id != self.id);
        Ok(())
    }

    /// Keeps what is held as a version, before it is replaced.
    fn keep_version(&self, table: &Table, held: &Held) -> Result<()> {
        let names: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
        let sql = format!("select {}, file_id, line, metadata from {} where rid = ?1", names.join(", "), table.name);
        let (fields, file, line, metadata) = self.connection.prepare(&sql)?.query_row([held.rid], |row| {
            let mut fields = serde_json::Map::new();
            for name in &names {
                fields.insert((*name).to_owned(), as_json(row.get_ref(*name)?)?);
            }
            let text = serde_json::Value::Object(fields).to_string();
            let n = |at: usize| row.get::<_, i64>(names.len() + at);
            Ok((text, n(0)?, n(1)?, row.get::<_, Option<String>>(names.len() + 2)?))
        })?;
        self.connection.prepare(INSERT_VERSION)?.execute(params![
            table.name,
            held.id,
            held.row_hash,
            file,
            line,
            held.ingest_id,
            self.id,
            fields,
            held.updated_at,
            metadata
        ])?;
        Ok(())
    }

    /// Keeps a row that came too late to be the newest; false when it is kept already.
    fn keep_version_of(&self, table: &Table, sourced: &Sourced) -> Result<bool> {
        let known: bool = self
            .connection
            .prepare("select exists (select 1 from versions where record_id = ?1 and tbl = ?2 and row_hash = ?3)")?
            .query_row(params![sourced.id, table.name, sourced.row_hash], |row| row.get(0))?;
        if known {
            return Ok(false);
        }
        let mut fields = serde_json::Map::new();
        let mut columns = table.columns.iter();
        sourced.record.visit(&mut |value| {
            let name = columns.next().expect("as many values as columns").name;
            fields.insert(name.to_owned(), json(&value));
        });
        self.connection.prepare(INSERT_VERSION)?.execute(params![
            table.name,
            sourced.id,
            sourced.row_hash,
            self.file_id(),
            sourced.line.cast_signed(),
            self.id,
            self.id,
            serde_json::Value::Object(fields).to_string(),
            sourced.updated_at,
            sourced.metadata
        ])?;
        Ok(true)
    }

    /// A row that states part of a record. Every statement is kept as a version; the record is what they say together:
    /// of each field, the newest statement that is not silent on it.
    fn put_part(&mut self, source: &str, table: &Table, sourced: &Sourced, held: &Held) -> Result<Outcome> {
        let first = held.row_hash.clone();
        let is_merged: bool = self
            .connection
            .prepare("select exists (select 1 from versions where record_id = ?1 and tbl = ?2 and row_hash = ?3)")?
            .query_row(params![held.id, table.name, first], |row| row.get(0))?;
        if first == sourced.row_hash {
            return Ok(Outcome::Unchanged);
        }
        if !is_merged {
            self.keep_version(table, held)?;
        }
        if !self.keep_version_of(table, sourced)? {
            return Ok(Outcome::Unchanged);
        }
        let newer = (sourced.updated_at.as_deref(), sourced.row_hash.as_str())
            > (held.updated_at.as_deref(), held.row_hash.as_str());
        if newer {
            self.overwrite(source, table, sourced, held)?;
        }
        self.fill_silent_fields(table, held)?;
        if table.name == "contracts" {
            self.index_words_again(held.rid)?;
        }
        self.touch(table, &held.source, &held.partition, held.ingest_id != self.id);
        let mark = format!("update {} set ingest_id = ?1, seen_in = ?2 where rid = ?3", table.name);
        self.connection.prepare(&mark)?.execute(params![self.id, self.file_id(), held.rid])?;
        Ok(Outcome::Replaced)
    }

    /// Sets each field to the newest statement of it, the newest statement first.
    fn fill_silent_fields(&self, table: &Table, held: &Held) -> Result<()> {
        // A record's partition follows its newest statement; its rows were touched by it.
        let names: Vec<&str> = table.columns.iter().map(|c| c.name).filter(|n| *n != "partition_on").collect();
        let sql = "select fields from versions where record_id = ?1 and tbl = ?2
                   order by updated_at desc nulls last, row_hash desc";
        let statements: Vec<String> = {
            let mut found = self.connection.prepare(sql)?;
            let rows = found.query_map(params![held.id, table.name], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        let mut values = vec![SqlValue::Null; names.len()];
        for fields in statements {
            let fields: serde_json::Value = serde_json::from_str(&fields)?;
            for (value, name) in values.iter_mut().zip(&names).filter(|(value, _)| **value == SqlValue::Null) {
                *value = from_json(&fields[*name]);
            }
        }
        let hashed = |name: &str, value: &SqlValue| {
            let (hash, _) = hash_columns(table.name).iter().find(|(_, of)| *of == name)?;
            match value {
                SqlValue::Text(id) => Some((*hash, SqlValue::Integer(id_hash(id)))),
                _ => None,
            }
        };
        let mut sets: Vec<(&str, SqlValue)> = Vec::new();
        for (name, value) in names.iter().zip(values) {
            sets.extend(hashed(name, &value));
            sets.push((name, value));
        }
        let assigned: Vec<String> =
            sets.iter().enumerate().map(|(n, (name, _))| format!("{name} = ?{}", n + 2)).collect();
        let update = format!("update {} set {} where rid = ?1", table.name, assigned.join(", "));
        let values = std::iter::once(SqlValue::Integer(held.rid)).chain(sets.into_iter().map(|(_, value)| value));
        self.connection.prepare(&update)?.execute(&values.collect::<Vec<_>>())?;
        Ok(())
    }
}

/// A stored value as it stands in a version's fields.
fn as_json(value: ValueRef<'_>) -> rusqlite::Result<serde_json::Value> {
    Ok(match value {
        ValueRef::Null => serde_json::Value::Null,
        ValueRef::Integer(n) => n.into(),
        other => other.as_str()?.into(),
    })
}

fn from_json(value: &serde_json::Value) -> SqlValue {
    match value {
        serde_json::Value::String(text) => SqlValue::Text(text.clone()),
        other => other.as_i64().map_or(SqlValue::Null, SqlValue::Integer),
    }
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
