//! The pools of agents, as operators watch them.

use app::AgentPool;
use prometheus::{CounterVec, GaugeVec, IntCounterVec, IntGaugeVec, Opts};

use super::{Named, bring_up, whole};

/// How the pools stand.
pub(super) struct AgentMetrics {
    utilization: GaugeVec,
    instances: IntGaugeVec,
    waiting: IntGaugeVec,
    happened: IntCounterVec,
    waited: CounterVec,
    waited_longest: GaugeVec,
}

impl AgentMetrics {
    pub(super) fn new(registry: &Named) -> prometheus::Result<Self> {
        let gauges = |name: &str, help: &str| {
            let metric = GaugeVec::new(Opts::new(name, help), &["agent"])?;
            registry.add(&metric)?;
            prometheus::Result::Ok(metric)
        };
        let waited = CounterVec::new(
            Opts::new("cidadao_ai_agent_pool_wait_seconds_total", "Seconds that tasks waited in line."),
            &["agent"],
        )?;
        registry.add(&waited)?;
        Ok(Self {
            utilization: gauges(
                "cidadao_ai_agent_pool_utilization",
                "Instances of an agent at work in this process, of those it may have: 0 to 1.",
            )?,
            instances: registry.gauges(
                "cidadao_ai_agent_pool_instances",
                "Instances of an agent: in_use, idle, quarantined (they failed their probes), preparing (made or probed), and the bounds min and max.",
                &["agent", "state"],
            )?,
            waiting: registry.gauges(
                "cidadao_ai_agent_pool_waiting",
                "Tasks that wait in line for an agent.",
                &["agent"],
            )?,
            happened: registry.counters(
                "cidadao_ai_agent_pool_events_total",
                "What happened to instances of an agent: made, not_made, used, recycled, let_go, panicked, written_off, unfit, failed_probe, missed (a task was put back, for none came free).",
                &["agent", "what"],
            )?,
            waited,
            waited_longest: gauges(
                "cidadao_ai_agent_pool_wait_longest_seconds",
                "The longest that a task waited in line since the start.",
            )?,
        })
    }

    /// Holds what the pools say now.
    pub(super) fn hold(&self, pools: &[AgentPool]) {
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
                bring_up(&self.happened.with_label_values(&[agent, what]), n);
            }
            let waited = self.waited.with_label_values(&[agent]);
            waited.inc_by((f.waited_ms / 1e3 - waited.get()).max(0.0));
            self.waited_longest.with_label_values(&[agent]).set(f.waited_max_ms / 1e3);
        }
    }
}
