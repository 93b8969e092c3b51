//! The hub: topics that are followed, and who follows them.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use app::App;
use app::queries::{Follow, Told};

use super::channel::{Channel, Pace};
use super::receiver::{Ending, Outbox, Receiver};
use super::{Attached, LiveMeters, Named, follower};
use crate::address::counted;
use crate::gate::Gate;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::rate::Rates;

/// How many messages of a topic are kept for those who come back.
const RING_MAX: usize = 1_000;

/// The hub; a clone is a pointer.
#[derive(Clone)]
pub struct Hub {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) app: App,
    pub(super) meters: Arc<LiveMeters>,
    /// Where it is known how near the memory's end is.
    pub(super) rates: Arc<Rates>,
    pub(super) pace: Pace,
    queue_max: usize,
    topics_max: usize,
    topics_per_address: usize,
    rings_bytes_max: i64,
    /// What a topic tells of before is asked behind the gate of the database's questions, and within the time of one.
    questions: Arc<Gate>,
    question_max: Duration,
    topics: Mutex<Topics>,
    /// Rung when there is something to follow.
    wanted: Condvar,
    /// One who follows everything, while anybody follows anything. Locked before the topics.
    pub(super) follow: Mutex<Following>,
    last_id: AtomicU64,
}

#[derive(Default)]
struct Topics {
    channels: HashMap<Arc<str>, Channel>,
    /// Those with messages that wait to go out.
    pending: HashSet<Arc<str>>,
    outboxes: HashMap<u64, Arc<Outbox>>,
    /// How many topics were begun to be followed from an address.
    by_address: HashMap<IpAddr, usize>,
    has_thread: bool,
    is_closed: bool,
}

/// Who follows, and whether from a place that counts.
#[derive(Default)]
pub(super) struct Following {
    pub(super) follow: Option<Follow>,
    pub(super) is_awake: bool,
}

impl Hub {
    /// Over an application, which it asks behind this gate, for so long at most; with its metrics among `metrics`.
    ///
    /// # Errors
    /// A metric that stands twice.
    pub fn new(
        app: App,
        rates: Arc<Rates>,
        questions: Arc<Gate>,
        question_max: Duration,
        metrics: &Metrics,
    ) -> prometheus::Result<Self> {
        let live = &app.settings().live;
        let pace = Pace {
            batch_max: live.max_batch_size,
            every: Duration::from_millis(live.batch_timeout_ms),
            ring_max: RING_MAX,
        };
        let (queue_max, topics_max, topics_per_address) = (live.queue_max, live.topics_max, live.topics_per_address);
        let rings_bytes_max = i64::from(live.rings_mib) << 20;
        let inner = Inner {
            meters: Arc::new(LiveMeters::new(metrics)?),
            rates,
            pace,
            queue_max,
            topics_max,
            topics_per_address,
            rings_bytes_max,
            questions,
            question_max,
            topics: Mutex::default(),
            wanted: Condvar::new(),
            follow: Mutex::default(),
            last_id: AtomicU64::new(0),
            app,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// One who follows nothing yet, from an address.
    pub fn receiver(&self, address: Option<IpAddr>) -> Receiver {
        let id = self.inner.last_id.fetch_add(1, Ordering::Relaxed);
        let outbox = Outbox::new(self.inner.queue_max, Arc::clone(&self.inner.meters));
        let mut topics = self.inner.topics();
        if topics.is_closed {
            outbox.end(Ending::GoingAway);
        }
        topics.outboxes.insert(id, Arc::clone(&outbox));
        drop(topics);
        self.inner.meters.receivers.inc();
        Receiver::new(self.clone(), id, address.map(counted), outbox)
    }

    /// Tells everyone that the program stops, and ends them.
    pub fn close(&self) {
        let mut topics = self.inner.topics();
        topics.is_closed = true;
        if let Some(channel) = topics.channels.get_mut("system") {
            let data = serde_json::json!({"at": app::queries::now_text()});
            let mut message = super::Message::state(channel.to, "shutdown", &data);
            message.is_urgent = true;
            channel.note_state(message);
        }
        let now = Instant::now();
        for channel in topics.channels.values_mut() {
            channel.flush(now, self.inner.pace);
        }
        for outbox in topics.outboxes.values() {
            outbox.end(Ending::GoingAway);
        }
    }

    /// Adds a receiver to a topic, which is begun to be followed for it if nobody followed it. Gives where it stands then.
    pub(super) async fn attach(
        &self,
        named: &Named,
        since: Option<u64>,
        (id, address): (u64, Option<IpAddr>),
        outbox: &Arc<Outbox>,
    ) -> Result<Attached, Problem> {
        let coming = Coming::to(self, named, address)?;
        let one = Arc::clone(&coming.loading);
        // Those who come at once to a topic that is not loaded wait for one of them to do it.
        let loading = one.lock().await;
        if !self.inner.covers(&named.name, since) {
            let deadline = Instant::now() + self.inner.question_max;
            let place = self.inner.questions.enter().await.map_err(|_| Problem::too_busy())?;
            let (hub, named) = (self.clone(), named.clone());
            let load = move || {
                let _place = place;
                hub.inner.app.within(deadline, |_| hub.inner.load(&named, since))
            };
            tokio::task::spawn_blocking(load).await.map_err(|_| Problem::internal())??;
        }
        drop(loading);
        let mut topics = self.inner.topics();
        let channel = topics.channels.get_mut(&named.name).ok_or_else(Problem::internal)?;
        let at = channel.admit(id, outbox, since, self.inner.pace);
        drop(topics);
        Ok(at)
    }

    pub(super) fn detach(&self, name: &str, id: u64) {
        let mut topics = self.inner.topics();
        if let Some(channel) = topics.channels.get_mut(name) {
            channel.dismiss(id);
            if channel.is_unused() {
                topics.remove(name);
            }
        }
        self.inner.meters.topics.set(i64::try_from(topics.channels.len()).unwrap_or(i64::MAX));
    }

    pub(super) fn forget(&self, id: u64) {
        self.inner.topics().outboxes.remove(&id);
        self.inner.meters.receivers.dec();
    }
}

/// One who comes to a topic: while there is any, the topic stays. Also when who asked goes away in between.
struct Coming {
    hub: Hub,
    name: Arc<str>,
    loading: Arc<tokio::sync::Mutex<()>>,
}

impl Coming {
    fn to(hub: &Hub, named: &Named, address: Option<IpAddr>) -> Result<Self, Problem> {
        let inner = &hub.inner;
        let mut topics = inner.topics();
        if !topics.channels.contains_key(&named.name) {
            if topics.channels.len() >= inner.topics_max {
                return Err(Problem::too_many("topics", inner.topics_max));
            }
            if let Some(address) = address {
                let begun = topics.by_address.entry(address).or_default();
                if *begun >= inner.topics_per_address {
                    return Err(Problem::too_many("topics followed from this address", inner.topics_per_address));
                }
                *begun += 1;
            }
            let channel = Channel::new(named.clone(), address, inner.meters.ring_bytes.clone());
            topics.channels.insert(Arc::clone(&named.name), channel);
            inner.meters.topics.set(i64::try_from(topics.channels.len()).unwrap_or(i64::MAX));
        }
        let channel = topics.channels.get_mut(&named.name).ok_or_else(Problem::internal)?;
        channel.coming += 1;
        let (name, loading) = (Arc::clone(&named.name), Arc::clone(&channel.loading));
        if !std::mem::replace(&mut topics.has_thread, true) && !follower::start(inner) {
            topics.has_thread = false;
        }
        drop(topics);
        inner.wanted.notify_all();
        Ok(Self { hub: hub.clone(), name, loading })
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        let mut topics = self.hub.inner.topics();
        let Some(channel) = topics.channels.get_mut(&self.name) else { return };
        channel.coming -= 1;
        if channel.is_unused() {
            topics.remove(&self.name);
            self.hub.inner.meters.topics.set(i64::try_from(topics.channels.len()).unwrap_or(i64::MAX));
        }
    }
}

impl Topics {
    fn remove(&mut self, name: &str) {
        self.pending.remove(name);
        let Some(channel) = self.channels.remove(name) else { return };
        if let Some(address) = channel.begun_from
            && let Some(begun) = self.by_address.get_mut(&address)
        {
            *begun -= 1;
            if *begun == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

impl Inner {
    fn topics(&self) -> MutexGuard<'_, Topics> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn following(&self) -> MutexGuard<'_, Following> {
        self.follow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn covers(&self, name: &str, since: Option<u64>) -> bool {
        self.topics().channels.get(name).is_some_and(|channel| channel.covers(since))
    }

    /// Reads what a topic tells of before. Whatever happens after that is followed already.
    fn load(&self, named: &Named, since: Option<u64>) -> Result<(), Problem> {
        self.awake()?;
        self.meters.looks.with_label_values(&["replay"]).inc();
        let stretch = self.app.stretch(&named.topic, since, self.pace.ring_max)?;
        let states = follower::states_of(self, named, stretch.to)?;
        let mut topics = self.topics();
        if let Some(channel) = topics.channels.get_mut(&named.name) {
            channel.load(&stretch, self.pace);
            channel.begin_with(states);
        }
        self.fit(&mut topics);
        Ok(())
    }

    /// Sees to it that everything written from now on is followed.
    fn awake(&self) -> Result<(), Problem> {
        let mut following = self.following();
        if following.is_awake {
            return Ok(());
        }
        match &mut following.follow {
            Some(follow) => follow.restart(&self.app)?,
            None => following.follow = Some(self.app.follow()?),
        }
        following.is_awake = true;
        Ok(())
    }

    /// Lets the one who follows sleep when nobody follows anything.
    pub(super) fn rest_if_unused(&self) {
        let mut following = self.following();
        if self.topics().channels.is_empty() {
            following.is_awake = false;
        }
    }

    /// Waits until somebody follows something, at most so long; says whether somebody does.
    pub(super) fn is_wanted(&self, patience: Duration) -> bool {
        let topics = self.topics();
        if !topics.channels.is_empty() {
            return true;
        }
        let (topics, _) = self.wanted.wait_timeout(topics, patience).unwrap_or_else(PoisonError::into_inner);
        !topics.channels.is_empty()
    }

    /// Does something with a topic that is followed and loaded.
    pub(super) fn with<T>(&self, name: &str, work: impl FnOnce(&mut Channel) -> T) -> Option<T> {
        let mut topics = self.topics();
        let channel = topics.channels.get_mut(name).filter(|channel| channel.is_loaded)?;
        let name = Arc::clone(&channel.named.name);
        let done = work(channel);
        topics.pending.insert(name);
        Some(done)
    }

    /// Notes what happened in a topic, if it is followed.
    pub(super) fn note(&self, name: &str, told: &Told) {
        let mut topics = self.topics();
        let Some(channel) = topics.channels.get_mut(name) else { return };
        if channel.note(told, self.pace) {
            let (name, kind) = (Arc::clone(&channel.named.name), channel.named.kind());
            topics.pending.insert(name);
            self.meters.messages.with_label_values(&[kind.code()]).inc();
            self.fit(&mut topics);
        }
    }

    /// Lets go of what the longest rings keep, the oldest first, until all of them fit: who comes back for it is told of the gap.
    fn fit(&self, topics: &mut Topics) {
        while self.meters.ring_bytes.get() > self.rings_bytes_max {
            let longest = topics.channels.values_mut().max_by_key(|channel| channel.ring_bytes());
            let Some(longest) = longest.filter(|channel| channel.ring_bytes() > 0) else { return };
            longest.forget_half();
        }
    }

    /// Nothing else happened up to this place of the log.
    pub(super) fn advance_log(&self, to: u64) {
        let mut topics = self.topics();
        for name in ["agents", "sources", "system"] {
            if let Some(channel) = topics.channels.get_mut(name) {
                channel.advance(to);
            }
        }
    }

    /// The topics that are followed and loaded, and of which this holds, each with its place.
    pub(super) fn followed(&self, which: impl Fn(&Channel) -> bool) -> Vec<(Named, u64)> {
        let topics = self.topics();
        let channels = topics.channels.values().filter(|channel| channel.is_loaded && which(channel));
        channels.map(|channel| (channel.named.clone(), channel.to)).collect()
    }

    /// Sends what is due; gives when the next is.
    pub(super) fn flush(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut guard = self.topics();
        let topics = &mut *guard;
        let mut next: Option<Instant> = None;
        let mut handed = 0;
        topics.pending.retain(|name| {
            let Some(channel) = topics.channels.get_mut(name) else { return false };
            match channel.due_at(now, self.pace) {
                Some(due) if due <= now => {
                    let (messages, receivers) = channel.flush(now, self.pace);
                    handed += messages * receivers;
                    false
                }
                Some(due) => {
                    next = Some(next.map_or(due, |next| next.min(due)));
                    true
                }
                None => false,
            }
        });
        drop(guard);
        self.meters.handed.inc_by(handed as u64);
        next
    }
}
