//! The machine's clock, which may be set anew while tasks wait for an hour of it.

use std::time::{Duration, Instant, SystemTime};

/// What a clock may be off without having been set.
const DRIFT: Duration = Duration::from_secs(2);

/// Watches whether the clock was set.
#[derive(Debug)]
pub struct Clock {
    seen: SystemTime,
    at: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self { seen: SystemTime::now(), at: Instant::now() }
    }
}

impl Clock {
    /// Whether the clock was set since this was last asked (or since the watch began).
    pub fn was_set(&mut self) -> bool {
        let before = std::mem::take(self);
        let expected = before.seen + self.at.duration_since(before.at);
        let off = self.seen.duration_since(expected).unwrap_or_else(|error| error.duration());
        off > DRIFT
    }
}
