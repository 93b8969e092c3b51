//! Sign-ins that fail are slowed down: so many for one name and from one address, then none until their time is over.
//!
//! An attempt counts before its password is looked at, so that many at once are no way around; one that succeeds is taken back. Names that
//! are nobody's count like others: who is refused learns nothing. It is counted in this process alone, and forgotten when it ends.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use app::Settings;
use prometheus::{IntCounter, IntCounterVec, Opts};

use crate::address::counted;
use crate::metrics::Metrics;
use crate::recent::Recent;

/// How long failures count.
const COUNTED_FOR: Duration = Duration::from_secs(15 * 60);
/// Names and addresses whose failures are kept in mind at once.
const KEPT_MAX: usize = 20_000;

/// Failures of late.
pub struct SignIns {
    per_account: u32,
    per_address: u32,
    failures: Mutex<Recent<Whose, Failures>>,
    attempts: IntCounterVec,
    reused: IntCounter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Whose {
    Name(String),
    Address(IpAddr),
}

struct Failures {
    n: u32,
    until: Instant,
}

/// An attempt that may be made.
pub struct Attempt<'a> {
    of: &'a SignIns,
    whose: Vec<Whose>,
}

impl SignIns {
    /// Names and addresses whose failures are kept in mind, and how many may be.
    pub fn held(&self) -> (usize, usize) {
        (self.failures.lock().unwrap_or_else(PoisonError::into_inner).len(), KEPT_MAX)
    }

    /// None yet, with their metrics among `metrics`.
    ///
    /// # Errors
    /// A metric that stands twice.
    pub fn new(settings: &Settings, metrics: &Metrics) -> prometheus::Result<Self> {
        let attempts = IntCounterVec::new(
            Opts::new(
                "cidadao_ai_logins_total",
                "Sign-ins that were tried: ok, failed, or refused after many that failed.",
            ),
            &["outcome"],
        )?;
        for outcome in ["ok", "failed", "refused"] {
            attempts.with_label_values(&[outcome]);
        }
        let reused = IntCounter::new(
            "cidadao_ai_refresh_reused_total",
            "Sign-ins ended because one of their refresh tokens came a second time.",
        )?;
        metrics.add(&[&attempts])?;
        metrics.add(&[&reused])?;
        let (per_account, per_address) =
            (settings.identity.failures_per_account, settings.identity.failures_per_address);
        Ok(Self { per_account, per_address, failures: Mutex::new(Recent::new(KEPT_MAX)), attempts, reused })
    }

    /// Counts an attempt, or says how many seconds to wait before the next.
    pub fn begin(&self, name: &str, address: Option<IpAddr>) -> Result<Attempt<'_>, u64> {
        let name = Whose::Name(name.chars().take(100).collect());
        let whose: Vec<Whose> = [name].into_iter().chain(address.map(|at| Whose::Address(counted(at)))).collect();
        let (now, mut failures) = (Instant::now(), self.failures());
        let waits = whose.iter().filter_map(|one| {
            let max = if matches!(one, Whose::Name(_)) { self.per_account } else { self.per_address };
            let held = failures.touch(one).filter(|held| held.until > now && held.n >= max)?;
            Some(held.until.duration_since(now).as_secs() + 1)
        });
        if let Some(wait) = waits.max() {
            self.attempts.with_label_values(&["refused"]).inc();
            return Err(wait);
        }
        for one in &whose {
            match failures.touch(one).filter(|held| held.until > now) {
                Some(held) => held.n += 1,
                None => drop(failures.put(one.clone(), Failures { n: 1, until: now + COUNTED_FOR })),
            }
        }
        Ok(Attempt { of: self, whose })
    }

    /// Counts a refresh token that came a second time.
    pub fn note_reuse(&self) {
        self.reused.inc();
    }

    fn failures(&self) -> MutexGuard<'_, Recent<Whose, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// It succeeded: the name's failures are forgotten, the address's are one less.
    pub fn succeeded(self) {
        self.of.attempts.with_label_values(&["ok"]).inc();
        let mut failures = self.of.failures();
        for one in &self.whose {
            if let Some(held) = failures.touch(one) {
                held.n = if matches!(one, Whose::Name(_)) { 0 } else { held.n.saturating_sub(1) };
            }
        }
    }

    /// Name or password was wrong.
    pub fn failed(self) {
        self.of.attempts.with_label_values(&["failed"]).inc();
    }

    /// Nothing was found out, for something else went wrong.
    pub fn came_to_nothing(self) {
        let mut failures = self.of.failures();
        for one in &self.whose {
            if let Some(held) = failures.touch(one) {
                held.n = held.n.saturating_sub(1);
            }
        }
    }
}
