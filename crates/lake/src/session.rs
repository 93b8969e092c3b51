//! A DuckDB session over the segments that count: one view per canonical table.
//!
//! The session reads only; it has a memory limit and spills to a folder of its own.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use chrono::NaiveDate;
use duckdb::Connection;
use model::{TABLES, Table};
use store::{Segment, Store};

use crate::columns::{columns_of, sql_type};
use crate::moment::{SegmentSet, views_at};
use crate::{Error, Lake, Result};

/// Seconds from which a statement is worth a line in the log, and how many of its characters stand there.
const SLOW_S: f64 = 0.05;
const SQL_CHARS: usize = 160;

/// Merged buyers that are handed over at once.
const MERGED_LOT: usize = 1_000;

/// How a session reads its segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Each query reads what it needs from the files: for one question.
    Files,
    /// Tables that are small enough are read once and held in memory: for many questions, where opening hundreds of
    /// small files again for each would cost more than the answers.
    Held,
}

/// What a session may use.
#[derive(Debug, Clone)]
pub struct SessionLimits {
    /// MiB before it spills.
    pub memory_mib: u32,
    /// Threads of execution.
    pub threads: u32,
    /// Where it spills.
    pub spill: PathBuf,
}

/// Ends the query that a session is at.
#[derive(Clone)]
pub struct Interrupter(std::sync::Arc<duckdb::InterruptHandle>);

impl Interrupter {
    /// Ends it, if there is one; it gives an error.
    pub fn interrupt(&self) {
        self.0.interrupt();
    }
}

/// Which rows count as changed: the views `changed_…` hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every row.
    All,
    /// Rows written by ingests from this one on, and the old form of what they replaced.
    Since(i64),
}

/// A value that stands in a flag's SQL for `$name`.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A number as it is written, checked to be one.
    Number(String),
    /// A text.
    Text(String),
}

/// An open session.
pub struct Session {
    connection: Connection,
    segments: Vec<Segment>,
    as_of: Option<NaiveDate>,
    held: bool,
}

impl Lake {
    /// Opens a session over the segments that count now.
    ///
    /// # Errors
    /// DuckDB cannot start, a segment is missing or is no Parquet file.
    pub fn session(&self, store: &Store, scope: Scope, reading: Reading, limits: &SessionLimits) -> Result<Session> {
        let connection = open(limits)?;
        let mut room = Room::of(reading, limits);
        let segments = store.segments_live()?;
        let closed = match scope {
            Scope::All => Vec::new(),
            Scope::Since(ingest) => store.segments_closed_since(ingest)?,
        };
        for table in TABLES {
            connection.execute_batch(&self.views(table, &segments, &closed, scope, &mut room))?;
        }
        show_buyer_entities(&connection, &store.merged_buyers()?)?;
        Ok(Session { connection, segments, as_of: None, held: room.all })
    }

    /// Opens a session over these segments, with the facts that stood by a day, or all of them. Every row counts as changed.
    /// Who is one with whom is read as it is known now.
    ///
    /// # Errors
    /// DuckDB cannot start, a segment is missing or is no Parquet file.
    pub fn session_over(
        &self,
        store: &Store,
        segments: Vec<Segment>,
        as_of: Option<NaiveDate>,
        limits: &SessionLimits,
    ) -> Result<Session> {
        let connection = open(limits)?;
        for table in TABLES {
            let name = table.name;
            connection.execute_batch(&views_at(name, &self.select(table, segments.iter()), as_of))?;
            connection.execute_batch(&format!("create view changed_{name} as from {name};"))?;
        }
        show_buyer_entities(&connection, &store.merged_buyers()?)?;
        Ok(Session { connection, segments, as_of, held: false })
    }

    fn views(&self, table: &Table, live: &[Segment], closed: &[Segment], scope: Scope, room: &mut Room) -> String {
        let name = table.name;
        let of_table =
            |segments: &[Segment]| -> Vec<Segment> { segments.iter().filter(|s| s.table == name).cloned().collect() };
        let (live, closed) = (of_table(live), of_table(closed));
        let mut sql = format!("create {} {name} as {};", room.kind(&live), self.select(table, live.iter()));
        match scope {
            Scope::All => write!(sql, "create view changed_{name} as from {name};"),
            Scope::Since(since) => {
                let new: Vec<Segment> = live.into_iter().filter(|s| s.from_ingest >= since).collect();
                write!(
                    sql,
                    "create {} new_{name} as select * from ({}) where ingest_id >= {since};
                     create {} changed_{name} as select * from new_{name} union all by name
                       select * from ({}) where id in (select id from new_{name}) or id not in (select id from {name});",
                    room.kind(&new),
                    self.select(table, new.iter()),
                    room.kind(new.iter().chain(&closed)),
                    self.select(table, closed.iter())
                )
            }
        }
        .expect("writing to a string cannot fail");
        sql
    }

    fn select<'a>(&self, table: &Table, segments: impl Iterator<Item = &'a Segment>) -> String {
        let paths: Vec<String> = segments
            .filter(|s| s.table == table.name)
            .map(|s| format!("'{}'", quoted(&self.root().join(&s.path).to_string_lossy())))
            .collect();
        if paths.is_empty() {
            return no_rows(table);
        }
        // A segment may be older than a column: the empty half names them all. Before there was a currency, all was in reais.
        let has_currency = table.columns.iter().any(|column| column.name == "currency");
        let replaced = if has_currency { "replace (coalesce(currency, 'BRL') as currency)" } else { "" };
        format!(
            "select * {replaced} from (select * from read_parquet([{}], union_by_name = true, hive_partitioning = false) union all by name {})",
            paths.join(", "),
            no_rows(table)
        )
    }
}

/// Bytes of segments that may still be held in memory.
struct Room {
    left: u64,
    /// Whether everything had room so far.
    all: bool,
}

impl Room {
    /// A 16th of the memory: in memory, rows take some five times what they take in a segment.
    fn of(reading: Reading, limits: &SessionLimits) -> Self {
        Self {
            left: if reading == Reading::Held { u64::from(limits.memory_mib) << 16 } else { 0 },
            all: reading == Reading::Held,
        }
    }

    /// What the rows of these segments become: a table while there is room for it.
    fn kind<'a>(&mut self, segments: impl IntoIterator<Item = &'a Segment>) -> &'static str {
        let bytes: u64 = segments.into_iter().map(|s| s.bytes).sum();
        match self.left.checked_sub(bytes) {
            Some(left) if left > 0 => {
                self.left = left;
                "table"
            }
            _ => {
                self.all = false;
                "view"
            }
        }
    }
}

/// A DuckDB within its limits, over nothing yet.
fn open(limits: &SessionLimits) -> Result<Connection> {
    std::fs::create_dir_all(&limits.spill).map_err(|e| Error::io(&limits.spill, e))?;
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(&format!(
        "set memory_limit = '{}MiB'; set threads = {}; set temp_directory = '{}'; set preserve_insertion_order = false; set parquet_metadata_cache = true;
         set autoinstall_known_extensions = false; set autoload_known_extensions = false;",
        limits.memory_mib,
        limits.threads,
        quoted(&limits.spill.to_string_lossy())
    ))?;
    Ok(connection)
}

/// A table's columns without a row.
fn no_rows(table: &Table) -> String {
    let columns: Vec<String> =
        columns_of(table).map(|c| format!("cast(null as {}) as {}", sql_type(c), c.name)).collect();
    format!("select {} where false", columns.join(", "))
}

impl Session {
    /// A session over rows given by hand, with no lake behind it: for the cases of a flag. A column that a row leaves out
    /// is null; every row counts as changed.
    ///
    /// # Errors
    /// A table or column that is not canonical, a value that is not of its column's kind.
    pub fn of_rows(rows: &BTreeMap<String, Vec<serde_json::Map<String, serde_json::Value>>>) -> Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch("set autoinstall_known_extensions = false; set autoload_known_extensions = false;")?;
        for table in TABLES {
            let columns: Vec<String> = columns_of(table).map(|c| format!("{} {}", c.name, sql_type(c))).collect();
            let name = table.name;
            connection.execute_batch(&format!(
                "create table {name} ({}); create view changed_{name} as from {name};",
                columns.join(", ")
            ))?;
        }
        for (table, rows) in rows {
            // Rows with the same columns go in together.
            for lot in rows.chunk_by(|a, b| a.keys().eq(b.keys())) {
                let names: Vec<&str> = lot[0].keys().map(String::as_str).collect();
                let values: Vec<String> = lot
                    .iter()
                    .map(|row| format!("({})", row.values().map(literal_of).collect::<Vec<_>>().join(", ")))
                    .collect();
                connection.execute_batch(&format!(
                    "insert into {table} ({}) values {}",
                    names.join(", "),
                    values.join(", ")
                ))?;
            }
        }
        show_buyer_entities(&connection, &[])?;
        Ok(Self { connection, segments: Vec::new(), as_of: None, held: true })
    }

    /// A session over a connection that was made ready elsewhere.
    pub(crate) fn of_connection(connection: Connection) -> Self {
        Self { connection, segments: Vec::new(), as_of: None, held: true }
    }

    /// Lets the analysis use up to `memory_mib` MiB from now on.
    ///
    /// # Errors
    /// DuckDB uses more already.
    pub fn allow_memory(&self, memory_mib: u32) -> Result<()> {
        Ok(self.connection.execute_batch(&format!("set memory_limit = '{memory_mib}MiB'"))?)
    }

    /// What ends the query that this session is at, from another thread; the session can be used on.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        Interrupter(self.connection.interrupt_handle())
    }

    /// The DuckDB connection.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The segments that the session reads.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether every table is held in memory: what is said of all rows at once has room there too.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Which set of segments that is.
    #[must_use]
    pub fn segment_set(&self) -> SegmentSet {
        SegmentSet::of(&self.segments)
    }

    /// The day by which facts must have stood, where one was asked for.
    #[must_use]
    pub fn as_of(&self) -> Option<NaiveDate> {
        self.as_of
    }

    /// Runs statements.
    ///
    /// # Errors
    /// DuckDB said no.
    pub fn run(&self, sql: &str) -> Result<()> {
        let started = Instant::now();
        self.connection.execute_batch(sql)?;
        told(sql, started);
        Ok(())
    }

    /// Visits the rows of a query; every value comes as text, nulls as `None`.
    ///
    /// # Errors
    /// DuckDB said no, or whatever `visit` gives.
    pub fn rows(&self, sql: &str, mut visit: impl FnMut(&TextRow) -> Result<()>) -> Result<()> {
        let started = Instant::now();
        let wrapped = format!("select columns(*)::varchar from ({sql}) as q");
        let mut statement = self.connection.prepare(&wrapped)?;
        let mut rows = statement.query([])?;
        let names: HashMap<String, usize> = rows
            .as_ref()
            .map(|s| s.column_names().into_iter().enumerate().map(|(at, name)| (name, at)).collect())
            .unwrap_or_default();
        let mut text = TextRow { names, values: Vec::new() };
        while let Some(row) = rows.next()? {
            text.values.clear();
            for at in 0..text.names.len() {
                text.values.push(row.get(at)?);
            }
            visit(&text)?;
        }
        told(sql, started);
        Ok(())
    }

    /// Visits the rows of a query that gives a number and a count.
    ///
    /// # Errors
    /// DuckDB said no, or whatever `visit` gives.
    pub fn counts(&self, sql: &str, mut visit: impl FnMut(f64, u64) -> Result<()>) -> Result<()> {
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(row.get(0)?, row.get(1)?)?;
        }
        Ok(())
    }

    /// The one number that a query gives.
    ///
    /// # Errors
    /// DuckDB said no.
    pub fn count(&self, sql: &str) -> Result<i64> {
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }
}

/// Says what a statement took, to who asks for it (`log.filter = "lake=debug"`).
fn told(sql: &str, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    if seconds >= SLOW_S {
        tracing::debug!(seconds, sql = sql.chars().take(SQL_CHARS).collect::<String>(), "analysis");
    }
}

/// Makes the view `buyer_entities`: each buyer's id and the id that stands for its entity, its own where it is alone.
/// Records keep the buyer's id that their source gave; who judges by entity joins this view.
pub(crate) fn show_buyer_entities(connection: &Connection, merged: &[(String, String)]) -> Result<()> {
    connection.execute_batch(
        "create table merged_buyers (buyer_id varchar primary key, entity_id varchar not null);
         create view buyer_entities as
         select b.id as buyer_id, coalesce(m.entity_id, b.id) as entity_id
         from buyers b left join merged_buyers m on m.buyer_id = b.id;",
    )?;
    for lot in merged.chunks(MERGED_LOT) {
        let values: Vec<String> =
            lot.iter().map(|(id, entity)| format!("('{}', '{}')", quoted(id), quoted(entity))).collect();
        connection.execute_batch(&format!("insert into merged_buyers values {}", values.join(", ")))?;
    }
    Ok(())
}

/// A row of texts, by column name.
pub struct TextRow {
    names: HashMap<String, usize>,
    values: Vec<Option<String>>,
}

impl TextRow {
    /// The value of a column; `None` for null and for a column that is not there.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.names.get(name).and_then(|at| self.values[*at].as_deref())
    }

    /// Every column with its value, in no fixed order.
    pub fn columns(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.with_prefix("")
    }

    /// The columns whose name starts with `prefix`, in no fixed order, nulls included.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        self.names
            .iter()
            .filter(move |(name, _)| name.starts_with(prefix))
            .map(|(name, at)| (name.as_str(), self.values[*at].as_deref()))
    }
}

/// A JSON value as SQL; DuckDB casts it to its column's kind.
fn literal_of(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "null".to_owned(),
        serde_json::Value::String(text) => Literal::Text(text.clone()).sql(),
        other => Literal::Text(other.to_string()).sql(),
    }
}

/// A text as it stands between single quotes.
#[must_use]
pub(crate) fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

impl Literal {
    /// As SQL.
    #[must_use]
    pub fn sql(&self) -> String {
        match self {
            Self::Number(n) => n.clone(),
            Self::Text(t) => format!("'{}'", quoted(t)),
        }
    }
}
