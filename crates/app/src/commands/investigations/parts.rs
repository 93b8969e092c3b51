//! Investigations of named contracts: the contracts are split into parts, each judged by all flags of a step at once, and
//! what the parts came to is merged, in their order, into what each flag came to.

use agents::plan::Step;
use events::NewEvent;
use serde_json::{Value, json};

use super::aggregate::{Investigation, UnitState, WorkUnit};
use super::judge::ATTACHED_MAX;

/// The part of `ids` that is number `part` of so many.
pub(super) fn part_of(ids: &[String], parts: usize, part: usize) -> &[String] {
    let (parts, n) = (parts.max(1), ids.len());
    &ids[part * n / parts..((part + 1) * n / parts).min(n)]
}

/// What the flags of a step came to, once all its parts have ended; nothing before, or for one without parts.
pub(super) fn merged(it: &Investigation, step: &Step) -> Vec<NewEvent> {
    let units = Investigation::units_of(step);
    let states: Option<Vec<(usize, &UnitState)>> = units
        .iter()
        .map(|unit| match unit {
            WorkUnit::Part(n, part) => it.parts.get(&(*n, *part)).map(|state| (*part, state)),
            WorkUnit::Flag(_) | WorkUnit::Step(_) => None,
        })
        .collect();
    let Some(states) = states.filter(|states| !states.is_empty()) else { return Vec::new() };
    let waiting = step.flags.iter().filter(|code| it.flags.get(*code) == Some(&UnitState::Waiting));
    waiting.map(|code| merged_flag(step, code, &states)).collect()
}

fn merged_flag(step: &Step, code: &str, states: &[(usize, &UnitState)]) -> NewEvent {
    let (mut missing, mut attached, mut unplaced) = (Vec::new(), Vec::new(), serde_json::Map::new());
    let (mut findings, mut judged, mut outcome, mut failed) = (0, 0, Value::Null, None);
    for (part, state) in states {
        match state {
            UnitState::Judged(payload) => {
                judged += 1;
                let found = payload["found"].as_array().into_iter().flatten().find(|found| found["flag"] == code);
                let Some(found) = found else { continue };
                findings += found["findings"].as_u64().unwrap_or_default();
                if outcome.is_null() {
                    outcome = found["outcome"].clone();
                }
                for (field, n) in found["outcome"]["unplaced"].as_object().into_iter().flatten() {
                    let sum = unplaced.get(field).and_then(Value::as_u64).unwrap_or_default();
                    unplaced.insert(field.clone(), json!(sum + n.as_u64().unwrap_or_default()));
                }
                let own = payload["attached"].as_array().into_iter().flatten().filter(|row| row["flag"] == code);
                attached.extend(own.cloned());
            }
            UnitState::Failed(error) => {
                failed.get_or_insert_with(|| error.clone());
                missing.push(json!({"part": part, "error": error}));
            }
            UnitState::Skipped(because) => missing.push(json!({"part": part, "skipped": because})),
            UnitState::Waiting => {}
        }
    }
    if judged == 0 {
        return match failed {
            Some(error) => {
                let payload = json!({"flag": code, "step": step.n, "attempts": 0, "error": error});
                NewEvent::new("investigation.flag_failed", payload)
            }
            None => {
                let payload = json!({"step": step.n, "agent": step.agent, "flags": [code], "parts": [], "because": missing[0]["skipped"]});
                NewEvent::new("investigation.skipped", payload)
            }
        };
    }
    attached.sort_by_key(|row| std::cmp::Reverse(row["gravity"].as_i64()));
    attached.truncate(ATTACHED_MAX);
    outcome["unplaced"] = unplaced.into();
    outcome["attached"] = json!(attached.len());
    outcome["parts"] = json!({"total": states.len(), "judged": judged, "missing": missing});
    let payload = json!({"flag": code, "step": step.n, "findings": findings, "outcome": outcome, "attached": attached});
    NewEvent::new("investigation.flag_judged", payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_every_contract_once_and_differ_by_one_at_most() {
        for (n, parts) in [(100, 10), (7, 3), (3, 3), (1, 1), (10, 4)] {
            let ids: Vec<String> = (0..n).map(|at| at.to_string()).collect();
            let split: Vec<&[String]> = (0..parts).map(|part| part_of(&ids, parts, part)).collect();
            assert_eq!(split.concat(), ids);
            let sizes: Vec<usize> = split.iter().map(|part| part.len()).collect();
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
        }
    }
}
