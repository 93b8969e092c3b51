//! The world outside: what sources and models were asked, which are left alone, and what models took of their day's budget.

use app::queries::Figures;
use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::{Named, bring_up, bytes, whole};

pub(super) struct OutsideMetrics {
    asked: IntCounterVec,
    opened: IntCounter,
    open: IntGauge,
    left_alone: IntGaugeVec,
    tokens: IntGauge,
    tokens_max: IntGauge,
    cents: Gauge,
    cents_max: IntGauge,
}

impl OutsideMetrics {
    pub(super) fn new(registry: &Named) -> prometheus::Result<Self> {
        let cents = Gauge::new("cidadao_ai_model_cents_today", "Cents that language models cost today (UTC).")?;
        registry.add(&cents)?;
        Ok(Self {
            asked: registry.counters(
                "cidadao_ai_outbound_requests_total",
                "What was asked of the world outside, by origin: requests, of which retries and hedges, pauses asked for (throttled), times left alone.",
                &["origin", "what"],
            )?,
            opened: registry.counter(
                "cidadao_ai_outbound_connections_total",
                "Connections opened to the world outside.",
            )?,
            open: registry
                .gauge("cidadao_ai_outbound_connections_open", "Connections to the world outside that are open.")?,
            left_alone: registry.gauges(
                "cidadao_ai_outbound_breaker_open",
                "1 while an origin is left alone because it failed too often.",
                &["origin"],
            )?,
            tokens: registry.gauge("cidadao_ai_model_tokens_today", "Tokens that language models took today (UTC).")?,
            tokens_max: registry
                .gauge("cidadao_ai_model_tokens_per_day_max", "Tokens that they may take in a day.")?,
            cents,
            cents_max: registry.gauge("cidadao_ai_model_cents_per_day_max", "Cents that they may cost in a day.")?,
        })
    }

    #[allow(clippy::cast_precision_loss, reason = "a sum of money for people")]
    pub(super) fn hold(&self, figures: &Figures) {
        let (outside, models) = (&figures.outside, &figures.models);
        for (origin, what, count) in &outside.asked {
            bring_up(&self.asked.with_label_values(&[origin.as_str(), *what]), *count);
        }
        bring_up(&self.opened, outside.opened);
        self.open.set(whole(outside.open));
        for (origin, is_left_alone) in &outside.left_alone {
            self.left_alone.with_label_values(&[origin]).set((*is_left_alone).into());
        }
        self.tokens.set(bytes(models.tokens));
        self.tokens_max.set(bytes(models.tokens_max));
        self.cents.set(models.micro_cents as f64 / 1e6);
        self.cents_max.set(bytes(models.cents_max));
    }
}
