//! A bell: who wrote rings it, who waits for something to do hears it at once.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts its rings, so that one which came between a look and a wait is not missed.
#[derive(Debug, Default)]
pub struct Bell {
    rings: Mutex<u64>,
    rang: Condvar,
}

impl Bell {
    /// Wakes everyone who waits.
    pub fn ring(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.rang.notify_all();
    }

    /// How often it rang so far: look first, then for work, then wait with it.
    #[must_use]
    pub fn rings(&self) -> u64 {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it rings again after `heard` rings, or for `patience`.
    pub fn wait(&self, heard: u64, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        while *rings == heard {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            rings = self.rang.wait_timeout(rings, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
