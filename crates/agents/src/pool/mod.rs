//! A pool of instances of one agent.
//!
//! Who needs one waits in line (first come, first served) up to a deadline, and is woken, never polls. What is lent comes back
//! by itself when its guard is dropped. An instance whose user panicked is thrown away; one that fails its probes is kept apart
//! until it passes again; one whose probe says it is well though its uses fail is thrown away too; one that is not given back in
//! time is written off and replaced, and who has it is told to stop. So whatever one use does, the next finds a sound instance,
//! and there are never more than `max_size` to be lent.

mod figures;
mod guard;
mod keeper;
mod state;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

pub use figures::PoolFigures;
pub use guard::Guard;
use state::{State, Waiter};

/// Of how many instances a pool is, and how long they live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentPoolConfig {
    /// Made before anyone asks, and never fewer for long.
    pub min_size: usize,
    /// Never more at once.
    pub max_size: usize,
    /// Beyond `min_size`, one that nobody used for so long is let go.
    pub max_idle_time: Duration,
    /// How often one that waits is probed.
    pub health_check_interval: Duration,
    /// Uses after which one is replaced.
    pub uses_max: u64,
    /// Age at which one is replaced.
    pub age_max: Duration,
    /// How long one use may take: then it is written off and replaced.
    pub use_max: Duration,
    /// How long the first in line waits before another instance is made.
    pub grow_after: Duration,
    /// How long a probe, or making one, may take.
    pub probe_timeout: Duration,
    /// Probes failed in a row after which one is kept apart; as often again, and it is thrown away.
    pub probe_failures_max: u32,
    /// Uses failed in a row after which one is thrown away, whatever its probe says.
    pub use_failures_max: u32,
    /// How many may wait in line.
    pub waiting_max: usize,
}

impl Default for AgentPoolConfig {
    fn default() -> Self {
        Self {
            min_size: 2,
            max_size: 10,
            max_idle_time: Duration::from_secs(300),
            health_check_interval: Duration::from_secs(60),
            uses_max: 1_000,
            age_max: Duration::from_secs(3_600),
            use_max: Duration::from_secs(600),
            grow_after: Duration::from_millis(20),
            probe_timeout: Duration::from_secs(5),
            probe_failures_max: 2,
            use_failures_max: 5,
            waiting_max: 10_000,
        }
    }
}

/// How instances are made and probed.
pub trait Breed: Send + Sync + 'static {
    /// An instance.
    type Agent: Send + 'static;

    /// Makes one.
    fn make(&self) -> impl Future<Output = Result<Self::Agent, String>> + Send;

    /// Sees whether one can work.
    fn probe(&self, agent: &mut Self::Agent) -> impl Future<Output = Result<(), String>> + Send;
}

/// Why there is no instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcquireError {
    /// None came free in time.
    #[error("no agent came free in time")]
    Deadline,
    /// Too many wait already.
    #[error("too many wait for an agent")]
    TooManyWaiting,
    /// The pool was closed.
    #[error("the pool of agents is closed")]
    Closed,
}

/// A pool; a clone is a pointer.
pub struct Pool<B: Breed> {
    inner: Arc<Inner<B>>,
}

impl<B: Breed> Clone for Pool<B> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

pub(crate) struct Inner<B: Breed> {
    pub(crate) config: AgentPoolConfig,
    pub(crate) breed: B,
    state: Mutex<State<B>>,
    pub(crate) waiting: AtomicUsize,
    pub(crate) waited_ns: AtomicU64,
    pub(crate) waited_max_ns: AtomicU64,
    pub(crate) missed: AtomicU64,
    pub(crate) wake: Arc<Notify>,
}

/// Someone in line; gone from the count when they are.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<B: Breed> Pool<B> {
    /// Starts a pool on a runtime; its first instances are made there.
    #[must_use]
    pub fn start(mut config: AgentPoolConfig, breed: B, runtime: &Handle) -> Self {
        config.max_size = config.max_size.max(1);
        config.min_size = config.min_size.min(config.max_size);
        let inner = Arc::new(Inner {
            state: Mutex::new(State::new()),
            config,
            breed,
            waiting: AtomicUsize::new(0),
            waited_ns: AtomicU64::new(0),
            waited_max_ns: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            wake: Arc::new(Notify::new()),
        });
        runtime.spawn(keeper::keep(Arc::downgrade(&inner), Arc::clone(&inner.wake)));
        Self { inner }
    }

    /// One that is free now, if nobody waits for it.
    #[must_use]
    pub fn try_acquire(&self) -> Option<Guard<B>> {
        let slot = self.inner.state().lend(Instant::now())?;
        Some(Guard::new(Arc::clone(&self.inner), slot))
    }

    /// One that is free now, or the first that comes free when all who asked before have theirs.
    ///
    /// # Errors
    /// None came free `within` this time; too many wait; the pool is closed.
    pub async fn acquire(&self, within: Duration) -> Result<Guard<B>, AcquireError> {
        if let Some(guard) = self.try_acquire() {
            return Ok(guard);
        }
        let inner = &*self.inner;
        let asked_at = Instant::now();
        let (sender, mut receiver) = oneshot::channel();
        {
            let mut state = inner.state();
            if state.closed {
                return Err(AcquireError::Closed);
            }
            // Given back since it was looked for.
            if let Some(slot) = state.lend(asked_at) {
                drop(state);
                return Ok(Guard::new(Arc::clone(&self.inner), slot));
            }
            let waiting = inner.waiting.load(Ordering::Acquire);
            if waiting >= inner.config.waiting_max {
                return Err(AcquireError::TooManyWaiting);
            }
            state.forget_gone(waiting);
            state.waiters.push_back(Waiter { since: asked_at, sender });
            inner.waiting.fetch_add(1, Ordering::AcqRel);
        }
        let _place = Place(&inner.waiting);
        inner.wake.notify_one();
        let outcome = match tokio::time::timeout(within, &mut receiver).await {
            Ok(Ok(guard)) => Ok(guard),
            Ok(Err(_)) => Err(AcquireError::Closed),
            Err(_) => Err(AcquireError::Deadline),
        };
        inner.note_wait(asked_at.elapsed(), outcome.is_ok());
        outcome
    }

    /// As [`Pool::acquire`], for a thread that may block; `runtime` is one that runs.
    ///
    /// # Errors
    /// As [`Pool::acquire`].
    pub fn acquire_blocking(&self, runtime: &Handle, within: Duration) -> Result<Guard<B>, AcquireError> {
        match self.try_acquire() {
            Some(guard) => Ok(guard),
            None => runtime.block_on(self.acquire(within)),
        }
    }

    /// How it stands.
    #[must_use]
    pub fn figures(&self) -> PoolFigures {
        self.inner.figures()
    }

    /// Lends no more, and lets go of who waits and of what is idle; what is lent is dropped when it comes back.
    pub fn close(&self) {
        let gone = self.inner.state().close();
        drop(gone);
        self.inner.wake.notify_one();
    }
}

impl<B: Breed> Inner<B> {
    pub(crate) fn state(&self) -> MutexGuard<'_, State<B>> {
        // Nothing that can panic runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_wait(&self, waited: Duration, served: bool) {
        let ns = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
        self.waited_ns.fetch_add(ns, Ordering::Relaxed);
        self.waited_max_ns.fetch_max(ns, Ordering::Relaxed);
        if !served {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<B: Breed> Drop for Inner<B> {
    fn drop(&mut self) {
        self.wake.notify_one();
    }
}
