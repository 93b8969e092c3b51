//! Section `[live]` of the settings: how what happens is told, and to how many.

use serde::Deserialize;

use crate::Result;

/// Section `[live]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct LiveSettings {
    pub max_batch_size: usize,
    pub batch_timeout_ms: u64,
    pub compression_threshold: usize,
    pub connections_max: usize,
    pub connections_per_address: usize,
    pub topics_per_connection: usize,
    pub topics_max: usize,
    pub topics_per_address: usize,
    pub rings_mib: u32,
    pub message_max_bytes: usize,
    pub messages_per_s: u32,
    pub queue_max: usize,
    pub heartbeat_s: u64,
}

impl LiveSettings {
    pub(crate) fn check(&self, within: &dyn Fn(&str, u64, u64, u64) -> Result<()>) -> Result<()> {
        within("live.max_batch_size", self.max_batch_size as u64, 1, 1_000)?;
        within("live.batch_timeout_ms", self.batch_timeout_ms, 1, 10_000)?;
        within("live.compression_threshold", self.compression_threshold as u64, 0, 1_048_576)?;
        within("live.connections_max", self.connections_max as u64, 1, 1_000_000)?;
        within("live.connections_per_address", self.connections_per_address as u64, 1, 1_000_000)?;
        within("live.topics_per_connection", self.topics_per_connection as u64, 1, 10_000)?;
        within("live.topics_max", self.topics_max as u64, 1, 1_000_000)?;
        within("live.topics_per_address", self.topics_per_address as u64, 1, 1_000_000)?;
        within("live.rings_mib", self.rings_mib.into(), 1, 65_536)?;
        within("live.message_max_bytes", self.message_max_bytes as u64, 256, 1_048_576)?;
        within("live.messages_per_s", self.messages_per_s.into(), 1, 100_000)?;
        within("live.queue_max", self.queue_max as u64, 1, 10_000)?;
        within("live.heartbeat_s", self.heartbeat_s, 1, 3_600)
    }
}
