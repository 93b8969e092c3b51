//! The units of an investigation: a flag over the scope, the flags of a step over a part of its contracts, a step of another kind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use agents::roster::Action;
use events::NewEvent;
use serde_json::{Value, json};

use super::aggregate::Investigation;
use super::planning::inputs_of;
use super::scope::{Facts, Placed, Unplaced};
use super::{Asked, WorkUnit, commit, held, parts, stream_of};
use crate::commands::shift::Shift;
use crate::commands::work::Watch;
use crate::queries::MomentQuery;
use crate::views::{Finding, FlagCoverage};
use crate::{App, Error, Result};

/// The most findings of one flag that are attached, gravest first; all are counted.
pub(super) const ATTACHED_MAX: usize = 500;
/// Contracts whose findings are asked for in one question.
const CONTRACTS_LOT: usize = 100;
/// Stored findings looked at in one question.
const LOT: usize = 1_000;

/// What a flag came to within a scope.
#[derive(Clone)]
struct Found {
    total: usize,
    attached: Vec<Value>,
    unplaced: Unplaced,
    outcome: Value,
}

impl App {
    /// Does one unit of an investigation and records what it came to; nothing when it was done before.
    pub(crate) fn work_on(&self, id: &str, what: &WorkUnit, attempt: u32, watch: &Watch, shift: &Shift) -> Result<()> {
        let started = self.patiently(watch, || {
            self.decide(|unit| {
                let (it, seen) = held(unit, id)?;
                if !it.awaits(what) {
                    return Ok(None);
                }
                let mut payload = shift.who();
                payload["attempt"] = json!(attempt);
                unit.append(&stream_of(id), seen, &it.start(what, payload))?;
                Ok(Some(it))
            })
        })?;
        let Some(it) = started else { return Ok(()) };
        let asked = Asked::of(&it.asked)?;
        let total_left = asked.run.deadline_s.map(|seconds| left_of(&it.runs_since, seconds));
        if total_left.is_some_and(|left| left.is_zero()) {
            return self.patiently(watch, || self.run_out_investigation(id));
        }
        let now = Instant::now();
        let task_ends = asked.run.task_deadline_s.map(|seconds| now + Duration::from_secs(seconds));
        watch.ends_at(task_ends, total_left.map(|left| now + left));
        let event = self.done(id, &it, &asked, what, watch, shift)?;
        self.patiently(watch, || self.end_unit(id, what, &event))
    }

    fn done(
        &self,
        id: &str,
        it: &Investigation,
        asked: &Asked,
        what: &WorkUnit,
        watch: &Watch,
        shift: &Shift,
    ) -> Result<NewEvent> {
        let step = it.step_of(what);
        let n = step.map(|step| step.n);
        let (kind, mut payload, inputs) = match (what, step) {
            (WorkUnit::Flag(code), _) => {
                let found = self.found(it, asked, code, watch, shift)?;
                ("investigation.flag_judged", payload_of(code, found), json!({"flag": code}))
            }
            (WorkUnit::Part(_, part), Some(step)) => {
                let contracts = parts::part_of(&asked.scope.contracts, step.spread.map_or(1, |s| s.parts), *part);
                let payload = self.found_of_part(asked, &step.flags, contracts, watch, shift)?;
                let inputs = json!({"flags": step.flags, "part": part, "contracts": contracts.len()});
                ("investigation.part_judged", payload, inputs)
            }
            (WorkUnit::Step(n), Some(step)) => {
                let result = match step.action {
                    Action::Fetch => self.fetch_for(asked, watch, shift)?,
                    _ => self.recall_for(id, shift)?,
                };
                let payload = json!({
                    "state": if result["error"].is_null() { "done" } else { "failed" },
                    "error": result["error"], "result": result,
                });
                ("investigation.step_ended", payload, inputs_of(it, *n))
            }
            _ => return Err(Error::Failed("this step is not in the plan any more".to_owned())),
        };
        payload["step"] = json!(n);
        if let WorkUnit::Part(_, part) = what {
            payload["part"] = json!(part);
        }
        payload["account"] = shift.account(&inputs);
        Ok(NewEvent::new(kind, payload))
    }

    /// Records that a unit of an investigation could not be done.
    pub(crate) fn give_up_unit(&self, id: &str, what: &WorkUnit, attempts: u32, error: &str) -> Result<()> {
        let payload = json!({"attempts": attempts, "error": error});
        self.decide(|unit| {
            let (it, seen) = held(unit, id)?;
            let mut payload = payload.clone();
            payload["step"] = json!(it.step_of(what).map(|step| step.n));
            let kind = match what {
                WorkUnit::Flag(code) => {
                    payload["flag"] = json!(code);
                    "investigation.flag_failed"
                }
                WorkUnit::Part(_, part) => {
                    payload["part"] = json!(part);
                    "investigation.part_failed"
                }
                WorkUnit::Step(_) => {
                    payload["state"] = json!("failed");
                    "investigation.step_ended"
                }
            };
            commit(unit, id, &it, seen, &it.end(what, NewEvent::new(kind, payload)))
        })
    }

    /// Leaves out what an investigation could not do within its deadline.
    pub(crate) fn run_out_investigation(&self, id: &str) -> Result<()> {
        self.decide(|unit| {
            let (it, seen) = held(unit, id)?;
            commit(unit, id, &it, seen, &it.run_out())
        })
    }

    fn end_unit(&self, id: &str, what: &WorkUnit, event: &NewEvent) -> Result<()> {
        self.decide(|unit| {
            let (it, seen) = held(unit, id)?;
            commit(unit, id, &it, seen, &it.end(what, event.clone()))
        })
    }

    fn found(&self, it: &Investigation, asked: &Asked, code: &str, watch: &Watch, shift: &Shift) -> Result<Found> {
        let placed = Placed::new(self, &asked.scope)?;
        if asked.is_of_a_moment() {
            return self.found_at(asked, it.known_at.as_deref(), code, &placed, watch, shift);
        }
        let found = Found::stored(self.coverage_by_flag()?.remove(code));
        if asked.scope.contracts.is_empty() {
            self.found_stored(code, found, &placed, watch, shift)
        } else {
            let mut by_flag = self.found_of(&asked.scope.contracts, &placed, watch, shift, &mut |_| found.clone())?;
            Ok(by_flag.remove(code).unwrap_or(found))
        }
    }

    /// What is stored of all flags about some contracts, by flag; a finding about several is of the first that the scope names.
    fn found_of(
        &self,
        contracts: &[String],
        placed: &Placed<'_>,
        watch: &Watch,
        shift: &Shift,
        new: &mut dyn FnMut(&str) -> Found,
    ) -> Result<BTreeMap<String, Found>> {
        let mut by_flag: BTreeMap<String, Found> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for lot in contracts.chunks(CONTRACTS_LOT) {
            watch.check()?;
            for (flag, row) in self.store().findings_of_contracts(lot)? {
                if !seen.insert(row.id.clone()) {
                    continue;
                }
                shift.read(1);
                let found = by_flag.entry(flag).or_insert_with_key(|flag| new(flag));
                let about = self.store().contracts_of_finding(&row.id)?;
                if !placed.is_first_of(contracts, &about) {
                    continue;
                }
                let facts = Facts::of(&row);
                if placed.holds(&facts, || Ok(about), &mut found.unplaced)? {
                    // In the order of the contracts: which are the gravest is known when all were looked at.
                    let (id, gravity, since) = (&row.id, row.gravity, &row.updated_at);
                    found.total += 1;
                    found.attached.push(json!({"id": id, "gravity": gravity, "known_since": since}));
                }
            }
        }
        for found in by_flag.values_mut() {
            found.attached.sort_by_key(|row| std::cmp::Reverse(row["gravity"].as_i64()));
            found.attached.truncate(ATTACHED_MAX);
        }
        Ok(by_flag)
    }

    /// What the flags of a step find of a part of the contracts.
    fn found_of_part(
        &self,
        asked: &Asked,
        flags: &[String],
        contracts: &[String],
        watch: &Watch,
        shift: &Shift,
    ) -> Result<Value> {
        let placed = Placed::new(self, &asked.scope)?;
        let mut coverage = self.coverage_by_flag()?;
        let mut by_flag = self.found_of(contracts, &placed, watch, shift, &mut |_| Found::stored(None))?;
        let (mut founds, mut attached) = (Vec::new(), Vec::new());
        for flag in flags {
            let stored = Found::stored(coverage.remove(flag));
            let mut found = by_flag.remove(flag).unwrap_or_else(|| stored.clone());
            for mut row in std::mem::take(&mut found.attached) {
                row["flag"] = json!(flag);
                attached.push(row);
            }
            let mut outcome = stored.outcome;
            outcome["unplaced"] = json!(found.unplaced);
            founds.push(json!({"flag": flag, "findings": found.total, "outcome": outcome}));
        }
        Ok(json!({"found": founds, "attached": attached}))
    }

    fn found_stored(
        &self,
        code: &str,
        mut found: Found,
        placed: &Placed<'_>,
        watch: &Watch,
        shift: &Shift,
    ) -> Result<Found> {
        let mut after = (i64::MAX, i64::MAX);
        loop {
            let lot = self.store().placed_findings(code, after, LOT)?;
            let Some(last) = lot.last() else { return Ok(found) };
            after = (last.gravity, last.rid);
            shift.read(lot.len() as u64);
            for row in &lot {
                watch.check()?;
                let facts = Facts::of(row);
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
        shift: &Shift,
    ) -> Result<Found> {
        let query = MomentQuery { as_of: asked.as_of, known_at: known_at.map(str::to_owned) };
        let judged = self.hits_at(code, &query, |session| watch.interrupts(session.interrupter()));
        // What was interrupted has failed in its own words.
        watch.check()?;
        let (at, coverage, hits) = judged?;
        shift.read(hits.len() as u64);
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
    /// Nothing yet, of what is stored; `coverage` where the flag was ever judged.
    fn stored(coverage: Option<FlagCoverage>) -> Self {
        let outcome = json!({"basis": "stored", "judged": coverage.is_some(), "counts": coverage.map(|c| c.whole)});
        Self { total: 0, attached: Vec::new(), unplaced: Unplaced::new(), outcome }
    }

    fn add(&mut self, attach: impl FnOnce() -> Result<Value>) -> std::result::Result<(), Error> {
        self.total += 1;
        if self.attached.len() < ATTACHED_MAX {
            self.attached.push(attach()?);
        }
        Ok(())
    }
}

/// What is left of so many seconds since an instant.
fn left_of(since: &str, seconds: u64) -> Duration {
    let Ok(since) = chrono::DateTime::parse_from_rfc3339(since) else { return Duration::from_secs(seconds) };
    let gone = chrono::Utc::now().signed_duration_since(since).to_std().unwrap_or_default();
    Duration::from_secs(seconds).saturating_sub(gone)
}

fn payload_of(code: &str, found: Found) -> Value {
    let mut outcome = found.outcome;
    outcome["unplaced"] = json!(found.unplaced);
    outcome["attached"] = json!(found.attached.len());
    json!({"flag": code, "findings": found.total, "outcome": outcome, "attached": found.attached})
}
