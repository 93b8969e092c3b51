//! The tiers together: where an answer is looked for, who makes it when it is nowhere, and how long it is given.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use quick_cache::Weighter;
use quick_cache::sync::Cache as Memory;

use crate::flight::{Flights, Leader, Seat};
use crate::redis_tier::{Locked, RedisTier};
use crate::xfetch::is_due;
use crate::{Entry, Meters, Persistent, Stamp, Tag, Tier, World, now_ms};

/// Beyond so many times what it took to make, XFetch's chance is less than one in a billion: it need not be drawn.
const DELTAS_MAX: u64 = 21;
/// How often one who waited for an answer that was outdated when it came asks again before it makes its own.
const BOARDINGS_MAX: u32 = 3;
/// How long it waits between two looks whether another process is done.
const PAUSE: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(40);

/// What is cached.
pub trait Value: Sized + Send + Sync + 'static {
    /// As it lies in Redis and on the disk.
    fn to_bytes(&self) -> Vec<u8>;
    /// Out of such bytes.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
    /// Bytes that it takes in memory.
    fn weight(&self) -> usize;
}

/// How much is held, and for how long.
#[derive(Debug, Clone)]
pub struct Config {
    /// Entries in memory.
    pub l1_entries: usize,
    /// Bytes in memory.
    pub l1_bytes: u64,
    /// How long an entry is fresh in memory.
    pub l1_ttl: Duration,
    /// … in Redis.
    pub l2_ttl: Duration,
    /// … on the disk.
    pub l3_ttl: Duration,
    /// How long that something is not there is remembered.
    pub negative_ttl: Duration,
    /// How long what has expired is given while it is made anew.
    pub stale: Duration,
    /// How long what has expired, or is outdated, is given when it cannot be made anew.
    pub stale_if_error: Duration,
    /// How long one process may make what others wait for.
    pub lock: Duration,
}

/// An entry in memory.
pub struct Held<V> {
    /// The value.
    pub value: V,
    key: Arc<str>,
    delta_ms: u32,
    created_ms: u64,
    expires_ms: u64,
    stamp: Stamp,
    tags: Arc<[Tag]>,
    /// The newest sequence at which it was found to hold.
    held_at: AtomicU64,
}

/// What a question came to.
pub enum Made<V, R> {
    /// It is to be kept.
    Keep {
        /// The value.
        value: V,
        /// What it depends on.
        tags: Vec<Tag>,
        /// That nothing is there: kept for a short while, in memory only.
        negative: bool,
    },
    /// It is nobody else's.
    Pass(R),
    /// It failed: what was made before is better.
    Fail(R),
}

/// What a caller gets.
pub enum Outcome<V, R> {
    /// An answer that is kept.
    Got(Got<V>),
    /// The caller's own.
    Passed(R),
    /// The task that made it ended without a word.
    Lost,
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// A tier.
    Tier(Tier),
    /// It was made for this caller.
    Made,
    /// It was made for another, and this one waited.
    Collapsed,
}

/// An answer.
pub struct Got<V> {
    /// The entry.
    pub held: Arc<Held<V>>,
    /// Where it came from.
    pub from: From,
    /// It is outdated, or cannot be known not to be, and is given because nothing better could be had.
    pub stands_in: bool,
    /// When it was given.
    now_ms: u64,
}

impl<V> Got<V> {
    fn new(held: Arc<Held<V>>, from: From) -> Self {
        Self { held, from, stands_in: false, now_ms: now_ms() }
    }

    fn standing_in(held: Arc<Held<V>>) -> Self {
        Self { stands_in: true, ..Self::new(held, From::Tier(Tier::L1)) }
    }

    /// Whether it is fresh, and known to be true.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        !self.stands_in && self.now_ms < self.held.expires_ms
    }

    /// Seconds since it was made.
    #[must_use]
    pub fn age_s(&self) -> u64 {
        self.now_ms.saturating_sub(self.held.created_ms) / 1_000
    }

    /// Seconds for which it is still fresh; below 0 when it is no longer.
    #[must_use]
    pub fn ttl_s(&self) -> i64 {
        (self.held.expires_ms.cast_signed() - self.now_ms.cast_signed()).div_euclid(1_000)
    }
}

/// What landed for those who wait.
enum Landed<V, R> {
    Kept(Arc<Held<V>>, From),
    /// For the first who takes it.
    Other(Arc<Mutex<Option<R>>>, bool),
}

impl<V, R> Clone for Landed<V, R> {
    fn clone(&self) -> Self {
        match self {
            Self::Kept(held, from) => Self::Kept(Arc::clone(held), *from),
            Self::Other(passed, failed) => Self::Other(Arc::clone(passed), *failed),
        }
    }
}

/// What was made and is kept in memory, and whether it says that nothing is there.
type Remembered<V> = (Arc<Held<V>>, bool);
/// What was made and is not kept, and whether it is a failure.
type Refused<R> = (R, bool);

/// How an entry in memory stands.
enum Standing {
    Fresh,
    /// Fresh, and this caller shall make it anew.
    Due,
    /// Old, and may be given once more.
    Old,
    /// Nothing can be known.
    Unseen,
    Gone,
}

#[derive(Clone)]
struct Weights {
    least: u64,
}

impl<V: Value> Weighter<Arc<str>, Arc<Held<V>>> for Weights {
    fn weight(&self, key: &Arc<str>, held: &Arc<Held<V>>) -> u64 {
        // What weighs at least a share of the whole bounds the number too.
        ((held.value.weight() + key.len() + held.tags.len() * 8 + 128) as u64).max(self.least)
    }
}

/// A cache of `V`; what is not for it is passed through as `R`.
pub struct Cache<V: Value, R: Send + 'static> {
    config: ArcSwap<Config>,
    world: Arc<World>,
    meters: Meters,
    l1: Memory<Arc<str>, Arc<Held<V>>, Weights>,
    l2: Option<RedisTier>,
    l3: Option<Arc<dyn Persistent>>,
    flights: Flights<Arc<str>, Landed<V, R>>,
}

impl<V: Value, R: Send + 'static> Cache<V, R> {
    /// An empty one over the tiers that there are.
    #[must_use]
    pub fn new(
        config: Config,
        world: Arc<World>,
        meters: Meters,
        l2: Option<RedisTier>,
        l3: Option<Arc<dyn Persistent>>,
    ) -> Self {
        let entries = config.l1_entries.max(1);
        let weights = Weights { least: (config.l1_bytes / entries as u64).max(1) };
        let l1 = Memory::with_weighter(entries, config.l1_bytes, weights);
        let config = ArcSwap::from_pointee(config);
        Self { config, world, meters, l1, l2, l3, flights: Flights::new() }
    }

    /// Keeps by these times from now on: what is in memory is looked up anew. Sizes stay as they are.
    pub fn change(&self, config: Config) {
        self.config.store(Arc::new(config));
        self.l1.clear();
    }

    /// How the house stands.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Its metrics, with those reckoned that are not counted as they happen.
    pub fn meters(&self) -> &Meters {
        let l1 = self.meters.tier(Tier::L1);
        l1.entries.set(i64::try_from(self.l1.len()).unwrap_or(i64::MAX));
        let bytes = self.l1.iter().map(|(key, held)| held.value.weight() + key.len()).sum::<usize>();
        l1.bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        if let Some(l3) = &self.l3 {
            let (entries, bytes) = l3.held();
            self.meters.tier(Tier::L3).entries.set(entries.cast_signed());
            self.meters.tier(Tier::L3).bytes.set(bytes.cast_signed());
        }
        self.meters.reckon();
        &self.meters
    }

    /// What memory holds and may be given as it is: the way for hits, which costs a look-up. It was asked for at `started`.
    pub fn peek(&self, key: &str, started: Instant) -> Option<Got<V>> {
        let held = self.l1.get(key)?;
        let now_ms = now_ms();
        if !matches!(self.standing(&held, now_ms), Standing::Fresh) {
            return None;
        }
        self.meters.asked.inc();
        self.meters.short.inc();
        self.meters.looked(Tier::L1, true, started.elapsed());
        Some(Got { held, from: From::Tier(Tier::L1), stands_in: false, now_ms })
    }

    /// Whether memory holds what may be given as it is.
    pub fn has(&self, key: &str) -> bool {
        self.l1.get(key).is_some_and(|held| matches!(self.standing(&held, now_ms()), Standing::Fresh))
    }

    /// Gives what is under a key, or has it made: once, however many ask.
    pub async fn get_or_make<F>(self: &Arc<Self>, key: &str, make: F) -> Outcome<V, R>
    where
        F: Future<Output = Made<V, R>> + Send + 'static,
    {
        self.meters.asked.inc();
        let started = Instant::now();
        let found = self.l1.get(key);
        let standing = found.as_ref().map(|held| self.standing(held, now_ms()));
        let give = |held| Outcome::Got(Got::new(held, From::Tier(Tier::L1)));
        let hit = !matches!(standing, None | Some(Standing::Gone));
        self.meters.looked(Tier::L1, hit, started.elapsed());
        match (found, standing) {
            (Some(held), Some(Standing::Fresh)) => give(held),
            (Some(held), Some(Standing::Unseen)) => {
                self.meters.stale.inc();
                Outcome::Got(Got::standing_in(held))
            }
            (Some(held), Some(standing @ (Standing::Due | Standing::Old))) => {
                if matches!(standing, Standing::Due) { &self.meters.early } else { &self.meters.stale }.inc();
                if let Seat::Leader(leader) = self.flights.board(&held.key) {
                    tokio::spawn(Arc::clone(self).fly(leader, Arc::clone(&held.key), make));
                }
                give(held)
            }
            (held, _) => self.wait(Arc::from(key), held, make).await,
        }
    }

    /// Puts another form of the same value in the place of an entry that is still there.
    pub fn replace(&self, held: &Arc<Held<V>>, value: V) -> Arc<Held<V>> {
        let held_at = AtomicU64::new(held.held_at.load(Ordering::Relaxed));
        let (key, tags) = (Arc::clone(&held.key), Arc::clone(&held.tags));
        let Held { delta_ms, created_ms, expires_ms, stamp, .. } = **held;
        let other = Arc::new(Held { value, key, tags, held_at, delta_ms, created_ms, expires_ms, stamp });
        if self.l1.peek(&*held.key).is_some_and(|now| Arc::ptr_eq(&now, held)) {
            self.l1.insert(Arc::clone(&held.key), Arc::clone(&other));
        }
        other
    }

    /// Fills memory from the disk, newest first, with what is still true; gives how many.
    pub fn warm_up(&self) -> usize {
        let Some(l3) = &self.l3 else { return 0 };
        let newest = l3.newest(self.config.load().l1_entries);
        let entries = newest.iter().filter_map(|bytes| Entry::from_bytes(bytes));
        entries.filter_map(|entry| self.believe(entry, self.config.load().l3_ttl)).count()
    }

    /// Waits for the one flight that makes it, which may be its own.
    async fn wait<F>(self: &Arc<Self>, key: Arc<str>, old: Option<Arc<Held<V>>>, make: F) -> Outcome<V, R>
    where
        F: Future<Output = Made<V, R>> + Send + 'static,
    {
        for boarding in 0..BOARDINGS_MAX {
            let (waiter, from) = match self.flights.board(&key) {
                Seat::Leader(leader) => {
                    let waiter = leader.waiter();
                    tokio::spawn(Arc::clone(self).fly(leader, Arc::clone(&key), make));
                    return match waiter.await {
                        Some(Landed::Kept(held, from)) => Outcome::Got(Got::new(held, from)),
                        Some(Landed::Other(passed, failed)) => {
                            let own = passed.lock().unwrap_or_else(PoisonError::into_inner).take();
                            self.instead(old, own, failed).unwrap_or(Outcome::Lost)
                        }
                        None => Outcome::Lost,
                    };
                }
                Seat::Waiter(waiter) => (waiter, From::Collapsed),
            };
            if boarding == 0 {
                self.meters.collapsed.inc();
            }
            match waiter.await {
                Some(Landed::Kept(held, _)) if self.world.holds(held.stamp, &held.tags) => {
                    return Outcome::Got(Got::new(held, from));
                }
                // It was read before something changed that this caller may have seen: once more.
                Some(Landed::Kept(..)) => {}
                Some(Landed::Other(_, true)) if old.as_ref().is_some_and(|held| self.may_stand_in(held)) => {
                    if let Some(stood_in) = self.instead(old.clone(), None, true) {
                        return stood_in;
                    }
                }
                Some(Landed::Other(..)) | None => break,
            }
        }
        let stamp = self.world.stamp();
        self.meters.recomputes.inc();
        match self.kept(&key, stamp, Instant::now(), make.await) {
            Ok((held, _)) => Outcome::Got(Got::new(held, From::Made)),
            Err((own, failed)) => self.instead(old, Some(own), failed).unwrap_or(Outcome::Lost),
        }
    }

    /// An old answer in the place of a failure, or what came.
    fn instead(&self, old: Option<Arc<Held<V>>>, own: Option<R>, failed: bool) -> Option<Outcome<V, R>> {
        match old {
            Some(held) if failed && self.may_stand_in(&held) => {
                self.meters.stale.inc();
                Some(Outcome::Got(Got::standing_in(held)))
            }
            _ => own.map(Outcome::Passed),
        }
    }

    /// Whether an old answer is not too old to be given in the place of a failure.
    fn may_stand_in(&self, held: &Held<V>) -> bool {
        now_ms() < held.expires_ms + millis(self.config.load().stale_if_error)
    }

    /// Finds it in a deeper tier or makes it, and lands it for all who wait. In a task of its own: nobody who goes away stops it.
    async fn fly<F>(self: Arc<Self>, leader: Leader<Arc<str>, Landed<V, R>>, key: Arc<str>, make: F)
    where
        F: Future<Output = Made<V, R>> + Send + 'static,
    {
        // Before anything is read: what changes meanwhile makes it outdated.
        let stamp = self.world.stamp();
        if let Some((held, from)) = self.deeper(&key).await {
            return leader.land(Landed::Kept(held, from));
        }
        let locked = match self.lock(&key).await {
            Ok(locked) => locked,
            Err(held) => return leader.land(Landed::Kept(held, From::Collapsed)),
        };
        self.meters.recomputes.inc();
        let started = Instant::now();
        match self.kept(&key, stamp, started, make.await) {
            Ok((held, negative)) => {
                leader.land(Landed::Kept(Arc::clone(&held), From::Made));
                if !negative {
                    self.put_deeper(&held, locked.as_ref()).await;
                }
            }
            Err((own, failed)) => leader.land(Landed::Other(Arc::new(Mutex::new(Some(own))), failed)),
        }
        if let (Some(l2), Some(locked)) = (&self.l2, locked) {
            let _ = l2.unlock(&key, &locked).await;
        }
    }

    /// Keeps what was made in memory, if it is to be kept; else gives it back.
    fn kept(
        &self,
        key: &Arc<str>,
        stamp: Stamp,
        started: Instant,
        made: Made<V, R>,
    ) -> Result<Remembered<V>, Refused<R>> {
        let (value, tags, negative) = match made {
            Made::Keep { value, tags, negative } => (value, tags, negative),
            Made::Pass(own) => return Err((own, false)),
            Made::Fail(own) => return Err((own, true)),
        };
        let delta_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        let ttl = if negative { self.config.load().negative_ttl } else { self.config.load().l1_ttl };
        let (created_ms, tags) = (now_ms(), tags.into());
        let expires_ms = created_ms + jittered(ttl);
        let (key, held_at) = (Arc::clone(key), AtomicU64::new(stamp.seq));
        Ok((self.remember(Held { value, key, delta_ms, created_ms, expires_ms, stamp, tags, held_at }), negative))
    }

    fn remember(&self, held: Held<V>) -> Arc<Held<V>> {
        let held = Arc::new(held);
        self.l1.insert(Arc::clone(&held.key), Arc::clone(&held));
        held
    }

    /// Takes an entry of a deeper tier into memory, if it is still true and fresh there.
    fn believe(&self, entry: Entry, ttl: Duration) -> Option<Arc<Held<V>>> {
        let now_ms = now_ms();
        let expires_ms = entry.created_ms + entry.ttl_ms.min(millis(ttl));
        if !self.world.holds(entry.stamp, &entry.tags) || is_due(now_ms, entry.delta_ms, expires_ms, chance()) {
            return None;
        }
        let value = V::from_bytes(&entry.value)?;
        let expires_ms = expires_ms.min(now_ms + jittered(self.config.load().l1_ttl));
        let Entry { delta_ms, created_ms, stamp, .. } = entry;
        let (key, tags, held_at) = (entry.key.into(), entry.tags.into(), AtomicU64::new(stamp.seq));
        Some(self.remember(Held { value, key, delta_ms, created_ms, expires_ms, stamp, tags, held_at }))
    }

    async fn deeper(&self, key: &Arc<str>) -> Option<(Arc<Held<V>>, From)> {
        if let Some(held) = self.look_l2(key).await {
            return Some((held, From::Tier(Tier::L2)));
        }
        let l3 = Arc::clone(self.l3.as_ref()?);
        let (started, hash) = (Instant::now(), hash(key));
        let bytes = tokio::task::spawn_blocking(move || l3.get(hash)).await.ok().flatten();
        let entry = bytes.and_then(|bytes| Entry::from_bytes(&bytes)).filter(|entry| entry.key == **key);
        let held = entry.and_then(|entry| self.believe(entry, self.config.load().l3_ttl));
        self.meters.looked(Tier::L3, held.is_some(), started.elapsed());
        held.map(|held| (held, From::Tier(Tier::L3)))
    }

    async fn look_l2(&self, key: &Arc<str>) -> Option<Arc<Held<V>>> {
        let l2 = self.l2.as_ref()?;
        let started = Instant::now();
        let bytes = self.heard(l2.get(key).await).flatten();
        let entry = bytes.and_then(|bytes| Entry::from_bytes(&bytes)).filter(|entry| entry.key == **key);
        let held = entry.and_then(|entry| self.believe(entry, self.config.load().l2_ttl));
        self.meters.looked(Tier::L2, held.is_some(), started.elapsed());
        held
    }

    /// Takes the lock among processes, or the answer of the one that had it. Without Redis there is none, and none is needed.
    async fn lock(&self, key: &Arc<str>) -> Result<Option<Locked>, Arc<Held<V>>> {
        let Some(l2) = &self.l2 else { return Ok(None) };
        let (started, mut pause, mut waited) = (Instant::now(), PAUSE, false);
        while started.elapsed() < self.config.load().lock {
            let Ok(locked) = l2.lock(key, self.config.load().lock).await else {
                self.meters.redis_errors.inc();
                return Ok(None);
            };
            // Another may have put it since it was looked for.
            if let Some(held) = self.look_l2(key).await {
                if let Some(locked) = &locked {
                    let _ = l2.unlock(key, locked).await;
                }
                self.meters.collapsed.inc_by(u64::from(waited));
                return Err(held);
            }
            if locked.is_some() {
                return Ok(locked);
            }
            waited = true;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Ok(None)
    }

    async fn put_deeper(&self, held: &Arc<Held<V>>, locked: Option<&Locked>) {
        if self.l2.is_none() && self.l3.is_none() {
            return;
        }
        let entry = Entry {
            key: held.key.to_string(),
            delta_ms: held.delta_ms,
            created_ms: held.created_ms,
            ttl_ms: millis(self.config.load().l2_ttl.max(self.config.load().l3_ttl)),
            stamp: held.stamp,
            tags: held.tags.to_vec(),
            value: held.value.to_bytes(),
        };
        let bytes = entry.to_bytes();
        if let (Some(l2), Some(locked)) = (&self.l2, locked) {
            let put = l2
                .put(&held.key, &bytes, Duration::from_millis(jittered(self.config.load().l2_ttl)), locked.fence())
                .await;
            if let Some(entries) = self.heard(put) {
                self.meters.tier(Tier::L2).entries.set(entries);
            }
        }
        if let Some(l3) = self.l3.clone() {
            let hash = hash(&held.key);
            tokio::task::spawn_blocking(move || l3.put(hash, &bytes));
        }
    }

    fn heard<T, E>(&self, answer: Result<T, E>) -> Option<T> {
        answer.map_err(|_| self.meters.redis_errors.inc()).ok()
    }

    fn standing(&self, held: &Held<V>, now_ms: u64) -> Standing {
        if self.world.is_blind() {
            return if self.may_stand_in(held) { Standing::Unseen } else { Standing::Gone };
        }
        let now = self.world.stamp();
        if held.stamp.epoch != now.epoch {
            return Standing::Gone;
        }
        if held.held_at.load(Ordering::Relaxed) < now.seq {
            if !self.world.holds(held.stamp, &held.tags) {
                return Standing::Gone;
            }
            held.held_at.store(now.seq, Ordering::Relaxed);
        }
        if now_ms >= held.expires_ms {
            let still = now_ms < held.expires_ms + millis(self.config.load().stale);
            return if still { Standing::Old } else { Standing::Gone };
        }
        let near = now_ms + u64::from(held.delta_ms) * DELTAS_MAX >= held.expires_ms;
        if near && is_due(now_ms, held.delta_ms, held.expires_ms, chance()) { Standing::Due } else { Standing::Fresh }
    }
}

fn hash(key: &str) -> u128 {
    xxhash_rust::xxh3::xxh3_128(key.as_bytes())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 4).min(u64::MAX / 4)
}

/// A time within a tenth of `ttl` below it: what was made together does not expire together.
fn jittered(ttl: Duration) -> u64 {
    let ttl = millis(ttl);
    ttl - rand::random_range(0..=ttl / 10)
}

/// A chance, 0 < u ≤ 1.
fn chance() -> f64 {
    1.0 - rand::random::<f64>()
}
