//! The investigation as its events make it, and what may happen to it next.
//!
//! Work is done at least once and may be late: an event that has nothing to say any more is simply not made, so that each
//! unit (a flag, a part of the contracts, a step) is done once, whoever comes how often.

use std::collections::{BTreeMap, BTreeSet};

use agents::plan::{Spread, Step, StepEdit};
use agents::roster::Action;
use agents::strategy::{Policy, Standing};
use events::{Event, NewEvent, Snapshot, Unit};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::parts;

/// A map whose keys are no texts, as pairs.
mod pairs {
    use std::collections::BTreeMap;

    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        into: S,
    ) -> Result<S::Ok, S::Error> {
        into.collect_seq(map)
    }

    pub fn deserialize<'de, K: DeserializeOwned + Ord, V: DeserializeOwned, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Ok(Vec::<(K, V)>::deserialize(from)?.into_iter().collect())
    }
}

/// Where an investigation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    Requested,
    Planned,
    Writing,
    Ended,
    Cancelled,
}

/// What became of a flag, or of a part of the contracts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum UnitState {
    Waiting,
    /// With what it came to, for a part.
    Judged(Value),
    Failed(String),
    Skipped(String),
}

/// Something that is one worker's at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum WorkUnit {
    /// A flag over the whole scope.
    Flag(String),
    /// All flags of a step over a part of the contracts.
    Part(u32, usize),
    /// A whole step.
    Step(u32),
}

/// The form of a kept investigation; another number wherever its fields, or what an event does to them, change.
const FORMAT: u32 = 2;
/// Events of an investigation that are read before it is kept anew.
const KEPT_AFTER: usize = 16;

/// An investigation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Investigation {
    pub(super) stage: Stage,
    pub(super) asked: Value,
    /// The instant that all its flags are judged at, where it asks for a moment.
    pub(super) known_at: Option<String>,
    pub(super) flags: BTreeMap<String, UnitState>,
    pub(super) steps: Vec<Step>,
    /// Parts that have ended.
    #[serde(with = "pairs")]
    pub(super) parts: BTreeMap<(u32, usize), UnitState>,
    /// Steps other than judging that have ended; with why they did not succeed.
    pub(super) ended_steps: BTreeMap<u32, Option<String>>,
    begun: BTreeSet<u32>,
    /// What was handed out and has not ended.
    handed: BTreeSet<WorkUnit>,
    /// It waits for a person to start it.
    pub(super) is_held: bool,
    /// Since when its deadline runs.
    pub(super) runs_since: String,
    /// Where it stood when it failed as a whole.
    failed_at: Option<Stage>,
}

/// What of an investigation that failed is tried again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reopen<'a> {
    Plan,
    Flag(&'a str),
    Write,
}

/// What a plan is made of.
pub(super) struct Planned<'a> {
    pub(super) flags: &'a [String],
    pub(super) steps: &'a [Step],
    pub(super) known_at: Option<&'a str>,
    pub(super) notes: &'a [Value],
    pub(super) missing: &'a Value,
    pub(super) hold: bool,
}

impl Investigation {
    /// What the events of a stream make; `None` for a stream without any.
    pub(super) fn of(events: &[Event]) -> Option<Self> {
        let first = events.first()?;
        let start = Self {
            stage: Stage::Requested,
            asked: first.payload["asked"].clone(),
            known_at: None,
            flags: BTreeMap::new(),
            steps: Vec::new(),
            parts: BTreeMap::new(),
            ended_steps: BTreeMap::new(),
            begun: BTreeSet::new(),
            handed: BTreeSet::new(),
            is_held: false,
            runs_since: first.recorded_at.clone(),
            failed_at: None,
        };
        Some(start.and_then(events))
    }

    fn and_then(self, events: &[Event]) -> Self {
        events.iter().fold(self, |it, event| it.after(&event.kind, &event.payload, &event.recorded_at))
    }

    /// What a stream has come to, and how many events it has: from where it was kept last, which is done anew when many came since.
    ///
    /// # Errors
    /// The database cannot be read or written; a damaged event.
    pub(super) fn held(unit: &mut dyn Unit, stream: &str) -> crate::Result<Option<(Self, i64)>> {
        let kept = unit.snapshot(stream, FORMAT)?;
        // One that cannot be read is as good as none.
        let kept = kept.and_then(|kept| Some((kept.version, serde_json::from_str::<Self>(&kept.state).ok()?)));
        let behind = kept.as_ref().map_or(0, |(version, _)| *version);
        let events = unit.stream_after(stream, behind)?;
        let version = behind + i64::try_from(events.len()).unwrap_or(i64::MAX);
        let Some(it) = (match kept {
            Some((_, it)) => Some(it.and_then(&events)),
            None => Self::of(&events),
        }) else {
            return Ok(None);
        };
        if events.len() >= KEPT_AFTER {
            let state = serde_json::to_string(&it).map_err(store::Error::from)?;
            unit.keep_snapshot(stream, FORMAT, &Snapshot { version, state })?;
        }
        Ok(Some((it, version)))
    }

    /// What these events will make of it.
    pub(super) fn then(&self, events: &[NewEvent]) -> Self {
        let now = model::dates::now_text();
        events.iter().fold(self.clone(), |it, event| it.after(event.kind, &event.payload, &now))
    }

    fn after(mut self, kind: &str, payload: &Value, at: &str) -> Self {
        let text = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
        let step = payload["step"].as_u64().and_then(|n| u32::try_from(n).ok());
        let part = payload["part"].as_u64().and_then(|n| usize::try_from(n).ok()).zip(step);
        self.begun.extend(step.filter(|_| kind.ends_with("_started")));
        match kind {
            "investigation.planned" => {
                self.stage = Stage::Planned;
                self.known_at = payload["known_at"].as_str().map(str::to_owned);
                self.is_held = payload["hold"] == true;
                self.steps = steps_of(payload);
                self.flags = flags_of(payload).map(|code| (code, UnitState::Waiting)).collect();
            }
            "investigation.plan_edited" => {
                self.steps = steps_of(payload);
                let left: BTreeSet<String> = flags_of(payload).collect();
                self.flags.retain(|code, _| left.contains(code));
            }
            "investigation.started" => {
                self.is_held = false;
                at.clone_into(&mut self.runs_since);
            }
            "investigation.flag_judged" => self.set(&text("flag"), UnitState::Judged(Value::Null)),
            "investigation.flag_failed" => self.set(&text("flag"), UnitState::Failed(text("error"))),
            "investigation.part_judged" => self.set_part(part, UnitState::Judged(payload.clone())),
            "investigation.part_failed" => self.set_part(part, UnitState::Failed(text("error"))),
            "investigation.skipped" => {
                for code in flags_of(payload) {
                    self.set(&code, UnitState::Skipped(text("because")));
                }
                for at in payload["parts"].as_array().into_iter().flatten().filter_map(Value::as_u64) {
                    let part = usize::try_from(at).ok().zip(step);
                    self.set_part(part, UnitState::Skipped(text("because")));
                }
            }
            "investigation.step_ended" => {
                let error = payload["error"].as_str().map(str::to_owned);
                self.ended_steps.extend(step.map(|n| (n, error)));
            }
            "investigation.reopened" => {
                self.stage = match payload["phase"].as_str() {
                    Some("requested") => Stage::Requested,
                    Some("writing") => Stage::Writing,
                    _ => Stage::Planned,
                };
                self.failed_at = None;
                // What is tried again has its time again.
                at.clone_into(&mut self.runs_since);
                self.set(&text("flag"), UnitState::Waiting);
            }
            "investigation.writing" => self.stage = Stage::Writing,
            "investigation.completed" => self.stage = Stage::Ended,
            "investigation.failed" => {
                self.failed_at = Some(self.stage);
                self.stage = Stage::Ended;
            }
            "investigation.cancelled" => self.stage = Stage::Cancelled,
            _ => return self,
        }
        self.hand_out();
        self
    }

    fn set(&mut self, flag: &str, state: UnitState) {
        if let Some(held) = self.flags.get_mut(flag) {
            *held = state;
        }
    }

    fn set_part(&mut self, part: Option<(usize, u32)>, state: UnitState) {
        if let Some((part, step)) = part {
            self.parts.insert((step, part), state);
        }
    }

    /// It neither ended nor was cancelled.
    pub(super) fn is_active(&self) -> bool {
        !matches!(self.stage, Stage::Ended | Stage::Cancelled)
    }

    pub(super) fn has_begun(&self, step: u32) -> bool {
        self.begun.contains(&step) || self.ended_steps.contains_key(&step)
    }

    pub(super) fn step(&self, n: u32) -> Option<&Step> {
        self.steps.iter().find(|step| step.n == n)
    }

    pub(super) fn step_of(&self, unit: &WorkUnit) -> Option<&Step> {
        match unit {
            WorkUnit::Flag(code) => self.steps.iter().find(|step| step.flags.contains(code)),
            WorkUnit::Part(n, _) | WorkUnit::Step(n) => self.step(*n),
        }
    }

    /// A unit is still to be done.
    pub(super) fn awaits(&self, unit: &WorkUnit) -> bool {
        self.stage == Stage::Planned && !self.is_held && self.is_open(unit)
    }

    fn is_open(&self, unit: &WorkUnit) -> bool {
        match unit {
            WorkUnit::Flag(code) => self.flags.get(code) == Some(&UnitState::Waiting),
            WorkUnit::Part(n, part) => {
                let parts = self.step(*n).and_then(|step| step.spread).map_or(0, |spread| spread.parts);
                *part < parts && !self.parts.contains_key(&(*n, *part))
            }
            WorkUnit::Step(n) => {
                let step = self.step(*n);
                step.is_some_and(|step| matches!(step.action, Action::Fetch | Action::Recall))
                    && !self.ended_steps.contains_key(n)
            }
        }
    }

    /// The units of a step, in order.
    pub(super) fn units_of(step: &Step) -> Vec<WorkUnit> {
        match (step.action, step.spread) {
            (Action::Judge, Some(Spread { parts, .. })) if parts > 0 => {
                (0..parts).map(|part| WorkUnit::Part(step.n, part)).collect()
            }
            (Action::Judge, _) => step.flags.iter().cloned().map(WorkUnit::Flag).collect(),
            (Action::Fetch | Action::Recall, _) => vec![WorkUnit::Step(step.n)],
            _ => Vec::new(),
        }
    }

    fn is_over(&self, step: &Step) -> bool {
        !Self::units_of(step).iter().any(|unit| self.is_open(unit))
    }

    /// The units that may be worked on now.
    pub(super) fn due(&self) -> &BTreeSet<WorkUnit> {
        &self.handed
    }

    /// Hands out what may begin: as many units in all as the widest step has workers, so that a long investigation is in nobody's
    /// way. What was handed out stays so until it has ended, or is no longer wanted.
    fn hand_out(&mut self) {
        let ready = self.ready();
        self.handed.retain(|unit| ready.contains(unit));
        let widest = self.steps.iter().filter_map(|step| step.spread).map(|spread| spread.max_workers).max();
        let room = if self.steps.is_empty() { usize::MAX } else { widest.unwrap_or(1) };
        for unit in ready {
            if self.handed.len() >= room {
                break;
            }
            self.handed.insert(unit);
        }
    }

    /// The units that the strategies of their steps let begin, in the order of the plan.
    fn ready(&self) -> Vec<WorkUnit> {
        if self.stage != Stage::Planned || self.is_held {
            return Vec::new();
        }
        if self.steps.is_empty() {
            // Planned by a program that knew no steps.
            return self.flags.keys().cloned().map(WorkUnit::Flag).filter(|unit| self.is_open(unit)).collect();
        }
        let mut all = Vec::new();
        for step in &self.steps {
            let needs = step.needs.iter().filter_map(|n| self.step(*n));
            if needs.into_iter().all(|needed| self.is_over(needed)) {
                let units = Self::units_of(step);
                let ended: Vec<bool> = units.iter().map(|unit| !self.is_open(unit)).collect();
                let spread = step.spread.unwrap_or_else(one_by_one);
                all.extend(spread.strategy.ready(spread.max_workers, &ended).into_iter().map(|at| units[at].clone()));
            }
        }
        all
    }

    pub(super) fn plan(&self, planned: &Planned<'_>) -> Vec<NewEvent> {
        if self.stage != Stage::Requested {
            return Vec::new();
        }
        let Planned { flags, steps, known_at, notes, missing, hold } = planned;
        let payload = json!({
            "flags": flags, "known_at": known_at, "notes": notes, "steps": steps, "hold": hold, "missing": missing,
        });
        self.and_what_follows(vec![NewEvent::new("investigation.planned", payload)])
    }

    /// Another plan; what has begun stays.
    pub(super) fn edit(&self, edits: &[StepEdit], who: &str) -> Result<Vec<NewEvent>, String> {
        if self.stage != Stage::Planned || self.steps.is_empty() {
            return Err("the plan can be changed once it stands, and until all is judged".to_owned());
        }
        let steps = agents::plan::edited(&self.steps, |n| self.has_begun(n), edits)?;
        let flags: Vec<&String> = steps.iter().flat_map(|step| &step.flags).collect();
        let payload = json!({"steps": steps, "flags": flags, "who": who});
        Ok(self.and_what_follows(vec![NewEvent::new("investigation.plan_edited", payload)]))
    }

    /// A person lets one that is held begin.
    pub(super) fn release(&self) -> Vec<NewEvent> {
        let waits = self.stage == Stage::Planned && self.is_held;
        if waits { vec![NewEvent::new("investigation.started", json!({}))] } else { Vec::new() }
    }

    /// Someone is at a unit now.
    pub(super) fn start(&self, unit: &WorkUnit, mut payload: Value) -> Vec<NewEvent> {
        if !self.awaits(unit) {
            return Vec::new();
        }
        payload["step"] = json!(self.step_of(unit).map(|step| step.n));
        let kind = match unit {
            WorkUnit::Flag(code) => {
                payload["flag"] = json!(code);
                "investigation.flag_started"
            }
            WorkUnit::Part(_, part) => {
                payload["part"] = json!(part);
                payload["flags"] = json!(self.step_of(unit).map(|step| &step.flags));
                "investigation.part_started"
            }
            WorkUnit::Step(_) => "investigation.step_started",
        };
        vec![NewEvent::new(kind, payload)]
    }

    /// What a unit came to, and what follows of it.
    pub(super) fn end(&self, unit: &WorkUnit, event: NewEvent) -> Vec<NewEvent> {
        if self.awaits(unit) { self.and_what_follows(vec![event]) } else { Vec::new() }
    }

    /// Its deadline has passed: what has not ended is left out, and what there is is written up.
    pub(super) fn run_out(&self) -> Vec<NewEvent> {
        if self.stage != Stage::Planned || self.is_held {
            return Vec::new();
        }
        let mut events = Vec::new();
        for step in &self.steps {
            let open: Vec<WorkUnit> = Self::units_of(step).into_iter().filter(|unit| self.is_open(unit)).collect();
            events.extend(skip(step, &open, "deadline"));
        }
        self.and_what_follows(events)
    }

    /// These events, what the policies make of them, and the end of the judging where it is one.
    fn and_what_follows(&self, mut events: Vec<NewEvent>) -> Vec<NewEvent> {
        let mut it = self.then(&events);
        let steps = it.steps.clone();
        for step in steps.iter().filter(|step| step.action == Action::Judge) {
            let mut more = it.by_policy(step);
            let after = it.then(&more);
            more.extend(parts::merged(&after, step));
            it = it.then(&more);
            events.extend(more);
            if it.stage == Stage::Ended {
                return events;
            }
        }
        let judged = it.flags.values().all(|state| *state != UnitState::Waiting);
        if it.stage == Stage::Planned && !it.is_held && judged && it.steps.iter().all(|step| it.is_over(step)) {
            events.push(NewEvent::new("investigation.writing", json!({})));
        }
        events
    }

    /// A step that has enough leaves the rest; one that cannot come to what was asked ends the investigation.
    fn by_policy(&self, step: &Step) -> Vec<NewEvent> {
        let Some(spread) = step.spread.filter(|spread| spread.policy != Policy::BestEffort) else { return Vec::new() };
        let units = Self::units_of(step);
        let (mut succeeded, mut failed, mut errors) = (0, 0, Vec::new());
        for unit in &units {
            match self.state_of(unit) {
                Some(UnitState::Judged(_)) => succeeded += 1,
                Some(UnitState::Failed(error)) => {
                    failed += 1;
                    errors.push(error.clone());
                }
                // Left out for the deadline: the rest is named partial, whatever the policy.
                Some(UnitState::Skipped(_)) => return Vec::new(),
                _ => {}
            }
        }
        let policy = match spread.policy {
            Policy::Quorum(n) => Policy::Quorum(n.min(units.len())),
            policy => policy,
        };
        match policy.standing(Some(units.len()), succeeded, failed) {
            Standing::Open => Vec::new(),
            Standing::Enough => {
                let open: Vec<WorkUnit> = units.into_iter().filter(|unit| self.is_open(unit)).collect();
                skip(step, &open, "enough")
            }
            Standing::Lost => {
                let error = format!(
                    "step {} ({}) did not come to {}: {}",
                    step.n,
                    step.agent,
                    spread.policy,
                    errors.join("; ")
                );
                self.fail(&error)
            }
        }
    }

    fn state_of(&self, unit: &WorkUnit) -> Option<&UnitState> {
        match unit {
            WorkUnit::Flag(code) => self.flags.get(code),
            WorkUnit::Part(n, part) => self.parts.get(&(*n, *part)),
            WorkUnit::Step(_) => None,
        }
    }

    pub(super) fn finish(&self, summary: &Value) -> Vec<NewEvent> {
        if self.stage != Stage::Writing {
            return Vec::new();
        }
        let all_failed =
            !self.flags.is_empty() && self.flags.values().all(|state| matches!(state, UnitState::Failed(_)));
        if all_failed {
            let payload = json!({"error": "no flag could be judged", "summary": summary});
            return vec![NewEvent::new("investigation.failed", payload)];
        }
        vec![NewEvent::new("investigation.completed", json!({"summary": summary}))]
    }

    pub(super) fn fail(&self, error: &str) -> Vec<NewEvent> {
        let failed = NewEvent::new("investigation.failed", json!({"error": error}));
        if self.is_active() { vec![failed] } else { Vec::new() }
    }

    pub(super) fn cancel(&self) -> Vec<NewEvent> {
        if self.is_active() { vec![NewEvent::new("investigation.cancelled", json!({}))] } else { Vec::new() }
    }

    /// What failed is tried again.
    pub(super) fn reopen(&self, what: Reopen<'_>) -> Vec<NewEvent> {
        let (may, payload) = match what {
            Reopen::Plan => (self.failed_at == Some(Stage::Requested), json!({"phase": "requested"})),
            Reopen::Write => (self.failed_at == Some(Stage::Writing), json!({"phase": "writing"})),
            Reopen::Flag(flag) => {
                let failed = matches!(self.flags.get(flag), Some(UnitState::Failed(_)));
                (failed && self.stage != Stage::Cancelled, json!({"phase": "running", "flag": flag}))
            }
        };
        if may { vec![NewEvent::new("investigation.reopened", payload)] } else { Vec::new() }
    }
}

/// A step that is not spread over workers.
fn one_by_one() -> Spread {
    Spread { strategy: agents::strategy::Strategy::Pipeline, max_workers: 1, policy: Policy::BestEffort, parts: 0 }
}

/// Leaves out these units of a step.
fn skip(step: &Step, open: &[WorkUnit], because: &str) -> Vec<NewEvent> {
    if open.is_empty() {
        return Vec::new();
    }
    let (mut flags, mut parts) = (Vec::new(), Vec::new());
    for unit in open {
        match unit {
            WorkUnit::Flag(code) => flags.push(code),
            WorkUnit::Part(_, part) => parts.push(part),
            WorkUnit::Step(_) => {
                let payload = json!({"step": step.n, "agent": step.agent, "state": "skipped", "error": because});
                return vec![NewEvent::new("investigation.step_ended", payload)];
            }
        }
    }
    let payload = json!({"step": step.n, "agent": step.agent, "flags": flags, "parts": parts, "because": because});
    vec![NewEvent::new("investigation.skipped", payload)]
}

fn steps_of(payload: &Value) -> Vec<Step> {
    // What an older program planned has none.
    serde_json::from_value(payload["steps"].clone()).unwrap_or_default()
}

fn flags_of(payload: &Value) -> impl Iterator<Item = String> {
    payload["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use agents::roster::Roster;
    use agents::strategy::Strategy;

    use super::*;

    fn after(events: &[NewEvent]) -> Investigation {
        let events: Vec<Event> = (1..)
            .zip(events)
            .map(|(version, event)| Event {
                seq: version,
                stream: "investigation:inv_a".into(),
                version,
                kind: event.kind.into(),
                payload: event.payload.clone(),
                recorded_at: String::new(),
                place: None,
            })
            .collect();
        let it = Investigation::of(&events).unwrap();
        // Kept at any event and gone on from there it is the same.
        let (first, rest) = events.split_at(events.len().div_ceil(2));
        let kept = serde_json::to_string(&Investigation::of(first).unwrap()).unwrap();
        assert_eq!(serde_json::from_str::<Investigation>(&kept).unwrap().and_then(rest), it);
        it
    }

    /// Flags A, B and C of one agent.
    fn planned(spread: Spread, hold: bool) -> Vec<NewEvent> {
        let mut events = vec![NewEvent::new("investigation.requested", json!({"asked": {}}))];
        let roster = Roster::of([("A", "Zumbi"), ("B", "Zumbi"), ("C", "Zumbi")].into_iter());
        let flags = ["A".to_owned(), "B".to_owned(), "C".to_owned()];
        let steps = agents::plan::steps(&roster, &flags, spread, false);
        let plan = Planned { flags: &flags, steps: &steps, known_at: None, notes: &[], missing: &Value::Null, hold };
        events.extend(after(&events).plan(&plan));
        events
    }

    fn spread(max_workers: usize, policy: Policy, parts: usize) -> Spread {
        Spread { strategy: Strategy::ScatterGather, max_workers, policy, parts }
    }

    fn flag(code: &str) -> WorkUnit {
        WorkUnit::Flag(code.to_owned())
    }

    fn end(events: &mut Vec<NewEvent>, unit: &WorkUnit) -> Vec<&'static str> {
        let event = match unit {
            WorkUnit::Flag(code) => NewEvent::new("investigation.flag_judged", json!({"flag": code})),
            WorkUnit::Part(step, part) => NewEvent::new(
                "investigation.part_judged",
                json!({"step": step, "part": part, "attached": [],
                       "found": [{"flag": "A", "findings": 1, "outcome": {"judged": true, "unplaced": {}}}]}),
            ),
            WorkUnit::Step(step) => NewEvent::new("investigation.step_ended", json!({"step": step})),
        };
        let more = after(events).end(unit, event);
        let kinds = more.iter().map(|event| event.kind).collect();
        events.extend(more);
        kinds
    }

    fn fail(events: &mut Vec<NewEvent>, code: &str) -> Vec<&'static str> {
        let event = NewEvent::new("investigation.flag_failed", json!({"flag": code, "error": "no"}));
        let more = after(events).end(&flag(code), event);
        let kinds = more.iter().map(|event| event.kind).collect();
        events.extend(more);
        kinds
    }

    #[test]
    fn a_flag_that_is_judged_twice_counts_once_and_the_last_step_ends_the_judging() {
        let mut events = planned(spread(10, Policy::BestEffort, 0), false);
        assert_eq!(after(&events).due().len(), 3);
        assert_eq!(end(&mut events, &flag("A")), ["investigation.flag_judged"]);
        assert!(end(&mut events, &flag("A")).is_empty());
        assert!(after(&events).start(&flag("A"), json!({})).is_empty());
        let _ = end(&mut events, &flag("B"));
        assert_eq!(end(&mut events, &flag("C")), ["investigation.flag_judged"]);
        let recall = WorkUnit::Step(4);
        assert_eq!(*after(&events).due(), BTreeSet::from([recall.clone()]));
        assert_eq!(end(&mut events, &recall), ["investigation.step_ended", "investigation.writing"]);
    }

    #[test]
    fn never_more_than_the_workers_are_due() {
        let mut events = planned(spread(2, Policy::BestEffort, 0), false);
        let due = after(&events).due().clone();
        assert_eq!(due, BTreeSet::from([flag("A"), flag("B")]));
        let _ = end(&mut events, &flag("B"));
        let due = after(&events).due().clone();
        assert_eq!(due, BTreeSet::from([flag("A"), flag("C")]));
    }

    #[test]
    fn what_was_handed_out_stays_so_and_no_more_than_the_widest_step_has_workers() {
        let mut events = vec![NewEvent::new("investigation.requested", json!({"asked": {}}))];
        let owners = [("A", "Zumbi"), ("B", "Zumbi"), ("C", "Anita"), ("D", "Anita")];
        let flags = owners.map(|(code, _)| code.to_owned());
        let mut steps =
            agents::plan::steps(&Roster::of(owners.into_iter()), &flags, spread(2, Policy::BestEffort, 0), false);
        steps[2].spread = Some(Spread { strategy: Strategy::Pipeline, ..spread(1, Policy::BestEffort, 0) });
        let plan =
            Planned { flags: &flags, steps: &steps, known_at: None, notes: &[], missing: &Value::Null, hold: false };
        events.extend(after(&events).plan(&plan));
        assert_eq!(*after(&events).due(), BTreeSet::from([flag("A"), flag("C")]));
        let _ = end(&mut events, &flag("A"));
        assert_eq!(*after(&events).due(), BTreeSet::from([flag("B"), flag("C")]), "who is at C is not disturbed");
        let _ = end(&mut events, &flag("B"));
        assert_eq!(*after(&events).due(), BTreeSet::from([flag("C"), flag("D")]));
    }

    #[test]
    fn nothing_happens_to_a_cancelled_investigation() {
        let mut events = planned(spread(10, Policy::BestEffort, 0), false);
        events.extend(after(&events).cancel());
        let it = after(&events);
        assert!(end(&mut events, &flag("A")).is_empty() && it.due().is_empty() && it.run_out().is_empty());
        assert!(it.cancel().is_empty() && it.fail("x").is_empty() && it.finish(&json!({})).is_empty());
        assert!(it.edit(&[], "").is_err());
    }

    #[test]
    fn one_that_is_held_waits_for_its_start() {
        let mut events = planned(spread(10, Policy::BestEffort, 0), true);
        assert!(after(&events).due().is_empty() && after(&events).run_out().is_empty());
        events.extend(after(&events).release());
        assert_eq!(after(&events).due().len(), 3);
        assert!(after(&events).release().is_empty());
    }

    #[test]
    fn the_policies_end_a_step() {
        let mut events = planned(spread(10, Policy::FirstSuccess, 0), false);
        assert_eq!(end(&mut events, &flag("B")), ["investigation.flag_judged", "investigation.skipped"]);
        assert_eq!(after(&events).flags["C"], UnitState::Skipped("enough".into()));
        let mut events = planned(spread(10, Policy::All, 0), false);
        assert_eq!(fail(&mut events, "B"), ["investigation.flag_failed", "investigation.failed"]);
        let mut events = planned(spread(10, Policy::Quorum(2), 0), false);
        assert_eq!(fail(&mut events, "A"), ["investigation.flag_failed"]);
        assert_eq!(fail(&mut events, "B"), ["investigation.flag_failed", "investigation.failed"]);
        let mut events = planned(spread(10, Policy::Quorum(9), 0), false);
        let _ = (end(&mut events, &flag("A")), end(&mut events, &flag("B")));
        assert_eq!(end(&mut events, &flag("C")), ["investigation.flag_judged"], "all is as good as a quorum of more");
    }

    #[test]
    fn what_the_deadline_leaves_out_is_named_and_the_rest_written_up() {
        let mut events = planned(spread(10, Policy::BestEffort, 0), false);
        let _ = end(&mut events, &flag("A"));
        let kinds: Vec<&str> = after(&events).run_out().iter().map(|event| event.kind).collect();
        assert_eq!(kinds, ["investigation.skipped", "investigation.step_ended", "investigation.writing"]);
    }

    #[test]
    fn the_last_part_makes_the_flags_of_its_step_judged() {
        let mut events = planned(spread(10, Policy::BestEffort, 2), false);
        let units: Vec<WorkUnit> = after(&events).due().iter().cloned().collect();
        assert_eq!(units, [WorkUnit::Part(3, 0), WorkUnit::Part(3, 1)]);
        assert_eq!(end(&mut events, &units[1]), ["investigation.part_judged"]);
        let kinds = end(&mut events, &units[0]);
        assert_eq!(kinds.iter().filter(|kind| **kind == "investigation.flag_judged").count(), 3);
        let a = events.iter().find(|event| event.payload["flag"] == "A").unwrap();
        assert_eq!(a.payload["findings"], 2);
    }

    #[test]
    fn a_plan_of_before_there_were_steps_goes_on() {
        let mut events = vec![NewEvent::new("investigation.requested", json!({"asked": {}}))];
        events.push(NewEvent::new("investigation.planned", json!({"flags": ["A", "B"]})));
        assert_eq!(after(&events).due().len(), 2);
        let _ = end(&mut events, &flag("A"));
        assert_eq!(end(&mut events, &flag("B")), ["investigation.flag_judged", "investigation.writing"]);
    }
}
