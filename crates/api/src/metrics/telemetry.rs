//! What became of spans: sent to the collector, dropped because the queue was full, lost because no collector took them.

use prometheus::{IntCounter, IntCounterVec, IntGauge};

use super::{Named, bring_up, bytes};

pub(super) struct TelemetryMetrics {
    spans: IntCounterVec,
    waiting: IntGauge,
    passed_over: IntCounter,
}

impl TelemetryMetrics {
    pub(super) fn new(registry: &Named) -> prometheus::Result<Self> {
        Ok(Self {
            spans: registry.counters(
                "cidadao_ai_trace_spans_total",
                "Spans: sent to the collector, dropped because the queue was full, lost because no collector took them.",
                &["outcome"],
            )?,
            waiting: registry.gauge("cidadao_ai_trace_spans_waiting", "Spans that wait to be sent.")?,
            passed_over: registry.counter(
                "cidadao_ai_trace_passed_over_total",
                "Requests and tasks that were not recorded because too many were in their second.",
            )?,
        })
    }

    pub(super) fn look(&self) {
        let figures = trace::figures();
        for (outcome, n) in [("sent", figures.sent), ("dropped", figures.dropped), ("lost", figures.lost)] {
            bring_up(&self.spans.with_label_values(&[outcome]), n);
        }
        self.waiting.set(bytes(figures.waiting as u64));
        bring_up(&self.passed_over, figures.passed_over);
    }
}
