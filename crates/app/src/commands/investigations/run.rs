//! How an investigation is worked off: who does how much at once, when it is enough, and how long it may take.

use agents::plan::WORKERS_MAX;
use agents::strategy::{Policy, Strategy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, Result};

/// The longest that an investigation, or one task of it, may be given, in seconds.
const DEADLINE_MAX_S: u64 = 86_400;

/// How an investigation is worked off. None of this changes what an answer that is whole says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RunOptions {
    /// `scatter_gather` (default), `round_robin`, `map_reduce` or `pipeline`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub strategy: Option<Strategy>,
    /// Tasks of it under way at once, in all processes together (1 to 100; default 8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_workers: Option<usize>,
    /// `best_effort` (default), `all`, `first_success` or `quorum:N`; of the tasks of each step.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub policy: Option<Policy>,
    /// What a task is: one of the flags, or a part of the contracts. By contracts where the scope names some, else by flags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Seconds for the whole: then what there is is written up, and named partial (1 to 86400).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<u64>,
    /// Seconds for one task: then it counts as failed (1 to 86400).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_deadline_s: Option<u64>,
    /// Plan, and wait for a person to look at the plan, change it and start it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hold: bool,
}

/// What a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Split {
    Flags,
    Contracts,
}

impl RunOptions {
    /// # Errors
    /// `Invalid` for a number out of its range.
    pub(super) fn checked(self) -> Result<Self> {
        if self.max_workers.is_some_and(|n| !(1..=WORKERS_MAX).contains(&n)) {
            return Err(Error::invalid("max_workers", format!("must lie between 1 and {WORKERS_MAX}")));
        }
        for (name, seconds) in [("deadline_s", self.deadline_s), ("task_deadline_s", self.task_deadline_s)] {
            if seconds.is_some_and(|s| !(1..=DEADLINE_MAX_S).contains(&s)) {
                return Err(Error::invalid(name, format!("must lie between 1 and {DEADLINE_MAX_S} seconds")));
            }
        }
        Ok(self)
    }
}
