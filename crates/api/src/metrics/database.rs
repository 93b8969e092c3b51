//! The database as this process uses it, Redis, and the queues over them.

use app::queries::Figures;
use prometheus::{Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts};

use super::{Named, bring_up, whole};

pub(super) struct DatabaseMetrics {
    connections: IntGaugeVec,
    connections_max: IntGauge,
    writers_waiting: IntGauge,
    statements: IntCounter,
    reads: IntCounterVec,
    replica_up: IntGaugeVec,
    replica_lag: GaugeVec,
    recalls: IntCounterVec,
    redis_up: IntGaugeVec,
    stream_lag: IntGaugeVec,
    workers: IntGaugeVec,
    worker_utilization: Gauge,
    ingests: IntGaugeVec,
}

impl DatabaseMetrics {
    pub(super) fn new(registry: &Named) -> prometheus::Result<Self> {
        let lag = GaugeVec::new(
            Opts::new(
                "cidadao_ai_replica_lag_seconds",
                "How far a replica is behind the primary; absent while it does not answer.",
            ),
            &["replica"],
        )?;
        registry.add(&lag)?;
        let utilization = Gauge::new(
            "cidadao_ai_worker_utilization",
            "Threads that are at a task, of those that work tasks off in this process: 0 to 1.",
        )?;
        registry.add(&utilization)?;
        Ok(Self {
            connections: registry.gauges(
                "cidadao_ai_database_connections",
                "Connections for questions (readers of the file, or all to the server): idle, lent, and requests that wait for one.",
                &["state"],
            )?,
            connections_max: registry
                .gauge("cidadao_ai_database_connections_max", "Connections for questions that there may be.")?,
            writers_waiting: registry.gauge(
                "cidadao_ai_database_writers_waiting",
                "Short transactions that wait for SQLite's one place for writers.",
            )?,
            statements: registry.counter(
                "cidadao_ai_db_statements_total",
                "Statements that this process has asked of the database.",
            )?,
            reads: registry.counters(
                "cidadao_ai_database_reads_total",
                "Questions sent to a replica, or to the primary: who asks has just written, the replicas are behind, or away.",
                &["to", "because"],
            )?,
            replica_up: registry.gauges(
                "cidadao_ai_replica_up",
                "1 when a replica answers, 0 when not.",
                &["replica"],
            )?,
            replica_lag: lag,
            recalls: registry.counters(
                "cidadao_ai_query_cache_lookups_total",
                "Questions to the store whose result was kept, or not.",
                &["outcome"],
            )?,
            redis_up: registry
                .gauges("cidadao_ai_redis_up", "1 when Redis answers, 0 when not; absent where none is set.", &[])?,
            stream_lag: registry.gauges(
                "cidadao_ai_stream_lag_tasks",
                "Tasks handed on to Redis that no worker has read yet; -1 where Redis does not know.",
                &["topic"],
            )?,
            workers: registry.gauges(
                "cidadao_ai_workers",
                "Threads that work tasks off in this process: busy, and how many there are (max).",
                &["state"],
            )?,
            worker_utilization: utilization,
            ingests: registry.gauges(
                "cidadao_ai_ingest_jobs",
                "Ingests asked for over HTTP: running, waiting, and how many may wait (waiting_max).",
                &["state"],
            )?,
        })
    }

    #[allow(clippy::cast_precision_loss, reason = "a share of a few threads")]
    pub(super) fn hold(&self, figures: &Figures) {
        let pool = figures.pool;
        for (state, n) in
            [("idle", pool.idle), ("lent", pool.open.saturating_sub(pool.idle)), ("waited_for", pool.waiting)]
        {
            self.connections.with_label_values(&[state]).set(whole(n));
        }
        self.connections_max.set(whole(pool.size));
        self.writers_waiting.set(whole(figures.waiting_to_write));
        bring_up(&self.statements, figures.statements);
        for (to, because, n) in &figures.reads {
            bring_up(&self.reads.with_label_values(&[*to, *because]), *n);
        }
        self.replica_lag.reset();
        for (at, lag) in figures.replica_lags.iter().enumerate() {
            let replica = (at + 1).to_string();
            self.replica_up.with_label_values(&[&replica]).set(lag.is_some().into());
            if let Some(lag) = lag {
                self.replica_lag.with_label_values(&[&replica]).set(*lag);
            }
        }
        bring_up(&self.recalls.with_label_values(&["hit"]), figures.recalls.hits);
        bring_up(&self.recalls.with_label_values(&["miss"]), figures.recalls.misses);
        if let Some(up) = figures.redis_up {
            self.redis_up.with_label_values::<&str>(&[]).set(up.into());
        }
        self.stream_lag.reset();
        for (topic, lag) in &figures.stream_lags {
            self.stream_lag.with_label_values(&[topic]).set(*lag);
        }
        let (busy, workers) = figures.workers;
        self.workers.with_label_values(&["busy"]).set(whole(busy));
        self.workers.with_label_values(&["max"]).set(super::bytes(workers));
        self.worker_utilization.set(busy as f64 / workers.max(1) as f64);
        let (running, waiting, waiting_max) = figures.ingests;
        for (state, n) in [("running", running), ("waiting", waiting), ("waiting_max", waiting_max)] {
            self.ingests.with_label_values(&[state]).set(whole(n));
        }
    }
}
