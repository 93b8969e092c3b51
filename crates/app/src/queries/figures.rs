//! The figures that operators watch: what the database holds, and how the bounded things of this process stand.
//!
//! What the database holds comes from small tables and indexes, and is absent when it cannot be read; the rest is always there.

use std::path::Path;

use chrono::DateTime;
pub use store::PoolFigures as DatabasePool;

use crate::commands::ingest_jobs::WAITING_MAX;
use crate::{App, Result};

/// Everything that is watched.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// What the database holds; nothing when it cannot be read.
    pub held: Option<HeldFigures>,
    /// Connections for questions to the database.
    pub pool: DatabasePool,
    /// Who waits to write, where writers stand in line.
    pub waiting_to_write: usize,
    /// How far each replica is behind, in seconds; nothing of one that does not answer.
    pub replica_lags: Vec<Option<f64>>,
    /// Where questions went, where there are replicas: to what and why, number.
    pub reads: Vec<(&'static str, &'static str, u64)>,
    /// Statements that this process has asked of the database.
    pub statements: u64,
    /// Whether Redis answers, where one is set.
    pub redis_up: Option<bool>,
    /// Topic, tasks handed on to Redis that nobody has read; none without Redis, or while it is away.
    pub stream_lags: Vec<(String, i64)>,
    /// Tasks that this process is at, and how many it can be at.
    pub workers: (usize, u64),
    /// Ingests asked for: running, waiting, and how many may wait.
    pub ingests: (usize, usize, usize),
    /// The world outside.
    pub outside: OutsideFigures,
    /// Language models, today: tokens and millionths of a cent used, tokens and cents that may be.
    pub models: ModelFigures,
    /// Questions to the store whose result was kept, and whose was not; results kept, and how many may be.
    pub recalls: RecallFigures,
    /// Bytes on the disk: of what, how many.
    pub disk: Vec<(&'static str, u64)>,
    /// Bytes that are free where the data folder lies, and all there are.
    pub disk_free: Option<(u64, u64)>,
}

/// What the database holds.
#[derive(Debug, Clone, Default)]
pub struct HeldFigures {
    /// Source, table, rows.
    pub rows: Vec<(String, String, i64)>,
    /// Segments, by table.
    pub segments: Vec<store::SegmentCount>,
    /// Source, quarantined rows.
    pub quarantined: Vec<(String, i64)>,
    /// Source, files not read to their end.
    pub incomplete: Vec<(String, i64)>,
    /// Source, Unix time of its last file.
    pub last_ingest: Vec<(String, i64)>,
    /// Flag, open findings.
    pub open_findings: Vec<(String, i64)>,
    /// Ingests whose changes were not judged yet.
    pub has_unjudged: bool,
    /// Topic, state (`ready`, `blocked`, `taken`, `dead`), tasks.
    pub tasks: Vec<(String, String, i64)>,
    /// Events that were not published yet.
    pub outbox_lag: i64,
}

/// What was asked of the world outside.
#[derive(Debug, Clone, Default)]
pub struct OutsideFigures {
    /// Origin, what is counted, how many.
    pub asked: Vec<(String, &'static str, u64)>,
    /// Connections opened since the start.
    pub opened: u64,
    /// Connections open now.
    pub open: usize,
    /// Origin, whether it is left alone.
    pub left_alone: Vec<(String, bool)>,
}

/// What language models took today.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ModelFigures {
    pub tokens: u64,
    pub micro_cents: u64,
    pub tokens_max: u64,
    pub cents_max: u64,
}

/// Results of questions that are kept.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct RecallFigures {
    pub hits: u64,
    pub misses: u64,
    pub kept: usize,
    pub kept_max: usize,
}

impl App {
    /// The figures that operators watch.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let lags = self.log().lags();
        let (running, waiting) = self.jobs().counts();
        Figures {
            held: self.held_figures().map_err(|error| tracing::warn!(%error, "figures")).ok(),
            pool: self.store().pool(),
            waiting_to_write: self.store().waiting_to_write(),
            replica_lags: self.store().replica_lags(),
            reads: self.store().reads().map_or_else(Vec::new, |reads| {
                vec![
                    ("replica", "near", reads.replica),
                    ("primary", "written", reads.written),
                    ("primary", "behind", reads.behind),
                    ("primary", "away", reads.away),
                ]
            }),
            statements: store::db::listen::counted(),
            redis_up: self.redis().map(|_| lags.is_ok()),
            stream_lags: lags.unwrap_or_default(),
            workers: (self.held().count(), self.workers_max()),
            ingests: (running, waiting, WAITING_MAX),
            outside: self.asked().figures(self.models_asked()),
            models: self.model_figures(),
            recalls: self.recalls(),
            disk: self.on_disk(),
            disk_free: free_at(self.folder()),
        }
    }

    fn held_figures(&self) -> Result<HeldFigures> {
        let store = self.store();
        let accounts = store.source_accounts()?;
        let at = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp());
        Ok(HeldFigures {
            rows: store.source_rows()?.into_iter().map(|row| (row.source, row.table, row.rows)).collect(),
            segments: store.segment_counts()?,
            incomplete: accounts.iter().map(|of| (of.source.clone(), of.incomplete)).collect(),
            quarantined: accounts.into_iter().map(|of| (of.source, of.quarantined)).collect(),
            last_ingest: store
                .source_files()?
                .into_iter()
                .filter_map(|files| at(&files.last_ingest_at).map(|at| (files.source, at)))
                .collect(),
            open_findings: store.open_findings()?,
            tasks: self.log().counts()?,
            outbox_lag: self.log().lag(events::CURSOR)?,
            has_unjudged: store.ingests()?.1.is_some(),
        })
    }

    fn on_disk(&self) -> Vec<(&'static str, u64)> {
        let file = |name: &str| std::fs::metadata(self.folder().join(name)).map_or(0, |of| of.len());
        vec![
            ("database", file("cidadao.db")),
            ("database_log", file("cidadao.db-wal")),
            ("cache", file("cache.db")),
            ("spill", files_in(&self.folder().join("spill"))),
        ]
    }
}

/// Bytes of the files that lie in a folder.
fn files_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(std::result::Result::ok);
    entries.filter_map(|entry| entry.metadata().ok()).filter(std::fs::Metadata::is_file).map(|of| of.len()).sum()
}

fn free_at(folder: &Path) -> Option<(u64, u64)> {
    let of = rustix::fs::statvfs(folder).ok()?;
    Some((of.f_bavail * of.f_frsize, of.f_blocks * of.f_frsize))
}
