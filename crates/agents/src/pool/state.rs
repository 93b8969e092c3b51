//! What a pool holds, under its lock: nothing here waits, and nothing of an agent's own runs.

use std::collections::{HashMap, VecDeque};

use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{AgentPoolConfig, Breed, Guard};

/// An instance.
pub(crate) struct Slot<A> {
    pub(crate) id: u64,
    pub(crate) agent: A,
    pub(crate) born: Instant,
    /// Since when it waits.
    pub(crate) idle_since: Instant,
    pub(crate) probed_at: Instant,
    pub(crate) uses: u64,
    /// Uses that failed, one after the other.
    pub(crate) failed_uses: u32,
    /// Probes that failed, one after the other.
    pub(crate) failed_probes: u32,
    /// Tells who has it to stop.
    pub(crate) stop: CancellationToken,
}

impl<A> Slot<A> {
    fn new(id: u64, agent: A, now: Instant) -> Self {
        Self {
            id,
            agent,
            born: now,
            idle_since: now,
            probed_at: now,
            uses: 0,
            failed_uses: 0,
            failed_probes: 0,
            stop: CancellationToken::new(),
        }
    }

    /// It has been used up, or is too old.
    pub(crate) fn is_spent(&self, config: &AgentPoolConfig, now: Instant) -> bool {
        self.uses >= config.uses_max || now.duration_since(self.born) >= config.age_max
    }
}

/// Someone in line. What is sent is the guard, so that who leaves at the same moment gives it back.
pub(crate) struct Waiter<B: Breed> {
    pub(crate) since: Instant,
    pub(crate) sender: oneshot::Sender<Guard<B>>,
}

/// What is lent: since when, and how its user is told to stop.
pub(crate) struct Lent {
    pub(crate) since: Instant,
    pub(crate) stop: CancellationToken,
}

/// What happened to instances since the start.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) made: u64,
    pub(crate) not_made: u64,
    pub(crate) lent: u64,
    pub(crate) recycled: u64,
    pub(crate) let_go: u64,
    pub(crate) panicked: u64,
    pub(crate) written_off: u64,
    pub(crate) unfit: u64,
    pub(crate) failed_probes: u64,
}

/// What becomes of an instance that came back.
pub(crate) enum Came<B: Breed> {
    /// It waits.
    Kept,
    /// It is this waiter's.
    For(Waiter<B>, Slot<B::Agent>),
    /// It is dropped, outside of the lock.
    Gone(Slot<B::Agent>),
}

/// The instances of a pool and who waits for one.
pub(crate) struct State<B: Breed> {
    /// The one used last is lent first, so that those beyond need grow old in peace.
    pub(crate) idle: VecDeque<Slot<B::Agent>>,
    pub(crate) quarantined: Vec<Slot<B::Agent>>,
    pub(crate) lent: HashMap<u64, Lent>,
    pub(crate) making: usize,
    pub(crate) probing: usize,
    pub(crate) waiters: VecDeque<Waiter<B>>,
    /// When the pool last grew because of who waits.
    pub(crate) grown_at: Option<Instant>,
    /// No instance is made before, since the last one could not be; and how often in a row.
    pub(crate) make_not_before: Option<(Instant, u32)>,
    pub(crate) counts: Counts,
    pub(crate) closed: bool,
    next_id: u64,
}

impl<B: Breed> State<B> {
    pub(crate) fn new() -> Self {
        Self {
            idle: VecDeque::new(),
            quarantined: Vec::new(),
            lent: HashMap::new(),
            making: 0,
            probing: 0,
            waiters: VecDeque::new(),
            grown_at: None,
            make_not_before: None,
            counts: Counts::default(),
            closed: false,
            next_id: 1,
        }
    }

    /// All that are, or will soon be, there to be lent.
    pub(crate) fn size(&self) -> usize {
        self.idle.len() + self.lent.len() + self.making + self.probing
    }

    /// Lends one that is idle; while one is, nobody waits.
    pub(crate) fn lend(&mut self, now: Instant) -> Option<Slot<B::Agent>> {
        let slot = self.idle.pop_back()?;
        Some(self.lend_this(slot, now))
    }

    fn lend_this(&mut self, mut slot: Slot<B::Agent>, now: Instant) -> Slot<B::Agent> {
        slot.uses += 1;
        self.counts.lent += 1;
        self.lent.insert(slot.id, Lent { since: now, stop: slot.stop.clone() });
        slot
    }

    /// An instance that was just made.
    pub(crate) fn made(&mut self, agent: B::Agent, now: Instant) -> Slot<B::Agent> {
        let id = self.next_id;
        self.next_id += 1;
        self.counts.made += 1;
        self.make_not_before = None;
        Slot::new(id, agent, now)
    }

    /// A sound instance is there: it goes to who waits longest, or waits itself.
    pub(crate) fn place(&mut self, slot: Slot<B::Agent>, config: &AgentPoolConfig, now: Instant) -> Came<B> {
        if self.closed {
            return Came::Gone(slot);
        }
        if slot.is_spent(config, now) {
            self.counts.recycled += 1;
            return Came::Gone(slot);
        }
        while let Some(waiter) = self.waiters.pop_front() {
            if !waiter.sender.is_closed() {
                let slot = self.lend_this(slot, now);
                return Came::For(waiter, slot);
            }
        }
        // One that was only probed is as idle as it was.
        let at = self.idle.iter().rposition(|other| other.idle_since <= slot.idle_since).map_or(0, |at| at + 1);
        self.idle.insert(at, slot);
        Came::Kept
    }

    /// As [`State::place`], for one that was handed to someone who had left.
    pub(crate) fn untake(&mut self, mut slot: Slot<B::Agent>, config: &AgentPoolConfig, now: Instant) -> Came<B> {
        if self.lent.remove(&slot.id).is_none() {
            return Came::Gone(slot);
        }
        slot.uses -= 1;
        self.counts.lent -= 1;
        self.place(slot, config, now)
    }

    /// Forgets who left the line, once they are more than those who wait.
    pub(crate) fn forget_gone(&mut self, waiting: usize) {
        if self.waiters.len() > 2 * waiting + 64 {
            self.waiters.retain(|waiter| !waiter.sender.is_closed());
        }
    }

    /// Since when the first in line waits.
    pub(crate) fn first_waits_since(&mut self) -> Option<Instant> {
        while self.waiters.front().is_some_and(|waiter| waiter.sender.is_closed()) {
            self.waiters.pop_front();
        }
        self.waiters.front().map(|waiter| waiter.since)
    }

    /// Closes; gives what is to be dropped outside of the lock.
    pub(crate) fn close(&mut self) -> impl Sized + use<B> {
        self.closed = true;
        for lent in self.lent.values() {
            lent.stop.cancel();
        }
        let (idle, waiters) = (std::mem::take(&mut self.idle), std::mem::take(&mut self.waiters));
        (idle, waiters, std::mem::take(&mut self.quarantined))
    }
}
