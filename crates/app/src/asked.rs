//! What was asked of the world outside by this process, added up over the clients that asked it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Figures by origin and by what they count.
#[derive(Default)]
pub(crate) struct Asked(Mutex<BTreeMap<(String, &'static str), u64>>);

/// The figures of a client, each with its name.
fn named(figures: &outbound::Figures) -> impl Iterator<Item = ((String, &'static str), u64)> {
    let connections = std::iter::once(((String::new(), "connection"), figures.opened));
    let by_origin = figures.origins.iter().flat_map(|of| {
        let counts = [
            ("request", of.requests),
            ("retry", of.retries),
            ("hedge", of.hedges),
            ("throttled", of.throttled),
            ("left_alone", of.left_alone),
        ];
        counts.map(|(what, count)| ((of.origin.clone(), what), count))
    });
    connections.chain(by_origin)
}

impl Asked {
    /// Adds what a client that is done with had asked.
    pub(crate) fn add(&self, figures: &outbound::Figures) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, count) in named(figures) {
            *held.entry(name).or_default() += count;
        }
    }

    /// Origin (empty for what is of none), what is counted, how many; with those of a client that is still there.
    pub(crate) fn figures(&self, there: Option<&outbound::Figures>) -> Vec<(String, &'static str, u64)> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (name, count) in there.into_iter().flat_map(named) {
            *all.entry(name).or_default() += count;
        }
        all.into_iter().map(|((origin, what), count)| (origin, what, count)).collect()
    }
}
