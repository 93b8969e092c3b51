//! Nanã recalls: what was found and concluded before of the same subjects.

use serde_json::{Value, json};

use super::Asked;
use crate::commands::shift::Shift;
use crate::{App, Result};

/// Investigations looked back at, at most; and of each kind of what is recalled, how many are kept.
const LOOKED_BACK_MAX: usize = 50;
const RECALLED_MAX: usize = 20;

impl App {
    /// Earlier investigations that found the same or asked the same, verdicts that stand and statements.
    pub(super) fn recall_for(&self, id: &str, shift: &Shift) -> Result<Value> {
        let own = self.store().investigation(id)?.map(|row| row.asked).unwrap_or_default();
        let own: Option<Asked> = serde_json::from_str(&own).ok();
        let earlier = self.store().earlier_investigations(id, LOOKED_BACK_MAX)?;
        shift.read(earlier.len() as u64);
        // Further back nobody looked.
        let is_bounded = earlier.len() == LOOKED_BACK_MAX;
        let mut investigations = Vec::new();
        for row in earlier {
            let asked: Option<Asked> = serde_json::from_str(&row.asked).ok();
            let same_scope = own.as_ref().zip(asked.as_ref()).is_some_and(|(own, asked)| own.scope == asked.scope);
            if row.shared > 0 || same_scope {
                investigations.push(json!({
                    "id": row.id, "status": row.status, "created_at": row.created_at,
                    "question": asked.and_then(|asked| asked.question),
                    "same_scope": same_scope, "findings_in_common": row.shared,
                }));
            }
        }
        let mut verdicts = self.store().recalled_verdicts(id, RECALLED_MAX + 1)?;
        let mut statements = self.store().recalled_statements(id, RECALLED_MAX + 1)?;
        let more = json!({
            "investigations": is_bounded || investigations.len() > RECALLED_MAX,
            "verdicts": verdicts.len() > RECALLED_MAX, "statements": statements.len() > RECALLED_MAX,
        });
        investigations.truncate(RECALLED_MAX);
        verdicts.truncate(RECALLED_MAX);
        statements.truncate(RECALLED_MAX);
        shift.read((verdicts.len() + statements.len()) as u64);
        let verdicts: Vec<Value> = verdicts
            .into_iter()
            .map(|v| {
                json!({"finding": v.finding_id, "flag": v.flag, "verdict": v.verdict, "reason": v.reason, "who": v.who,
                       "given_at": v.given_at, "about": if v.is_of_it { "this finding" } else { "the same supplier" }})
            })
            .collect();
        let statements: Vec<Value> = statements
            .into_iter()
            .map(|s| json!({"id": s.id, "finding": s.finding_id, "who": s.who, "made_at": s.made_at}))
            .collect();
        Ok(json!({"investigations": investigations, "verdicts": verdicts, "statements": statements,
                 "more": more, "looked_back": LOOKED_BACK_MAX}))
    }
}

/// What is recalled, in a sentence; nothing when there is nothing.
pub(super) fn said_of(memory: &Value) -> Option<(String, String)> {
    let count = |name: &str| memory[name].as_array().map_or(0, Vec::len);
    let (investigations, verdicts, statements) = (count("investigations"), count("verdicts"), count("statements"));
    if investigations + verdicts + statements == 0 {
        return None;
    }
    let cut = ["investigations", "verdicts", "statements"].iter().any(|name| memory["more"][name] == true);
    let (least_pt, least_en) = if cut { ("ao menos ", "at least ") } else { ("", "") };
    Some((
        format!(
            " Sobre os mesmos sujeitos há {least_pt}{investigations} investigação(ões) anterior(es), {verdicts} veredicto(s) e \
             {statements} manifestação(ões)."
        ),
        format!(
            " About the same subjects there are {least_en}{investigations} earlier investigation(s), {verdicts} verdict(s) and \
             {statements} statement(s)."
        ),
    ))
}
