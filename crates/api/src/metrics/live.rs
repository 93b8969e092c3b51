//! What is sent to who stays connected: messages over WebSockets, events over streams.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus::{GaugeVec, IntCounter, IntCounterVec, IntGauge, Opts};

use super::Named;

/// Over how long a rate is taken.
const RATE_OVER: Duration = Duration::from_secs(10);
/// Looks that are remembered: beyond them the oldest goes, and the rate is taken over less.
const LOOKS_MAX: usize = 64;
/// Which way messages go.
const WAYS: [&str; 2] = ["sent", "received"];

/// Metrics of who stays connected.
pub struct Live {
    messages: IntCounterVec,
    rate: GaugeVec,
    looks: Mutex<VecDeque<(Instant, [u64; 2])>>,
    /// Streams of events that are followed.
    pub streams: IntGauge,
    /// Events that they were sent.
    pub events: IntCounter,
}

impl Live {
    pub(super) fn new(registry: &Named) -> prometheus::Result<Self> {
        let rate = GaugeVec::new(
            Opts::new(
                "cidadao_ai_websocket_message_rate",
                "Messages a second over WebSockets, sent and received, over the last ten seconds.",
            ),
            &["way"],
        )?;
        registry.add(&rate)?;
        let messages = registry.counters(
            "cidadao_ai_websocket_messages_total",
            "Messages over WebSockets, sent and received.",
            &["way"],
        )?;
        for way in WAYS {
            messages.with_label_values(&[way]);
        }
        Ok(Self {
            messages,
            rate,
            looks: Mutex::new(VecDeque::from([(Instant::now(), [0; 2])])),
            streams: registry.gauge("cidadao_ai_sse_streams", "Streams of server-sent events that are followed.")?,
            events: registry.counter("cidadao_ai_sse_events_total", "Server-sent events that were sent.")?,
        })
    }

    /// What counts messages over WebSockets: sent, received.
    pub fn messages(&self) -> [IntCounter; 2] {
        WAYS.map(|way| self.messages.with_label_values(&[way]))
    }

    /// Reckons the rates.
    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    pub(super) fn hold(&self) {
        let now = Instant::now();
        let counts = self.messages().map(|counter| counter.get());
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        // One that is old enough stays, to reckon from.
        while looks.get(1).is_some_and(|(at, _)| now - *at >= RATE_OVER) || looks.len() >= LOOKS_MAX {
            looks.pop_front();
        }
        let (since, before) = looks.front().copied().unwrap_or((now, counts));
        let seconds = (now - since).as_secs_f64();
        for ((way, count), before) in WAYS.iter().zip(counts).zip(before) {
            let rate = if seconds > 0.0 { count.saturating_sub(before) as f64 / seconds } else { 0.0 };
            self.rate.with_label_values(&[*way]).set(rate);
        }
        looks.push_back((now, counts));
    }
}
