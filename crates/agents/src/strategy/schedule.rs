//! Which parts may be worked on now: the strategies as they are kept across processes, where parts are tasks and what is
//! known is which of them have ended.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How parts are spread over workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Whoever is free takes the next part; the results are put together in order.
    #[default]
    ScatterGather,
    /// Parts are dealt in turn: the n-th worker has every n-th part, and no other.
    RoundRobin,
    /// As `scatter_gather` here: parts of one answer are put together in their order when all have ended, whoever worked them off.
    MapReduce,
    /// One after the other, in order.
    Pipeline,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ScatterGather, Self::RoundRobin, Self::MapReduce, Self::Pipeline];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ScatterGather => "scatter_gather",
            Self::RoundRobin => "round_robin",
            Self::MapReduce => "map_reduce",
            Self::Pipeline => "pipeline",
        }
    }

    /// The parts that may be worked on now, of which `has_ended` says whether each has ended: never more than `max_workers`.
    ///
    /// A part that may be worked on stays among them until it has ended, so who hands them out twice hands out the same.
    #[must_use]
    pub fn ready(self, max_workers: usize, has_ended: &[bool]) -> Vec<usize> {
        let workers = max_workers.max(1);
        let mut left = (0..has_ended.len()).filter(|at| !has_ended[*at]);
        match self {
            Self::ScatterGather | Self::MapReduce => left.take(workers).collect(),
            Self::Pipeline => left.next().into_iter().collect(),
            Self::RoundRobin => {
                let mut busy = vec![false; workers];
                left.filter(|at| !std::mem::replace(&mut busy[at % workers], true)).collect()
            }
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Strategy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|strategy| strategy.name() == text);
        named.ok_or_else(|| format!("`{text}` is none of {}", Self::ALL.map(Self::name).join(", ")))
    }
}
