//! How the hub stands, as operators watch it.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts};

use crate::metrics::Metrics;

/// Its metrics.
pub struct LiveMeters {
    /// Looks at the database, by what for.
    pub looks: IntCounterVec,
    /// Looks that failed.
    pub failed: IntCounter,
    /// Messages that happened, by kind of topic.
    pub messages: IntCounterVec,
    /// Messages handed to receivers.
    pub handed: IntCounter,
    /// Messages that receivers did not read in time.
    pub dropped: IntCounter,
    /// Topics that are followed.
    pub topics: IntGauge,
    /// Bytes of messages that are kept for those who come back.
    pub ring_bytes: IntGauge,
    /// Those who follow any.
    pub receivers: IntGauge,
}

impl LiveMeters {
    /// Makes them, among `metrics`.
    ///
    /// # Errors
    /// A malformed name, or one that stands twice.
    pub fn new(metrics: &Metrics) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str| IntCounter::new(name, help);
        let meters = Self {
            looks: IntCounterVec::new(
                Opts::new(
                    "cidadao_ai_live_looks_total",
                    "Questions to the database for those who follow topics: events, findings, freshness, replay (for one who comes).",
                ),
                &["for"],
            )?,
            failed: counter(
                "cidadao_ai_live_looks_failed_total",
                "Of those, the ones that failed; they are asked again.",
            )?,
            messages: IntCounterVec::new(
                Opts::new("cidadao_ai_live_messages_total", "Messages that happened in topics that are followed."),
                &["topic"],
            )?,
            handed: counter("cidadao_ai_live_messages_handed_total", "Messages handed to those who follow.")?,
            dropped: counter(
                "cidadao_ai_live_messages_dropped_total",
                "Messages that someone did not read in time; they were told of the gap.",
            )?,
            topics: IntGauge::new("cidadao_ai_live_topics", "Topics that are followed.")?,
            ring_bytes: IntGauge::new(
                "cidadao_ai_live_ring_bytes",
                "Bytes of messages that are kept for those who come back, about.",
            )?,
            receivers: IntGauge::new("cidadao_ai_live_receivers", "Connections and streams that follow topics.")?,
        };
        metrics.add(&[&meters.looks, &meters.messages])?;
        metrics.add(&[&meters.failed, &meters.handed, &meters.dropped])?;
        metrics.add(&[&meters.topics, &meters.ring_bytes, &meters.receivers])?;
        Ok(meters)
    }
}
