//! How near the process is to the memory that it may hold, looked at now and then.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

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
    limit: u64,
    held: AtomicU64,
    looked_ms: AtomicU64,
    started: Instant,
}

impl Memory {
    /// With a limit in MiB; 0 takes nine tenths of what there is.
    pub fn new(limit_mib: u64) -> Self {
        let limit = if limit_mib == 0 { there_is().map_or(u64::MAX, |bytes| bytes / 10 * 9) } else { limit_mib * MIB };
        Self { limit, held: AtomicU64::new(0), looked_ms: AtomicU64::new(u64::MAX), started: Instant::now() }
    }

    /// Bytes that it may hold.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// How near the limit is.
    pub fn pressure(&self) -> Pressure {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or_default();
        let looked = self.looked_ms.load(Ordering::Relaxed);
        let is_due = looked == u64::MAX || now >= looked + LOOK_EVERY_MS;
        let is_mine = || self.looked_ms.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_due && is_mine() {
            self.held.store(held().unwrap_or_default(), Ordering::Relaxed);
        }
        match self.held.load(Ordering::Relaxed) {
            held if held > self.limit => Pressure::Over,
            held if held > self.limit / 10 * 9 => Pressure::High,
            _ => Pressure::Low,
        }
    }
}

/// Bytes that this process holds and that the system cannot take back: pages of the database's file, which it can, are left out.
fn held() -> Option<u64> {
    kib_after("/proc/self/status", "RssAnon:")
}

/// Bytes of the machine, or of the container when it has fewer.
fn there_is() -> Option<u64> {
    let machine = kib_after("/proc/meminfo", "MemTotal:")?;
    let container = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    Some(container.map_or(machine, |bytes: u64| bytes.min(machine)))
}

fn kib_after(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_is_told_against_the_limit() {
        let of = |limit| Memory { limit, ..Memory::new(1) }.pressure();
        let held = held().expect("the system tells");
        assert_eq!(of(held / 2), Pressure::Over);
        assert_eq!(of(held * 3), Pressure::Low);
        assert_eq!(Memory::new(0).pressure(), Pressure::Low);
    }
}
