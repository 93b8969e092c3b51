//! Examples of requests: the trace of the latest one in each bucket, for who wants to see one that was slow.
//!
//! One is kept only of a request that came with a trace (W3C `traceparent`) that is sampled, so that others cost a look at their headers.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::HeaderMap;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::requests::BUCKETS_S;

/// The id of a trace: 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace([u8; 32]);

impl Trace {
    /// Its digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The trace that a `traceparent` names, if it is well formed and sampled.
    pub fn in_parent(parent: &[u8]) -> Option<Self> {
        let hex = |part: &[u8]| part.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b));
        let (version, rest) = (parent.get(..2)?, parent.get(2..)?);
        let (trace, span, flags) = (rest.get(1..33)?, rest.get(34..50)?, rest.get(51..53)?);
        let dashes = [0, 33, 50].iter().all(|at| rest[*at] == b'-');
        let ends = if version == b"00" { rest.len() == 53 } else { rest.get(53).is_none_or(|b| *b == b'-') };
        let whole = [version, trace, span, flags].into_iter().all(hex) && dashes && ends && version != b"ff";
        let zero = |part: &[u8]| part.iter().all(|b| *b == b'0');
        let sampled = matches!(flags[1], b'1' | b'3' | b'5' | b'7' | b'9' | b'b' | b'd' | b'f');
        (whole && sampled && !zero(trace) && !zero(span)).then(|| Self(trace.try_into().unwrap_or([b'0'; 32])))
    }
}

/// The trace that a request is part of.
pub fn trace_of(headers: &HeaderMap) -> Option<Trace> {
    Trace::in_parent(headers.get("traceparent")?.as_bytes())
}

/// One request.
#[derive(Clone, Copy)]
pub struct Exemplar {
    pub trace: Trace,
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
    pub fn keep(&self, labels: [&str; 3], took: Duration, trace: Trace) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sampled_and_well_formed_trace_is_an_example() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let of = |text: &str| Trace::in_parent(text.as_bytes()).map(|trace| trace.as_str().to_owned());
        assert_eq!(of(&format!("00-{trace}-00f067aa0ba902b7-01")).as_deref(), Some(trace));
        assert_eq!(of(&format!("01-{trace}-00f067aa0ba902b7-01-more")).as_deref(), Some(trace));
        for wrong in [
            format!("00-{trace}-00f067aa0ba902b7-00"),
            format!("00-{trace}-00f067aa0ba902b7-01-more"),
            format!("ff-{trace}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
            "00-".to_owned(),
            String::new(),
        ] {
            assert_eq!(of(&wrong), None, "{wrong}");
        }
    }
}
