//! What operators watch of a cache.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntGauge, Opts};

/// Upper bounds of the buckets of a tier's answers, in seconds: the promises are 1, 5 and 50 ms.
const BUCKETS_S: [f64; 11] = [0.000_001, 0.000_005, 0.000_025, 0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25];

/// A tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Memory.
    L1,
    /// Redis.
    L2,
    /// Disk.
    L3,
}

impl Tier {
    /// All.
    pub const ALL: [Self; 3] = [Self::L1, Self::L2, Self::L3];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::L1 => "l1",
            Self::L2 => "l2",
            Self::L3 => "l3",
        }
    }
}

/// Metrics of one tier.
pub(crate) struct TierMeters {
    pub(crate) hits: IntCounter,
    pub(crate) misses: IntCounter,
    took: Histogram,
    pub(crate) entries: IntGauge,
    pub(crate) bytes: IntGauge,
}

/// Metrics of a cache.
pub struct Meters {
    tiers: [TierMeters; 3],
    pub(crate) recomputes: IntCounter,
    pub(crate) collapsed: IntCounter,
    pub(crate) stale: IntCounter,
    pub(crate) early: IntCounter,
    pub(crate) asked: IntCounter,
    pub(crate) redis_errors: IntCounter,
    pub(crate) short: IntCounter,
    ratio: Gauge,
}

impl Meters {
    /// Of the cache `name`.
    ///
    /// # Errors
    /// A malformed name.
    pub fn new(name: &str) -> prometheus::Result<Self> {
        let options =
            |metric: &str, help: &str| Opts::new(format!("cidadao_ai_cache_{metric}"), help).const_label("cache", name);
        let count = |metric: &str, help: &str| IntCounter::with_opts(options(metric, help));
        let tier = |tier: Tier| -> prometheus::Result<TierMeters> {
            let of = |metric: &str, help: &str| options(metric, help).const_label("tier", tier.name());
            let buckets = HistogramOpts {
                common_opts: of("duration_seconds", "Time that a tier took to say what it holds."),
                buckets: BUCKETS_S.to_vec(),
            };
            Ok(TierMeters {
                hits: IntCounter::with_opts(of("lookups_total", "Look-ups.").const_label("outcome", "hit"))?,
                misses: IntCounter::with_opts(of("lookups_total", "Look-ups.").const_label("outcome", "miss"))?,
                took: Histogram::with_opts(buckets)?,
                entries: IntGauge::with_opts(of("entries", "Entries held."))?,
                bytes: IntGauge::with_opts(of("bytes", "Bytes held."))?,
            })
        };
        Ok(Self {
            tiers: [tier(Tier::L1)?, tier(Tier::L2)?, tier(Tier::L3)?],
            recomputes: count("recomputes_total", "Answers that were made.")?,
            collapsed: count("collapsed_total", "Requests that waited for another's recompute.")?,
            stale: count("stale_total", "Answers given though they were no longer fresh.")?,
            early: count("early_refreshes_total", "Answers made anew before they expired.")?,
            asked: count("requests_total", "Requests for what can be cached.")?,
            short: count("short_hits_total", "Hits in memory that went past everything else.")?,
            redis_errors: count("redis_errors_total", "Times that Redis did not answer.")?,
            ratio: Gauge::with_opts(options(
                "hit_ratio",
                "Share of requests that some tier answered, since the start.",
            ))?,
        })
    }

    /// Puts each of them where `add` does.
    ///
    /// # Errors
    /// Whatever `add` gives.
    pub fn register(
        &self,
        add: &mut dyn FnMut(Box<dyn Collector>) -> prometheus::Result<()>,
    ) -> prometheus::Result<()> {
        for (at, tier) in self.tiers.iter().enumerate() {
            add(Box::new(tier.hits.clone()))?;
            add(Box::new(tier.misses.clone()))?;
            add(Box::new(tier.took.clone()))?;
            add(Box::new(tier.entries.clone()))?;
            // Redis is bounded by entries; the bytes there are not known.
            if at != Tier::L2 as usize {
                add(Box::new(tier.bytes.clone()))?;
            }
        }
        for counter in
            [&self.recomputes, &self.collapsed, &self.stale, &self.early, &self.asked, &self.redis_errors, &self.short]
        {
            add(Box::new(counter.clone()))?;
        }
        add(Box::new(self.ratio.clone()))
    }

    pub(crate) fn tier(&self, tier: Tier) -> &TierMeters {
        &self.tiers[tier as usize]
    }

    pub(crate) fn looked(&self, tier: Tier, found: bool, took: Duration) {
        let tier = self.tier(tier);
        if found { &tier.hits } else { &tier.misses }.inc();
        tier.took.observe(took.as_secs_f64());
    }

    /// Reckons what is not counted as it happens.
    #[allow(clippy::cast_precision_loss, reason = "a share")]
    pub(crate) fn reckon(&self) {
        let hits: u64 = self.tiers.iter().map(|tier| tier.hits.get()).sum();
        let asked = self.asked.get().max(1);
        self.ratio.set((hits as f64 / asked as f64).min(1.0));
    }
}
