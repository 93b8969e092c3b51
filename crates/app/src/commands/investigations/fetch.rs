//! Oxóssi fetches what the scope asks for and nobody holds, where the settings let him; else it is said what is missing and who
//! has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{Asked, Scope};
use crate::commands::shift::Shift;
use crate::commands::work::Watch;
use crate::{App, Result, SyncReport, SyncRequest};

/// How often it is seen whether a fetch is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a scope lacks.
pub(super) struct Lacking {
    /// In words, in both languages.
    pub(super) note: Value,
    /// What, and who has it.
    pub(super) missing: Value,
    pub(super) can_be_fetched: bool,
}

impl App {
    /// What a scope lacks; `None` when some contract of its days and parties is held, or it asks for all: that none of these holds its
    /// words, or is worth so much, says that there is none, not that data are missing.
    pub(super) fn lacking(&self, asked: &Asked) -> Result<Option<Lacking>> {
        let scope = &asked.scope;
        let held = Scope { q: None, modality: None, value_min: None, value_max: None, ..scope.clone() };
        if scope == &Scope::default() || !scope.contracts.is_empty() || !self.contracts_in(&held, 1)?.0.is_empty() {
            return Ok(None);
        }
        let (settings, service) = (&self.settings().agents, &self.settings().pncp.service);
        let days = scope.from.zip(scope.to);
        let (can_be_fetched, pt, en) = match days {
            None => (
                false,
                "Sem primeiro e último dia não se pode buscá-los: diga o período.".to_owned(),
                "Without a first and a last day they cannot be fetched: name the period.".to_owned(),
            ),
            Some((from, to)) if days_between(from, to) > i64::from(settings.fetch_days_max) => (
                false,
                format!(
                    "O PNCP os publica; uma investigação busca até {} dias: `cidadao sync pncp --from {from} --to {to}`.",
                    settings.fetch_days_max
                ),
                format!(
                    "PNCP publishes them; an investigation fetches at most {} days: `cidadao sync pncp --from {from} --to {to}`.",
                    settings.fetch_days_max
                ),
            ),
            Some((from, to)) if !settings.fetch => (
                false,
                format!(
                    "O PNCP os publica; a busca está desligada (agents.fetch): `cidadao sync pncp --from {from} --to {to}`."
                ),
                format!(
                    "PNCP publishes them; fetching is off (agents.fetch): `cidadao sync pncp --from {from} --to {to}`."
                ),
            ),
            Some(_) => (true, "Oxóssi os busca no PNCP.".to_owned(), "Oxóssi fetches them from PNCP.".to_owned()),
        };
        Ok(Some(Lacking {
            note: json!({
                "pt": format!("Nenhum contrato deste período e destas partes está guardado aqui. {pt}"),
                "en": format!("No contract of these days and parties is held here. {en}"),
            }),
            missing: json!({
                "what": "contracts", "from": scope.from, "to": scope.to, "source": "pncp", "service": service,
                "fetched_on_demand": can_be_fetched,
            }),
            can_be_fetched,
        }))
    }

    /// Fetches the days of a scope, for as long as the settings allow.
    pub(super) fn fetch_for(&self, asked: &Asked, watch: &Watch, shift: &Shift) -> Result<Value> {
        let Some((from, to)) = asked.scope.from.zip(asked.scope.to) else {
            return Ok(json!({"error": "the scope names no days"}));
        };
        let within = Duration::from_secs(self.settings().agents.fetch_timeout_s);
        let (stop, done) = (Arc::new(AtomicBool::new(false)), AtomicBool::new(false));
        let request = SyncRequest { from, to, updated: false, again: false, stop: Arc::clone(&stop) };
        let ends = Instant::now() + within;
        let report = std::thread::scope(|threads| {
            threads.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    if watch.check().is_err() || Instant::now() >= ends {
                        stop.store(true, Ordering::Release);
                    }
                    std::thread::sleep(LOOK_EVERY);
                }
            });
            let report =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.sync_pncp(&request, &mut |_| {})));
            done.store(true, Ordering::Release);
            report
        });
        watch.check()?;
        let report = report.unwrap_or_else(|_| Err(crate::Error::Failed("the fetch failed inside".to_owned())));
        // A source that fails ends no investigation: what is held is judged, and what is not is said.
        Ok(match report {
            Ok(report) => {
                shift.read(report.rows);
                told(&report, within)
            }
            Err(error) => json!({"source": "pncp", "error": error.to_string()}),
        })
    }
}

fn days_between(from: NaiveDate, to: NaiveDate) -> i64 {
    (to - from).num_days() + 1
}

fn told(report: &SyncReport, within: Duration) -> Value {
    let half_judged = report.ingest.as_ref().is_some_and(|ingest| ingest.interrupted);
    let error = if half_judged {
        Some(format!(
            "what was fetched was not all read and judged after {} s: it is not in this result",
            within.as_secs()
        ))
    } else if report.interrupted {
        Some(format!("the source had not given all after {} s; the next fetch goes on from there", within.as_secs()))
    } else {
        report.failed.first().map(|first| {
            let (failed, all) = (report.failed.len(), report.windows);
            format!("{failed} of {all} windows could not be had from the source; {}: {}", first.window, first.because)
        })
    };
    let totals = report.ingest.as_ref().map(|ingest| ingest.totals);
    json!({
        "source": report.source, "from": report.from, "to": report.to, "windows": report.windows, "held": report.held,
        "fetched": report.fetched, "pages": report.pages, "rows": report.rows, "failed": report.failed,
        "requests": report.requests, "ingested": totals, "error": error,
    })
}
