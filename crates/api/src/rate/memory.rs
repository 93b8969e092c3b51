//! How near the process is to the memory that it may hold, looked at now and then.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use app::machine::held_bytes;

/// Milliseconds between two looks.
const LOOK_EVERY_MS: u64 = 100;
const MIB: u64 = 1 << 20;

/// How near it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressure {
    /// Not near.
    Low,
    /// Within the last tenth: what is dear is put off.
    High,
    /// Over: only what costs nothing is answered.
    Over,
}

/// The memory of the process, as last seen.
pub struct Memory {
    limit: AtomicU64,
    held: AtomicU64,
    looked_ms: AtomicU64,
    started: Instant,
}

impl Memory {
    /// With a limit in MiB; 0 is none, where the system does not tell what there is.
    pub fn new(limit_mib: u64) -> Self {
        let limit = AtomicU64::new(bytes_of(limit_mib));
        Self { limit, held: AtomicU64::new(0), looked_ms: AtomicU64::new(u64::MAX), started: Instant::now() }
    }

    /// From now on with this limit.
    pub fn change(&self, limit_mib: u64) {
        self.limit.store(bytes_of(limit_mib), Ordering::Relaxed);
    }

    /// Bytes that it may hold.
    pub fn limit(&self) -> u64 {
        self.limit.load(Ordering::Relaxed)
    }

    /// How near the limit is.
    pub fn pressure(&self) -> Pressure {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or_default();
        let looked = self.looked_ms.load(Ordering::Relaxed);
        let is_due = looked == u64::MAX || now >= looked + LOOK_EVERY_MS;
        let is_mine = || self.looked_ms.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_due && is_mine() {
            self.held.store(held_bytes().unwrap_or_default(), Ordering::Relaxed);
        }
        let limit = self.limit.load(Ordering::Relaxed);
        match self.held.load(Ordering::Relaxed) {
            held if held > limit => Pressure::Over,
            held if held > limit / 10 * 9 => Pressure::High,
            _ => Pressure::Low,
        }
    }
}

fn bytes_of(limit_mib: u64) -> u64 {
    if limit_mib == 0 { u64::MAX } else { limit_mib * MIB }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_is_told_against_the_limit() {
        let of = |limit| Memory { limit: AtomicU64::new(limit), ..Memory::new(1) }.pressure();
        let held = held_bytes().expect("the system tells");
        assert_eq!(of(held / 2), Pressure::Over);
        assert_eq!(of(held * 3), Pressure::Low);
        assert_eq!(Memory::new(0).pressure(), Pressure::Low);
    }
}
