//! Statements as parts of a trace, and the line of a slow one with the database's plan.
//!
//! Plans are asked for after the fact, without values, and so many a minute at most: a database in trouble is not asked for more.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use trace::{Kind, Span};

/// How much of a statement, and of a plan, is told.
const TOLD_CHARS: usize = 400;
const PLAN_CHARS: usize = 4_000;
/// The time over which plans are counted.
const MINUTE: Duration = Duration::from_secs(60);

static SLOW_MS: AtomicU64 = AtomicU64::new(u64::MAX);
static PLANS_PER_MIN: AtomicU32 = AtomicU32::new(0);
/// When the minute began, and the plans asked for in it.
static ASKED: Mutex<Option<(Instant, u32)>> = Mutex::new(None);

/// Says from which duration on a query of a request or a task is told in the log, and how many plans may be asked for in a minute.
pub fn tell_from(slow: Duration, plans_per_min: u32) {
    SLOW_MS.store(u64::try_from(slow.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    PLANS_PER_MIN.store(plans_per_min, Ordering::Relaxed);
}

/// Whether one that took so long is told.
pub(super) fn is_slow(took: Duration) -> bool {
    took.as_millis() >= u128::from(SLOW_MS.load(Ordering::Relaxed))
}

/// Takes one of this minute's plans.
fn may_ask() -> bool {
    let most = PLANS_PER_MIN.load(Ordering::Relaxed);
    let mut asked = ASKED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (since, count) = asked.filter(|(since, _)| since.elapsed() < MINUTE).unwrap_or((Instant::now(), 0));
    *asked = Some((since, count.saturating_add(1)));
    count < most
}

/// Tells of a slow query, with its plan if it can have one and the minute's are not used up.
pub(super) fn tell(sql: &str, took: Duration, plan: Option<impl FnOnce() -> Option<String>>) {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let sql = one_line(sql);
    match plan.filter(|_| may_ask()).and_then(|plan| plan()) {
        Some(plan) => {
            let plan: String = plan.chars().take(PLAN_CHARS).collect();
            tracing::warn!(ms, sql, plan, "slow query");
        }
        None => tracing::warn!(ms, sql, "slow query"),
    }
}

/// The span of a statement, in a work that is recorded.
pub(super) fn span(system: &'static str, sql: &str) -> Option<Span> {
    let mut span = Span::below(Kind::Client)?;
    // Some begin with a comment.
    let text = sql.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with("--"));
    let word = text.and_then(|text| text.split_whitespace().next()).unwrap_or_default();
    span.rename(word.to_ascii_lowercase());
    span.tell("db.system.name", system);
    span.tell("db.query.text", one_line(sql));
    Some(span)
}

/// Statements hold no values; what is told of one is its beginning.
fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(TOLD_CHARS).collect()
}

/// A statement on SQLite, watched while something that can be followed asks it.
pub struct Watched<'a> {
    db: &'a rusqlite::Connection,
    sql: Option<Box<str>>,
}

impl<'a> Watched<'a> {
    pub(super) fn new(db: &'a rusqlite::Connection, sql: &str) -> Self {
        Self { db, sql: trace::current().map(|_| sql.into()) }
    }

    /// Begins to look at the clock, until what is given is dropped.
    pub(super) fn begin(&self) -> Option<Asking<'_>> {
        let sql = self.sql.as_deref()?;
        Some(Asking { db: self.db, sql, started: Instant::now(), _span: span("sqlite", sql) })
    }
}

/// A question under way.
pub struct Asking<'a> {
    db: &'a rusqlite::Connection,
    sql: &'a str,
    started: Instant,
    _span: Option<Span>,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        if is_slow(took) {
            tell(self.sql, took, Some(|| plan_of(self.db, self.sql)));
        }
    }
}

/// SQLite's plan of a statement, a line for each step; parameters that are not bound are null.
fn plan_of(db: &rusqlite::Connection, sql: &str) -> Option<String> {
    let mut statement = db.prepare(&format!("explain query plan {sql}")).ok()?;
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Ok(Some(row)) = rows.next() {
        steps.push(row.get::<_, String>(3).ok()?);
    }
    (!steps.is_empty()).then(|| steps.join("\n"))
}
