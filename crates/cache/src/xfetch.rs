//! XFetch: an entry is made anew a little before it expires, by one of those who ask, and the sooner the longer it takes to make.

/// How eager: 1 is the optimum of those who invented it.
const BETA: f64 = 1.0;

/// Whether who asks at `now_ms` with a chance of `u` (0 < u ≤ 1) shall make it anew: `now − δ·β·ln(u) ≥ expires`.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
pub fn is_due(now_ms: u64, delta_ms: u32, expires_ms: u64, u: f64) -> bool {
    now_ms as f64 - f64::from(delta_ms) * BETA * u.ln() >= expires_ms as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_has_expired_is_due_whatever_the_chance(expires in 0..1_u64 << 45, over in 0..1_000_000_u64, delta: u32, u in 0.000_001..=1.0_f64) {
            prop_assert!(is_due(expires + over, delta, expires, u));
        }

        #[test]
        fn with_the_greatest_chance_nothing_is_due_early(expires in 1..1_u64 << 45, delta: u32) {
            prop_assert!(!is_due(expires - 1, delta, expires, 1.0));
        }

        #[test]
        fn what_takes_longer_is_due_no_later(now in 0..1_u64 << 45, left in 0..100_000_u64, delta in 0..u32::MAX / 2, u in 0.000_001..=1.0_f64) {
            prop_assert!(!is_due(now, delta, now + left, u) || is_due(now, delta * 2, now + left, u));
        }
    }

    #[test]
    fn about_a_third_asks_one_delta_before_the_end() {
        // P(−ln u ≥ 1) = 1/e.
        let due = (1..=1_000).filter(|n| is_due(9_000, 1_000, 10_000, f64::from(*n) / 1_000.0)).count();
        assert!((360..=375).contains(&due), "{due}");
    }
}
