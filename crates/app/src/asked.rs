//! What was asked of the world outside by this process, added up over the clients that asked it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use outbound::Outbound;

use crate::queries::OutsideFigures;

/// Clients that are at work, and what those that are done with had asked.
#[derive(Default)]
pub(crate) struct Asked(Mutex<State>);

#[derive(Default)]
struct State {
    done: Sums,
    working: Vec<(u64, Outbound)>,
    next: u64,
}

/// Figures by origin and by what they count.
#[derive(Clone, Default)]
struct Sums {
    by_origin: BTreeMap<(String, &'static str), u64>,
    opened: u64,
}

impl Sums {
    fn add(&mut self, figures: &outbound::Figures) {
        self.opened += figures.opened;
        for of in &figures.origins {
            for (what, count) in [
                ("request", of.requests),
                ("retry", of.retries),
                ("hedge", of.hedges),
                ("throttled", of.throttled),
                ("left_alone", of.left_alone),
            ] {
                *self.by_origin.entry((of.origin.clone(), what)).or_default() += count;
            }
        }
    }
}

/// A client at work; its figures are added to those of the past when this is dropped.
pub(crate) struct Working<'a> {
    asked: &'a Asked,
    number: u64,
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let mut state = self.asked.state();
        if let Some(at) = state.working.iter().position(|(number, _)| *number == self.number) {
            let (_, client) = state.working.swap_remove(at);
            state.done.add(&client.figures());
        }
    }
}

impl Asked {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what a client asks, as long as it works and after that.
    pub(crate) fn watch(&self, client: &Outbound) -> Working<'_> {
        let mut state = self.state();
        state.next += 1;
        let number = state.next;
        state.working.push((number, client.clone()));
        Working { asked: self, number }
    }

    /// What all of them asked, with the client of the models, if it is there.
    pub(crate) fn figures(&self, models: Option<outbound::Figures>) -> OutsideFigures {
        let state = self.state();
        let mut sums = state.done.clone();
        let working: Vec<_> = state.working.iter().map(|(_, client)| client.figures()).chain(models).collect();
        drop(state);
        working.iter().for_each(|figures| sums.add(figures));
        let mut left_alone: BTreeMap<String, bool> =
            sums.by_origin.keys().map(|(origin, _)| (origin.clone(), false)).collect();
        for of in working.iter().flat_map(|figures| &figures.origins) {
            *left_alone.entry(of.origin.clone()).or_default() |= of.is_left_alone;
        }
        OutsideFigures {
            asked: sums.by_origin.into_iter().map(|((origin, what), count)| (origin, what, count)).collect(),
            opened: sums.opened,
            open: working.iter().map(|figures| figures.open).sum(),
            left_alone: left_alone.into_iter().collect(),
        }
    }
}
