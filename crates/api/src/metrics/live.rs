//! How many messages a second go over WebSockets.

use std::collections::VecDeque;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use prometheus::{GaugeVec, IntCounter, Opts};

use super::Named;

/// Over how long a rate is taken.
const RATE_OVER: Duration = Duration::from_secs(10);
/// Looks that are remembered: beyond them the oldest goes, and the rate is taken over less.
const LOOKS_MAX: usize = 64;
/// Which way messages go.
const WAYS: [&str; 2] = ["sent", "received"];

/// Rates of messages, reckoned from what was counted at earlier looks.
pub struct Live {
    rate: GaugeVec,
    messages: OnceLock<[IntCounter; 2]>,
    looks: Mutex<VecDeque<(Instant, [u64; 2])>>,
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
        let looks = Mutex::new(VecDeque::from([(Instant::now(), [0; 2])]));
        Ok(Self { rate, messages: OnceLock::new(), looks })
    }

    /// Says what counts messages: those sent, and those received.
    pub fn watch(&self, sent: &IntCounter, received: &IntCounter) {
        self.messages.get_or_init(|| [sent.clone(), received.clone()]);
    }

    /// Reckons the rates.
    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    pub(super) fn hold(&self) {
        let now = Instant::now();
        let counts = self.messages.get().map_or([0; 2], |of| of.each_ref().map(IntCounter::get));
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
