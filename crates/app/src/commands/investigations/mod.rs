//! Investigations: a question or a scope, asked of every flag; one task each, whose findings are attached as they come.

mod aggregate;
mod fetch;
mod glance;
mod judge;
mod parts;
mod planning;
mod question;
mod recall;
mod run;
mod scope;
mod summary;

use chrono::NaiveDate;
use events::{CommandKey, Expected, NewEvent, NewTask, Unit};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::investigations::{count_active, count_held};
use utoipa::ToSchema;

use super::decide::Answer;
use super::said;
use crate::identity::Account;
use crate::queries::MomentQuery;
use crate::{App, Error, Result};

use aggregate::Investigation;
pub(crate) use aggregate::{Reopen, WorkUnit};
pub(crate) use glance::FindingsSeen;
pub use planning::EditPlan;
pub use run::{RunOptions, Split};
pub use scope::Scope;

/// The most characters of a question.
const QUESTION_CHARS_MAX: usize = 500;
/// The most investigations that may be active at once.
const ACTIVE_MAX: i64 = 100;
/// The most that may wait for a person to start them.
const HELD_MAX: i64 = 20;
/// Whose tasks are planning an investigation, a step of it that is not judging, judging a part of its contracts or one of its flags,
/// writing it up.
pub(crate) const PLAN: &str = "investigations.plan";
pub(crate) const STEP: &str = "investigations.step";
pub(crate) const PART: &str = "investigations.part";
pub(crate) const FLAG: &str = "investigations.flag";
pub(crate) const WRITE: &str = "investigations.write";

/// An investigation that someone asks for: a question or a scope.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AskInvestigation {
    /// In Portuguese; its words become filters (at most 500 characters).
    #[schema(max_length = 500)]
    pub question: Option<String>,
    /// The filters themselves.
    pub scope: Option<Scope>,
    /// Only these flags (default: all, or those that the question names).
    pub flags: Vec<String>,
    /// Judge the facts that stood by this day, instead of taking what is stored.
    #[schema(value_type = Option<String>, format = Date)]
    pub as_of: Option<NaiveDate>,
    /// Judge what was held at this instant, RFC 3339 with offset.
    pub known_at: Option<String>,
    /// Who asks, as they say, or the account that has signed in; shown with it (at most 200 characters).
    #[schema(max_length = 200)]
    pub who: Option<String>,
    /// How it is worked off.
    #[serde(flatten)]
    pub run: RunOptions,
}

impl AskInvestigation {
    /// Signed with the account that asks, if it is one.
    ///
    /// # Errors
    /// It says to be someone else's.
    pub fn signed(mut self, account: Option<&Account>) -> Result<Self> {
        if let Some(account) = account {
            self.who = Some(said::signed_by(self.who.as_deref().unwrap_or_default(), account)?);
        }
        Ok(self)
    }
}

/// What was asked, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) question: Option<String>,
    pub(crate) scope: Scope,
    pub(crate) flags: Vec<String>,
    pub(crate) as_of: Option<NaiveDate>,
    pub(crate) known_at: Option<String>,
    /// Which words of the question became what.
    pub(crate) understood: Vec<Value>,
    /// Which became nothing.
    pub(crate) not_understood: Vec<String>,
    /// How it is worked off.
    #[serde(default)]
    pub(crate) run: RunOptions,
}

impl Asked {
    fn of(payload: &Value) -> Result<Self> {
        Ok(serde_json::from_value(payload.clone()).map_err(store::Error::from)?)
    }

    fn is_of_a_moment(&self) -> bool {
        self.as_of.is_some() || self.known_at.is_some()
    }
}

/// The stream of an investigation.
pub(crate) fn stream_of(id: &str) -> String {
    format!("investigation:{id}")
}

fn new_id() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut bits: u128 = rand::random();
    let mut id = String::from("inv_");
    for _ in 0..20 {
        id.push(char::from(LETTERS[(bits & 31) as usize]));
        bits >>= 5;
    }
    id
}

impl App {
    /// Asks for an investigation and returns at once: `{"id", "status", "phase", …}`.
    ///
    /// # Errors
    /// `Invalid` for a scope that cannot be, or a question of which nothing was understood; `TooManyActive`.
    pub fn ask_investigation(&self, ask: AskInvestigation, key: Option<&CommandKey>) -> Result<Answer> {
        let user = ask.who.as_deref().map(|who| said::line("who", who, said::WHO_CHARS_MAX)).transpose()?;
        let asked = self.read_investigation(ask)?;
        let payload = json!({"user": user.unwrap_or_default(), "asked": asked});
        self.once(key, |unit| {
            if count_active(unit.db())? >= ACTIVE_MAX {
                return Err(Error::TooManyActive(ACTIVE_MAX));
            }
            if asked.run.hold && count_held(unit.db())? >= HELD_MAX {
                return Err(Error::TooManyActive(HELD_MAX));
            }
            let id = new_id();
            let event = NewEvent::new("investigation.requested", payload);
            unit.append(&stream_of(&id), Expected::Version(0), &[event])?;
            Ok(json!({
                "id": id, "status": "active", "phase": "requested", "question": asked.question, "scope": asked.scope,
                "flags": asked.flags, "as_of": asked.as_of, "known_at": asked.known_at,
                "understood": asked.understood, "not_understood": asked.not_understood, "run": asked.run,
            }))
        })
    }

    fn read_investigation(&self, ask: AskInvestigation) -> Result<Asked> {
        let unknown = ask.flags.iter().find(|code| self.catalogue().flag(code).is_none());
        if let Some(code) = unknown {
            return Err(Error::invalid("flags", format!("`{code}` is not a flag of the catalogue")));
        }
        let known_at = MomentQuery::new(ask.as_of, ask.known_at.as_deref())?.known_at;
        let mut asked = match (ask.question, ask.scope) {
            (Some(question), None) => {
                let question = said::line("question", &question, QUESTION_CHARS_MAX)?;
                let read = self.read_question(&question)?;
                Asked { question: Some(question), ..read }
            }
            (None, scope) => Asked {
                question: None,
                scope: scope.unwrap_or_default().checked(self)?,
                flags: Vec::new(),
                as_of: None,
                known_at: None,
                understood: Vec::new(),
                not_understood: Vec::new(),
                run: RunOptions::default(),
            },
            (Some(_), Some(_)) => return Err(Error::invalid("question", "give a question or a scope, not both")),
        };
        if !ask.flags.is_empty() {
            asked.flags = ask.flags.iter().map(|code| code.to_ascii_uppercase()).collect();
            asked.flags.sort();
            asked.flags.dedup();
        }
        (asked.as_of, asked.known_at) = (ask.as_of, known_at);
        asked.run = ask.run.checked()?;
        self.name_contracts(&mut asked)?;
        Ok(asked)
    }

    /// Stops an investigation: what waits is taken back, what runs is stopped. One that has ended stays as it is.
    ///
    /// # Errors
    /// No such investigation.
    pub fn cancel_investigation(&self, id: &str) -> Result<()> {
        self.decide(|unit| {
            let (it, seen) = held(unit, id)?;
            unit.append(&stream_of(id), seen, &it.cancel())?;
            for topic in [FLAG, PART, STEP] {
                unit.withdraw(topic, &format!("{id}/"))?;
            }
            Ok(())
        })?;
        self.held().stop_those_of(&format!("{id}/"));
        Ok(())
    }

    /// Records that an investigation could not even be planned, or written up.
    pub(crate) fn fail_investigation(&self, id: &str, error: &str) -> Result<()> {
        self.decide(|unit| {
            let (it, seen) = held(unit, id)?;
            unit.append(&stream_of(id), seen, &it.fail(error))?;
            Ok(())
        })
    }

    /// Opens an investigation again for what failed of it.
    ///
    /// # Errors
    /// `Conflict` when it waits for nothing of the kind.
    pub(crate) fn reopen_investigation(&self, id: &str, what: Reopen<'_>) -> Result<()> {
        self.decide(|unit| {
            let (it, seen) = held(unit, id)?;
            let events = it.reopen(what);
            if events.is_empty() {
                return Err(Error::Conflict(format!("{id} does not wait for this task: it can only be dropped")));
            }
            unit.append(&stream_of(id), seen, &events)?;
            Ok(())
        })
    }
}

/// The investigation as it stands, and what must still be so when something is appended.
fn held(unit: &mut dyn Unit, id: &str) -> Result<(Investigation, Expected)> {
    let held = Investigation::held(unit, &stream_of(id))?;
    let (it, version) = held.ok_or_else(|| Error::not_found("investigation", id))?;
    Ok((it, Expected::Version(version)))
}

/// Appends what was decided, hands out what may be worked on from now on, and takes back what was left out.
fn commit(unit: &mut dyn Unit, id: &str, it: &Investigation, seen: Expected, events: &[NewEvent]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    unit.append(&stream_of(id), seen, events)?;
    let after = it.then(events);
    let (before, due) = (it.due(), after.due());
    for fresh in due.difference(before) {
        unit.enqueue(&task_of(id, &after, fresh))?;
    }
    // Left out, dropped, or not yet due any more: nobody of a step that goes on is among them.
    for left in before.difference(due).filter(|left| !is_ended_by(events, left)) {
        let task = task_of(id, it, left);
        unit.withdraw(&task.topic, &task.key)?;
    }
    Ok(())
}

/// Whoever did a unit has its task in hand and acknowledges it.
fn is_ended_by(events: &[NewEvent], unit: &WorkUnit) -> bool {
    let Some(first) = events.first() else { return false };
    let ends = |kind: &str| first.kind.starts_with("investigation.") && first.kind.contains(kind);
    let payload = &first.payload;
    match unit {
        WorkUnit::Flag(code) => ends("flag_") && payload["flag"] == code.as_str(),
        WorkUnit::Part(step, part) => ends("part_") && payload["step"] == *step && payload["part"] == *part,
        WorkUnit::Step(step) => ends("step_ended") && payload["step"] == *step,
    }
}

fn task_of(id: &str, it: &Investigation, unit: &WorkUnit) -> NewTask {
    let agent = it.step_of(unit).map(|step| step.agent.as_str());
    let (topic, key, body) = match unit {
        WorkUnit::Flag(flag) => {
            (FLAG, format!("{id}/{flag}"), json!({"investigation": id, "flag": flag, "agent": agent}))
        }
        WorkUnit::Part(step, part) => (
            PART,
            format!("{id}/{step:04}.{part:05}"),
            json!({"investigation": id, "step": step, "part": part, "agent": agent}),
        ),
        WorkUnit::Step(step) => {
            (STEP, format!("{id}/{step:04}"), json!({"investigation": id, "step": step, "agent": agent}))
        }
    };
    NewTask { topic: topic.to_owned(), key, lane: None, body }
}

/// The unit that a task is about.
pub(crate) fn unit_of(topic: &str, body: &Value) -> Option<WorkUnit> {
    let number = |name: &str| body[name].as_u64();
    let step = number("step").and_then(|n| u32::try_from(n).ok());
    match topic {
        FLAG => body["flag"].as_str().map(|flag| WorkUnit::Flag(flag.to_owned())),
        PART => {
            step.zip(number("part")).and_then(|(step, part)| Some(WorkUnit::Part(step, usize::try_from(part).ok()?)))
        }
        STEP => step.map(WorkUnit::Step),
        _ => None,
    }
}
