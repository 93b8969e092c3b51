//! One agent's turn at a task, and the account of it: who, where, from when to when, how many rows, at what cost.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::{Value, json};

/// An agent at work on a task.
#[derive(Debug)]
pub(crate) struct Shift {
    agent: String,
    /// The number of its instance in the pool of this process; `None` where no pools run.
    instance: Option<u64>,
    started_at: String,
    started: Instant,
    cpu_started_ns: Option<u64>,
    rows: AtomicU64,
}

impl Shift {
    /// Begins now.
    pub(crate) fn begin(agent: &str, instance: Option<u64>) -> Self {
        Self {
            agent: agent.to_owned(),
            instance,
            started_at: model::dates::now_text(),
            started: Instant::now(),
            cpu_started_ns: thread_cpu_ns(),
            rows: AtomicU64::new(0),
        }
    }

    /// So many rows were read.
    pub(crate) fn read(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Who works, before it is known what comes out.
    pub(crate) fn who(&self) -> Value {
        json!({"agent": self.agent, "worker": worker(), "instance": self.instance})
    }

    /// The account so far.
    pub(crate) fn account(&self, inputs: &Value) -> Value {
        let cpu_ms = self.cpu_started_ns.zip(thread_cpu_ns()).map(|(from, to)| ms(to.saturating_sub(from)));
        json!({
            "agent": self.agent, "worker": worker(), "instance": self.instance, "inputs": inputs,
            "started_at": self.started_at, "ended_at": model::dates::now_text(),
            "ms": ms(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)),
            "cost": {"cpu_ms": cpu_ms, "rows_read": self.rows.load(Ordering::Relaxed)},
        })
    }
}

/// This process and thread.
fn worker() -> Value {
    json!({"process": std::process::id(), "thread": std::thread::current().name().unwrap_or("unnamed")})
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds for people")]
fn ms(ns: u64) -> f64 {
    ((ns / 1_000) as f64) / 1e3
}

/// What this thread has computed so far, where the system tells it. What the analysis engine computes on threads of its own is not in it.
fn thread_cpu_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}
