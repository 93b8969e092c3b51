//! Buyers and suppliers: what rows say of them, put together.
//!
//! Rows name a buyer more or less fully (a tender states its state, a contract does not). What a row states stands
//! over what an older row stated; what it leaves out stays. They are derived, so the account does not count them.

use std::collections::HashMap;

use chrono::NaiveDate;
use model::{Buyer, ENVELOPE, Record, Row, Supplier, Table};
use rusqlite::types::{Value as SqlValue, ValueRef};
use tokio_postgres::types::Type;

use crate::bulk::columns_of;
use crate::db::{Append, Db, OptionalExtension, Row as SqlRow};

use crate::schema::hash_columns;
use crate::values::sql_value;
use crate::{Result, id_hash, search};

/// What is known of one entity during an ingest.
struct Known<R> {
    record: R,
    source: String,
    file_id: i64,
    line: u64,
    rid: Option<i64>,
    changed: bool,
    /// A later row said the same: only the day moves on.
    seen_later: bool,
}

/// The row that names an entity.
#[derive(Clone, Copy)]
pub(crate) struct NamedBy<'a> {
    pub(crate) source: &'a str,
    pub(crate) file_id: i64,
    pub(crate) line: u64,
}

/// The buyers and suppliers seen in one ingest.
#[derive(Default)]
pub(crate) struct Entities {
    buyers: HashMap<String, Known<Buyer>>,
    suppliers: HashMap<String, Known<Supplier>>,
}

impl Entities {
    /// `may_be_held` is asked once of each: a no saves the look.
    pub(crate) fn see_buyer(
        &mut self,
        db: &Db,
        id: &str,
        by: NamedBy<'_>,
        buyer: Buyer,
        may_be_held: impl FnOnce() -> bool,
    ) -> Result<()> {
        let seen_on = |b: &Buyer| b.seen_on;
        let load = || if may_be_held() { load(db, &Buyer::TABLE, id, buyer_from) } else { Ok(None) };
        see(&mut self.buyers, id, by, buyer, seen_on, merge_buyer, load)
    }

    /// As [`Self::see_buyer`].
    pub(crate) fn see_supplier(
        &mut self,
        db: &Db,
        id: &str,
        by: NamedBy<'_>,
        supplier: Supplier,
        may_be_held: impl FnOnce() -> bool,
    ) -> Result<()> {
        let seen_on = |s: &Supplier| s.seen_on;
        let load = || if may_be_held() { load(db, &Supplier::TABLE, id, supplier_from) } else { Ok(None) };
        see(&mut self.suppliers, id, by, supplier, seen_on, merge_supplier, load)
    }

    /// Writes what changed; gives the tables that changed and whether rows held before changed in them.
    pub(crate) fn write(self, db: &Db, ingest_id: i64) -> Result<Vec<(Table, bool)>> {
        let mut changed = Vec::new();
        changed.extend(write_all(db, ingest_id, self.buyers, Record::Buyer)?);
        changed.extend(write_all(db, ingest_id, self.suppliers, Record::Supplier)?);
        Ok(changed)
    }
}

/// Puts what a row says of an entity together with what is known of it, which is loaded the first time.
fn see<R>(
    all: &mut HashMap<String, Known<R>>,
    id: &str,
    by: NamedBy<'_>,
    said: R,
    seen_on: impl Fn(&R) -> Option<NaiveDate>,
    merge: impl Fn(&mut R, R) -> bool,
    load: impl FnOnce() -> Result<Option<(i64, R)>>,
) -> Result<()> {
    let NamedBy { source, file_id, line } = by;
    if let Some(known) = all.get_mut(id) {
        known.seen_later |= seen_on(&said) > seen_on(&known.record);
        if merge(&mut known.record, said) {
            (known.source, known.file_id, known.line, known.changed) = (source.to_owned(), file_id, line, true);
        }
        return Ok(());
    }
    let (rid, record, changed, seen_later) = match load()? {
        Some((rid, mut record)) => {
            let seen_later = seen_on(&said) > seen_on(&record);
            let changed = merge(&mut record, said);
            (Some(rid), record, changed, seen_later)
        }
        None => (None, said, true, false),
    };
    all.insert(id.to_owned(), Known { record, source: source.to_owned(), file_id, line, rid, changed, seen_later });
    Ok(())
}

fn write_all<R: Row + Clone>(
    db: &Db,
    ingest_id: i64,
    known: HashMap<String, Known<R>>,
    wrap: impl Fn(R) -> Record,
) -> Result<Option<(Table, bool)>> {
    let (mut changed, same): (Vec<(String, Known<R>)>, Vec<_>) = known.into_iter().partition(|(_, k)| k.changed);
    move_days_on(db, &same)?;
    if changed.is_empty() {
        return Ok(None);
    }
    changed.sort_by(|a, b| a.0.cmp(&b.0));
    let mut names: Vec<&str> = vec!["idh"];
    names.extend(ENVELOPE.iter().chain(R::TABLE.columns).map(|c| c.name));
    names.push("partition");
    debug_assert!(hash_columns(R::TABLE.name).is_empty(), "entities have no hashed columns");
    let fts = format!("{}_fts", R::TABLE.name);
    let mut writer = Writer::new(db, &R::TABLE, &names, &fts)?;
    let mut rewrite = false;
    for (id, entity) in changed {
        rewrite |= entity.rid.is_some();
        let mut name = String::new();
        let record = wrap(entity.record);
        let mut values: Vec<SqlValue> = vec![SqlValue::Integer(id_hash(&id))];
        let mut own: Vec<SqlValue> = Vec::new();
        let mut digest = String::new();
        let mut columns = R::TABLE.columns.iter();
        record.visit(&mut |value| {
            let column = columns.next().expect("as many values as columns").name;
            if let ("name" | "parent_name" | "municipality" | "code" | "cnpj", model::Value::Text(text)) =
                (column, value)
            {
                search::index_words(text, &mut name);
            }
            if column != "seen_on" {
                digest.push_str(&format!("{value:?}\u{1f}"));
            }
            own.push(sql_value(&value));
        });
        let hash = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(digest.as_bytes()));
        values.extend([
            SqlValue::Text(id),
            SqlValue::Text(entity.source),
            SqlValue::Integer(entity.file_id),
            SqlValue::Integer(entity.line.cast_signed()),
            SqlValue::Text(hash),
            SqlValue::Null,
            SqlValue::Integer(ingest_id),
            SqlValue::Null,
        ]);
        values.extend(own);
        values.push(SqlValue::Text("all".to_owned()));
        writer.write(entity.rid, values, name)?;
    }
    writer.end()?;
    Ok(Some((R::TABLE, rewrite)))
}

/// Writes entities and their words: on SQLite one by one, on PostgreSQL many at once.
struct Writer<'a> {
    db: &'a Db,
    next: i64,
    rows: Append,
    words: Append,
    insert: String,
    update: String,
    add_words: String,
    drop_words: String,
    changed: Vec<Vec<SqlValue>>,
    changed_words: Vec<(i64, String)>,
}

impl<'a> Writer<'a> {
    fn new(db: &'a Db, table: &Table, names: &[&str], fts: &str) -> Result<Self> {
        let marks: Vec<String> = (1..=names.len()).map(|n| format!("?{n}")).collect();
        let sets: Vec<String> = names.iter().zip(&marks).map(|(name, mark)| format!("{name}={mark}")).collect();
        let (name, own) = (table.name, names.len() + 1);
        let next = format!("select coalesce(max(rid), 0) + 1 from {name}");
        let words = [("rowid", Type::INT8), ("words", Type::TS_VECTOR)];
        Ok(Self {
            db,
            next: db.query_row(&next, [], |row| row.get(0))?,
            rows: Append::new(name, &columns_of(table)),
            words: Append::new(fts, &words),
            insert: format!("insert into {name} ({}, rid) values ({}, ?{own})", names.join(","), marks.join(",")),
            update: format!("update {name} set {} where rid = ?{own}", sets.join(",")),
            add_words: format!("insert into {fts} (rowid, words) values (?1, ?2)"),
            drop_words: format!("delete from {fts} where rowid = ?1"),
            changed: Vec::new(),
            changed_words: Vec::new(),
        })
    }

    fn write(&mut self, held: Option<i64>, mut values: Vec<SqlValue>, words: String) -> Result<()> {
        let rid = held.unwrap_or(self.next);
        values.push(SqlValue::Integer(rid));
        if held.is_some() {
            self.changed.push(values);
            self.changed_words.push((rid, words));
            return Ok(());
        }
        self.next += 1;
        if !self.db.is_postgres() {
            self.db.prepare(&self.insert)?.execute(&values)?;
            return self.db.prepare(&self.add_words)?.execute((rid, &words)).map(|_| ());
        }
        for value in &values {
            self.rows.push(value.into())?;
        }
        self.words.push(ValueRef::Integer(rid))?;
        self.words.push(words.as_str().into())
    }

    /// Writes what waits.
    fn end(mut self) -> Result<()> {
        self.rows.flush(self.db)?;
        self.words.flush(self.db)?;
        self.db.execute_each(&self.update, self.changed.into_iter())?;
        let rids = self.changed_words.iter().map(|(rid, _)| vec![SqlValue::Integer(*rid)]);
        self.db.execute_each(&self.drop_words, rids)?;
        let words =
            self.changed_words.into_iter().map(|(rid, words)| vec![SqlValue::Integer(rid), SqlValue::Text(words)]);
        self.db.execute_each(&self.add_words, words)
    }
}

/// Keeps the newest day on which a row showed what is known, so that an older row that comes later stays the older one.
/// The lake's copy of the day follows when the rest of the record changes: no flag reads it.
fn move_days_on<R: Row>(db: &Db, same: &[(String, Known<R>)]) -> Result<()> {
    let at = R::TABLE.columns.iter().position(|c| c.name == "seen_on").expect("entities have a day");
    let sql = format!("update {} set seen_on = ?1 where rid = ?2", R::TABLE.name);
    let mut days: Vec<Vec<SqlValue>> = Vec::new();
    for (_, entity) in same.iter().filter(|(_, k)| k.seen_later) {
        let (mut column, mut day) = (0, SqlValue::Null);
        entity.record.visit(&mut |value| {
            if column == at {
                day = sql_value(&value);
            }
            column += 1;
        });
        days.push(vec![day, entity.rid.map_or(SqlValue::Null, SqlValue::Integer)]);
    }
    db.execute_each(&sql, days.into_iter())
}

fn load<R>(
    db: &Db,
    table: &Table,
    id: &str,
    from: impl Fn(&SqlRow<'_>) -> rusqlite::Result<R>,
) -> Result<Option<(i64, R)>> {
    let sql = format!("select * from {} where idh = ?1 and id = ?2", table.name);
    let mut statement = db.prepare(&sql)?;
    statement.query_row((id_hash(id), id), |row| Ok((row.get("rid")?, from(row)?))).optional()
}

fn day(row: &SqlRow<'_>, column: &str) -> rusqlite::Result<Option<NaiveDate>> {
    Ok(row.get::<_, Option<String>>(column)?.and_then(|text| model::dates::parse_iso(&text).ok()))
}

fn buyer_from(row: &SqlRow<'_>) -> rusqlite::Result<Buyer> {
    Ok(Buyer {
        name: row.get("name")?,
        code: row.get("code")?,
        cnpj: row.get("cnpj")?,
        sphere: row.get("sphere")?,
        branch: row.get("branch")?,
        state: row.get("state")?,
        municipality: row.get("municipality")?,
        parent_code: row.get("parent_code")?,
        parent_name: row.get("parent_name")?,
        superior_code: row.get("superior_code")?,
        superior_name: row.get("superior_name")?,
        seen_on: day(row, "seen_on")?,
    })
}

fn supplier_from(row: &SqlRow<'_>) -> rusqlite::Result<Supplier> {
    let kind: String = row.get("kind")?;
    Ok(Supplier {
        kind: ["company", "person", "foreign", "organization"].into_iter().find(|k| *k == kind).unwrap_or("unverified"),
        name: row.get("name")?,
        cnpj: row.get("cnpj")?,
        cnpj_root: row.get("cnpj_root")?,
        masked_cpf: row.get("masked_cpf")?,
        seen_on: day(row, "seen_on")?,
    })
}

/// Among rows of one day the lesser text stands, so that the order of rows does not matter.
fn newer_text(held: &mut String, held_on: Option<NaiveDate>, other: String, other_on: Option<NaiveDate>) -> bool {
    if other.is_empty() || other == *held {
        return false;
    }
    let stands = held.is_empty() || other_on > held_on || (other_on == held_on && other < *held);
    if stands {
        *held = other;
    }
    stands
}

fn newer(
    held: &mut Option<String>,
    held_on: Option<NaiveDate>,
    other: Option<String>,
    other_on: Option<NaiveDate>,
) -> bool {
    let Some(other) = other else { return false };
    match held {
        None => {
            *held = Some(other);
            true
        }
        Some(text) => newer_text(text, held_on, other, other_on),
    }
}

/// Whether anything but the day changed.
fn merge_buyer(held: &mut Buyer, other: Buyer) -> bool {
    let (then, now) = (held.seen_on, other.seen_on);
    let mut changed = newer_text(&mut held.name, then, other.name, now);
    let fields = [
        (&mut held.code, other.code),
        (&mut held.cnpj, other.cnpj),
        (&mut held.sphere, other.sphere),
        (&mut held.branch, other.branch),
        (&mut held.state, other.state),
        (&mut held.municipality, other.municipality),
        (&mut held.parent_code, other.parent_code),
        (&mut held.parent_name, other.parent_name),
        (&mut held.superior_code, other.superior_code),
        (&mut held.superior_name, other.superior_name),
    ];
    for (mine, theirs) in fields {
        changed |= newer(mine, then, theirs, now);
    }
    held.seen_on = then.max(now);
    changed
}

/// Whether anything but the day changed.
fn merge_supplier(held: &mut Supplier, other: Supplier) -> bool {
    let (then, now) = (held.seen_on, other.seen_on);
    let changed = newer_text(&mut held.name, then, other.name, now);
    held.seen_on = then.max(now);
    changed
}
