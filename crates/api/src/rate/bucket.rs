//! What one caller has left: two bounds that both hold, taken from at once or not at all.
//!
//! The first is GCRA (a leaky bucket kept as one instant): `burst` at once, `per_second` given back in a second. The second counts the
//! seconds of the last minute, so that in no sixty seconds more than `per_minute` is let through; a GCRA of that size would let
//! nearly twice as much through in its first minute. Time is counted in microseconds and given in, so that this is arithmetic alone;
//! `take.lua` is the same in Redis, step by step.

use app::identity::Rate;

/// Microseconds in a second.
const SECOND: u64 = 1_000_000;
/// Any sixty seconds touch so many seconds of the clock.
const SLOTS: u64 = 61;

/// How a caller stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The request may go on; its cost was taken.
    pub is_allowed: bool,
    /// Left of the burst, and seconds until it is whole.
    pub burst: Left,
    /// Left of the minute, and seconds until it is whole.
    pub minute: Left,
    /// Microseconds until the same request would be let through; 0 when it was.
    pub retry_us: u64,
}

/// What is left of a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// What may be asked for yet.
    pub remaining: u32,
    /// Seconds until nothing of it is taken any more.
    pub whole_in_s: u64,
}

/// Microseconds in which one unit is given back; rounded up, so that it is never more than the rate says.
pub fn interval_us(rate: Rate) -> u64 {
    SECOND.div_ceil(u64::from(rate.per_second))
}

/// What one caller has taken.
#[derive(Debug)]
pub struct Bucket {
    /// When everything that was taken of the burst will be given back.
    whole_at: u64,
    /// What was taken in each of the last seconds; a second stands at its number modulo [`SLOTS`].
    seconds: Box<[u32; SLOTS as usize]>,
    /// The last second that stands there.
    last: u64,
}

impl Bucket {
    /// One of which nothing was taken.
    pub fn new() -> Self {
        Self { whole_at: 0, seconds: Box::new([0; SLOTS as usize]), last: 0 }
    }

    /// Takes `cost` if both bounds have it: of each at most all of it, so that nothing is refused for ever.
    pub fn take(&mut self, now: u64, rate: Rate, cost: u32) -> Standing {
        let (at_once, cost) = (cost.min(rate.burst), cost.min(rate.per_minute));
        let (interval, second) = (interval_us(rate), now / SECOND);
        self.forget_before(second);
        let taken: u32 = self.seconds.iter().sum();
        let (from, tolerance) = (self.whole_at.max(now), interval * u64::from(rate.burst));
        let to = from + interval * u64::from(at_once);
        let burst_wait = (to - now).saturating_sub(tolerance);
        let minute_wait = self.wait_for_minute(now, (taken + cost).saturating_sub(rate.per_minute));
        let retry_us = burst_wait.max(minute_wait);
        let is_allowed = retry_us == 0;
        if is_allowed {
            self.whole_at = to;
            self.seconds[(second % SLOTS) as usize] += cost;
        }
        let until_whole = self.whole_at.max(now) - now;
        let burst_left = tolerance.saturating_sub(until_whole) / interval;
        let minute_left = rate.per_minute.saturating_sub(if is_allowed { taken + cost } else { taken });
        Standing {
            is_allowed,
            burst: Left {
                remaining: u32::try_from(burst_left).unwrap_or(u32::MAX),
                whole_in_s: until_whole.div_ceil(SECOND),
            },
            minute: Left { remaining: minute_left, whole_in_s: self.minute_whole_in(second) },
            retry_us,
        }
    }

    /// Empties the seconds that lie further back than a minute.
    fn forget_before(&mut self, second: u64) {
        let passed = second.saturating_sub(self.last);
        for past in (self.last + 1..=second).take(passed.min(SLOTS) as usize) {
            // Of a long silence every slot is emptied, wherever it begins.
            self.seconds[(past % SLOTS) as usize] = 0;
        }
        self.last = self.last.max(second);
    }

    /// Microseconds until `excess` of what was taken lies further back than a minute.
    fn wait_for_minute(&self, now: u64, excess: u32) -> u64 {
        let mut freed = 0;
        for second in self.last.saturating_sub(SLOTS - 1)..=self.last {
            if freed >= excess {
                break;
            }
            freed += self.seconds[(second % SLOTS) as usize];
            if freed >= excess {
                return ((second + SLOTS) * SECOND).saturating_sub(now).max(1);
            }
        }
        0
    }

    fn minute_whole_in(&self, second: u64) -> u64 {
        let newest = (self.last.saturating_sub(SLOTS - 1)..=self.last).rev();
        let newest = newest.into_iter().find(|s| self.seconds[(s % SLOTS) as usize] > 0);
        newest.map_or(0, |newest| (newest + SLOTS).saturating_sub(second))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;
    use governor::{Quota, RateLimiter};
    use proptest::prelude::*;

    use super::*;

    const FREE: Rate = Rate { per_second: 10, burst: 20, per_minute: 100 };

    #[test]
    fn the_free_tier_has_twenty_at_once_ten_a_second_and_a_hundred_a_minute() {
        let mut bucket = Bucket::new();
        let start = 1_000 * SECOND;
        let allowed = (0..50).filter(|_| bucket.take(start, FREE, 1).is_allowed).count();
        assert_eq!(allowed, 20);
        let refused = bucket.take(start, FREE, 1);
        assert_eq!((refused.burst.remaining, refused.minute.remaining, refused.retry_us), (0, 80, 100_000));
        let allowed = (0..50).filter(|_| bucket.take(start + SECOND, FREE, 1).is_allowed).count();
        assert_eq!(allowed, 10);
        // The rest of the minute, asked for as fast as can be.
        let rest = (20..600).filter(|tenth| bucket.take(start + tenth * 100_000, FREE, 1).is_allowed).count();
        assert_eq!(rest, 70);
        let refused = bucket.take(start + 59 * SECOND, FREE, 1);
        assert_eq!(
            (refused.minute.remaining, refused.retry_us),
            (0, 2 * SECOND),
            "the first second's twenty are free at 61 s"
        );
        assert!(bucket.take(start + 61 * SECOND, FREE, 20).is_allowed);
        assert!(bucket.take(start + 10_000 * SECOND, FREE, 20).is_allowed);
        let all = bucket.take(start + 20_000 * SECOND, FREE, 1_000);
        assert_eq!((all.is_allowed, all.burst.remaining, all.minute.remaining), (true, 0, 0), "it takes all there is");
    }

    proptest! {
        /// However requests come and whatever they cost, no sixty seconds let more through than the minute, and no time more
        /// than the burst and what was given back.
        #[test]
        fn both_bounds_hold_over_every_time(
            gaps in prop::collection::vec((0_u64..3_000_000, 1_u32..25), 1..400),
            per_second in 1_u32..50, burst_more in 0_u32..50, minute_more in 0_u32..300,
        ) {
            let burst = per_second + burst_more;
            let rate = Rate { per_second, burst, per_minute: burst + minute_more };
            let (mut bucket, mut now, mut let_through) = (Bucket::new(), 77 * SECOND, Vec::new());
            for (gap, cost) in gaps {
                now += gap;
                let standing = bucket.take(now, rate, cost);
                if standing.is_allowed {
                    let_through.push((now, u64::from(cost.min(burst)), u64::from(cost.min(rate.per_minute))));
                } else {
                    prop_assert!(standing.retry_us > 0);
                }
            }
            for (at, (from, ..)) in let_through.iter().enumerate() {
                let (mut sum, mut in_minute) = (0, 0);
                for (to, at_once, whole) in &let_through[at..] {
                    sum += at_once;
                    in_minute += if to - from < 60 * SECOND { *whole } else { 0 };
                    let given_back = (to - from).div_ceil(interval_us(rate));
                    prop_assert!(sum <= u64::from(burst) + given_back, "{sum} in {} us", to - from);
                }
                prop_assert!(in_minute <= u64::from(rate.per_minute));
            }
        }

        /// What it says of when to come back is true, and no later than need be.
        #[test]
        fn the_wait_that_is_told_is_the_shortest(gaps in prop::collection::vec((0_u64..900_000, 1_u32..20), 1..200)) {
            let (mut bucket, mut now) = (Bucket::new(), 5 * SECOND);
            for (gap, cost) in gaps {
                now += gap;
                let refused = bucket.take(now, FREE, cost);
                if refused.is_allowed {
                    continue;
                }
                prop_assert!(!bucket.take(now + refused.retry_us - 1, FREE, cost).is_allowed);
                now += refused.retry_us;
                prop_assert!(bucket.take(now, FREE, cost).is_allowed);
            }
        }

        /// Where the minute is no bound, it decides as the governor crate does.
        #[test]
        fn it_decides_as_governor_does(gaps in prop::collection::vec((0_u64..400_000, 1_u32..9), 1..300)) {
            let rate = Rate { per_second: 10, burst: 20, per_minute: 600_000 };
            let clock = FakeRelativeClock::default();
            let (ten, twenty) = (NonZeroU32::new(10).unwrap(), NonZeroU32::new(20).unwrap());
            let theirs = RateLimiter::direct_with_clock(Quota::per_second(ten).allow_burst(twenty), clock.clone());
            let (mut ours, mut now) = (Bucket::new(), 0);
            for (gap, cost) in gaps {
                now += gap;
                clock.advance(Duration::from_micros(gap));
                let allowed = theirs.check_n(NonZeroU32::new(cost).unwrap()).unwrap().is_ok();
                prop_assert_eq!(ours.take(now, rate, cost).is_allowed, allowed, "at {} for {}", now, cost);
            }
        }
    }
}
