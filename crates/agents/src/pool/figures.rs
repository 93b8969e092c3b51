//! How a pool stands, for who watches it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;

use super::{Breed, Inner};

/// How a pool stands, and what happened in it since the start.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct PoolFigures {
    /// Never fewer for long.
    pub min_size: usize,
    /// Never more.
    pub max_size: usize,
    /// Lent.
    pub in_use: usize,
    /// Free.
    pub idle: usize,
    /// Callers in line.
    pub waiting: usize,
    /// Kept apart, for they failed their probes.
    pub quarantined: usize,
    /// Being made or probed.
    pub preparing: usize,
    /// Of what could be lent, the part that is: 0 to 1.
    pub utilization: f64,
    /// Instances made.
    pub made: u64,
    /// Times that one could not be made.
    pub not_made: u64,
    /// Uses.
    pub uses: u64,
    /// Replaced for their age or uses.
    pub recycled: u64,
    /// Let go because nobody used them.
    pub let_go: u64,
    /// Thrown away because a use or a probe panicked.
    pub panicked: u64,
    /// Not given back in time.
    pub written_off: u64,
    /// Thrown away because they failed again and again.
    pub unfit: u64,
    /// Probes that failed.
    pub failed_probes: u64,
    /// Callers whom the deadline, or the end of the pool, met in line.
    pub missed: u64,
    /// Milliseconds that callers waited in line, all together.
    pub waited_ms: f64,
    /// The longest that one waited.
    pub waited_max_ms: f64,
}

impl<B: Breed> Inner<B> {
    #[allow(clippy::cast_precision_loss, reason = "a share of a few instances")]
    pub(super) fn figures(&self) -> PoolFigures {
        let ms = |ns: u64| Duration::from_nanos(ns).as_secs_f64() * 1e3;
        let state = self.state();
        let counts = state.counts;
        PoolFigures {
            min_size: self.config.min_size,
            max_size: self.config.max_size,
            in_use: state.lent.len(),
            idle: state.idle.len(),
            waiting: self.waiting.load(Ordering::Acquire),
            quarantined: state.quarantined.len(),
            preparing: state.making + state.probing,
            utilization: state.lent.len() as f64 / self.config.max_size as f64,
            made: counts.made,
            not_made: counts.not_made,
            uses: counts.lent,
            recycled: counts.recycled,
            let_go: counts.let_go,
            panicked: counts.panicked,
            written_off: counts.written_off,
            unfit: counts.unfit,
            failed_probes: counts.failed_probes,
            missed: self.missed.load(Ordering::Relaxed),
            waited_ms: ms(self.waited_ns.load(Ordering::Relaxed)),
            waited_max_ms: ms(self.waited_max_ns.load(Ordering::Relaxed)),
        }
    }
}
