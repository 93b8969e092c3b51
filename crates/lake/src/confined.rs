//! A session for what strangers give: their rows and their SQL, with nothing else in reach.
//!
//! Files and network are shut off and cannot be opened again; memory and threads are bounded, nothing spills to the disk;
//! a deadline interrupts whatever runs. SQL is let in only if it is one SELECT, as DuckDB's own parser sees it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use duckdb::types::{ToSql, Value as Cell};
use duckdb::{Connection, InterruptHandle};
use model::{Kind, TABLES};
use serde_json::{Map, Value};

use crate::columns::{columns_of, sql_type};
use crate::session::show_buyer_entities;
use crate::{Error, Result, Session};

/// How often the deadline looks whether it has come, and interrupts once it has.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a confined session may use.
#[derive(Debug, Clone, Copy)]
pub struct Confinement {
    /// MiB; beyond it a query fails.
    pub memory_mib: u32,
    /// Threads of execution.
    pub threads: u32,
}

/// Interrupts the session's queries once its time is over, until it is dropped.
pub struct Deadline {
    over: Arc<Mutex<bool>>,
    passed: Arc<AtomicBool>,
}

impl Session {
    /// An empty session with the canonical tables, shut off from files and network.
    ///
    /// # Errors
    /// DuckDB cannot start.
    pub fn confined(confinement: Confinement) -> Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(&format!(
            "set memory_limit = '{}MiB'; set threads = {}; set temp_directory = ''; set max_temp_directory_size = '0KB';
             set autoinstall_known_extensions = false; set autoload_known_extensions = false; set allow_community_extensions = false;
             set enable_external_access = false;",
            confinement.memory_mib, confinement.threads
        ))?;
        for table in TABLES {
            let columns: Vec<String> = columns_of(table).map(|c| format!("{} {}", c.name, sql_type(c))).collect();
            connection.execute_batch(&format!("create table {} ({})", table.name, columns.join(", ")))?;
        }
        connection.execute_batch("set lock_configuration = true")?;
        Ok(Self::of_connection(connection))
    }

    /// Loads rows into a canonical table: whole numbers, yes or no and text as JSON has them, everything else as text. A
    /// column that a row leaves out is null; what stands under a name of `beside` is passed over.
    ///
    /// # Errors
    /// `Refused` for a column that is not canonical or a value that is not of its column's kind.
    pub fn load(&self, table: &str, rows: &[Map<String, Value>], beside: &[&str]) -> Result<()> {
        let refused = |because: String| Error::Refused(format!("{table}: {because}"));
        let table = TABLES.iter().find(|t| t.name == table).ok_or_else(|| refused("no such table".to_owned()))?;
        let columns: Vec<_> = columns_of(table).collect();
        let mut appender = self.connection().appender(table.name)?;
        for (at, row) in rows.iter().enumerate() {
            let known = |name: &str| beside.contains(&name) || columns.iter().any(|c| c.name == name);
            if let Some(name) = row.keys().find(|name| !known(name)) {
                return Err(refused(format!("row {}: no column `{name}`", at + 1)));
            }
            let cells = columns.iter().map(|column| {
                let value = row.get(column.name).unwrap_or(&Value::Null);
                cell(column.kind, value).ok_or_else(|| refused(format!("row {}: {} = {value}", at + 1, column.name)))
            });
            let cells: Vec<Cell> = cells.collect::<Result<_>>()?;
            let cells: Vec<&dyn ToSql> = cells.iter().map(|cell| cell as &dyn ToSql).collect();
            appender.append_row(cells.as_slice()).map_err(|e| refused(format!("row {}: {e}", at + 1)))?;
        }
        appender.flush().map_err(|e| refused(e.to_string()))
    }

    /// Makes the view `buyer_entities`, for buyers that are merged into others.
    ///
    /// # Errors
    /// A buyer that stands twice.
    pub fn load_merged_buyers(&self, merged: &[(String, String)]) -> Result<()> {
        show_buyer_entities(self.connection(), merged)
    }

    /// Lets SQL in if it is one SELECT.
    ///
    /// # Errors
    /// `Refused` with what the parser said.
    pub fn expect_one_select(&self, what: &str, sql: &str) -> Result<()> {
        let refused = |because: &str| Err(Error::Refused(format!("{what}: {because}")));
        let parsed: String =
            self.connection()
                .query_row("select cast(json_serialize_sql(?::varchar) as varchar)", [sql], |row| row.get(0))?;
        let parsed: Value = serde_json::from_str(&parsed).unwrap_or_default();
        if parsed["error"] != Value::Bool(false) {
            return refused(parsed["error_message"].as_str().unwrap_or("not SQL that can be read"));
        }
        match parsed["statements"].as_array().map_or(0, Vec::len) {
            1 => Ok(()),
            n => refused(&format!("{n} statements where one SELECT is allowed")),
        }
    }

    /// Starts the clock: what still runs after `time` is interrupted.
    #[must_use]
    pub fn deadline(&self, time: Duration) -> Deadline {
        let deadline = Deadline { over: Arc::default(), passed: Arc::default() };
        let (over, passed) = (Arc::clone(&deadline.over), Arc::clone(&deadline.passed));
        let interrupt: Arc<InterruptHandle> = self.connection().interrupt_handle();
        let end = Instant::now() + time;
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(LOOK_EVERY);
                // Held while it interrupts: whoever dropped the clock is interrupted no more.
                let over = over.lock().unwrap_or_else(PoisonError::into_inner);
                if *over {
                    return;
                }
                if Instant::now() >= end {
                    passed.store(true, Ordering::Relaxed);
                    interrupt.interrupt();
                }
            }
        });
        deadline
    }
}

impl Deadline {
    /// Whether the time is over.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.passed.load(Ordering::Relaxed)
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        *self.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}

/// A JSON value for a column of this kind; DuckDB makes days and decimals of their text.
fn cell(kind: Kind, value: &Value) -> Option<Cell> {
    match (kind, value) {
        (_, Value::Null) => Some(Cell::Null),
        (Kind::Int, Value::Number(number)) => number.as_i64().map(Cell::BigInt),
        (Kind::Bool, Value::Bool(yes)) => Some(Cell::Boolean(*yes)),
        (Kind::Text | Kind::Date | Kind::Decimal, Value::String(text)) => Some(Cell::Text(text.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confined() -> Session {
        Session::confined(Confinement { memory_mib: 256, threads: 1 }).unwrap()
    }

    fn row(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn rows_come_in_exactly_and_by_kind() {
        let session = confined();
        let contract = row(
            &serde_json::json!({"id": "c", "line": 7, "income": false, "signed_on": "2024-02-29", "value_final": "12345678901234.5678", "file": "x.csv"}),
        );
        session.load("contracts", std::slice::from_ref(&contract), &["file"]).unwrap();
        let held = "select count(*) from contracts where line = 7 and not income and signed_on = date '2024-02-29' and value_final = 12345678901234.5678 and object is null";
        assert_eq!(session.count(held).unwrap(), 1);
        assert!(session.load("contracts", std::slice::from_ref(&contract), &[]).is_err(), "file is no column");
        for wrong in [
            serde_json::json!({"value_final": 1.5}),
            serde_json::json!({"value_final": "abc"}),
            serde_json::json!({"signed_on": "2024-02-30"}),
            serde_json::json!({"line": "7"}),
        ] {
            assert!(session.load("contracts", &[row(&wrong)], &[]).is_err(), "{wrong}");
        }
        assert!(session.load("merged_buyers; drop table contracts", &[], &[]).is_err());
    }

    #[test]
    fn one_select_is_let_in_and_nothing_else() {
        let session = confined();
        for good in [
            "select 1",
            "with a as (select 1 as x) select x from a union all by name select 2 as x",
            "-- so\nfrom contracts",
        ] {
            session.expect_one_select("sql", good).unwrap();
        }
        for bad in [
            "",
            "select 1; select 2",
            "drop table contracts",
            "insert into contracts (id) values ('x')",
            "attach 'x.db'",
            "copy contracts to 'x'",
            "set threads = 9",
            "select 1)",
            "selec 1",
        ] {
            assert!(session.expect_one_select("sql", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn files_settings_and_time_are_out_of_reach() {
        let session = confined();
        for sql in [
            "select * from read_text('/etc/hostname')",
            "select * from read_csv('/etc/passwd')",
            "select * from '/etc/passwd'",
            "select * from glob('/*')",
            "select * from read_blob('http://127.0.0.1:1/')",
            "select * from sniff_csv('/etc/passwd')",
        ] {
            assert!(session.rows(sql, |_| Ok(())).is_err(), "{sql}");
        }
        for sql in [
            "set enable_external_access = true",
            "set memory_limit = '9GB'",
            "load httpfs",
            "install httpfs",
            "attach '/tmp/x.db'",
            "copy (select 1) to '/tmp/x.csv'",
        ] {
            assert!(session.run(sql).is_err(), "{sql}");
        }
        let deadline = session.deadline(Duration::from_millis(200));
        let started = Instant::now();
        assert!(
            session
                .count("select count(*) from range(10000000) a, range(10000000) b where hash(a.range, b.range) = 0")
                .is_err()
        );
        assert!(deadline.has_passed() && started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn memory_is_bounded() {
        let session = confined();
        assert!(session.count("select length(string_agg(repeat('x', 1000000), '')) from range(2000)").is_err());
    }
}
