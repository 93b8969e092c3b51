//! The schema: canonical tables from the model's columns, the rest from `schema.sql`.

mod postgres;
mod sqlite;

use model::{Column, ENVELOPE, Table};

use crate::keys::{has_keys, keys_table};
use crate::{Db, Result};

pub(crate) use postgres::{make_part, wire_type};

/// The schema's version, of both databases; a program refuses a newer one.
pub(crate) const VERSION: i64 = 9;

/// Secondary indexes of the canonical tables. A large first load drops them and makes them again at its end.
pub(crate) const INDEXES: &[(&str, &str, &str)] = &[
    ("contracts", "contracts_by_signature", "(signed_on, rid)"),
    ("contracts", "contracts_by_value", "(value_final, rid)"),
    ("contracts", "contracts_by_buyer", "(buyer_h, signed_on, rid, value_final, currency, income)"),
    ("contracts", "contracts_by_supplier", "(supplier_h, signed_on, rid, value_final, currency, income)"),
    ("contracts", "contracts_by_modality", "(modality, signed_on, rid)"),
    ("contracts", "contracts_by_source", "(source, signed_on, rid)"),
    ("items", "items_by_contract", "(contract_h)"),
    ("amendments", "amendments_by_contract", "(contract_h)"),
    ("sanctions", "sanctions_by_supplier", "(supplier_id)"),
    ("sanctions", "sanctions_by_root", "(supplier_root)"),
    ("suppliers", "suppliers_by_name", "(name, rid)"),
    ("buyers", "buyers_by_name", "(name, rid)"),
    ("buyers", "buyers_by_state", "(state, name, rid)"),
    ("registrations", "registrations_by_cnpj", "(cnpj)"),
    ("registrations", "registrations_by_root", "(cnpj_root)"),
    ("partners", "partners_by_company", "(company_root)"),
    ("tenders", "tenders_by_publication", "(published_on, rid)"),
    ("tenders", "tenders_by_buyer", "(buyer_id, published_on, rid)"),
    ("tenders", "tenders_by_modality", "(modality, published_on, rid)"),
    ("tenders", "tenders_by_source", "(source, published_on, rid)"),
    ("items", "items_by_tender", "(tender_id) where tender_id is not null"),
    ("bids", "bids_by_tender", "(tender_id) where tender_id is not null"),
];

/// Indexes by which an ingest finds the rows of a partition.
pub(crate) const PARTITION_INDEXES: &[&str] =
    &["contracts", "tenders", "items", "bids", "amendments", "payments", "registrations", "partners"];

/// Columns kept beside the model's own: hashes of the ids that are looked up.
pub(crate) fn hash_columns(table: &str) -> &'static [(&'static str, &'static str)] {
    match table {
        "contracts" => &[("buyer_h", "buyer_id"), ("supplier_h", "supplier_id")],
        "items" | "amendments" => &[("contract_h", "contract_id")],
        _ => &[],
    }
}

/// Brings the schema up to date: forward only, one process at a time, all of it or nothing.
pub(crate) fn migrate(db: &Db) -> Result<()> {
    if db.is_postgres() { postgres::migrate(db) } else { sqlite::migrate(db) }
}

/// The version of what is held; 0 for an empty database.
pub(crate) fn version(db: &Db) -> Result<i64> {
    if db.is_postgres() { postgres::version(db) } else { sqlite::version(db) }
}

pub(crate) fn create_indexes(connection: &Db) -> Result<()> {
    for (table, name, over) in INDEXES {
        connection.execute_batch(&format!("create index if not exists {name} on {table} {over}"))?;
    }
    if connection.is_postgres() {
        postgres::create_words_indexes(connection)?;
    }
    Ok(())
}

pub(crate) fn create_partition_indexes(connection: &Db) -> Result<()> {
    for table in PARTITION_INDEXES {
        connection.execute_batch(&format!(
            "create index if not exists {table}_by_partition on {table} (partition, source)"
        ))?;
    }
    Ok(())
}

pub(crate) fn drop_indexes(connection: &Db) -> Result<()> {
    for (_, name, _) in INDEXES {
        connection.execute_batch(&format!("drop index if exists {name}"))?;
    }
    for table in PARTITION_INDEXES {
        connection.execute_batch(&format!("drop index if exists {table}_by_partition"))?;
    }
    if connection.is_postgres() {
        postgres::drop_words_indexes(connection)?;
    }
    Ok(())
}

/// The statements that make a canonical table, in a database's words for whole numbers, texts and columns.
fn create_table(table: &Table, whole: &str, text: &str, sql_type: fn(&Column) -> &'static str) -> String {
    let key = if has_keys(table) { String::new() } else { format!(", idh {whole} not null unique") };
    let mut sql = format!("create table {} (rid {whole} primary key{key}", table.name);
    for column in ENVELOPE.iter().chain(table.columns) {
        let not_null = if matches!(column.name, "id" | "source" | "file_id" | "line" | "row_hash" | "ingest_id") {
            " not null"
        } else {
            ""
        };
        sql.push_str(&format!(", {} {}{not_null}", column.name, sql_type(column)));
    }
    for (name, _) in hash_columns(table.name) {
        sql.push_str(&format!(", {name} {whole}"));
    }
    sql.push_str(&format!(", partition {text} not null"));
    if has_keys(table) {
        let keys = keys_table(table.name);
        sql.push_str(&format!(
            ", seen_in {whole} not null); create table {keys} (idh {whole} primary key, rid {whole} not null"
        ));
    }
    sql.push(')');
    sql
}
