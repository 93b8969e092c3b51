//! What operators watch, as Prometheus text.
//!
//! Labels are bounded: routes stand as their templates, methods and sources are few. What the database holds is read
//! when it is asked for, from small tables; when that fails the rest is still given.

use std::time::Duration;

use app::queries::Figures;
use cache::Meters;
use prometheus::core::Collector;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::agent_metrics::AgentMetrics;
use crate::gate::Gate;
use crate::telemetry_metrics::TelemetryMetrics;

/// Upper bounds of the buckets of durations, in seconds.
const BUCKETS_S: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Every metric of the door.
pub struct Metrics {
    registry: Registry,
    durations: HistogramVec,
    /// Requests being answered.
    pub in_flight: IntGauge,
    rows: IntGaugeVec,
    open_findings: IntGaugeVec,
    unjudged: IntGauge,
    tasks: IntGaugeVec,
    outbox_lag: IntGauge,
    readable: IntGauge,
    recalls: IntGaugeVec,
    stream_lag: IntGaugeVec,
    redis_up: IntGaugeVec,
    connections: IntGaugeVec,
    reads: IntGaugeVec,
    agents: AgentMetrics,
    telemetry: TelemetryMetrics,
    asked: IntGaugeVec,
    statements: IntCounter,
    statements_told: std::sync::Mutex<u64>,
}

impl Metrics {
    /// Makes and registers all, those of `gates` among them.
    ///
    /// # Errors
    /// A malformed name, or one that stands twice.
    pub fn new(gates: &[&Gate]) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let started = Gauge::new("cidadao_ai_start_time_seconds", "When the program started, Unix time.")?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        started.set(now.as_secs_f64());
        let build = IntGauge::with_opts(
            Opts::new("cidadao_ai_build_info", "The program's version; always 1.").const_label("version", app::VERSION),
        )?;
        build.set(1);
        let metrics = Self {
            agents: AgentMetrics::new(&registry)?,
            telemetry: TelemetryMetrics::new(&registry)?,
            registry,
            durations: HistogramVec::new(
                HistogramOpts::new(
                    "cidadao_ai_request_duration_seconds",
                    "Time from a request's head to its answer's head.",
                )
                .buckets(BUCKETS_S.to_vec()),
                &["method", "route", "status"],
            )?,
            in_flight: IntGauge::new("cidadao_ai_requests_in_flight", "Requests being answered.")?,
            rows: IntGaugeVec::new(Opts::new("cidadao_ai_rows", "Rows held in the lake."), &["source", "table"])?,
            open_findings: IntGaugeVec::new(Opts::new("cidadao_ai_findings_open", "Open findings."), &["flag"])?,
            unjudged: IntGauge::new("cidadao_ai_unjudged", "1 when rows were ingested that no flag has judged yet.")?,
            tasks: IntGaugeVec::new(
                Opts::new(
                    "cidadao_ai_tasks",
                    "Tasks that wait (ready; blocked by another), are worked on (taken) or failed for good (dead); over Redis also those not handed on yet (outbox).",
                ),
                &["topic", "state"],
            )?,
            statements_told: std::sync::Mutex::default(),
            statements: IntCounter::new(
                "cidadao_ai_db_statements_total",
                "Statements that this process has asked of the database.",
            )?,
            outbox_lag: IntGauge::new("cidadao_ai_outbox_lag_events", "Events that were not published yet.")?,
            readable: IntGauge::new("cidadao_ai_database_readable", "1 when the database gave these figures.")?,
            recalls: IntGaugeVec::new(
                Opts::new(
                    "cidadao_ai_query_cache_lookups",
                    "Questions to the store whose result was kept, or not, since the start.",
                ),
                &["outcome"],
            )?,
            stream_lag: IntGaugeVec::new(
                Opts::new(
                    "cidadao_ai_stream_lag_tasks",
                    "Tasks handed on to Redis that no worker has read yet; -1 where Redis does not know.",
                ),
                &["topic"],
            )?,
            connections: IntGaugeVec::new(
                Opts::new(
                    "cidadao_ai_database_connections",
                    "Connections to the database's server: idle, lent, and requests that wait for one.",
                ),
                &["state"],
            )?,
            reads: IntGaugeVec::new(
                Opts::new(
                    "cidadao_ai_database_reads",
                    "Questions sent to a replica, or to the primary: who asks has just written, the replicas are behind, or away.",
                ),
                &["to", "because"],
            )?,
            asked: IntGaugeVec::new(
                Opts::new(
                    "cidadao_ai_outbound_requests",
                    "What was asked of the world outside since the start, by origin: requests, of which retries and hedges, pauses asked for, times left alone; connections opened are of no origin.",
                ),
                &["origin", "what"],
            )?,
            redis_up: IntGaugeVec::new(
                Opts::new("cidadao_ai_redis_up", "1 when Redis answers, 0 when not; absent where none is set."),
                &[],
            )?,
        };
        for metric in [&metrics.in_flight, &metrics.unjudged, &metrics.outbox_lag, &metrics.readable, &build] {
            metrics.registry.register(Box::new(metric.clone()))?;
        }
        for metric in [
            &metrics.recalls,
            &metrics.rows,
            &metrics.open_findings,
            &metrics.tasks,
            &metrics.stream_lag,
            &metrics.redis_up,
            &metrics.asked,
        ] {
            metrics.registry.register(Box::new(metric.clone()))?;
        }
        for metric in [&metrics.connections, &metrics.reads] {
            metrics.registry.register(Box::new(metric.clone()))?;
        }
        metrics.registry.register(Box::new(metrics.durations.clone()))?;
        metrics.registry.register(Box::new(metrics.statements.clone()))?;
        for gate in gates {
            metrics.registry.register(Box::new(gate.running.clone()))?;
            metrics.registry.register(Box::new(gate.waiting.clone()))?;
            metrics.registry.register(Box::new(gate.refused.clone()))?;
        }
        metrics.registry.register(Box::new(started))?;
        Ok(metrics)
    }

    /// Adds those of a cache.
    ///
    /// # Errors
    /// A name that stands twice.
    pub fn add_cache(&self, meters: &Meters) -> prometheus::Result<()> {
        meters.register(&self.registry)
    }

    /// What times answers of one kind.
    pub fn timer(&self, method: &str, route: &str, status: u16) -> Histogram {
        self.durations.with_label_values(&[method, route, &status.to_string()])
    }

    /// Registers metrics that others count.
    ///
    /// # Errors
    /// One that stands twice.
    pub fn add<M: Collector + Clone + 'static>(&self, metrics: &[&M]) -> prometheus::Result<()> {
        metrics.iter().try_for_each(|metric| self.registry.register(Box::new((*metric).clone())))
    }

    /// Counts an answered request.
    pub fn observe(&self, method: &str, route: &str, status: u16, took: Duration) {
        self.timer(method, route, status).observe(took.as_secs_f64());
    }

    /// Everything as text, with `figures` when the database gave them, and how the pools of agents stand.
    pub fn text(&self, figures: Option<Figures>, pools: &[app::AgentPool]) -> String {
        self.agents.hold(pools);
        self.telemetry.look();
        self.readable.set(figures.is_some().into());
        if let Some(figures) = figures {
            self.hold(&figures);
        }
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }

    fn hold(&self, figures: &Figures) {
        // Two may look at once: what one has added the other does not add again.
        let mut told = self.statements_told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.statements.inc_by(figures.statements.saturating_sub(*told));
        *told = figures.statements.max(*told);
        drop(told);
        let (hits, misses) = figures.recalls;
        self.recalls.with_label_values(&["hit"]).set(hits.cast_signed());
        self.recalls.with_label_values(&["miss"]).set(misses.cast_signed());
        self.rows.reset();
        for (source, table, rows) in &figures.rows {
            self.rows.with_label_values(&[source, table]).set(*rows);
        }
        self.open_findings.reset();
        for (flag, findings) in &figures.open_findings {
            self.open_findings.with_label_values(&[flag]).set(*findings);
        }
        self.tasks.reset();
        for (topic, state, tasks) in &figures.tasks {
            self.tasks.with_label_values(&[topic, state]).set(*tasks);
        }
        for (origin, what, count) in &figures.asked {
            self.asked.with_label_values(&[origin.as_str(), *what]).set(count.cast_signed());
        }
        self.outbox_lag.set(figures.outbox_lag);
        self.stream_lag.reset();
        for (topic, lag) in &figures.stream_lags {
            self.stream_lag.with_label_values(&[topic]).set(*lag);
        }
        if let Some(up) = figures.redis_up {
            self.redis_up.with_label_values::<&str>(&[]).set(up.into());
        }
        for (state, n) in &figures.connections {
            self.connections.with_label_values(&[*state]).set(i64::try_from(*n).unwrap_or(i64::MAX));
        }
        for (to, because, n) in &figures.reads {
            self.reads.with_label_values(&[*to, *because]).set(i64::try_from(*n).unwrap_or(i64::MAX));
        }
        self.unjudged.set(figures.has_unjudged.into());
    }
}
