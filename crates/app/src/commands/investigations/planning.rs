//! Abaporu plans: which flags, whose, at which instant, spread how; what is missing, and who has it. A person may change it.

use agents::plan::{Spread, StepEdit};
use agents::roster::Action;
use agents::strategy::{Policy, Strategy};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::aggregate::{Investigation, Planned};
use super::scope::CONTRACTS_MAX;
use super::{Asked, Scope, Split, commit, held};
use crate::commands::shift::Shift;
use crate::identity::Account;
use crate::{App, Error, Result};

/// Tasks of one investigation under way at once, where nobody says otherwise.
const WORKERS_DEFAULT: usize = 8;
/// Parts of the contracts, at most: each is an event, and all are read with each decision.
const PARTS_MAX: usize = 50;

/// The steps as a person wants them.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditPlan {
    /// Those that are wanted, in this order: `n`, and where they differ `flags` (fewer, or in another order), `strategy`, `max_workers`,
    /// `policy`. A step that is left out is dropped.
    #[schema(value_type = Vec<Object>)]
    pub steps: Vec<StepEdit>,
}

impl App {
    /// Where parts of the contracts are the tasks, the scope names the contracts.
    pub(super) fn name_contracts(&self, asked: &mut Asked) -> Result<()> {
        let by_contracts = asked.run.split == Some(Split::Contracts);
        if by_contracts && asked.is_of_a_moment() {
            let because = "what is judged anew for a moment is split by flags";
            return Err(Error::invalid("split", because));
        }
        if !by_contracts || !asked.scope.contracts.is_empty() {
            return Ok(());
        }
        // A finding's money and day are not those of one contract: many small ones make a large finding. So contracts are named by all
        // else, and its findings are asked for money and day.
        let named = Scope { from: None, to: None, value_min: None, value_max: None, ..asked.scope.clone() };
        let (found, whole) = self.contracts_in(&named, CONTRACTS_MAX + 1)?;
        if !whole && found.len() <= CONTRACTS_MAX {
            let because = "the contracts of this scope could not all be looked for: narrow it, or split by flags";
            return Err(Error::invalid("split", because));
        }
        if found.is_empty() {
            return Err(Error::invalid("split", "no contract that is held lies in this scope"));
        }
        if found.len() > CONTRACTS_MAX {
            let because = format!(
                "more than {CONTRACTS_MAX} contracts lie in this scope (its days and values aside): narrow it, or split by flags"
            );
            return Err(Error::invalid("split", because));
        }
        asked.scope.contracts = found;
        Ok(())
    }

    /// Plans an investigation, and hands out what may begin.
    pub(crate) fn plan_investigation(&self, id: &str, shift: &Shift) -> Result<()> {
        let (_, pending) = self.store().ingests()?;
        let waits = pending.is_some() || self.store().open_ingest()?.is_some();
        let held_since = self.store().held_since()?;
        let lacking = {
            let asked = self.decide(|unit| Asked::of(&held(unit, id)?.0.asked))?;
            self.lacking(&asked)?
        };
        self.decide(|unit| {
            let (it, seen) = held(unit, id)?;
            let asked = Asked::of(&it.asked)?;
            let flags: Vec<String> = if asked.flags.is_empty() {
                self.catalogue().flags().iter().map(|flag| flag.code.clone()).collect()
            } else {
                asked.flags.clone()
            };
            let known_at = if asked.is_of_a_moment() { asked.known_at.clone().or(held_since) } else { None };
            let not_judged = (waits && !asked.is_of_a_moment()).then(|| {
                json!({"pt": "Há dados ingeridos que ainda não foram julgados: o que é deles não está aqui.",
                       "en": "Some ingested data were not judged yet: what is theirs is not here."})
            });
            let mut notes: Vec<Value> = not_judged.into_iter().collect();
            notes.extend(lacking.as_ref().map(|lacking| lacking.note.clone()));
            let fetches = lacking.as_ref().is_some_and(|lacking| lacking.can_be_fetched);
            let steps = agents::plan::steps(self.roster(), &flags, spread_of(&asked), fetches);
            let missing = lacking.as_ref().map_or(Value::Null, |lacking| lacking.missing.clone());
            let planned = Planned {
                flags: &flags,
                steps: &steps,
                known_at: known_at.as_deref(),
                notes: &notes,
                missing: &missing,
                hold: asked.run.hold,
            };
            let mut events = it.plan(&planned);
            if let Some(first) = events.first_mut() {
                let inputs = json!({"scope": asked.scope, "flags": asked.flags, "run": asked.run});
                // The question was read by whoever took the request.
                let reading = json!({
                    "agent": "ayrton_senna", "inputs": {"question": asked.question}, "ended_at": it.runs_since,
                    "outcome": {"understood": asked.understood.len(), "not_understood": asked.not_understood.len()},
                });
                first.payload["accounts"] = json!({"read_scope": reading, "plan": shift.account(&inputs)});
            }
            commit(unit, id, &it, seen, &events)
        })
    }

    /// Changes the plan of an investigation: what has begun stays as it is.
    ///
    /// # Errors
    /// No such investigation; `Invalid` for steps that cannot be; `Conflict` when it is too late.
    pub fn edit_plan(&self, id: &str, edit: &EditPlan, account: Option<&Account>) -> Result<()> {
        let who = account.map(|account| account.name.as_str()).unwrap_or_default();
        self.decide(|unit| {
            let (it, seen) = held(unit, id)?;
            if !it.is_active() {
                return Err(Error::Conflict(format!("{id} has ended: its plan stays as it is")));
            }
            let events = it.edit(&edit.steps, who).map_err(|because| Error::invalid("steps", because))?;
            commit(unit, id, &it, seen, &events)
        })
    }

    /// Starts an investigation that was held for a person to look at its plan; one that has begun stays as it is.
    ///
    /// # Errors
    /// No such investigation; `Conflict` while it is not planned yet.
    pub fn start_investigation(&self, id: &str) -> Result<()> {
        self.decide(|unit| {
            let (it, seen) = held(unit, id)?;
            if it.stage == super::aggregate::Stage::Requested {
                return Err(Error::Conflict(format!("{id} is not planned yet")));
            }
            commit(unit, id, &it, seen, &it.release())
        })
    }
}

/// How the judging steps are spread over workers.
fn spread_of(asked: &Asked) -> Spread {
    let run = &asked.run;
    let max_workers = run.max_workers.unwrap_or(WORKERS_DEFAULT);
    let by_contracts = run.split.unwrap_or(Split::Contracts) == Split::Contracts
        && !asked.scope.contracts.is_empty()
        && !asked.is_of_a_moment();
    // Twice as many as workers, so that one who is done early finds more to do.
    let parts = if by_contracts { asked.scope.contracts.len().min(2 * max_workers).min(PARTS_MAX) } else { 0 };
    Spread {
        strategy: run.strategy.unwrap_or(Strategy::ScatterGather),
        max_workers,
        policy: run.policy.unwrap_or(Policy::BestEffort),
        parts,
    }
}

/// What a step is given, for its account.
pub(super) fn inputs_of(it: &Investigation, n: u32) -> Value {
    let Some(step) = it.step(n) else { return Value::Null };
    let scope = &it.asked["scope"];
    match step.action {
        Action::Fetch => json!({"from": scope["from"], "to": scope["to"]}),
        _ => json!({}),
    }
}
