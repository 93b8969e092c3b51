//! The schema on PostgreSQL, and how an older one is brought up to date.

use chrono::{Datelike, Months, NaiveDate, Utc};
use model::{Column, Kind, TABLES, Table};
use tokio_postgres::types::Type;

use super::{VERSION, create_indexes, create_partition_indexes};
use crate::db::{Db, Lock};
use crate::{Error, Result};

/// Months for which the log's parts are made ahead. An event of a later one goes to the part for all others.
const MONTHS_AHEAD: u32 = 18;

/// What each version adds, the oldest first. A version is never changed once it was released.
const MIGRATIONS: &[(i64, &str)] = &[
    (6, include_str!("../../sql/postgres/6-all.sql")),
    (7, include_str!("../../sql/identity.sql")),
    (8, include_str!("../../sql/snapshots.sql")),
    (9, include_str!("../../sql/findings-runs.sql")),
];

/// Indexes over words and over what of a contract is in no column.
const WORDS: &[(&str, &str)] = &[
    ("contracts_fts_words", "contracts_fts using gin (words)"),
    ("suppliers_fts_words", "suppliers_fts using gin (words)"),
    ("buyers_fts_words", "buyers_fts using gin (words)"),
    // JSON may name a character that PostgreSQL's JSON cannot hold; the text that is kept can.
    (
        "idx_metadata_gin",
        r"contracts using gin ((case when strpos(metadata, '\u0000') = 0 then cast(metadata as jsonb) end) jsonb_path_ops)",
    ),
];

/// The version of what is held; 0 for an empty database.
pub(super) fn version(db: &Db) -> Result<i64> {
    let made = "select count(*) from pg_class where oid = to_regclass('schema_versions')";
    if db.query_row(made, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(0);
    }
    db.query_row("select coalesce(max(version), 0) from schema_versions", [], |row| row.get(0))
}

pub(super) fn migrate(db: &Db) -> Result<()> {
    let transaction = db.begin(Lock::Schema)?;
    let held = version(&transaction)?;
    if held > VERSION {
        return Err(Error::Newer { found: held, known: VERSION });
    }
    if held == 0 {
        transaction.execute_batch(
            "create table schema_versions (version bigint primary key, applied_at timestamptz not null default now())",
        )?;
        for table in TABLES {
            transaction.execute_batch(&create_table(table))?;
        }
    }
    for (version, sql) in MIGRATIONS.iter().filter(|(version, _)| *version > held) {
        transaction.execute_batch(sql)?;
        transaction.execute("insert into schema_versions (version) values (?1)", [*version])?;
    }
    if held < VERSION {
        create_partition_indexes(&transaction)?;
        create_indexes(&transaction)?;
    }
    make_parts(&transaction, Utc::now().date_naive())?;
    transaction.commit()
}

pub(super) fn create_words_indexes(db: &Db) -> Result<()> {
    WORDS.iter().try_for_each(|(name, on)| db.execute_batch(&format!("create index if not exists {name} on {on}")))
}

pub(super) fn drop_words_indexes(db: &Db) -> Result<()> {
    WORDS.iter().try_for_each(|(name, _)| db.execute_batch(&format!("drop index if exists {name}")))
}

/// Makes the parts of the log from `day`'s month on.
fn make_parts(db: &Db, day: NaiveDate) -> Result<()> {
    let first = day.with_day(1).expect("every month has a first");
    for ahead in 0..MONTHS_AHEAD {
        make_part(db, first + Months::new(ahead))?;
    }
    Ok(())
}

/// Makes the part of the log for a month, where it is not there and no event of that month is elsewhere already.
pub(crate) fn make_part(db: &Db, month: NaiveDate) -> Result<()> {
    let (from, to) = (month.format("%Y-%m").to_string(), (month + Months::new(1)).format("%Y-%m").to_string());
    let name = format!("events_{}", month.format("%Y_%m"));
    let there = "select exists (select 1 from pg_class where oid = to_regclass(cast(?1 as text)))
                     or exists (select 1 from events_other where recorded_at >= ?2 and recorded_at < ?3)";
    if db.query_row(there, (name.as_str(), from.as_str(), to.as_str()), |row| row.get(0))? {
        return Ok(());
    }
    db.execute_batch(&format!("create table {name} partition of events for values from ('{from}') to ('{to}')"))
}

fn create_table(table: &Table) -> String {
    super::create_table(table, "bigint", "text collate \"C\"", sql_type)
}

fn sql_type(column: &Column) -> &'static str {
    match column.kind {
        Kind::Text | Kind::Date => "text collate \"C\"",
        Kind::Int | Kind::Decimal => "bigint",
        Kind::Bool => "boolean",
    }
}

/// The kind of a column in binary form.
pub(crate) fn wire_type(column: &Column) -> Type {
    match column.kind {
        Kind::Text | Kind::Date => Type::TEXT,
        Kind::Int | Kind::Decimal => Type::INT8,
        Kind::Bool => Type::BOOL,
    }
}
