//! What is known of one origin (scheme, host, port): how fast it may be asked, whether it is well, and how many more
//! attempts its failures are worth.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::{Error, Result, Settings};

/// Attempts again that an origin may have on top of its share, so that a few requests are not left without one.
const RETRIES_KEPT: f64 = 10.0;

/// One origin.
pub(crate) struct Origin {
    pub(crate) name: String,
    places: Arc<Semaphore>,
    rate: DefaultDirectRateLimiter,
    health: Mutex<Health>,
    breaker_failures: u32,
    breaker_pause: Duration,
    retry_share: f64,
    pub(crate) requests: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) hedges: AtomicU64,
    pub(crate) throttled: AtomicU64,
    pub(crate) left_alone: AtomicU64,
}

struct Health {
    failures: u32,
    left_alone_until: Option<Instant>,
    probed: bool,
    /// It asked to be left in peace until then.
    paused_until: Option<Instant>,
    retries_left: f64,
}

/// The right to one attempt; when it is dropped, the next may begin.
pub(crate) struct Turn {
    origin: Arc<Origin>,
    is_probe: bool,
    _place: OwnedSemaphorePermit,
}

impl Origin {
    pub(crate) fn new(name: String, settings: &Settings) -> Self {
        let per_second = NonZeroU32::new(settings.rate_per_s).unwrap_or(NonZeroU32::MIN);
        Self {
            name,
            places: Arc::new(Semaphore::new(settings.per_origin.max(1))),
            rate: RateLimiter::direct(Quota::per_second(per_second).allow_burst(NonZeroU32::MIN)),
            health: Mutex::new(Health {
                failures: 0,
                left_alone_until: None,
                probed: false,
                paused_until: None,
                retries_left: RETRIES_KEPT,
            }),
            breaker_failures: settings.breaker_failures.max(1),
            breaker_pause: settings.breaker_pause,
            retry_share: f64::from(settings.retry_percent) / 100.0,
            requests: AtomicU64::default(),
            retries: AtomicU64::default(),
            hedges: AtomicU64::default(),
            throttled: AtomicU64::default(),
            left_alone: AtomicU64::default(),
        }
    }

    /// Waits for a turn: a place, the pause that the origin asked for, and its rate.
    ///
    /// # Errors
    /// `LeftAlone` while it failed too often.
    pub(crate) async fn turn(self: &Arc<Self>) -> Result<Turn> {
        let place = Arc::clone(&self.places).acquire_owned().await.expect("the places are never closed");
        loop {
            let paused_until = self.health().paused_until.filter(|until| *until > Instant::now());
            match paused_until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => break,
            }
        }
        self.rate.until_ready().await;
        let is_probe = self.admit()?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        Ok(Turn { origin: Arc::clone(self), is_probe, _place: place })
    }

    /// Whether this attempt is the one that finds out if the origin is well again.
    fn admit(&self) -> Result<bool> {
        let mut health = self.health();
        let Some(until) = health.left_alone_until else { return Ok(false) };
        let now = Instant::now();
        if now < until || health.probed {
            self.left_alone.fetch_add(1, Ordering::Relaxed);
            let wait = until.saturating_duration_since(now).max(Duration::from_millis(100));
            return Err(Error::LeftAlone { origin: self.name.clone(), wait });
        }
        health.probed = true;
        Ok(true)
    }

    /// It answered: all is well, and another attempt for some later request is earned.
    pub(crate) fn is_well(&self) {
        let mut health = self.health();
        health.failures = 0;
        health.left_alone_until = None;
        health.retries_left = (health.retries_left + self.retry_share).min(RETRIES_KEPT * 10.0);
    }

    /// It failed.
    pub(crate) fn failed(&self) {
        let mut health = self.health();
        health.failures += 1;
        if health.failures >= self.breaker_failures {
            if health.left_alone_until.is_none() {
                tracing::warn!(
                    origin = self.name,
                    failures = health.failures,
                    "a source failed too often and is left alone"
                );
            }
            health.left_alone_until = Some(Instant::now() + self.breaker_pause);
        }
    }

    /// It asked not to be asked for that long.
    pub(crate) fn pause(&self, time: Duration) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
        let until = Instant::now() + time;
        let mut health = self.health();
        health.paused_until = Some(health.paused_until.map_or(until, |earlier| earlier.max(until)));
    }

    /// Takes one attempt from the budget, if there is one.
    pub(crate) fn take_retry(&self) -> bool {
        let mut health = self.health();
        let may = health.retries_left >= 1.0;
        if may {
            health.retries_left -= 1.0;
        }
        may
    }

    /// Whether it is left alone now.
    pub(crate) fn is_left_alone(&self) -> bool {
        self.health().left_alone_until.is_some_and(|until| until > Instant::now())
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_probe {
            self.origin.health().probed = false;
        }
    }
}
