//! Requests: how long each took under its route's template, with the trace of the latest in each bucket; how many are under way and refused.

use std::time::Duration;

use prometheus::core::Collector as _;
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge};

use super::Named;
use super::exemplars::{Exemplars, Taken};
use crate::limits::CONNECTIONS_MAX;

/// Upper bounds of the buckets of durations, in seconds; the promises are 200 and 500 ms.
pub const BUCKETS_S: [f64; 17] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0];
/// Classes of status, by their first digit.
const CLASSES: [&str; 6] = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// Metrics of requests.
pub struct Requests {
    durations: HistogramVec,
    exemplars: Exemplars,
    problems: IntCounterVec,
    /// Requests being answered.
    pub in_flight: IntGauge,
    /// Connections that are open.
    pub connections: IntGauge,
    is_on: bool,
}

impl Requests {
    pub(super) fn new(registry: &Named, is_on: bool) -> prometheus::Result<Self> {
        let options = HistogramOpts::new(
            "cidadao_ai_request_duration_seconds",
            "Time from a request's head to its answer's head, by method, template of the route and class of status.",
        );
        let durations = HistogramVec::new(options.buckets(BUCKETS_S.to_vec()), &["method", "route", "status"])?;
        registry.add(&durations)?;
        registry
            .gauge("cidadao_ai_connections_max", "Connections that may be open; more wait in the system's queue.")?
            .set(super::whole(CONNECTIONS_MAX));
        Ok(Self {
            durations,
            exemplars: Exemplars::default(),
            problems: registry.counters(
                "cidadao_ai_problems_total",
                "Refusals by their type, the last part of its address: every limit that was met is one.",
                &["type"],
            )?,
            in_flight: registry.gauge("cidadao_ai_requests_in_flight", "Requests being answered.")?,
            connections: registry.gauge("cidadao_ai_connections_open", "Connections that are open.")?,
            is_on,
        })
    }

    /// What times answers of one kind.
    pub fn timer(&self, method: &str, route: &str, status: u16) -> Histogram {
        self.durations.with_label_values(&[method, route, class(status)])
    }

    /// Counts an answered request.
    pub fn observe(&self, method: &str, route: &str, status: u16, took: Duration, trace: Option<u128>) {
        if self.is_on {
            self.timer(method, route, status).observe(took.as_secs_f64());
            self.note(method, route, status, took, trace);
        }
    }

    /// Counts one whose timer is at hand.
    pub fn observe_with(&self, timer: &Histogram, took: Duration) {
        if self.is_on {
            timer.observe(took.as_secs_f64());
        }
    }

    /// Keeps the trace of a request as an example of its bucket.
    pub fn note(&self, method: &str, route: &str, status: u16, took: Duration, trace: Option<u128>) {
        if let Some(trace) = trace.filter(|_| self.is_on) {
            self.exemplars.keep([method, route, class(status)], took, trace);
        }
    }

    /// Counts a refusal.
    pub fn refused(&self, problem: &str) {
        self.problems.with_label_values(&[problem]).inc();
    }

    pub(super) fn exemplars(&self) -> Taken {
        let family = self.durations.desc().first().map(|desc| desc.fq_name.clone()).unwrap_or_default();
        self.exemplars.take(family)
    }
}

fn class(status: u16) -> &'static str {
    CLASSES.get(usize::from(status / 100)).copied().unwrap_or(CLASSES[0])
}
