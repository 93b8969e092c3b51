//! What keeps a pool in shape: one task, which sleeps until something is due or someone wakes it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use super::state::{Came, Slot, State};
use super::{AgentPoolConfig, Breed, Inner};

/// The wait before another instance is made when one could not be; doubled each time, up to the longest.
const MAKE_AGAIN_FIRST: Duration = Duration::from_millis(250);
const MAKE_AGAIN_LONGEST: Duration = Duration::from_secs(5);

/// What is to be done, outside of the lock.
struct Due<B: Breed> {
    make: usize,
    probe: Vec<Slot<B::Agent>>,
    gone: Vec<Slot<B::Agent>>,
    next: Instant,
}

/// Keeps a pool until it is closed or nobody has it any more.
pub(super) async fn keep<B: Breed>(pool: Weak<Inner<B>>, wake: Arc<Notify>) {
    loop {
        let next = {
            let Some(inner) = pool.upgrade() else { return };
            let Some(due) = inner.look(Instant::now()) else { return };
            drop(due.gone);
            for _ in 0..due.make {
                tokio::spawn(make(Arc::clone(&inner)));
            }
            for slot in due.probe {
                tokio::spawn(probe(Arc::clone(&inner), slot));
            }
            due.next
        };
        tokio::select! {
            () = sleep_until(next) => {}
            () = wake.notified() => {}
        }
    }
}

/// Makes an instance for the place that is held for it.
async fn make<B: Breed>(inner: Arc<Inner<B>>) {
    // In a task of its own: should it panic, the place is free again.
    let within = inner.config.probe_timeout;
    let breeding = Arc::clone(&inner);
    let made = tokio::spawn(async move { timeout(within, breeding.breed.make()).await }).await;
    let now = Instant::now();
    let came = {
        let mut state = inner.state();
        state.making -= 1;
        match made {
            Ok(Ok(Ok(agent))) => {
                let slot = state.made(agent, now);
                state.place(slot, &inner.config, now)
            }
            failed => {
                state.counts.not_made += 1;
                let times = state.make_not_before.map_or(0, |(_, times)| times);
                let wait = MAKE_AGAIN_FIRST.saturating_mul(1 << times.min(10)).min(MAKE_AGAIN_LONGEST);
                state.make_not_before = Some((now + wait, times + 1));
                drop(state);
                if let Ok(Ok(Err(because))) = failed {
                    tracing::warn!(because, "an agent could not be made; it is tried again");
                }
                Came::Kept
            }
        }
    };
    inner.end(came);
    inner.wake.notify_one();
}

/// Probes an instance that is out of reach meanwhile.
async fn probe<B: Breed>(inner: Arc<Inner<B>>, mut slot: Slot<B::Agent>) {
    let (within, quarantined) = (inner.config.probe_timeout, is_apart(&slot, &inner.config));
    let probing = Arc::clone(&inner);
    let task = tokio::spawn(async move {
        let probed = timeout(within, probing.breed.probe(&mut slot.agent)).await;
        (slot, matches!(probed, Ok(Ok(()))))
    });
    let probed = task.await;
    let now = Instant::now();
    let came = {
        let mut state = inner.state();
        if !quarantined {
            state.probing -= 1;
        }
        match probed {
            Ok((slot, well)) => state.probed(slot, well, &inner.config, now),
            Err(_) => {
                state.counts.panicked += 1;
                Came::Kept
            }
        }
    };
    inner.end(came);
    inner.wake.notify_one();
}

/// It has failed too many probes to be lent.
fn is_apart<A>(slot: &Slot<A>, config: &AgentPoolConfig) -> bool {
    slot.failed_probes >= config.probe_failures_max
}

impl<B: Breed> State<B> {
    fn probed(&mut self, mut slot: Slot<B::Agent>, well: bool, config: &AgentPoolConfig, now: Instant) -> Came<B> {
        slot.probed_at = now;
        if well {
            let room = !is_apart(&slot, config) || self.size() < config.max_size;
            slot.failed_probes = 0;
            // From quarantine, its place may have been taken.
            return if room { self.place(slot, config, now) } else { Came::Gone(slot) };
        }
        self.counts.failed_probes += 1;
        slot.failed_probes += 1;
        if !is_apart(&slot, config) {
            return self.place(slot, config, now);
        }
        if slot.failed_probes >= 2 * config.probe_failures_max || self.closed {
            self.counts.unfit += 1;
            return Came::Gone(slot);
        }
        self.quarantined.push(slot);
        let oldest = (self.quarantined.len() > config.max_size).then(|| self.quarantined.remove(0));
        if oldest.is_some() {
            self.counts.unfit += 1;
        }
        oldest.map_or(Came::Kept, Came::Gone)
    }
}

impl<B: Breed> Inner<B> {
    /// What is due now, and when to look again; `None` once it is closed.
    fn look(&self, now: Instant) -> Option<Due<B>> {
        let config = &self.config;
        let mut state = self.state();
        if state.closed {
            return None;
        }
        // At the latest: uses that begin or end meanwhile are not announced.
        let next = now + config.use_max.min(config.health_check_interval).min(config.max_idle_time);
        let mut due = Due { make: 0, probe: Vec::new(), gone: Vec::new(), next };
        state.write_off(config, now, &mut due);
        state.let_go(config, now, &mut due);
        state.choose_probes(config, now, &mut due);
        state.grow(config, now, &mut due);
        Some(due)
    }
}

impl<B: Breed> Due<B> {
    fn look_at(&mut self, at: Instant) {
        self.next = self.next.min(at);
    }
}

impl<B: Breed> State<B> {
    /// What was not given back in time is replaced, and who has it told to stop.
    fn write_off(&mut self, config: &AgentPoolConfig, now: Instant, due: &mut Due<B>) {
        let before = self.lent.len();
        self.lent.retain(|_, lent| {
            let ends = lent.since + config.use_max;
            if ends <= now {
                lent.stop.cancel();
                return false;
            }
            due.look_at(ends);
            true
        });
        self.counts.written_off += (before - self.lent.len()) as u64;
    }

    /// Lets go of what is spent, and of what nobody has used for long.
    fn let_go(&mut self, config: &AgentPoolConfig, now: Instant, due: &mut Due<B>) {
        let mut beyond = self.size().saturating_sub(config.min_size);
        // The one that waits longest stands in front.
        let mut kept = std::collections::VecDeque::with_capacity(self.idle.len());
        for slot in std::mem::take(&mut self.idle) {
            let bored = slot.idle_since + config.max_idle_time;
            if slot.is_spent(config, now) {
                self.counts.recycled += 1;
                beyond = beyond.saturating_sub(1);
                due.gone.push(slot);
            } else if beyond > 0 && bored <= now {
                self.counts.let_go += 1;
                beyond -= 1;
                due.gone.push(slot);
            } else {
                due.look_at(slot.born + config.age_max);
                if beyond > 0 {
                    due.look_at(bored);
                }
                kept.push_back(slot);
            }
        }
        self.idle = kept;
    }

    /// One that waits at a time, so that the others can be lent; and those kept apart.
    fn choose_probes(&mut self, config: &AgentPoolConfig, now: Instant, due: &mut Due<B>) {
        let ripe = |slot: &Slot<B::Agent>| slot.probed_at + config.health_check_interval;
        let first = self.idle.iter().enumerate().min_by_key(|(_, slot)| slot.probed_at);
        if let Some((at, slot)) = first {
            if ripe(slot) > now {
                due.look_at(ripe(slot));
            } else if self.probing == 0
                && let Some(slot) = self.idle.remove(at)
            {
                self.probing += 1;
                due.probe.push(slot);
            }
        }
        for slot in std::mem::take(&mut self.quarantined) {
            if ripe(&slot) > now {
                due.look_at(ripe(&slot));
                self.quarantined.push(slot);
            } else {
                due.probe.push(slot);
            }
        }
    }

    /// Makes what is missing, and one more when the first in line has waited for long since the pool last grew.
    fn grow(&mut self, config: &AgentPoolConfig, now: Instant, due: &mut Due<B>) {
        if let Some((not_before, _)) = self.make_not_before
            && not_before > now
        {
            due.look_at(not_before);
            return;
        }
        let missing = config.min_size.saturating_sub(self.size());
        due.make = missing;
        if let Some(since) = self.first_waits_since()
            && self.size() + missing < config.max_size
        {
            let long_enough = self.grown_at.map_or(since, |grown_at| grown_at.max(since)) + config.grow_after;
            if long_enough <= now {
                due.make += 1;
                self.grown_at = Some(now);
                due.look_at(now + config.grow_after);
            } else {
                due.look_at(long_enough);
            }
        }
        self.making += due.make;
    }
}
