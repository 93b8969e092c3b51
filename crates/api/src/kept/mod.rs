//! Answers that are kept: the encoded bodies of public data, in front of everything.
//!
//! A hit costs a look-up: no JSON, no database, no copy. Only answers to `GET` on routes of public data are kept, and the question that
//! makes one is asked without anything that says who asks, so that an answer cannot depend on it. An answer is never older than what was
//! written: before it is given the house is looked at, if it was not within the last [`LOOK_EVERY_US`].

mod answer;
mod dense;
mod front;
mod key;
mod layer;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use app::settings::{CacheSettings, CacheStrategy};
use app::{App, Settings, Watch};
use arc_swap::ArcSwap;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::response::Response;
use cache::{Cache, Config, Got, Meters, Persistent, RedisTier, Stamp, World, tag};
use prometheus::{IntGaugeVec, Opts};

use crate::metrics::Metrics;

pub use answer::{CACHE_STATUS, Finished, Kept, Words};
pub use front::Front;
pub use layer::{DependsOn, Seen, after_write, answer, keep, look_again};

/// How old a look may be on which an answer rests, in microseconds.
const LOOK_EVERY_US: u64 = 2_000;
/// How much of a request's time the task that makes an answer for all may take.
const OF_TIMEOUT: f64 = 0.9;

/// The answers that are kept, and one who watches what they rest on.
pub struct Answers {
    cache: Arc<Cache<Kept, Response>>,
    world: Arc<World>,
    watch: Mutex<Watch>,
    opened: Instant,
    looked_us: AtomicU64,
    dense: dense::Dense,
    words: Arc<ArcSwap<Words>>,
    make_max: Duration,
    entries_max: IntGaugeVec,
    bytes_max: IntGaugeVec,
}

/// An answer that is kept.
pub type Answered = Got<Kept>;

impl Answers {
    /// As the settings say; none when they say so.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn of(app: &App) -> app::Result<Option<Self>> {
        let settings = app.settings();
        let (kept, http) = (&settings.cache, &settings.http);
        if kept.strategy == CacheStrategy::Off {
            return Ok(None);
        }
        let watch = app.watch()?;
        let world = Arc::new(World::since(watch.since()));
        let meters = Meters::new("responses").expect("metric names are well formed");
        let (l2, l3) = if kept.strategy == CacheStrategy::MultiTier { tiers(app) } else { (None, None) };
        let cache = Arc::new(Cache::new(config(kept), Arc::clone(&world), meters, l2, l3));
        let words = Arc::new(ArcSwap::from_pointee(Words::of(settings)));
        let dense = dense::Dense::over(&cache, kept.dense_after, Arc::clone(&words));
        let (opened, looked_us) = (Instant::now(), AtomicU64::new(0));
        let make_max = Duration::from_secs(http.request_timeout_s).mul_f64(OF_TIMEOUT);
        let (entries_max, bytes_max) = bounds(kept);
        let watch = Mutex::new(watch);
        let answers = Self { cache, world, watch, opened, looked_us, dense, words, make_max, entries_max, bytes_max };
        answers.look();
        let warm = answers.cache.warm_up();
        tracing::debug!(warm, "answers kept before were taken over");
        Ok(Some(answers))
    }

    /// Keeps answers by these settings' times, and under the head that they say, from now on.
    pub fn change(&self, settings: &Settings) {
        self.words.store(Arc::new(Words::of(settings)));
        self.cache.change(config(&settings.cache));
    }

    /// Looks at the house, if the last look is too old.
    pub fn look_if_due(&self) {
        let now = self.now_us();
        // Who finds another looking rests on the look before: it is as old as one look takes.
        if now.saturating_sub(self.looked_us.load(Ordering::Acquire)) >= LOOK_EVERY_US
            && let Ok(mut watch) = self.watch.try_lock()
        {
            self.look_with(&mut watch);
        }
    }

    /// Looks at the house now: what was written before this is seen.
    pub fn look(&self) {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.refresh();
        self.look_with(&mut watch);
    }

    fn look_with(&self, watch: &mut Watch) {
        let begun = self.now_us();
        match watch.look() {
            Ok(None) if self.world.is_blind() => self.world.look(self.world.stamp(), []),
            Ok(None) => {}
            Ok(Some(change)) => {
                let stamp = Stamp { epoch: change.epoch, seq: change.seq };
                self.world.look(stamp, change.touched.iter().map(|(seq, name)| (*seq, tag(name))));
            }
            Err(error) => {
                if !self.world.is_blind() {
                    tracing::warn!(%error, "the database cannot be looked at: answers that are kept are given as stale");
                }
                self.world.lose_sight();
            }
        }
        self.looked_us.store(begun, Ordering::Release);
    }

    /// Whether the answer to a request is at hand, so that it costs nothing.
    pub fn has(&self, request: &Request) -> bool {
        self.look_if_due();
        let key = key::key_of(request.method(), request.uri(), request.headers());
        key.is_some_and(|key| self.cache.has(&key))
    }

    /// Whether what is kept under a key is at hand.
    pub fn has_key(&self, key: &str) -> bool {
        self.look_if_due();
        self.cache.has(key)
    }

    /// `Cache-Control` of an answer that caches before this server may keep for `ttl_s` seconds at most.
    pub fn control(&self, ttl_s: u64) -> HeaderValue {
        self.words.load().control(ttl_s)
    }

    /// How the house stands, for who keeps something of their own.
    pub fn world(&self) -> Arc<World> {
        Arc::clone(&self.world)
    }

    /// Its metrics.
    pub fn meters(&self) -> &Meters {
        self.cache.meters()
    }

    /// Adds the metrics that are not the cache's own: how much a tier may hold, and who waits to be compressed with all effort.
    ///
    /// # Errors
    /// A metric that stands twice.
    pub fn register(&self, metrics: &Metrics) -> prometheus::Result<()> {
        metrics.add(&[&self.entries_max, &self.bytes_max])?;
        metrics.add(&[&self.dense.waiting])?;
        metrics.add(&[&self.dense.turned_away])
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX).max(LOOK_EVERY_US)
    }
}

/// How many entries, and bytes, a tier may hold.
fn bounds(kept: &CacheSettings) -> (IntGaugeVec, IntGaugeVec) {
    let of = |name: &str, help: &str| {
        IntGaugeVec::new(Opts::new(name, help), &["cache", "tier"]).expect("the metric's name is well formed")
    };
    let entries = of("cidadao_ai_cache_entries_max", "Entries that a tier may hold.");
    let bytes = of("cidadao_ai_cache_bytes_max", "Bytes that a tier may hold.");
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    for (tier, n) in [("l1", kept.l1_entries), ("l2", kept.l2_entries)] {
        entries.with_label_values(&["responses", tier]).set(whole(n as u64));
    }
    for (tier, mib) in [("l1", kept.l1_mib), ("l3", kept.l3_mib)] {
        bytes.with_label_values(&["responses", tier]).set(whole(mib << 20));
    }
    (entries, bytes)
}

/// Redis and the disk, as far as they are there.
fn tiers(app: &App) -> (Option<RedisTier>, Option<Arc<dyn Persistent>>) {
    let settings = app.settings();
    let kept = &settings.cache;
    let bytes_max = kept.l3_mib << 20;
    let l3 = app.kept_answers(bytes_max).map(|store| store as Arc<dyn Persistent>);
    let l3 = l3.map_err(|error| tracing::warn!(%error, "cache.db: answers are not kept on the disk")).ok();
    let mark = app.house_mark().unwrap_or_default();
    let l2 = settings.redis.address().and_then(|url| {
        RedisTier::at(url, format!("cidadao-kept:{mark}:"), kept.l2_entries)
            .map_err(|error| tracing::warn!(%error, "redis.url: answers are not kept in Redis"))
            .ok()
    });
    (l2, l3)
}

fn config(kept: &CacheSettings) -> Config {
    Config {
        l1_entries: kept.l1_entries,
        l1_bytes: kept.l1_mib << 20,
        l1_ttl: Duration::from_secs(kept.l1_ttl_s),
        l2_ttl: Duration::from_secs(kept.l2_ttl_s),
        l3_ttl: Duration::from_secs(kept.l3_ttl_s),
        negative_ttl: Duration::from_secs(kept.negative_ttl_s),
        stale: Duration::from_secs(kept.stale_s),
        stale_if_error: Duration::from_secs(kept.stale_if_error_s),
        lock: Duration::from_secs(10),
    }
}
