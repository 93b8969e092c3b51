//! How many messages one client may send.

use tokio::time::Instant;

/// What it may still send now.
pub struct Allowance {
    per_s: f64,
    left: f64,
    at: Instant,
}

impl Allowance {
    /// So many in a second, and twice as many at once.
    pub fn new(per_s: u32) -> Self {
        let per_s = f64::from(per_s);
        Self { per_s, left: 2.0 * per_s, at: Instant::now() }
    }

    /// Takes one; says whether it was there.
    pub fn take(&mut self) -> bool {
        let now = Instant::now();
        let back = now.duration_since(self.at).as_secs_f64() * self.per_s;
        self.at = now;
        self.left = (self.left + back).min(2.0 * self.per_s) - 1.0;
        self.left >= 0.0
    }
}
