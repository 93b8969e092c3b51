//! The pools of agents, as operators watch them.

use app::AgentPool;
use prometheus::core::Collector;
use prometheus::{GaugeVec, IntGaugeVec, Opts, Registry};

/// How the pools stand. What only grows is given as it stands in the pool.
pub struct AgentMetrics {
    utilization: GaugeVec,
    instances: IntGaugeVec,
    waiting: IntGaugeVec,
    happened: IntGaugeVec,
    waited: GaugeVec,
    waited_longest: GaugeVec,
}

impl AgentMetrics {
    /// Makes and registers them.
    ///
    /// # Errors
    /// A malformed name, or one that stands twice.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counts = |name: &str, help: &str, labels: &[&str]| IntGaugeVec::new(Opts::new(name, help), labels);
        let gauges = |name: &str, help: &str| GaugeVec::new(Opts::new(name, help), &["agent"]);
        let metrics = Self {
            utilization: gauges(
                "cidadao_ai_agent_pool_utilization",
                "Instances of an agent at work in this process, of those it may have: 0 to 1.",
            )?,
            instances: counts(
                "cidadao_ai_agent_pool_instances",
                "Instances of an agent: in_use, idle, quarantined (they failed their probes), preparing (made or probed), and the bounds min and max.",
                &["agent", "state"],
            )?,
            waiting: counts("cidadao_ai_agent_pool_waiting", "Tasks that wait in line for an agent.", &["agent"])?,
            happened: counts(
                "cidadao_ai_agent_pool_events",
                "What happened to instances of an agent since the start: made, not_made, used, recycled, let_go, panicked, written_off, unfit, failed_probe, missed (a task was put back, for none came free).",
                &["agent", "what"],
            )?,
            waited: gauges("cidadao_ai_agent_pool_wait_seconds", "Seconds that tasks waited in line since the start.")?,
            waited_longest: gauges("cidadao_ai_agent_pool_wait_longest_seconds", "The longest that one waited.")?,
        };
        let all: [Box<dyn Collector>; 6] = [
            Box::new(metrics.utilization.clone()),
            Box::new(metrics.instances.clone()),
            Box::new(metrics.waiting.clone()),
            Box::new(metrics.happened.clone()),
            Box::new(metrics.waited.clone()),
            Box::new(metrics.waited_longest.clone()),
        ];
        all.into_iter().try_for_each(|metric| registry.register(metric))?;
        Ok(metrics)
    }

    /// Holds what the pools say now.
    pub fn hold(&self, pools: &[AgentPool]) {
        let whole = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        for pool in pools {
            let (agent, f) = (pool.agent.as_str(), &pool.figures);
            self.utilization.with_label_values(&[agent]).set(f.utilization);
            for (state, n) in [
                ("in_use", f.in_use),
                ("idle", f.idle),
                ("quarantined", f.quarantined),
                ("preparing", f.preparing),
                ("min", f.min_size),
                ("max", f.max_size),
            ] {
                self.instances.with_label_values(&[agent, state]).set(whole(n));
            }
            self.waiting.with_label_values(&[agent]).set(whole(f.waiting));
            for (what, n) in [
                ("made", f.made),
                ("not_made", f.not_made),
                ("used", f.uses),
                ("recycled", f.recycled),
                ("let_go", f.let_go),
                ("panicked", f.panicked),
                ("written_off", f.written_off),
                ("unfit", f.unfit),
                ("failed_probe", f.failed_probes),
                ("missed", f.missed),
            ] {
                self.happened.with_label_values(&[agent, what]).set(i64::try_from(n).unwrap_or(i64::MAX));
            }
            self.waited.with_label_values(&[agent]).set(f.waited_ms / 1e3);
            self.waited_longest.with_label_values(&[agent]).set(f.waited_max_ms / 1e3);
        }
    }
}
