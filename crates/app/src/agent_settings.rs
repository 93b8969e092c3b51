//! Section `[agents]` of the settings.

use serde::Deserialize;

use crate::{Error, Result};

/// Section `[agents]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct AgentSettings {
    pub min_size: usize,
    pub max_size: usize,
    pub max_idle_time_s: u64,
    pub health_check_interval_s: u64,
    pub uses_max: u64,
    pub age_max_s: u64,
    pub use_max_s: u64,
    pub acquire_timeout_ms: u64,
    pub fetch: bool,
    pub fetch_days_max: u32,
    pub fetch_timeout_s: u64,
}

impl AgentSettings {
    /// The least and the most instances of an agent.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        (self.min_size.min(self.max_size), self.max_size)
    }

    pub(crate) fn pool(&self) -> agents::pool::AgentPoolConfig {
        crate::agents::pool_of(self)
    }

    pub(crate) fn check(&self, within: &impl Fn(&str, u64, u64, u64) -> Result<()>) -> Result<()> {
        within("agents.min_size", self.min_size as u64, 0, 1_000)?;
        within("agents.max_size", self.max_size as u64, 1, 1_000)?;
        within("agents.max_idle_time_s", self.max_idle_time_s, 1, 86_400)?;
        within("agents.health_check_interval_s", self.health_check_interval_s, 1, 86_400)?;
        within("agents.uses_max", self.uses_max, 1, 1_000_000_000)?;
        within("agents.age_max_s", self.age_max_s, 1, 31_536_000)?;
        within("agents.use_max_s", self.use_max_s, 1, 86_400)?;
        within("agents.acquire_timeout_ms", self.acquire_timeout_ms, 1, 3_600_000)?;
        within("agents.fetch_days_max", self.fetch_days_max.into(), 1, 366)?;
        within("agents.fetch_timeout_s", self.fetch_timeout_s, 1, 86_400)?;
        if self.fetch_timeout_s > self.use_max_s {
            let because = "must not exceed agents.use_max_s, after which whoever fetches is written off";
            return Err(Error::Settings(format!("agents.fetch_timeout_s = {}: {because}", self.fetch_timeout_s)));
        }
        Ok(())
    }
}
