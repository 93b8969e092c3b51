//! Whether the program can answer, and the figures that operators watch.

use crate::{App, Result};

/// Whether each part answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// The database answers a query.
    pub database: bool,
    /// The lake's folder is there.
    pub lake: bool,
}

impl Readiness {
    /// Whether questions can be answered.
    #[must_use]
    pub fn is_ready(self) -> bool {
        self.database && self.lake
    }
}

/// What is held, in numbers.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Source, table, rows.
    pub rows: Vec<(String, String, i64)>,
    /// Flag, open findings.
    pub open_findings: Vec<(String, i64)>,
    /// Ingests whose changes were not judged yet: 0 or 1 and more.
    pub has_unjudged: bool,
    /// Topic, state (`ready`, `blocked`, `taken`, `dead`), tasks.
    pub tasks: Vec<(String, String, i64)>,
    /// Events that were not published yet.
    pub outbox_lag: i64,
    /// Topic, tasks handed on to Redis that nobody has read; none without Redis, or while it is away.
    pub stream_lags: Vec<(String, i64)>,
    /// Connections to the database's server, where it is one: state, number.
    pub connections: Vec<(&'static str, usize)>,
    /// Where questions went, where there are replicas: to what and why, number.
    pub reads: Vec<(&'static str, &'static str, u64)>,
    /// Whether Redis answers, where one is set.
    pub redis_up: Option<bool>,
    /// Of the world outside: origin (empty for connections, which are of none), what is counted, how many.
    pub asked: Vec<(String, &'static str, u64)>,
    /// Questions to the store whose result was kept, and whose was not.
    pub recalls: (u64, u64),
    /// Statements that this process has asked of the database.
    pub statements: u64,
}

impl App {
    /// Whether the program can answer.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        Readiness { database: self.store().ingests().is_ok(), lake: self.lake().root().is_dir() }
    }

    /// The figures that operators watch; all come from small tables and indexes.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn figures(&self) -> Result<Figures> {
        let rows = self.store().source_rows()?;
        let lags = self.log().lags();
        Ok(Figures {
            recalls: self.recalls(),
            asked: self.asked().figures(self.models_asked().as_ref()),
            statements: store::db::listen::counted(),
            connections: self.store().pool().map_or_else(Vec::new, |pool| {
                vec![("idle", pool.idle), ("lent", pool.open - pool.idle), ("waited_for", pool.waiting)]
            }),
            reads: self.store().reads().map_or_else(Vec::new, |reads| {
                vec![
                    ("replica", "near", reads.replica),
                    ("primary", "written", reads.written),
                    ("primary", "behind", reads.behind),
                    ("primary", "away", reads.away),
                ]
            }),
            redis_up: self.redis().map(|_| lags.is_ok()),
            stream_lags: lags.unwrap_or_default(),
            rows: rows.into_iter().map(|row| (row.source, row.table, row.rows)).collect(),
            open_findings: self.store().open_findings()?,
            tasks: self.log().counts()?,
            outbox_lag: self.log().lag(events::CURSOR)?,
            has_unjudged: self.store().ingests()?.1.is_some(),
        })
    }
}
