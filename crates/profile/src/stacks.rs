//! Stacks and what was counted at each, on the way to who looks at them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::flame;

/// What was seen of a process for a while.
#[derive(Debug)]
pub struct Profile {
    /// What is counted of each stack, each with its unit.
    pub(crate) kinds: Vec<(&'static str, &'static str)>,
    /// What lies between two looks.
    pub(crate) period: (&'static str, &'static str, i64),
    pub(crate) took: Duration,
    /// Looks that found no room.
    pub(crate) left_out: u64,
    /// Frames, the innermost first, and what was counted.
    pub(crate) stacks: BTreeMap<Vec<String>, Vec<i64>>,
}

impl Profile {
    pub(crate) fn new(
        kinds: &[(&'static str, &'static str)],
        period: (&'static str, &'static str, i64),
        took: Duration,
    ) -> Self {
        Self { kinds: kinds.to_vec(), period, took, left_out: 0, stacks: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, frames: Vec<String>, counted: &[i64]) {
        let sums = self.stacks.entry(frames).or_insert_with(|| vec![0; counted.len()]);
        sums.iter_mut().zip(counted).for_each(|(sum, more)| *sum += more);
    }

    /// What was counted, of one kind, at stacks with such a frame.
    #[must_use]
    pub fn sum_of(&self, is_meant: impl Fn(&str) -> bool, kind: usize) -> i64 {
        let with = self.stacks.iter().filter(|(frames, _)| frames.iter().any(|frame| is_meant(frame)));
        with.map(|(_, counted)| counted[kind]).sum()
    }

    /// A flame graph (SVG) of what was counted last: processor time, or memory that is still held. Each box is a function, above who called
    /// it, as wide as its share; its title says name and count.
    #[must_use]
    pub fn flame_graph(&self) -> Vec<u8> {
        flame::drawn(self)
    }
}
