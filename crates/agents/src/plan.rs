//! The plan of an investigation: steps, each one agent's, which a person can read and change before they begin.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::roster::{Action, Roster};
use crate::strategy::{Policy, Strategy};

/// The most workers that a step may ask for.
pub const WORKERS_MAX: usize = 100;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its number; it stays the same when others are dropped or moved.
    pub n: u32,
    /// Whose it is, by key.
    pub agent: String,
    /// What is done.
    pub action: Action,
    /// The flags that are judged, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// How its work is spread over workers, where it can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
    /// The steps that must have ended before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<u32>,
}

/// How the work of a step is spread over workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// The strategy.
    pub strategy: Strategy,
    /// Its units under way at once, whatever the process; the widest step says how many there are in all.
    pub max_workers: usize,
    /// When it is enough.
    pub policy: Policy,
    /// Into how many parts the contracts of the scope are split, each judged by all of the step's flags; 0 where each flag is
    /// a part.
    #[serde(default)]
    pub parts: usize,
}

/// What of a step a person wants otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepEdit {
    /// Which step.
    pub n: u32,
    /// Its flags, fewer or in another order.
    #[serde(default)]
    pub flags: Option<Vec<String>>,
    /// Another strategy.
    #[serde(default)]
    pub strategy: Option<Strategy>,
    /// Other bounds.
    #[serde(default)]
    pub max_workers: Option<usize>,
    /// Another policy.
    #[serde(default)]
    pub policy: Option<Policy>,
}

/// The steps that judge these flags: one for each agent, spread alike.
#[must_use]
pub fn steps(roster: &Roster, flags: &[String], spread: Spread, fetches: bool) -> Vec<Step> {
    let step = |n: usize, agent: &str, action, needs: Vec<u32>| Step {
        n: u32::try_from(n).unwrap_or(u32::MAX),
        agent: agent.to_owned(),
        action,
        flags: Vec::new(),
        spread: None,
        needs,
    };
    let mut steps =
        vec![step(1, "ayrton_senna", Action::ReadScope, Vec::new()), step(2, "abaporu", Action::Plan, vec![1])];
    let mut before = 2;
    if fetches {
        steps.push(step(3, "oxossi", Action::Fetch, vec![2]));
        before = 3;
    }
    for agent in roster.agents() {
        let own: Vec<String> = flags.iter().filter(|flag| agent.flags.contains(flag)).cloned().collect();
        if !own.is_empty() {
            let of_agent = step(steps.len() + 1, agent.key, Action::Judge, vec![before]);
            steps.push(Step { flags: own, spread: Some(spread), ..of_agent });
        }
    }
    let judges: Vec<u32> = steps.iter().filter(|step| step.action == Action::Judge).map(|step| step.n).collect();
    let recall = step(steps.len() + 1, "nana", Action::Recall, judges);
    let last = step(steps.len() + 2, "tiradentes", Action::Write, vec![recall.n]);
    steps.extend([recall, last]);
    steps
}

/// The steps as a person wants them: those named, in the order in which they are named. What is left out is dropped; reading the
/// scope, planning and writing are always there.
///
/// # Errors
/// Why that cannot be, in words.
pub fn edited(steps: &[Step], has_begun: impl Fn(u32) -> bool, edits: &[StepEdit]) -> Result<Vec<Step>, String> {
    let named: BTreeSet<u32> = edits.iter().map(|edit| edit.n).collect();
    if named.len() != edits.len() {
        return Err("a step stands more than once".to_owned());
    }
    if let Some(lost) = steps.iter().find(|step| !named.contains(&step.n) && has_begun(step.n) && !is_fixed(step)) {
        return Err(format!("step {} has begun: it cannot be dropped", lost.n));
    }
    let mut chosen = Vec::new();
    for edit in edits {
        let step = steps.iter().find(|step| step.n == edit.n);
        let step = step.ok_or_else(|| format!("there is no step {}", edit.n))?;
        let wanted = edited_step(step, edit)?;
        if wanted != *step && has_begun(step.n) {
            return Err(format!("step {} has begun: it cannot be changed", step.n));
        }
        if !is_fixed(step) {
            chosen.push(wanted);
        }
    }
    if !chosen.iter().any(|step| step.action == Action::Judge) {
        return Err("a plan without a flag judges nothing: cancel the investigation instead".to_owned());
    }
    let fixed = |action| steps.iter().filter(move |step| step.action == action).cloned();
    let mut all: Vec<Step> = fixed(Action::ReadScope).chain(fixed(Action::Plan)).collect();
    all.extend(chosen);
    all.extend(fixed(Action::Write));
    let there: BTreeSet<u32> = all.iter().map(|step| step.n).collect();
    for step in &mut all {
        step.needs.retain(|n| there.contains(n));
    }
    Ok(all)
}

/// It is part of every plan.
fn is_fixed(step: &Step) -> bool {
    matches!(step.action, Action::ReadScope | Action::Plan | Action::Write)
}

fn edited_step(step: &Step, edit: &StepEdit) -> Result<Step, String> {
    let mut wanted = step.clone();
    if let Some(flags) = &edit.flags {
        let different: BTreeSet<&String> = flags.iter().collect();
        if different.len() != flags.len() || flags.iter().any(|flag| !step.flags.contains(flag)) {
            return Err(format!("the flags of step {} can be fewer or in another order, no others", step.n));
        }
        if flags.is_empty() {
            return Err(format!("step {} without flags: leave the step out instead", step.n));
        }
        wanted.flags.clone_from(flags);
    }
    let changes_spread = edit.strategy.is_some() || edit.max_workers.is_some() || edit.policy.is_some();
    match &mut wanted.spread {
        None if changes_spread => return Err(format!("step {} is not spread over workers", step.n)),
        None => {}
        Some(spread) => {
            spread.strategy = edit.strategy.unwrap_or(spread.strategy);
            spread.policy = edit.policy.unwrap_or(spread.policy);
            spread.max_workers = edit.max_workers.unwrap_or(spread.max_workers);
            if !(1..=WORKERS_MAX).contains(&spread.max_workers) {
                return Err(format!("max_workers must lie between 1 and {WORKERS_MAX}"));
            }
        }
    }
    Ok(wanted)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn plan() -> Vec<Step> {
        let roster = Roster::of([("BR01", "Obaluaiê"), ("BR02", "Bonifácio"), ("BR03", "Bonifácio")].into_iter());
        let spread = Spread { strategy: Strategy::ScatterGather, max_workers: 5, policy: Policy::BestEffort, parts: 0 };
        steps(&roster, &["BR01".into(), "BR02".into(), "BR03".into()], spread, true)
    }

    fn edit(n: u32) -> StepEdit {
        StepEdit { n, ..StepEdit::default() }
    }

    #[test]
    fn every_flag_is_judged_by_its_agent_after_the_fetch_and_before_the_recall() {
        let steps = plan();
        let agents: Vec<&str> = steps.iter().map(|step| step.agent.as_str()).collect();
        assert_eq!(agents, ["ayrton_senna", "abaporu", "oxossi", "bonifacio", "obaluaie", "nana", "tiradentes"]);
        assert_eq!((&steps[3].flags[..], &steps[3].needs[..]), (&["BR02".to_owned(), "BR03".to_owned()][..], &[3][..]));
        assert_eq!(steps[5].needs, [4, 5]);
    }

    #[test]
    fn steps_and_flags_can_be_dropped_moved_and_spread_otherwise() {
        let changed = StepEdit {
            flags: Some(vec!["BR03".to_owned()]),
            strategy: Some(Strategy::Pipeline),
            max_workers: Some(1),
            ..edit(4)
        };
        let steps = edited(&plan(), |_| false, &[edit(5), changed]).unwrap();
        let order: Vec<u32> = steps.iter().map(|step| step.n).collect();
        assert_eq!(order, [1, 2, 5, 4, 7], "fetch and recall are dropped; the fixed ones stay");
        assert_eq!((&steps[2].needs[..], steps[3].flags.len()), (&[][..], 1));
        assert_eq!(steps[3].spread.unwrap().strategy, Strategy::Pipeline);
    }

    #[test]
    fn what_has_begun_stays_as_it_is() {
        let begun = |n| n == 4;
        assert!(edited(&plan(), begun, &[edit(5)]).unwrap_err().contains("step 4 has begun"));
        let changed = StepEdit { max_workers: Some(2), ..edit(4) };
        assert!(edited(&plan(), begun, &[changed, edit(5)]).is_err());
        assert!(edited(&plan(), begun, &[edit(4)]).is_ok());
        for refused in [vec![edit(3)], vec![edit(9)], vec![edit(4), edit(4)]] {
            assert!(edited(&plan(), |_| false, &refused).is_err(), "{refused:?}");
        }
        let foreign = StepEdit { flags: Some(vec!["BR01".to_owned()]), ..edit(4) };
        assert!(edited(&plan(), |_| false, &[foreign]).is_err());
    }
}
