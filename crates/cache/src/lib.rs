//! The three-tier cache: memory, Redis, disk; and one recompute per key, whoever asks and in whichever process.
//!
//! It promises that what it gives is as the house stood when it was last looked at ([`World`]): every entry bears the stamp of what it
//! was read from, and one whose stamp is no longer good is a miss, whichever tier it lies in. So no message between processes can be
//! lost: the truth is in the store, and each process looks there. What is old by the clock alone may be given once more while one task
//! makes it anew; what is outdated is given only when making it anew fails, and is marked.
//!
//! Entries are bytes with a version; nothing in them is ever executed, and one that cannot be read is a miss.

mod entry;
mod flight;
mod meters;
mod redis_tier;
mod tiers;
mod world;
mod xfetch;

#[cfg(test)]
mod under_loom;

/// What single-flight is built on; loom puts its own in place of it.
mod sync {
    pub use std::sync::{Arc, Mutex};
}

pub use entry::{Entry, FORMAT};
pub use meters::{Meters, Tier};
pub use redis_tier::RedisTier;
pub use tiers::{Cache, Config, From, Got, Held, Made, Outcome, Value};
pub use world::{Stamp, Tag, World, tag};

/// A tier that outlives the process. It may forget anything at any time.
pub trait Persistent: Send + Sync + 'static {
    /// The entry under a key, as it was put.
    fn get(&self, key: u128) -> Option<Vec<u8>>;
    /// Puts an entry in the place of another; what is beyond the size that it may have goes, oldest first.
    fn put(&self, key: u128, entry: &[u8]);
    /// The newest entries, at most so many, newest first, with the text of their keys.
    fn newest(&self, entries: usize) -> Vec<Vec<u8>>;
    /// Entries and bytes held.
    fn held(&self) -> (u64, u64);
}

/// Milliseconds since 1970.
#[must_use]
pub fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
