//! What is lent, and how it comes back: by being dropped.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::state::{Came, Slot};
use super::{Breed, Inner};

/// An instance that is lent; dropped, it is given back.
pub struct Guard<B: Breed> {
    inner: Arc<Inner<B>>,
    slot: Option<Slot<B::Agent>>,
    /// Whoever took it was unwinding already: that is no fault of this use.
    was_panicking: bool,
    failed: bool,
}

impl<B: Breed> Guard<B> {
    pub(super) fn new(inner: Arc<Inner<B>>, slot: Slot<B::Agent>) -> Self {
        Self { inner, slot: Some(slot), was_panicking: std::thread::panicking(), failed: false }
    }

    fn slot(&self) -> &Slot<B::Agent> {
        self.slot.as_ref().expect("a guard holds its instance until it is dropped")
    }

    /// Its number within the pool; no two that ever were have the same.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.slot().id
    }

    /// Is cancelled when this use has taken too long, or the pool is closed: the instance is written off then.
    #[must_use]
    pub fn stop(&self) -> &CancellationToken {
        &self.slot().stop
    }

    /// Says that this use failed; some in a row, and the instance is thrown away.
    pub fn failed(&mut self) {
        self.failed = true;
    }

    /// Someone left the line as it was handed to them: it is the pool's again.
    fn take_back(mut self) -> Slot<B::Agent> {
        self.slot.take().expect("a guard holds its instance until it is dropped")
    }
}

impl<B: Breed> Deref for Guard<B> {
    type Target = B::Agent;

    fn deref(&self) -> &B::Agent {
        &self.slot().agent
    }
}

impl<B: Breed> DerefMut for Guard<B> {
    fn deref_mut(&mut self) -> &mut B::Agent {
        &mut self.slot.as_mut().expect("a guard holds its instance until it is dropped").agent
    }
}

impl<B: Breed> Drop for Guard<B> {
    fn drop(&mut self) {
        let Some(mut slot) = self.slot.take() else { return };
        let panicked = std::thread::panicking() && !self.was_panicking;
        slot.failed_uses = if self.failed { slot.failed_uses + 1 } else { 0 };
        let (now, inner) = (Instant::now(), &self.inner);
        let came = {
            let mut state = inner.state();
            if state.lent.remove(&slot.id).is_none() {
                // Written off, and replaced by now.
                Came::Gone(slot)
            } else if panicked {
                state.counts.panicked += 1;
                Came::Gone(slot)
            } else if slot.failed_uses >= inner.config.use_failures_max {
                state.counts.unfit += 1;
                Came::Gone(slot)
            } else {
                slot.idle_since = now;
                state.place(slot, &inner.config, now)
            }
        };
        inner.end(came);
    }
}

impl<B: Breed> Inner<B> {
    /// Ends what was decided under the lock, outside of it: dropping and waking run others' code.
    pub(super) fn end(self: &Arc<Self>, mut came: Came<B>) {
        loop {
            let (waiter, lent) = match came {
                Came::Kept => return,
                Came::Gone(slot) => {
                    drop(slot);
                    self.wake.notify_one();
                    return;
                }
                Came::For(waiter, lent) => (waiter, lent),
            };
            let Err(guard) = waiter.sender.send(Guard::new(Arc::clone(self), lent)) else { return };
            // They left meanwhile: it was no use of it.
            let slot = guard.take_back();
            came = self.state().untake(slot, &self.config, Instant::now());
        }
    }
}
