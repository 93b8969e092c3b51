//! WebSockets, as operators watch them.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts};

use crate::metrics::Metrics;

/// Their metrics.
pub struct SocketMeters {
    /// Open ones.
    pub connections: IntGauge,
    /// Those that were refused, by which limit.
    pub refused: IntCounterVec,
    /// Those that ended, by code.
    pub closed: IntCounterVec,
    /// Messages that were sent, each counted in its batch.
    pub sent: IntCounter,
    /// Messages that came.
    pub received: IntCounter,
    /// Bytes of frames that were sent.
    pub sent_bytes: IntCounter,
    /// Bytes that came.
    pub received_bytes: IntCounter,
}

impl SocketMeters {
    /// Makes them, among `metrics`.
    ///
    /// # Errors
    /// A malformed name, or one that stands twice.
    pub fn new(metrics: &Metrics) -> prometheus::Result<Self> {
        let by = |name: &str, help: &str, label: &str| IntCounterVec::new(Opts::new(name, help), &[label]);
        let meters = Self {
            connections: IntGauge::new("cidadao_ai_websocket_connections", "WebSockets that are open.")?,
            refused: by(
                "cidadao_ai_websocket_refused_total",
                "WebSockets and streams that were refused: too many in all, or from one address.",
                "limit",
            )?,
            closed: by(
                "cidadao_ai_websocket_closed_total",
                "WebSockets that ended, by the code that was said; `none` without.",
                "code",
            )?,
            sent: IntCounter::new(
                "cidadao_ai_websocket_messages_sent_total",
                "Messages sent over WebSockets; each of a batch counts.",
            )?,
            received: IntCounter::new(
                "cidadao_ai_websocket_messages_received_total",
                "Messages that came over WebSockets.",
            )?,
            sent_bytes: IntCounter::new(
                "cidadao_ai_websocket_sent_bytes_total",
                "Bytes of frames sent over WebSockets.",
            )?,
            received_bytes: IntCounter::new(
                "cidadao_ai_websocket_received_bytes_total",
                "Bytes that came over WebSockets.",
            )?,
        };
        metrics.add(&[&meters.connections])?;
        metrics.add(&[&meters.refused, &meters.closed])?;
        metrics.add(&[&meters.sent, &meters.received, &meters.sent_bytes, &meters.received_bytes])?;
        metrics.live.watch(&meters.sent, &meters.received);
        Ok(meters)
    }
}
