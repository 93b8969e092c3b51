//! The investigation as its events make it, and what may happen to it next.
//!
//! Work is done at least once and may be late: an event that has nothing to say any more is simply not made, so that each
//! flag is judged once, whoever comes how often.

use std::collections::BTreeMap;

use events::{Event, NewEvent};
use serde_json::{Value, json};

/// Where an investigation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Requested,
    Planned,
    Writing,
    Ended,
    Cancelled,
}

/// What became of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FlagState {
    Waiting,
    Judged,
    Failed(String),
}

/// An investigation.
#[derive(Debug, Clone)]
pub(super) struct Investigation {
    pub(super) stage: Stage,
    pub(super) asked: Value,
    /// The instant that all its flags are judged at, where it asks for a moment.
    pub(super) known_at: Option<String>,
    pub(super) flags: BTreeMap<String, FlagState>,
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

impl Investigation {
    /// What the events of a stream make; `None` for a stream without any.
    pub(super) fn of(events: &[Event]) -> Option<Self> {
        let asked = events.first()?.payload["asked"].clone();
        let start = Self { stage: Stage::Requested, asked, known_at: None, flags: BTreeMap::new(), failed_at: None };
        Some(events.iter().fold(start, Self::after))
    }

    fn after(mut self, event: &Event) -> Self {
        let text = |name: &str| event.payload[name].as_str().unwrap_or_default().to_owned();
        match event.kind.as_str() {
            "investigation.planned" => {
                self.stage = Stage::Planned;
                self.known_at = event.payload["known_at"].as_str().map(str::to_owned);
                let codes = event.payload["flags"].as_array().into_iter().flatten().filter_map(Value::as_str);
                self.flags = codes.map(|code| (code.to_owned(), FlagState::Waiting)).collect();
            }
            "investigation.flag_judged" => self.set(&text("flag"), FlagState::Judged),
            "investigation.flag_failed" => self.set(&text("flag"), FlagState::Failed(text("error"))),
            "investigation.reopened" => {
                self.stage = match event.payload["phase"].as_str() {
                    Some("requested") => Stage::Requested,
                    Some("writing") => Stage::Writing,
                    _ => Stage::Planned,
                };
                self.failed_at = None;
                self.set(&text("flag"), FlagState::Waiting);
            }
            "investigation.writing" => self.stage = Stage::Writing,
            "investigation.completed" => self.stage = Stage::Ended,
            "investigation.failed" => {
                self.failed_at = Some(self.stage);
                self.stage = Stage::Ended;
            }
            "investigation.cancelled" => self.stage = Stage::Cancelled,
            _ => {}
        }
        self
    }

    fn set(&mut self, flag: &str, state: FlagState) {
        if let Some(held) = self.flags.get_mut(flag) {
            *held = state;
        }
    }

    /// It neither ended nor was cancelled.
    pub(super) fn is_active(&self) -> bool {
        !matches!(self.stage, Stage::Ended | Stage::Cancelled)
    }

    /// A flag is still to be judged.
    pub(super) fn awaits(&self, flag: &str) -> bool {
        self.stage == Stage::Planned && self.flags.get(flag) == Some(&FlagState::Waiting)
    }

    pub(super) fn plan(&self, flags: &[String], known_at: Option<&str>, notes: &[Value]) -> Vec<NewEvent> {
        if self.stage != Stage::Requested {
            return Vec::new();
        }
        let payload = json!({"flags": flags, "known_at": known_at, "notes": notes});
        let planned = NewEvent::new("investigation.planned", payload);
        let nothing = flags.is_empty().then(|| NewEvent::new("investigation.writing", json!({})));
        std::iter::once(planned).chain(nothing).collect()
    }

    pub(super) fn start(&self, flag: &str, attempt: u32) -> Vec<NewEvent> {
        let payload = json!({"flag": flag, "attempt": attempt});
        if self.awaits(flag) { vec![NewEvent::new("investigation.flag_started", payload)] } else { Vec::new() }
    }

    /// What a flag came to; the last one ends the judging.
    pub(super) fn end_flag(&self, flag: &str, event: NewEvent) -> Vec<NewEvent> {
        if !self.awaits(flag) {
            return Vec::new();
        }
        let mut others = self.flags.iter().filter(|(code, _)| *code != flag);
        let last = others.all(|(_, state)| *state != FlagState::Waiting);
        let writing = last.then(|| NewEvent::new("investigation.writing", json!({})));
        std::iter::once(event).chain(writing).collect()
    }

    pub(super) fn finish(&self, summary: &Value) -> Vec<NewEvent> {
        if self.stage != Stage::Writing {
            return Vec::new();
        }
        let all_failed =
            !self.flags.is_empty() && self.flags.values().all(|state| matches!(state, FlagState::Failed(_)));
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
                let failed = matches!(self.flags.get(flag), Some(FlagState::Failed(_)));
                (failed && self.stage != Stage::Cancelled, json!({"phase": "running", "flag": flag}))
            }
        };
        if may { vec![NewEvent::new("investigation.reopened", payload)] } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
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
            })
            .collect();
        Investigation::of(&events).unwrap()
    }

    #[test]
    fn a_flag_that_is_judged_twice_counts_once_and_the_last_one_ends_the_judging() {
        let mut events = vec![NewEvent::new("investigation.requested", json!({"asked": {}}))];
        events.extend(after(&events).plan(&["A".into(), "B".into()], None, &[]));
        let judged = |flag: &str| NewEvent::new("investigation.flag_judged", json!({"flag": flag}));
        let first = after(&events).end_flag("A", judged("A"));
        assert_eq!(first.len(), 1);
        events.extend(first);
        assert_eq!(after(&events).end_flag("A", judged("A")), []);
        assert_eq!(after(&events).start("A", 2), []);
        let last = after(&events).end_flag("B", judged("B"));
        assert_eq!(last[1].kind, "investigation.writing");
    }

    #[test]
    fn nothing_happens_to_a_cancelled_investigation() {
        let mut events = vec![NewEvent::new("investigation.requested", json!({"asked": {}}))];
        events.extend(after(&events).plan(&["A".into()], None, &[]));
        events.extend(after(&events).cancel());
        let it = after(&events);
        assert!(it.end_flag("A", NewEvent::new("investigation.flag_judged", json!({"flag": "A"}))).is_empty());
        assert!(it.cancel().is_empty() && it.fail("x").is_empty() && it.finish(&json!({})).is_empty());
    }
}
