//! One flag of an investigation: what is stored of it within the scope, or what it finds at a moment.

use events::NewEvent;
use serde_json::{Value, json};

use super::aggregate::Investigation;
use super::scope::{Facts, Placed, Unplaced};
use super::{Asked, held, stream_of};
use crate::commands::work::Watch;
use crate::queries::MomentQuery;
use crate::views::Finding;
use crate::{App, Error, Result};

/// The most findings of one flag that are attached, gravest first; all are counted.
const ATTACHED_MAX: usize = 500;
/// Stored findings looked at in one question.
const LOT: usize = 1_000;

/// What a flag came to within a scope.
struct Found {
    total: usize,
    attached: Vec<Value>,
    unplaced: Unplaced,
    outcome: Value,
}

impl App {
    /// Judges one flag of an investigation and attaches what it found; nothing when it was done before.
    pub(crate) fn judge_in_scope(&self, id: &str, code: &str, attempt: u32, watch: &Watch) -> Result<()> {
        let started = self.patiently(watch, || {
            self.decide(|unit| {
                let (it, seen) = held(unit, id)?;
                unit.append(&stream_of(id), seen, &it.start(code, attempt))?;
                Ok(it.awaits(code).then_some(it))
            })
        })?;
        let Some(it) = started else { return Ok(()) };
        let found = self.found(&it, code, watch)?;
        let event = NewEvent::new("investigation.flag_judged", payload_of(code, found));
        self.patiently(watch, || self.end_flag(id, code, event.clone()))
    }

    /// Records that a flag of an investigation could not be judged.
    pub(crate) fn give_up_flag(&self, id: &str, code: &str, attempts: u32, error: &str) -> Result<()> {
        let payload = json!({"flag": code, "attempts": attempts, "error": error});
        self.end_flag(id, code, NewEvent::new("investigation.flag_failed", payload))
    }

    fn end_flag(&self, id: &str, code: &str, event: NewEvent) -> Result<()> {
        self.decide(|unit| {
            let (it, seen) = held(unit, id)?;
            unit.append(&stream_of(id), seen, &it.end_flag(code, event))?;
            Ok(())
        })
    }

    fn found(&self, it: &Investigation, code: &str, watch: &Watch) -> Result<Found> {
        let asked = Asked::of(&it.asked)?;
        let placed = Placed::new(self, &asked.scope)?;
        if asked.is_of_a_moment() {
            self.found_at(&asked, it.known_at.as_deref(), code, &placed, watch)
        } else {
            self.found_stored(code, &placed, watch)
        }
    }

    fn found_stored(&self, code: &str, placed: &Placed<'_>, watch: &Watch) -> Result<Found> {
        let coverage = self.coverage_by_flag()?.remove(code);
        let outcome = json!({"basis": "stored", "judged": coverage.is_some(), "counts": coverage.map(|c| c.whole)});
        let mut found = Found { total: 0, attached: Vec::new(), unplaced: Unplaced::new(), outcome };
        let mut after = (i64::MAX, i64::MAX);
        loop {
            let lot = self.store().placed_findings(code, after, LOT)?;
            let Some(last) = lot.last() else { return Ok(found) };
            after = (last.gravity, last.rid);
            for row in &lot {
                watch.check()?;
                let facts = Facts {
                    buyer_id: row.buyer_id.as_deref(),
                    supplier_id: row.supplier_id.as_deref(),
                    as_of: &row.as_of,
                    amount: row.amount,
                };
                let contracts = || Ok(self.store().contracts_of_finding(&row.id)?);
                if placed.holds(&facts, contracts, &mut found.unplaced)? {
                    found.add(|| Ok(json!({"id": row.id, "gravity": row.gravity, "known_since": row.updated_at})))?;
                }
            }
        }
    }

    fn found_at(
        &self,
        asked: &Asked,
        known_at: Option<&str>,
        code: &str,
        placed: &Placed<'_>,
        watch: &Watch,
    ) -> Result<Found> {
        let query = MomentQuery { as_of: asked.as_of, known_at: known_at.map(str::to_owned) };
        let judged = self.hits_at(code, &query, |session| watch.interrupts(session.interrupter()));
        // What was interrupted has failed in its own words.
        watch.check()?;
        let (at, coverage, hits) = judged?;
        let outcome = json!({"basis": "moment", "judged": true, "counts": coverage.whole, "at": at});
        let mut found = Found { total: 0, attached: Vec::new(), unplaced: Unplaced::new(), outcome };
        for hit in &hits {
            watch.check()?;
            let facts = Facts {
                buyer_id: hit.buyer_id.as_deref(),
                supplier_id: hit.supplier_id.as_deref(),
                as_of: &hit.as_of,
                amount: hit.amount.scaled(),
            };
            if placed.holds(&facts, || Ok(hit.contract_ids.clone()), &mut found.unplaced)? {
                found.add(|| {
                    let finding = Finding::at_moment(hit, known_at)?;
                    let body = serde_json::to_string(&finding).map_err(store::Error::from)?;
                    Ok(json!({"id": hit.id, "gravity": hit.gravity, "body": body}))
                })?;
            }
        }
        Ok(found)
    }
}

impl Found {
    fn add(&mut self, attach: impl FnOnce() -> Result<Value>) -> std::result::Result<(), Error> {
        self.total += 1;
        if self.attached.len() < ATTACHED_MAX {
            self.attached.push(attach()?);
        }
        Ok(())
    }
}

fn payload_of(code: &str, found: Found) -> Value {
    let mut outcome = found.outcome;
    outcome["unplaced"] = json!(found.unplaced);
    outcome["attached"] = json!(found.attached.len());
    json!({"flag": code, "findings": found.total, "outcome": outcome, "attached": found.attached})
}
