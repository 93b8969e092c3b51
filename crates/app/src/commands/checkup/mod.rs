//! The doctor on a running system: the list of troubles walked from outside, by its public doors alone.
//!
//! Each check answers with what was found, the figure it rests on and what to do. What a system does not tell, and what too few requests
//! were made for, is `not_measured`: it is neither well nor ill. Every check's id is a heading of `docs/operations.md`.

mod latency;
mod memory;
mod probe;
mod throughput;

use serde::Serialize;

use crate::{Error, Result};
use probe::{Look, look_at};

/// Below this many requests a share of them says nothing.
const REQUESTS_MIN: f64 = 100.0;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum State {
    Ok,
    Note,
    Problem,
    NotMeasured,
}

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Said {
    pub pt: String,
    pub en: String,
}

fn say(pt: impl Into<String>, en: impl Into<String>) -> Said {
    Said { pt: pt.into(), en: en.into() }
}

/// What one check came to.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Its id, a heading of the list for people.
    pub id: &'static str,
    /// `reach`, `latency`, `memory` or `throughput`.
    pub about: &'static str,
    /// How bad it is.
    pub gravity: State,
    /// What was found.
    pub found: Said,
    /// The figure on which that rests, with its unit.
    pub figure: String,
    /// What to do, where something is to be done.
    pub advice: Option<Said>,
}

impl Check {
    fn new(gravity: State, figure: impl Into<String>, found: Said, advice: Option<Said>) -> Self {
        Self { id: "", about: "", gravity, found, figure: figure.into(), advice }
    }

    fn ok(figure: impl Into<String>, found: Said) -> Self {
        Self::new(State::Ok, figure, found, None)
    }

    fn note(figure: impl Into<String>, found: Said, advice: Said) -> Self {
        Self::new(State::Note, figure, found, Some(advice))
    }

    fn problem(figure: impl Into<String>, found: Said, advice: Said) -> Self {
        Self::new(State::Problem, figure, found, Some(advice))
    }

    /// The system does not tell `metric`, or did not have enough to measure.
    fn not_measured(metric: &str, found: Said) -> Self {
        Self::new(State::NotMeasured, metric, found, None)
    }
}

type Looked = fn(&Look) -> Check;

/// The list: group, id, check.
const CHECKS: &[(&str, &str, Looked)] = &[
    ("reach", "ready", throughput::ready),
    ("latency", "response-times", latency::response_times),
    ("latency", "hit-rate", latency::hit_rate),
    ("latency", "slow-queries", latency::slow_queries),
    ("latency", "database-pool", latency::database_pool),
    ("latency", "compression", latency::compression),
    ("memory", "memory-limit", memory::limit),
    ("memory", "cache-sizes", memory::cache_sizes),
    ("memory", "leaks", memory::leaks),
    ("memory", "pool-limits", memory::pool_limits),
    ("memory", "profile", memory::profile),
    ("throughput", "agent-pool", throughput::agent_pool),
    ("throughput", "connection-limits", throughput::connection_limits),
    ("throughput", "http2", throughput::http2),
    ("throughput", "batch", throughput::batch),
    ("throughput", "errors", throughput::errors),
];

/// Looks at the system at `url` from outside. It is asked some twenty small questions, over a few seconds.
///
/// # Errors
/// No address.
pub fn check_up(url: &str) -> Result<Vec<Check>> {
    let base = url.trim_end_matches('/');
    if !base.starts_with("http://") && !base.starts_with("https://") {
        let told = crate::layers::told(url);
        return Err(Error::invalid("URL", format!("{told}: must begin with http:// or https://")));
    }
    // It would be printed with the address, and is asked of nobody.
    if base.contains('@') {
        let told = crate::layers::told(url);
        return Err(Error::invalid("URL", format!("{told}: no name or password is taken in an address")));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::Failed(format!("no asynchronous runtime: {e}")))?;
    let look = match runtime.block_on(look_at(base)) {
        Ok(look) => look,
        Err(because) => return Ok(vec![throughput::unreachable(&because)]),
    };
    Ok(CHECKS.iter().map(|(about, id, check)| Check { about, id, ..check(&look) }).collect())
}

/// Milliseconds, for people.
fn ms(seconds: f64) -> String {
    format!("{:.0} ms", seconds * 1e3)
}

/// MiB, for people.
fn mib(bytes: f64) -> String {
    format!("{:.0} MiB", bytes / 1_048_576.0)
}

/// A share in percent, for people.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
