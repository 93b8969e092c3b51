//! How long statements take: by what they do to which table, and over which kind of connection.
//!
//! A statement goes by its verb and the first table that it names ("select contracts"), so that names are as few as the store's own
//! texts; beyond [`NAMES_MAX`] all are one. It is timed from when it is sent until its last row is read.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use prometheus::{Histogram, HistogramOpts, HistogramTimer, HistogramVec};

/// Upper bounds of the buckets, in seconds; the promise is 100 ms.
const BUCKETS_S: [f64; 14] =
    [0.000_05, 0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
/// Names that are told apart.
const NAMES_MAX: usize = 200;
/// Statements that a connection knows the timers of.
const KNOWN_MAX: usize = 512;

static IS_ON: AtomicBool = AtomicBool::new(true);
static NAMES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
static DURATIONS: LazyLock<HistogramVec> = LazyLock::new(|| {
    let options = HistogramOpts::new(
        "cidadao_ai_db_query_duration_seconds",
        "Time from a statement's start to its last row: by what it does to which table, over which kind of connection (reader, writer, replica, or bulk: one for long work).",
    );
    HistogramVec::new(options.buckets(BUCKETS_S.to_vec()), &["statement", "over"]).expect("the name is well formed")
});

/// What a connection is lent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Questions.
    Reader,
    /// Short transactions.
    Writer,
    /// Questions to a replica.
    Replica,
    /// Long work: loads, scans, watches.
    Bulk,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Replica => "replica",
            Self::Bulk => "bulk",
        }
    }
}

/// The durations of this process.
#[must_use]
pub fn durations() -> &'static HistogramVec {
    &DURATIONS
}

/// Begins or ends to time statements.
pub fn time_statements(is_on: bool) {
    IS_ON.store(is_on, Ordering::Relaxed);
}

/// The timers of one connection's statements.
pub(crate) struct Timers {
    role: Cell<Role>,
    known: RefCell<HashMap<u64, Histogram>>,
}

/// What times one statement, unless none is timed.
pub(crate) type Timer = Option<Histogram>;

/// Begins to time; what is given back ends it when it is dropped.
pub(crate) fn begin(timer: &Timer) -> Option<HistogramTimer> {
    timer.as_ref().map(Histogram::start_timer)
}

impl Timers {
    pub(crate) fn of(role: Role) -> Self {
        Self { role: Cell::new(role), known: RefCell::default() }
    }

    /// From now on it is lent for something else.
    pub(crate) fn lend_for(&self, role: Role) {
        self.role.set(role);
    }

    pub(crate) fn timer(&self, sql: &str) -> Timer {
        if !IS_ON.load(Ordering::Relaxed) {
            return None;
        }
        let role = self.role.get();
        let key = xxhash_rust::xxh3::xxh3_64_with_seed(sql.as_bytes(), role as u64);
        let mut known = self.known.borrow_mut();
        if let Some(timer) = known.get(&key) {
            return Some(timer.clone());
        }
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        let timer = DURATIONS.with_label_values(&[bounded(name_of(sql)).as_str(), role.name()]);
        known.insert(key, timer.clone());
        Some(timer)
    }
}

fn bounded(name: String) -> String {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if names.contains(&name) {
        return name;
    }
    if names.len() >= NAMES_MAX {
        return "other".to_owned();
    }
    names.insert(name.clone());
    name
}

/// The verb of a statement and the first table that it names.
fn name_of(sql: &str) -> String {
    let plain = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    let mut words = plain
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '('))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase);
    let verb = words.next().unwrap_or_default().trim_matches('(').to_owned();
    let (verb, before): (&str, &[&str]) = match verb.as_str() {
        "select" | "with" => ("select", &["from"]),
        "insert" | "replace" => ("insert", &["into"]),
        "update" => return format!("update {}", words.next().unwrap_or_default()),
        "delete" => ("delete", &["from"]),
        "copy" => return format!("copy {}", words.next().unwrap_or_default().trim_matches('(')),
        "begin" | "commit" | "rollback" => return verb,
        _ => return "other".to_owned(),
    };
    let mut table = None;
    while let Some(word) = words.next() {
        if before.contains(&word.as_str()) {
            // A question in brackets names its table further on; a function is no table.
            table = words.next().filter(|word| !word.contains('(') && word != "select");
            if table.is_some() {
                break;
            }
        }
    }
    table.map_or_else(|| verb.to_owned(), |table| format!("{verb} {table}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_goes_by_what_it_does_to_which_table() {
        for (sql, name) in [
            ("select a, b\nfrom contracts c where x = 'from y'", "select contracts"),
            ("-- from where\nselect 1 from (select id from tenders) t", "select tenders"),
            ("with t as (select 1 from bids) select * from t", "select bids"),
            ("insert or ignore into meta (key) values (?1)", "insert meta"),
            ("update tasks set a = 1", "update tasks"),
            ("delete from tasks", "delete tasks"),
            ("copy contracts (id) from stdin binary", "copy contracts"),
            ("begin immediate", "begin"),
            ("select count(*) from json_each(?1)", "select"),
            ("pragma quick_check(20)", "other"),
        ] {
            assert_eq!(name_of(sql), name, "{sql}");
        }
    }

    #[test]
    fn names_are_bounded() {
        for n in 0..2 * NAMES_MAX {
            bounded(format!("select test_{n}"));
        }
        assert_eq!(bounded("select test_more".to_owned()), "other");
        NAMES.lock().unwrap().clear();
    }
}
