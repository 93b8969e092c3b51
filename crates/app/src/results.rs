//! Results of questions to the store, kept in memory while nothing is written: lists, counts and sums that several doors ask for.
//!
//! A result is given again only if a look at the store says that it stands exactly as it did before the question was asked.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;
use serde::Serialize;

use crate::queries::RecallFigures;
use crate::settings::CacheStrategy;
use crate::{App, Result};

/// Results that are kept; a page of a list is the largest, some 300 kB.
const RESULTS_MAX: usize = 64;

/// What the store stands at: its epoch, and the last event.
type Stand = (u64, u64);

/// A result, and how the store stood before it was asked for.
type Kept = (Stand, Arc<dyn Any + Send + Sync>);

/// Results that are kept.
pub(crate) struct Results {
    kept: Cache<(&'static str, u128), Kept>,
    watch: Mutex<Watching>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Default)]
struct Watching {
    watch: Option<store::Watch>,
    stand: Stand,
}

impl Default for Results {
    fn default() -> Self {
        let (hits, misses) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { kept: Cache::new(RESULTS_MAX), watch: Mutex::default(), hits, misses }
    }
}

impl App {
    /// The result of a question: the one that is kept, or what `ask` gives, which is kept.
    ///
    /// # Errors
    /// Whatever `ask` gives.
    pub(crate) fn recalled<T: Clone + Send + Sync + 'static>(
        &self,
        what: &'static str,
        question: &impl Serialize,
        ask: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let results = self.results();
        let stand = if self.settings().cache.strategy == CacheStrategy::Off { None } else { self.stand() };
        let Some(stand) = stand else { return ask() };
        let text = serde_json::to_vec(question).map_err(store::Error::from)?;
        let key = (what, xxhash_rust::xxh3::xxh3_128(&text));
        let kept = results.kept.get(&key).filter(|(then, _)| *then == stand);
        if let Some(result) = kept.and_then(|(_, result)| result.downcast::<T>().ok()) {
            results.hits.fetch_add(1, Ordering::Relaxed);
            return Ok((*result).clone());
        }
        results.misses.fetch_add(1, Ordering::Relaxed);
        let result = ask()?;
        results.kept.insert(key, (stand, Arc::new(result.clone())));
        Ok(result)
    }

    /// How the store stands; nothing when it cannot be looked at.
    fn stand(&self) -> Option<Stand> {
        let mut watching = self.results().watch.lock().unwrap_or_else(PoisonError::into_inner);
        if watching.watch.is_none() {
            watching.watch = self.store().watch().ok();
        }
        let looked = watching.watch.as_mut()?.look();
        match looked {
            Ok(Some(change)) => watching.stand = (change.epoch, change.seq),
            Ok(None) => {}
            Err(_) => return None,
        }
        Some(watching.stand)
    }

    /// Another when the data changed; nothing when they cannot be looked at.
    pub(crate) fn data_epoch(&self) -> Option<u64> {
        self.stand().map(|(epoch, _)| epoch)
    }

    /// How often a result was given again, how often it was not there, and how many are kept.
    pub(crate) fn recalls(&self) -> RecallFigures {
        let results = self.results();
        RecallFigures {
            hits: results.hits.load(Ordering::Relaxed),
            misses: results.misses.load(Ordering::Relaxed),
            kept: results.kept.len(),
            kept_max: RESULTS_MAX,
        }
    }
}
