//! What an investigation came to, in figures and in a sentence.

use serde_json::{Value, json};

use super::aggregate::FlagState;
use super::{held, stream_of};
use crate::commands::work::Watch;
use crate::{App, Result};

impl App {
    /// Writes an investigation up once all of its flags have ended.
    pub(crate) fn write_up_investigation(&self, id: &str, watch: &Watch) -> Result<()> {
        let rows = self.store().investigation_flags(id)?;
        self.patiently(watch, || {
            self.decide(|unit| {
                let (it, seen) = held(unit, id)?;
                let failed: Vec<Value> = it
                    .flags
                    .iter()
                    .filter_map(|(code, state)| match state {
                        FlagState::Failed(error) => Some(json!({"flag": code, "error": error})),
                        _ => None,
                    })
                    .collect();
                let judged = rows.iter().filter(|row| row.state == "judged");
                let not_judged: Vec<&str> = judged
                    .clone()
                    .filter(|row| !was_judged(row.outcome.as_deref()))
                    .map(|row| row.flag.as_str())
                    .collect();
                let findings: i64 = judged.clone().map(|row| row.findings).sum();
                let with = judged.filter(|row| row.findings > 0).count();
                let summary = json!({
                    "findings": findings, "flags_with_findings": with, "flags_failed": failed,
                    "flags_not_judged": not_judged,
                    "text": text(findings, with, it.flags.len(), failed.len(), not_judged.len()),
                });
                unit.append(&stream_of(id), seen, &it.finish(&summary))?;
                Ok(())
            })
        })
    }
}

/// Whether a flag was ever judged over what is held: else that it has no finding says nothing.
fn was_judged(outcome: Option<&str>) -> bool {
    outcome.and_then(|text| serde_json::from_str::<Value>(text).ok()).is_some_and(|outcome| outcome["judged"] == true)
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
