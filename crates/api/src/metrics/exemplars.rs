//! Examples of requests: the trace of the latest one in each bucket, for who wants to see one that was slow.
//!
//! One is kept only of a request whose trace is recorded, by us or by who asks.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::requests::BUCKETS_S;

/// One request.
#[derive(Clone, Copy)]
pub struct Exemplar {
    /// The id of its trace.
    pub trace: u128,
    pub seconds: f64,
    /// Unix time in seconds.
    pub at: f64,
}

type Buckets = [Option<Exemplar>; BUCKETS_S.len() + 1];

/// The latest request of each bucket, by the hash of method, route and class of status: as many as there are histograms.
#[derive(Default)]
pub struct Exemplars(Mutex<HashMap<u64, Box<Buckets>>>);

fn key_of(labels: [&str; 3]) -> u64 {
    labels.iter().fold(0, |seed, label| xxh3_64_with_seed(label.as_bytes(), seed))
}

/// What was kept of the histograms of one name.
pub struct Taken {
    /// The metric's name.
    pub family: String,
    by_labels: HashMap<u64, Box<Buckets>>,
}

impl Taken {
    /// The examples of the histogram with these labels, in their order.
    pub fn of(&self, labels: [&str; 3]) -> Option<&Buckets> {
        self.by_labels.get(&key_of(labels)).map(|buckets| &**buckets)
    }
}

impl Exemplars {
    pub fn keep(&self, labels: [&str; 3], took: Duration, trace: u128) {
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS_S.iter().position(|bound| seconds <= *bound).unwrap_or(BUCKETS_S.len());
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let buckets = held.entry(key_of(labels)).or_insert_with(|| Box::new([None; BUCKETS_S.len() + 1]));
        buckets[bucket] = Some(Exemplar { trace, seconds, at });
    }

    pub fn take(&self, family: String) -> Taken {
        Taken { family, by_labels: self.0.lock().unwrap_or_else(PoisonError::into_inner).clone() }
    }
}
