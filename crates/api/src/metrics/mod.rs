//! What operators watch, as Prometheus text 0.0.4 or, for who asks for it, OpenMetrics 1.0 with exemplars.
//!
//! Labels are bounded: routes stand as their templates, answers by the class of their status, methods and sources are few. Each bounded thing
//! shows how full it is beside how full it may be. What the database holds is read when it is asked for, from small tables; when that
//! fails the rest is still given. What others count since the start is given as a counter that is brought up to their count.

mod agents;
mod database;
mod exemplars;
mod held;
mod live;
mod openmetrics;
mod outside;
mod process;
mod requests;
mod telemetry;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use app::AgentPool;
use app::queries::Figures;
use axum::http::HeaderMap;
use cache::Meters;
use prometheus::core::Collector;
use prometheus::proto::MetricType;
use prometheus::{Encoder as _, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

pub use live::Live;
pub use openmetrics::is_asked_for;
pub use requests::Requests;

use crate::gate::Gate;

/// Text 0.0.4's name in `Content-Type`.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// OpenMetrics' name in `Content-Type`.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Every metric of the door.
pub struct Metrics {
    registry: Named,
    /// Of requests.
    pub requests: Requests,
    /// Of messages over WebSockets.
    pub live: Live,
    held: held::HeldMetrics,
    database: database::DatabaseMetrics,
    agents: agents::AgentMetrics,
    outside: outside::OutsideMetrics,
    process: process::ProcessMetrics,
    telemetry: telemetry::TelemetryMetrics,
    tables: Tables,
    /// One looks at a time: what it has added to a counter another does not add again.
    turn: Mutex<()>,
    is_on: bool,
}

/// A registry, and the name, type and labels of each metric in it.
pub struct Named {
    registry: Registry,
    names: Mutex<BTreeMap<String, String>>,
}

impl Named {
    fn new() -> Self {
        Self { registry: Registry::new(), names: Mutex::default() }
    }

    /// Registers a metric.
    ///
    /// # Errors
    /// One that stands twice.
    pub fn add<M: Collector + Clone + 'static>(&self, metric: &M) -> prometheus::Result<()> {
        self.put(Box::new(metric.clone()))
    }

    fn put(&self, metric: Box<dyn Collector>) -> prometheus::Result<()> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        for (desc, family) in metric.desc().iter().zip(metric.collect()) {
            let mut labels: Vec<&str> = desc.variable_labels.iter().map(String::as_str).collect();
            labels.extend(desc.const_label_pairs.iter().map(prometheus::proto::LabelPair::name));
            labels.sort_unstable();
            let kind = type_name(family.get_field_type());
            names.insert(desc.fq_name.clone(), format!("{} {kind} {{{}}}", desc.fq_name, labels.join(",")));
        }
        drop(names);
        self.registry.register(metric)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        let metric = IntGaugeVec::new(Opts::new(name, help), labels)?;
        self.add(&metric)?;
        Ok(metric)
    }

    fn gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        let metric = IntGauge::new(name, help)?;
        self.add(&metric)?;
        Ok(metric)
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
        let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
        self.add(&metric)?;
        Ok(metric)
    }

    fn counter(&self, name: &str, help: &str) -> prometheus::Result<IntCounter> {
        let metric = IntCounter::new(name, help)?;
        self.add(&metric)?;
        Ok(metric)
    }
}

/// Tables in memory that forget what was not touched for longest.
struct Tables {
    entries: IntGaugeVec,
    entries_max: IntGaugeVec,
}

impl Metrics {
    /// Makes and registers all, those of `gates` among them.
    ///
    /// # Errors
    /// A malformed name, or one that stands twice.
    pub fn new(gates: &[&Gate], is_on: bool) -> prometheus::Result<Self> {
        let registry = Named::new();
        for gate in gates {
            gate.register(&registry)?;
        }
        registry.add(app::statement_durations())?;
        Ok(Self {
            requests: Requests::new(&registry, is_on)?,
            live: Live::new(&registry)?,
            held: held::HeldMetrics::new(&registry)?,
            database: database::DatabaseMetrics::new(&registry)?,
            agents: agents::AgentMetrics::new(&registry)?,
            outside: outside::OutsideMetrics::new(&registry)?,
            process: process::ProcessMetrics::new(&registry)?,
            telemetry: telemetry::TelemetryMetrics::new(&registry)?,
            tables: Tables {
                entries: registry.gauges(
                    "cidadao_ai_table_entries",
                    "Entries of a table in memory that is bounded and forgets.",
                    &["table"],
                )?,
                entries_max: registry.gauges(
                    "cidadao_ai_table_entries_max",
                    "Entries that such a table may have.",
                    &["table"],
                )?,
            },
            registry,
            turn: Mutex::default(),
            is_on,
        })
    }

    /// Whether they are served.
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Adds those of a cache.
    ///
    /// # Errors
    /// A name that stands twice.
    pub fn add_cache(&self, meters: &Meters) -> prometheus::Result<()> {
        meters.register(&mut |metric| self.registry.put(metric))
    }

    /// Registers metrics that others count.
    ///
    /// # Errors
    /// One that stands twice.
    pub fn add<M: Collector + Clone + 'static>(&self, metrics: &[&M]) -> prometheus::Result<()> {
        metrics.iter().try_for_each(|metric| self.registry.add(*metric))
    }

    /// Says how many entries a bounded table has, and may have.
    pub fn hold_table(&self, table: &str, entries: usize, entries_max: usize) {
        self.tables.entries.with_label_values(&[table]).set(whole(entries));
        self.tables.entries_max.with_label_values(&[table]).set(whole(entries_max));
    }

    /// Everything as text in the form that these headers ask for, with its name for `Content-Type`: how `figures`, the pools of agents and this
    /// process (which may hold `memory_max` bytes) stand.
    pub fn text(
        &self,
        headers: &HeaderMap,
        figures: &Figures,
        pools: &[AgentPool],
        memory_max: u64,
    ) -> (&'static str, Vec<u8>) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.held.hold(figures.held.as_ref());
        self.database.hold(figures);
        self.agents.hold(pools);
        self.outside.hold(figures);
        self.process.hold(figures, memory_max);
        self.telemetry.look();
        self.live.hold();
        self.hold_table("query_results", figures.recalls.kept, figures.recalls.kept_max);
        let families = self.registry.registry.gather();
        let mut out = Vec::with_capacity(1 << 16);
        if is_asked_for(headers) {
            openmetrics::write(&families, &self.requests.exemplars(), &mut out);
            return (OPENMETRICS, out);
        }
        if let Err(error) = TextEncoder::new().encode(&families, &mut out) {
            tracing::error!(%error, "the metrics could not be written");
        }
        (TEXT, out)
    }

    /// Name, type and labels of every metric, a line each.
    #[cfg(test)]
    pub fn names(&self) -> String {
        let names = self.registry.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.values().map(|line| format!("{line}\n")).collect()
    }
}

fn type_name(kind: MetricType) -> &'static str {
    match kind {
        MetricType::COUNTER => "counter",
        MetricType::GAUGE => "gauge",
        MetricType::HISTOGRAM => "histogram",
        MetricType::SUMMARY => "summary",
        MetricType::UNTYPED => "unknown",
    }
}

/// Brings a counter up to what another has counted; it never goes back.
fn bring_up(counter: &IntCounter, count: u64) {
    counter.inc_by(count.saturating_sub(counter.get()));
}

fn whole(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn bytes(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use app::{App, Settings};

    /// The metrics as they were last agreed to. `CIDADAO_WRITE_METRICS=1 cargo test …` writes them anew.
    #[tokio::test]
    async fn the_metrics_are_those_that_were_agreed_to() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::load(None, std::iter::empty()).unwrap();
        settings.data_dir = folder.path().to_owned();
        let door = crate::door::Door::new(App::open(settings).unwrap());
        let _routes = crate::routes_behind(&door);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/metrics.txt");
        let now = door.metrics().names();
        if std::env::var_os("CIDADAO_WRITE_METRICS").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        let agreed = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(now, agreed, "CIDADAO_WRITE_METRICS=1 writes them anew");
        for line in now.lines() {
            let (name, rest) = line.split_once(' ').unwrap();
            assert!(name.starts_with("cidadao_ai_"), "{name}");
            assert_eq!(name.ends_with("_total"), rest.starts_with("counter"), "{line}");
        }
    }
}
