//! Limits on what callers may ask for: by key, else by account, else by address.
//!
//! [`admit`] is the one way in: it sheds when memory runs out, takes a request's cost from its caller's bucket, and refuses what is not
//! there. The layer [`charge`] calls it with the cost of the route ([`cost_of`]). It stands innermost, so that a layer outside of it
//! that answers by itself (a response cache) makes its answers free of cost: nothing is taken for what never comes here.

mod bucket;
mod charge;
mod costs;
mod memory;
mod shared;

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use app::Settings;
use app::identity::{Rate, Tier};
use app::limit_settings::LimitSettings;
use arc_swap::ArcSwap;
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts};

use bucket::Bucket;
pub use bucket::Standing;
pub use charge::{admit, charge, charge_connected, told};
pub use costs::cost_of;
use memory::Memory;
pub use memory::Pressure;
use shared::Shared;

use crate::caller::Calling;
use crate::metrics::Metrics;
use crate::recent::Recent;

/// Parts of the table that are locked apart.
const SHARDS: usize = 16;

/// What each tier may ask for.
type Tiers = [(Tier, Option<Rate>); Tier::ALL.len()];

/// Every caller's bucket.
pub struct Rates {
    tiers: ArcSwap<Tiers>,
    shards: [Mutex<Recent<Box<str>, Bucket>>; SHARDS],
    callers_max: usize,
    hasher: RandomState,
    started: Instant,
    shared: Option<Shared>,
    memory: Memory,
    metrics: RateMetrics,
}

struct RateMetrics {
    limited: IntCounterVec,
    shed: IntCounterVec,
    callers: IntGauge,
    forgotten: IntCounter,
    is_shared: IntGauge,
    alone: IntCounter,
}

impl Rates {
    /// Buckets as the settings say, with their metrics among `metrics`; in Redis, where the settings name one, under `name`.
    ///
    /// # Errors
    /// A metric's name is malformed or stands twice.
    pub fn new(settings: &Settings, name: Option<String>, metrics: &Metrics) -> prometheus::Result<Self> {
        let limits = &settings.limits;
        let shared = settings.redis.address().zip(name).and_then(|(url, name)| Shared::at(url, name).ok());
        Ok(Self {
            tiers: ArcSwap::from_pointee(tiers_of(limits)),
            shards: std::array::from_fn(|_| Mutex::new(Recent::new(limits.callers_max.div_ceil(SHARDS)))),
            callers_max: limits.callers_max,
            hasher: RandomState::new(),
            started: Instant::now(),
            shared,
            memory: Memory::new(limits.memory_mib),
            metrics: RateMetrics::new(metrics)?,
        })
    }

    /// Limits by these settings from now on; what callers have used up stays used up.
    pub fn change(&self, limits: &LimitSettings) {
        self.tiers.store(Arc::new(tiers_of(limits)));
        self.memory.change(limits.memory_mib);
    }

    /// Callers that are kept in mind, and how many may be.
    pub fn held(&self) -> (usize, usize) {
        let of = |shard: &Mutex<Recent<Box<str>, Bucket>>| shard.lock().unwrap_or_else(PoisonError::into_inner).len();
        (self.shards.iter().map(of).sum(), self.callers_max)
    }

    /// Bytes of memory above which requests are shed.
    pub fn memory_max(&self) -> u64 {
        self.memory.limit()
    }

    /// How near the end of its memory the process is.
    pub fn pressure(&self) -> Pressure {
        self.memory.pressure()
    }

    /// How much a caller may ask for; nothing limits some.
    pub fn rate_of(&self, calling: &Calling) -> Option<Rate> {
        let own = calling.caller.key.as_ref().and_then(|key| key.rate);
        let tiers = self.tiers.load();
        own.or_else(|| tiers.iter().find(|(tier, _)| *tier == calling.caller.tier).and_then(|(_, rate)| *rate))
    }

    /// Takes `cost` from the bucket of `who`.
    async fn take(&self, who: &str, rate: Rate, cost: u32) -> Standing {
        if let Some(shared) = &self.shared {
            let standing = shared.take(who, rate, cost).await;
            self.metrics.is_shared.set(standing.is_some().into());
            if let Some(standing) = standing {
                return standing;
            }
            self.metrics.alone.inc();
        }
        self.take_here(who, rate, cost)
    }

    fn take_here(&self, who: &str, rate: Rate, cost: u32) -> Standing {
        let now = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let shard = usize::try_from(self.hasher.hash_one(who)).unwrap_or_default() % SHARDS;
        let mut held = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = held.touch(who) {
            return bucket.take(now, rate, cost);
        }
        let (mut bucket, before) = (Bucket::new(), held.len());
        let standing = bucket.take(now, rate, cost);
        let forgotten = held.put(who.into(), bucket);
        self.metrics.forgotten.inc_by(forgotten as u64);
        self.metrics.callers.add(held.len().cast_signed() as i64 - before.cast_signed() as i64);
        standing
    }
}

/// The settings were seen to be readable when they were read.
fn tiers_of(limits: &LimitSettings) -> Tiers {
    Tier::ALL.map(|tier| (tier, limits.rate(tier).unwrap_or_default()))
}

impl RateMetrics {
    fn new(metrics: &Metrics) -> prometheus::Result<Self> {
        let made = Self {
            limited: IntCounterVec::new(
                Opts::new("cidadao_ai_rate_limited_total", "Requests refused because their caller asked for too much."),
                &["tier"],
            )?,
            shed: IntCounterVec::new(
                Opts::new("cidadao_ai_requests_shed_total", "Requests refused because memory runs out."),
                &["pressure"],
            )?,
            callers: IntGauge::new("cidadao_ai_rate_callers", "Callers whose use is kept in mind in this process.")?,
            forgotten: IntCounter::new(
                "cidadao_ai_rate_forgotten_total",
                "Callers forgotten to make room for others.",
            )?,
            is_shared: IntGauge::new(
                "cidadao_ai_rate_shared",
                "1 when limits are counted in Redis, for all processes.",
            )?,
            alone: IntCounter::new(
                "cidadao_ai_rate_fallbacks_total",
                "Requests counted by this process alone because Redis did not answer.",
            )?,
        };
        for tier in Tier::ALL {
            made.limited.with_label_values(&[tier.code()]);
        }
        for pressure in ["high", "over"] {
            made.shed.with_label_values(&[pressure]);
        }
        metrics.add(&[&made.limited, &made.shed])?;
        metrics.add(&[&made.callers, &made.is_shared])?;
        metrics.add(&[&made.forgotten, &made.alone])?;
        Ok(made)
    }
}
