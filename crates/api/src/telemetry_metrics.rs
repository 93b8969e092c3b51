//! What became of spans, as operators watch it.

use prometheus::{IntGauge, IntGaugeVec, Opts, Registry};

/// How recording stands.
pub struct TelemetryMetrics {
    spans: IntGaugeVec,
    waiting: IntGauge,
    passed_over: IntGauge,
}

impl TelemetryMetrics {
    /// Makes and registers them.
    ///
    /// # Errors
    /// A malformed name, or one that stands twice.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            spans: IntGaugeVec::new(
                Opts::new(
                    "cidadao_ai_trace_spans",
                    "Spans since the start: sent to the collector, dropped because the queue was full, lost because no collector took them.",
                ),
                &["outcome"],
            )?,
            waiting: IntGauge::new("cidadao_ai_trace_spans_waiting", "Spans that wait to be sent.")?,
            passed_over: IntGauge::new(
                "cidadao_ai_trace_passed_over",
                "Requests and tasks since the start that were not recorded because too many were in their second.",
            )?,
        };
        registry.register(Box::new(metrics.spans.clone()))?;
        registry.register(Box::new(metrics.waiting.clone()))?;
        registry.register(Box::new(metrics.passed_over.clone()))?;
        Ok(metrics)
    }

    /// Looks how recording stands.
    pub fn look(&self) {
        let figures = trace::figures();
        let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        for (outcome, n) in [("sent", figures.sent), ("dropped", figures.dropped), ("lost", figures.lost)] {
            self.spans.with_label_values(&[outcome]).set(whole(n));
        }
        self.waiting.set(whole(figures.waiting as u64));
        self.passed_over.set(whole(figures.passed_over));
    }
}
