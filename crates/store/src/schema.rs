//! The schema: canonical tables from the model's columns, the rest from `schema.sql`.

use std::fmt::Write as _;

use model::{Column, ENVELOPE, Kind, TABLES, Table};
use rusqlite::{Connection, TransactionBehavior};

use crate::{Error, Result};

/// The schema's version; a program refuses a newer one.
const VERSION: i64 = 1;

/// Secondary indexes of the canonical tables. A large first load drops them and makes them again at its end.
pub(crate) const INDEXES: &[(&str, &str, &str)] = &[
    ("contracts", "contracts_by_signature", "signed_on, rid"),
    ("contracts", "contracts_by_value", "value_final, rid"),
    ("contracts", "contracts_by_buyer", "buyer_h, signed_on, rid, value_final"),
    ("contracts", "contracts_by_supplier", "supplier_h, signed_on, rid, value_final"),
    ("contracts", "contracts_by_modality", "modality, signed_on, rid"),
    ("contracts", "contracts_by_source", "source, signed_on, rid"),
    ("contracts", "contracts_by_partition", "partition, source"),
    ("tenders", "tenders_by_partition", "partition, source"),
    ("items", "items_by_contract", "contract_h"),
    ("items", "items_by_partition", "partition, source"),
    ("bids", "bids_by_partition", "partition, source"),
    ("amendments", "amendments_by_contract", "contract_h"),
    ("amendments", "amendments_by_partition", "partition, source"),
    ("payments", "payments_by_partition", "partition, source"),
    ("sanctions", "sanctions_by_supplier", "supplier_id"),
    ("sanctions", "sanctions_by_root", "supplier_root"),
    ("suppliers", "suppliers_by_name", "name, rid"),
    ("buyers", "buyers_by_name", "name, rid"),
    ("buyers", "buyers_by_state", "state, name, rid"),
];

/// Columns kept beside the model's own: hashes of the ids that are looked up.
pub(crate) fn hash_columns(table: &str) -> &'static [(&'static str, &'static str)] {
    match table {
        "contracts" => &[("buyer_h", "buyer_id"), ("supplier_h", "supplier_id")],
        "items" | "amendments" => &[("contract_h", "contract_id")],
        _ => &[],
    }
}

pub(crate) fn migrate(connection: &Connection) -> Result<()> {
    let mut connection_version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if connection_version > VERSION {
        return Err(Error::Newer { found: connection_version, known: VERSION });
    }
    crate::links::entities_schema(connection)?;
    if connection_version == VERSION {
        return Ok(());
    }
    let transaction = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    // Another process may have made it while this one waited for the lock.
    connection_version = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if connection_version == 0 {
        transaction.execute_batch(include_str!("../sql/schema.sql"))?;
        for table in TABLES {
            transaction.execute_batch(&create_table(table))?;
        }
        create_indexes(&transaction)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()?;
    Ok(())
}

pub(crate) fn create_indexes(connection: &Connection) -> Result<()> {
    for (table, name, columns) in INDEXES {
        connection.execute_batch(&format!("create index if not exists {name} on {table} ({columns})"))?;
    }
    Ok(())
}

pub(crate) fn drop_indexes(connection: &Connection) -> Result<()> {
    for (_, name, _) in INDEXES {
        connection.execute_batch(&format!("drop index if exists {name}"))?;
    }
    Ok(())
}

fn create_table(table: &Table) -> String {
    let mut sql = format!("create table {} (rid integer primary key, idh integer not null unique", table.name);
    for column in ENVELOPE.iter().chain(table.columns) {
        let not_null = if matches!(column.name, "id" | "source" | "file_id" | "line" | "row_hash" | "ingest_id") {
            " not null"
        } else {
            ""
        };
        write!(sql, ", {} {}{not_null}", column.name, sql_type(column)).expect("writing to a string cannot fail");
    }
    for (name, _) in hash_columns(table.name) {
        write!(sql, ", {name} integer").expect("writing to a string cannot fail");
    }
    sql.push_str(", partition text not null)");
    sql
}

fn sql_type(column: &Column) -> &'static str {
    match column.kind {
        Kind::Text | Kind::Date => "text",
        Kind::Int | Kind::Bool | Kind::Decimal => "integer",
    }
}
