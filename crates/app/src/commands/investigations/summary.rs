//! What an investigation came to, in figures and in a sentence; and what of it is missing, for then it is named partial.

use agents::roster::Action;
use serde_json::{Value, json};
use store::InvestigationFlagRow;

use super::aggregate::{Investigation, UnitState};
use super::recall::said_of;
use super::{commit, held};
use crate::commands::shift::Shift;
use crate::commands::work::Watch;
use crate::{App, Result};

impl App {
    /// Writes an investigation up once all of its flags have ended.
    pub(crate) fn write_up_investigation(&self, id: &str, watch: &Watch, shift: &Shift) -> Result<()> {
        let rows = self.store().investigation_flags(id)?;
        shift.read(rows.len() as u64);
        let plan = self.store().investigation(id)?.and_then(|row| row.plan);
        let plan: Value = plan.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        self.patiently(watch, || {
            self.decide(|unit| {
                let (it, seen) = held(unit, id)?;
                let mut events = it.finish(&summary(&it, &rows, &plan));
                for event in &mut events {
                    event.payload["account"] = shift.account(&json!({}));
                }
                commit(unit, id, &it, seen, &events)
            })
        })
    }
}

fn summary(it: &Investigation, rows: &[InvestigationFlagRow], plan: &Value) -> Value {
    let failed: Vec<Value> = it
        .flags
        .iter()
        .filter_map(|(code, state)| match state {
            UnitState::Failed(error) => Some(json!({"flag": code, "error": error})),
            _ => None,
        })
        .collect();
    let judged = rows.iter().filter(|row| row.state == "judged");
    let not_judged: Vec<&str> =
        judged.clone().filter(|row| outcome_of(row)["judged"] != true).map(|row| row.flag.as_str()).collect();
    let findings: i64 = judged.clone().map(|row| row.findings).sum();
    let with = judged.filter(|row| row.findings > 0).count();
    let missing = missing(it, rows, plan);
    let memory = plan["steps"].as_array().into_iter().flatten().find(|step| step["action"] == "recall");
    let mut text = text(findings, with, it.flags.len(), failed.len(), not_judged.len());
    let left_out = it.flags.values().filter(|state| matches!(state, UnitState::Skipped(_))).count();
    if left_out > 0 {
        add(
            &mut text,
            &format!(" {left_out} sinal(is) não foram verificados: deles nada se diz."),
            &format!(" {left_out} flag(s) were not checked: nothing is said of them."),
        );
    }
    if !missing.is_empty() {
        add(
            &mut text,
            " Este resultado é parcial: veja o que falta em `partial_because`.",
            " This result is partial: `partial_because` says what is missing.",
        );
    }
    let (left_out, parts) = parts_left_out(rows);
    if left_out > 0 {
        add(
            &mut text,
            &format!(
                " De {parts} partes dos contratos, até {left_out} não foram verificadas, porque a política pedida já tinha o bastante."
            ),
            &format!(
                " Of {parts} parts of the contracts up to {left_out} were not checked, for the policy asked for had enough."
            ),
        );
    }
    if let Some((pt, en)) = memory.and_then(|step| said_of(&step["result"])) {
        add(&mut text, &pt, &en);
    }
    json!({
        "findings": findings, "flags_with_findings": with, "flags_failed": failed, "flags_not_judged": not_judged,
        "partial": !missing.is_empty(), "partial_because": missing, "text": text,
    })
}

/// What was asked for and is not there, each with why.
fn missing(it: &Investigation, rows: &[InvestigationFlagRow], plan: &Value) -> Vec<Value> {
    let mut missing = Vec::new();
    for (code, state) in &it.flags {
        match state {
            UnitState::Failed(error) => missing.push(json!({"flag": code, "because": "failed", "error": error})),
            // What the policy had enough without was not asked for.
            UnitState::Skipped(because) if because != "enough" => {
                missing.push(json!({"flag": code, "because": because}));
            }
            _ => {}
        }
    }
    for row in rows {
        for part in outcome_of(row)["parts"]["missing"].as_array().into_iter().flatten() {
            if part["skipped"] != "enough" {
                missing.push(json!({"flag": row.flag, "part": part["part"], "because": part["skipped"].as_str().unwrap_or("failed"), "error": part["error"]}));
            }
        }
    }
    for step in &it.steps {
        if let Some(Some(error)) = it.ended_steps.get(&step.n) {
            let because = if error == "deadline" { "deadline" } else { "failed" };
            missing.push(json!({"step": step.n, "agent": step.agent, "because": because, "error": error}));
        }
    }
    let fetched = it.steps.iter().any(|step| step.action == Action::Fetch);
    if !plan["missing"].is_null() && !fetched {
        missing.push(json!({"because": "not_held", "missing": plan["missing"]}));
    }
    missing
}

/// How many parts of the contracts were left out because there was enough, at most for one flag, and of how many.
fn parts_left_out(rows: &[InvestigationFlagRow]) -> (usize, u64) {
    let of = |row: &InvestigationFlagRow| {
        let parts = outcome_of(row)["parts"].clone();
        let missing = parts["missing"].as_array().into_iter().flatten();
        (missing.filter(|part| part["skipped"] == "enough").count(), parts["total"].as_u64().unwrap_or_default())
    };
    rows.iter().map(of).max().unwrap_or_default()
}

/// What a flag rests on; null before it was judged.
fn outcome_of(row: &InvestigationFlagRow) -> Value {
    row.outcome.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn add(text: &mut Value, pt: &str, en: &str) {
    for (language, more) in [("pt", pt), ("en", en)] {
        let whole = format!("{}{more}", text[language].as_str().unwrap_or_default());
        text[language] = json!(whole);
    }
}

fn text(findings: i64, with: usize, flags: usize, failed: usize, not_judged: usize) -> Value {
    let mut pt = format!("{findings} achado(s) de {with} sinal(is), entre {flags} perguntado(s).");
    let mut en = format!("{findings} finding(s) of {with} flag(s), of {flags} asked.");
    if failed > 0 {
        pt.push_str(&format!(" {failed} sinal(is) não puderam ser julgados por falha: deles nada se diz."));
        en.push_str(&format!(" {failed} flag(s) failed and could not be judged: nothing is said of them."));
    }
    if not_judged > 0 {
        pt.push_str(&format!(" {not_judged} sinal(is) ainda não foram julgados sobre estes dados."));
        en.push_str(&format!(" {not_judged} flag(s) were not judged over these data yet."));
    }
    pt.push_str(" Um achado é motivo para olhar de perto, não prova de irregularidade.");
    en.push_str(" A finding is a reason to look closer, not proof of wrongdoing.");
    json!({"pt": pt, "en": en})
}
