//! How the house stands: what decides whether an entry is still true.
//!
//! Two marks, both read out of the store, so that every process over one house agrees on them: the *epoch* changes with the data
//! (an ingest, a judgement, a link), and then nothing from before it counts; the *sequence* is the place in the event log, and an event
//! drops only what bears one of its tags. An entry bears both as they were before it was read.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// What an entry depends on, by the hash of its name.
pub type Tag = u64;

/// The tag of a name.
#[must_use]
pub fn tag(name: &str) -> Tag {
    xxhash_rust::xxh3::xxh3_64(name.as_bytes())
}

/// How the house stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// Of the data.
    pub epoch: u64,
    /// Of the event log.
    pub seq: u64,
}

/// Drops that are remembered one by one; an entry older than the first of them counts as dropped.
const DROPS_MAX: usize = 65_536;

/// How the house stands, as of the last look at it.
#[derive(Debug, Default)]
pub struct World {
    epoch: AtomicU64,
    seq: AtomicU64,
    /// The sequence of the newest drop: what is as new as that needs no second look.
    newest: AtomicU64,
    blind: AtomicBool,
    dropped: RwLock<Dropped>,
}

#[derive(Debug, Default)]
struct Dropped {
    /// Drops up to this one are forgotten.
    floor: u64,
    last: HashMap<Tag, u64>,
    order: VecDeque<(u64, Tag)>,
}

impl World {
    /// One that knows of nothing before `floor`.
    #[must_use]
    pub fn since(floor: u64) -> Self {
        let dropped = RwLock::new(Dropped { floor, ..Dropped::default() });
        Self { newest: floor.into(), dropped, ..Self::default() }
    }

    /// How it stands.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp { epoch: self.epoch.load(Ordering::Acquire), seq: self.seq.load(Ordering::Acquire) }
    }

    /// Notes a look: how it stands, and what was dropped on the way there.
    pub fn look(&self, stamp: Stamp, dropped: impl IntoIterator<Item = (u64, Tag)>) {
        let mut held = self.dropped.write().unwrap_or_else(PoisonError::into_inner);
        for (seq, tag) in dropped {
            held.last.insert(tag, seq);
            held.order.push_back((seq, tag));
            self.newest.fetch_max(seq, Ordering::AcqRel);
        }
        while held.order.len() > DROPS_MAX
            && let Some((seq, tag)) = held.order.pop_front()
        {
            held.floor = held.floor.max(seq);
            if held.last.get(&tag) == Some(&seq) {
                held.last.remove(&tag);
            }
        }
        drop(held);
        self.epoch.store(stamp.epoch, Ordering::Release);
        self.seq.fetch_max(stamp.seq, Ordering::AcqRel);
        self.blind.store(false, Ordering::Release);
    }

    /// Notes that the house could not be looked at.
    pub fn lose_sight(&self) {
        self.blind.store(true, Ordering::Release);
    }

    /// Whether the last look failed: then nothing is known to be true any more.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.blind.load(Ordering::Acquire)
    }

    /// Whether what was read at `stamp` and depends on `tags` is still true.
    #[must_use]
    pub fn holds(&self, stamp: Stamp, tags: &[Tag]) -> bool {
        if stamp.epoch != self.epoch.load(Ordering::Acquire) {
            return false;
        }
        if stamp.seq >= self.newest.load(Ordering::Acquire) {
            return true;
        }
        let held = self.dropped.read().unwrap_or_else(PoisonError::into_inner);
        stamp.seq >= held.floor && tags.iter().all(|tag| held.last.get(tag).is_none_or(|seq| *seq <= stamp.seq))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(epoch: u64, seq: u64) -> Stamp {
        Stamp { epoch, seq }
    }

    #[test]
    fn an_event_drops_what_bears_its_tag_and_was_read_before_it() {
        let world = World::since(0);
        world.look(at(1, 5), []);
        let (a, b) = (tag("finding:a"), tag("finding:b"));
        world.look(at(1, 6), [(6, a)]);
        assert!(!world.holds(at(1, 5), &[b, a]) && world.holds(at(1, 6), &[a]) && world.holds(at(1, 5), &[b]));
        world.look(at(2, 6), []);
        assert!(!world.holds(at(1, 6), &[]), "new data drop everything");
    }

    #[test]
    fn drops_that_are_forgotten_count_for_everything_older() {
        let world = World::since(0);
        world.look(at(1, 1), (1..=DROPS_MAX as u64 + 10).map(|seq| (seq, seq)));
        assert!(!world.holds(at(1, 5), &[u64::MAX]), "it cannot be known");
        assert!(world.holds(at(1, 50), &[u64::MAX]));
    }

    proptest! {
        /// Against the plain rule, over any history.
        #[test]
        fn nothing_holds_that_a_later_event_touched(
            events in prop::collection::vec(0..8_u64, 0..60), read_at in 0..60_u64, tags in prop::collection::vec(0..8_u64, 0..4),
        ) {
            let world = World::since(0);
            world.look(at(1, 0), []);
            for (seq, tag) in (1..).zip(&events) {
                world.look(at(1, seq), [(seq, *tag)]);
            }
            let touched = (1..).zip(&events).any(|(seq, tag)| seq > read_at && tags.contains(tag));
            prop_assert_eq!(world.holds(at(1, read_at), &tags), !touched);
        }
    }
}
