//! From a file to a server: every table, row by row, in one transaction, and then both read again and compared.
//!
//! Full-text tables hold no text on SQLite; their words are made anew from the rows, as an ingest makes them.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use model::TABLES;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};
use tokio_postgres::types::Type;

use crate::db::{Append, Db, Lock, OptionalExtension};
use crate::keys::{has_keys, keys_table};
use crate::schema::{create_indexes, create_partition_indexes, drop_indexes, make_part};
use crate::{Error, Result, Store, search};

/// Tables beside the canonical ones, with what orders their rows.
const OTHERS: &[(&str, &str)] = &[
    ("meta", "key"),
    ("ingests", "id"),
    ("touched", "tbl, source, partition"),
    ("files", "id"),
    ("versions", "rowid"),
    ("quarantine", "id"),
    ("shared_keys", "tbl, idh"),
    ("segments", "id"),
    ("coverage", "flag, source, outcome, field"),
    ("runs", "id"),
    ("findings", "rid"),
    ("finding_contracts", "contract_id, finding_id"),
    ("entity_links", "rid"),
    ("entity_link_history", "id"),
    ("entity_members", "kind, id"),
    ("quality_notes", "source, tbl, field, value"),
    ("verdicts", "id"),
    ("standing_verdicts", "finding_id"),
    ("statements", "id"),
    ("statement_withdrawals", "statement_id"),
    ("events", "seq"),
    ("command_answers", "command, key"),
    ("outbox_cursors", "name"),
    ("tasks", "id"),
    ("investigations", "rid"),
    ("investigation_flags", "investigation_id, flag"),
    ("investigation_findings", "rid"),
    ("ingest_jobs", "id"),
    ("users", "id"),
    ("api_keys", "id"),
    ("sessions", "id"),
    ("refresh_tokens", "hash"),
    ("snapshots", "stream"),
];

/// A table that was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Copied {
    pub table: String,
    pub rows: u64,
    pub sha256: String,
}

impl Store {
    /// Copies everything into an empty database of a server; all of it, found the same, or nothing.
    ///
    /// # Errors
    /// The other holds something; either cannot be read or written; what arrived is not what was sent.
    pub fn copy_into(&self, other: &Self, tell: &mut dyn FnMut(&str)) -> Result<Vec<Copied>> {
        let (from, into) = (self.loader()?, other.loader()?);
        // Nobody writes to the file meanwhile.
        let from = from.begin(Lock::Facts)?;
        let into = into.begin(Lock::Facts)?;
        into.lock_name("copy")?;
        let tables = tables();
        if let Some((table, _)) = tables.iter().find(|(table, _)| table != "meta" && !is_empty(&into, table)) {
            return Err(Error::NotEmpty(table.clone()));
        }
        drop_indexes(&into)?;
        into.execute("delete from meta", [])?;
        make_parts(&from, &into)?;
        for (table, order) in &tables {
            tell(table);
            send(&from, &into, table, order)?;
        }
        tell("full text");
        send_words(&from, &into)?;
        create_partition_indexes(&into)?;
        create_indexes(&into)?;
        let mut copied = Vec::with_capacity(tables.len());
        for (table, order) in &tables {
            let columns = columns_of(&into, table)?;
            let (sent, arrived) = (digest(&from, table, order, &columns)?, digest(&into, table, order, &columns)?);
            if sent != arrived {
                return Err(Error::CopyDiffers { table: table.clone(), sent: sent.rows, arrived: arrived.rows });
            }
            go_on_numbering(&into, table, order)?;
            copied.push(sent);
        }
        into.commit()?;
        let _ = other.loader()?.execute_batch("analyze");
        Ok(copied)
    }
}

fn tables() -> Vec<(String, String)> {
    let mut tables: Vec<(String, String)> = Vec::new();
    for table in TABLES {
        tables.push((table.name.to_owned(), "rid".to_owned()));
        if has_keys(table) {
            tables.push((keys_table(table.name), "idh".to_owned()));
        }
    }
    tables.extend(OTHERS.iter().map(|(table, order)| ((*table).to_owned(), (*order).to_owned())));
    tables
}

fn is_empty(db: &Db, table: &str) -> bool {
    let found = db.query_row(&format!("select 1 from {table} limit 1"), [], |_| Ok(())).optional();
    matches!(found, Ok(None))
}

/// The columns of a table of the server, with their kinds.
fn columns_of(into: &Db, table: &str) -> Result<Vec<(String, Type)>> {
    let sql = "select column_name::text, data_type::text from information_schema.columns
               where table_schema = current_schema() and table_name = ?1 order by ordinal_position";
    let mut statement = into.prepare(sql)?;
    let columns = statement.query_map([table], |row| {
        let kind: String = row.get(1)?;
        let kind = match kind.as_str() {
            "bigint" => Type::INT8,
            "boolean" => Type::BOOL,
            "double precision" => Type::FLOAT8,
            _ => Type::TEXT,
        };
        Ok((row.get(0)?, kind))
    })?;
    Ok(columns.collect::<rusqlite::Result<_>>()?)
}

fn names(columns: &[(String, Type)]) -> String {
    columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

fn send(from: &Db, into: &Db, table: &str, order: &str) -> Result<()> {
    let columns = columns_of(into, table)?;
    let sql = format!("select {} from {table} order by {order}", names(&columns));
    let kinds: Vec<(&str, Type)> = columns.iter().map(|(name, kind)| (name.as_str(), kind.clone())).collect();
    let mut append = Append::new(table, &kinds);
    let mut statement = from.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for at in 0..columns.len() {
            append.push(row.get_ref(at)?)?;
        }
        if append.is_full() {
            append.flush(into)?;
        }
    }
    append.flush(into).map(|_| ())
}

/// The words of every contract, buyer and supplier.
fn send_words(from: &Db, into: &Db) -> Result<()> {
    for (table, columns) in [
        ("contracts", "object, buyer_name, supplier_name"),
        ("buyers", "name, code, cnpj, parent_name, municipality"),
        ("suppliers", "name, cnpj"),
    ] {
        let mut append = Append::new(&format!("{table}_fts"), &[("rowid", Type::INT8), ("words", Type::TS_VECTOR)]);
        let mut statement = from.prepare(&format!("select rid, {columns} from {table} order by rid"))?;
        let mut rows = statement.query([])?;
        let mut words = String::new();
        while let Some(row) = rows.next()? {
            words.clear();
            for at in 1..=columns.split(',').count() {
                if let Some(text) = row.get::<_, Option<String>>(at)? {
                    search::index_words(&text, &mut words);
                }
            }
            append.push(row.get_ref(0)?)?;
            append.push(words.as_str().into())?;
            if append.is_full() {
                append.flush(into)?;
            }
        }
        append.flush(into)?;
    }
    Ok(())
}

/// Makes the parts of the log that its events go to.
fn make_parts(from: &Db, into: &Db) -> Result<()> {
    let mut statement = from.prepare("select distinct substr(recorded_at, 1, 7) from events")?;
    let months: BTreeSet<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for month in months.iter().filter_map(|month| NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d").ok()) {
        make_part(into, month)?;
    }
    Ok(())
}

/// Number and hash of a table's rows: each value with its kind and length.
fn digest(db: &Db, table: &str, order: &str, columns: &[(String, Type)]) -> Result<Copied> {
    let mut statement = db.prepare(&format!("select {} from {table} order by {order}", names(columns)))?;
    let mut found = statement.query([])?;
    let (mut rows, mut hash) = (0, Sha256::new());
    while let Some(row) = found.next()? {
        rows += 1;
        for (at, (_, kind)) in columns.iter().enumerate() {
            match row.get_ref(at)? {
                ValueRef::Null => hash.update(b"n"),
                ValueRef::Integer(n) if *kind == Type::FLOAT8 => {
                    hash_real(&mut hash, n.to_string().parse().unwrap_or(f64::NAN));
                }
                ValueRef::Integer(n) => {
                    hash.update(b"i");
                    hash.update(n.to_be_bytes());
                }
                ValueRef::Real(n) => hash_real(&mut hash, n),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    let text = String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
                    hash.update(format!("t{}:", text.len()));
                    hash.update(text);
                }
            }
        }
    }
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Copied { table: table.to_owned(), rows, sha256 })
}

fn hash_real(hash: &mut Sha256, n: f64) {
    hash.update(b"r");
    hash.update(n.to_be_bytes());
}

/// New rows are numbered behind those that were copied.
fn go_on_numbering(into: &Db, table: &str, order: &str) -> Result<()> {
    let counted = "select pg_get_serial_sequence(?1, ?2)";
    if order.contains(',') {
        return Ok(());
    }
    let sequence: Option<String> = into.query_row(counted, (table, order), |row| row.get(0))?;
    if let Some(sequence) = sequence {
        let sql = format!(
            "select setval('{sequence}', (select max({order}) from {table})) where exists (select 1 from {table})"
        );
        into.query_row(&sql, [], |_| Ok(())).optional()?;
    }
    Ok(())
}
