//! What the database holds: rows, segments, quarantine, findings, tasks.

use app::queries::HeldFigures;
use prometheus::{IntGauge, IntGaugeVec};

use super::Named;

pub(super) struct HeldMetrics {
    rows: IntGaugeVec,
    segments: IntGaugeVec,
    segment_bytes: IntGaugeVec,
    quarantined: IntGaugeVec,
    incomplete: IntGaugeVec,
    last_ingest: IntGaugeVec,
    open_findings: IntGaugeVec,
    unjudged: IntGauge,
    tasks: IntGaugeVec,
    outbox_lag: IntGauge,
    readable: IntGauge,
}

impl HeldMetrics {
    pub(super) fn new(registry: &Named) -> prometheus::Result<Self> {
        Ok(Self {
            rows: registry.gauges("cidadao_ai_rows", "Rows held in the lake.", &["source", "table"])?,
            segments: registry.gauges(
                "cidadao_ai_segments",
                "Segments of the lake: those that count (live), of the past (closed), missing or altered (lost).",
                &["table", "state"],
            )?,
            segment_bytes: registry.gauges(
                "cidadao_ai_segment_bytes",
                "Bytes of the segments that count.",
                &["table"],
            )?,
            quarantined: registry.gauges(
                "cidadao_ai_quarantined_rows",
                "Rows that could not be kept and wait in quarantine.",
                &["source"],
            )?,
            incomplete: registry.gauges(
                "cidadao_ai_incomplete_files",
                "Files that were not read to their end.",
                &["source"],
            )?,
            last_ingest: registry.gauges(
                "cidadao_ai_source_last_ingest_timestamp_seconds",
                "When a source's last file was read, Unix time.",
                &["source"],
            )?,
            open_findings: registry.gauges("cidadao_ai_findings_open", "Open findings.", &["flag"])?,
            unjudged: registry
                .gauge("cidadao_ai_unjudged", "1 when rows were ingested that no flag has judged yet.")?,
            tasks: registry.gauges(
                "cidadao_ai_tasks",
                "Tasks that wait (ready; blocked by another), are worked on (taken) or failed for good (dead); over Redis also those not handed on yet (outbox).",
                &["topic", "state"],
            )?,
            outbox_lag: registry.gauge("cidadao_ai_outbox_lag_events", "Events that were not published yet.")?,
            readable: registry
                .gauge("cidadao_ai_database_readable", "1 when the database gave its figures.")?,
        })
    }

    /// Holds what the database said; of one that said nothing the last figures stand.
    pub(super) fn hold(&self, held: Option<&HeldFigures>) {
        self.readable.set(held.is_some().into());
        let Some(held) = held else { return };
        self.rows.reset();
        for (source, table, rows) in &held.rows {
            self.rows.with_label_values(&[source, table]).set(*rows);
        }
        self.segments.reset();
        self.segment_bytes.reset();
        for of in &held.segments {
            for (state, n) in [("live", of.live), ("closed", of.closed), ("lost", of.lost)] {
                self.segments.with_label_values(&[of.table.as_str(), state]).set(n);
            }
            self.segment_bytes.with_label_values(&[&of.table]).set(of.bytes);
        }
        for (metric, figures) in [
            (&self.quarantined, &held.quarantined),
            (&self.incomplete, &held.incomplete),
            (&self.last_ingest, &held.last_ingest),
            (&self.open_findings, &held.open_findings),
        ] {
            metric.reset();
            for (whose, n) in figures {
                metric.with_label_values(&[whose]).set(*n);
            }
        }
        self.tasks.reset();
        for (topic, state, tasks) in &held.tasks {
            self.tasks.with_label_values(&[topic, state]).set(*tasks);
        }
        self.outbox_lag.set(held.outbox_lag);
        self.unjudged.set(held.has_unjudged.into());
    }
}
