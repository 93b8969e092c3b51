//! The plan of an investigation as it is read: its steps, and what became of each, made of the events alone.

use serde_json::{Map, Value, json};

/// Workers named in the account of one step, at most.
const WORKERS_NAMED_MAX: usize = 20;

/// Puts one event into the plan; false for one that says nothing about it.
pub(crate) fn note(plan: &mut Value, kind: &str, at: &str, payload: &Value) -> bool {
    match kind {
        "investigation.planned" => {
            *plan = begun(payload, at);
            return true;
        }
        "investigation.plan_edited" => edit(plan, at, payload),
        "investigation.started" => plan["started_at"] = json!(at),
        "investigation.flag_started" | "investigation.part_started" | "investigation.step_started" => {
            with_step(plan, payload, |step| {
                if step["state"] == "waiting" {
                    step["state"] = json!("running");
                    step["started_at"] = json!(at);
                }
            });
        }
        "investigation.flag_judged" | "investigation.part_judged" if !payload["account"].is_null() => {
            with_step(plan, payload, |step| add_unit(step, payload, "done", at));
        }
        "investigation.flag_failed" | "investigation.part_failed" => with_step(plan, payload, |step| {
            // The flags of parts fail with the last part, which was counted itself.
            if kind == "investigation.part_failed" || step["spread"]["parts"] == 0 {
                step["error"] = payload["error"].clone();
                add_unit(step, payload, "failed", at);
            }
        }),
        "investigation.skipped" => with_step(plan, payload, |step| {
            step["skipped"] = payload["because"].clone();
            let by_parts = step["spread"]["parts"] != 0;
            let left_out = payload[if by_parts { "parts" } else { "flags" }].as_array().map_or(0, Vec::len);
            count(step, "skipped", left_out);
            settle(step, at);
        }),
        "investigation.step_ended" => with_step(plan, payload, |step| {
            for name in ["state", "error", "result", "account"] {
                step[name] = payload[name].clone();
            }
            step["ended_at"] = json!(at);
        }),
        "investigation.reopened" => reopen(plan, payload),
        "investigation.writing" => each_step(plan, |step| {
            if step["action"] == "write" {
                step["state"] = json!("running");
                step["started_at"] = json!(at);
            }
        }),
        "investigation.completed" => each_step(plan, |step| {
            if step["action"] == "write" {
                step["state"] = json!("done");
                step["account"] = payload["account"].clone();
                step["ended_at"] = json!(at);
            }
        }),
        "investigation.cancelled" | "investigation.failed" => each_step(plan, |step| {
            if step["state"] == "waiting" || step["state"] == "running" {
                step["state"] = json!(if kind.ends_with("cancelled") { "cancelled" } else { "left" });
            }
        }),
        _ => return false,
    }
    true
}

fn begun(payload: &Value, at: &str) -> Value {
    let mut plan = payload.clone();
    let accounts = plan.as_object_mut().and_then(|plan| plan.shift_remove("accounts")).unwrap_or_default();
    each_step(&mut plan, |step| {
        let account = step["action"].as_str().map_or(Value::Null, |action| accounts[action].clone());
        step["state"] = json!(if account.is_null() { "waiting" } else { "done" });
        if !account.is_null() {
            step["account"] = account;
            step["ended_at"] = json!(at);
        }
    });
    plan
}

fn edit(plan: &mut Value, at: &str, payload: &Value) {
    let before = plan["steps"].clone();
    plan["steps"] = payload["steps"].clone();
    plan["flags"] = payload["flags"].clone();
    plan["edited"] = json!({"at": at, "who": payload["who"]});
    each_step(plan, |step| {
        let held = before.as_array().into_iter().flatten().find(|held| held["n"] == step["n"]);
        for name in ["state", "started_at", "ended_at", "account", "units", "error", "result", "skipped"] {
            if let Some(value) = held.and_then(|held| held.get(name)) {
                step[name] = value.clone();
            }
        }
    });
}

/// A flag is judged again.
fn reopen(plan: &mut Value, payload: &Value) {
    each_step(plan, |step| {
        let has = step["flags"].as_array().is_some_and(|flags| flags.contains(&payload["flag"]));
        if has && !payload["flag"].is_null() {
            let failed = step["units"]["failed"].as_u64().unwrap_or_default();
            step["units"]["failed"] = json!(failed.saturating_sub(1));
            step["state"] = json!("running");
            step["error"] = Value::Null;
        }
        if step["state"] == "left" || step["action"] == "write" {
            step["state"] = json!("waiting");
        }
    });
}

/// One more unit of a step has ended.
fn add_unit(step: &mut Value, payload: &Value, how: &str, at: &str) {
    count(step, how, 1);
    let account = &payload["account"];
    if !account.is_null() {
        let sum = |step: &Value, name: &str| {
            step["account"]["cost"][name].as_f64().unwrap_or_default()
                + account["cost"][name].as_f64().unwrap_or_default()
        };
        let (rows, cpu) = (sum(step, "rows_read"), sum(step, "cpu_ms"));
        let mut workers = step["account"]["workers"].as_array().cloned().unwrap_or_default();
        if !workers.contains(&account["worker"]) && workers.len() < WORKERS_NAMED_MAX {
            workers.push(account["worker"].clone());
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows")]
        let cost = json!({"rows_read": rows as u64, "cpu_ms": (cpu * 1e3).round() / 1e3});
        step["account"] = json!({"agent": account["agent"], "workers": workers, "cost": cost});
    }
    settle(step, at);
}

fn count(step: &mut Value, how: &str, more: usize) {
    let units = step.as_object_mut().map(|step| step.entry("units").or_insert_with(|| json!({})));
    if let Some(units) = units {
        units[how] = json!(units[how].as_u64().unwrap_or_default() + more as u64);
    }
}

/// A step has ended when all its units have.
fn settle(step: &mut Value, at: &str) {
    let parts = step["spread"]["parts"].as_u64().unwrap_or_default();
    let total = if parts > 0 { parts } else { step["flags"].as_array().map_or(0, Vec::len) as u64 };
    let units = step["units"].as_object().cloned().unwrap_or_else(Map::new);
    let of = |how: &str| units.get(how).and_then(Value::as_u64).unwrap_or_default();
    if of("done") + of("failed") + of("skipped") >= total {
        step["state"] = json!(match (of("done"), of("failed")) {
            (0, 0) => "skipped",
            (0, _) => "failed",
            _ => "done",
        });
        step["ended_at"] = json!(at);
    }
}

fn each_step(plan: &mut Value, mut work: impl FnMut(&mut Value)) {
    plan["steps"].as_array_mut().into_iter().flatten().for_each(&mut work);
}

fn with_step(plan: &mut Value, payload: &Value, mut work: impl FnMut(&mut Value)) {
    each_step(plan, |step| {
        if step["n"] == payload["step"] {
            work(step);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_ends_with_its_last_unit_and_says_what_it_cost() {
        let mut plan = Value::Null;
        let steps = json!([{"n": 1, "action": "plan"}, {"n": 3, "action": "judge", "flags": ["A", "B"], "spread": {"parts": 0}}]);
        assert!(note(
            &mut plan,
            "investigation.planned",
            "t0",
            &json!({"flags": ["A", "B"], "steps": steps, "accounts": {"plan": {"ms": 1}}})
        ));
        assert_eq!((&plan["steps"][0]["state"], &plan["steps"][1]["state"]), (&json!("done"), &json!("waiting")));
        note(&mut plan, "investigation.flag_started", "t1", &json!({"step": 3}));
        let account =
            json!({"agent": "zumbi", "worker": {"thread": "worker-1"}, "cost": {"rows_read": 4, "cpu_ms": 1.5}});
        note(&mut plan, "investigation.flag_judged", "t2", &json!({"step": 3, "account": account}));
        assert_eq!(plan["steps"][1]["state"], "running");
        note(&mut plan, "investigation.flag_failed", "t3", &json!({"step": 3, "error": "no"}));
        let step = &plan["steps"][1];
        assert_eq!((&step["state"], &step["units"]), (&json!("done"), &json!({"done": 1, "failed": 1})));
        assert_eq!((&step["account"]["cost"]["rows_read"], &step["ended_at"]), (&json!(4), &json!("t3")));
    }
}
