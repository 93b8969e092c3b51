//! The gates before the database and the analysis: so many questions at once, so many waiting, the rest told to come back.
//!
//! A place is given up when the question's own thread is done, not when its client goes away, so a storm of
//! impatient clients cannot pile up more work than the gate lets in.

use std::sync::Arc;

use prometheus::{IntCounter, IntGauge, Opts};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::GateLimits;
use crate::metrics::Named;

/// Too many questions wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// Lets a bounded number of questions in.
pub struct Gate {
    places: Arc<Semaphore>,
    waiting_max: i64,
    /// Questions being answered.
    pub running: IntGauge,
    /// Questions that wait for a place.
    pub waiting: IntGauge,
    /// Questions turned away.
    pub refused: IntCounter,
    bounds: [IntGauge; 2],
}

/// A place inside the gate; given back when dropped.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    running: IntGauge,
}

/// One that waits; counted until it is let in or goes away.
struct Waiter<'a>(&'a IntGauge);

impl Gate {
    /// The gate `name`, with metrics that [`Gate::register`] registers.
    ///
    /// # Errors
    /// A metric's name is malformed.
    pub fn new(name: &str, limits: GateLimits) -> prometheus::Result<Self> {
        let metric = |metric: &str, says: &str| Opts::new(metric, says).const_label("gate", name);
        let bound = |name: &str, says: &str, most: usize| {
            let gauge = IntGauge::with_opts(metric(name, says))?;
            gauge.set(i64::try_from(most).unwrap_or(i64::MAX));
            prometheus::Result::Ok(gauge)
        };
        Ok(Self {
            places: Arc::new(Semaphore::new(limits.running_max)),
            waiting_max: i64::try_from(limits.waiting_max).unwrap_or(i64::MAX),
            running: IntGauge::with_opts(metric("cidadao_ai_questions_running", "Questions being answered."))?,
            waiting: IntGauge::with_opts(metric("cidadao_ai_questions_waiting", "Questions that wait for a place."))?,
            refused: IntCounter::with_opts(metric(
                "cidadao_ai_questions_refused_total",
                "Questions turned away because too many were waiting.",
            ))?,
            bounds: [
                bound(
                    "cidadao_ai_questions_running_max",
                    "Questions that may be answered at once.",
                    limits.running_max,
                )?,
                bound("cidadao_ai_questions_waiting_max", "Questions that may wait for a place.", limits.waiting_max)?,
            ],
        })
    }

    /// Registers its metrics.
    ///
    /// # Errors
    /// One that stands twice.
    pub fn register(&self, registry: &Named) -> prometheus::Result<()> {
        for gauge in [&self.running, &self.waiting, &self.bounds[0], &self.bounds[1]] {
            registry.add(gauge)?;
        }
        registry.add(&self.refused)
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// [`Full`], at once, when too many wait already.
    pub async fn enter(&self) -> Result<Place, Full> {
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(self.place(permit));
        }
        if self.waiting.get() >= self.waiting_max {
            self.refused.inc();
            return Err(Full);
        }
        self.waiting.inc();
        let _waiter = Waiter(&self.waiting);
        // The semaphore is never closed.
        let permit = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Full)?;
        Ok(self.place(permit))
    }

    fn place(&self, permit: OwnedSemaphorePermit) -> Place {
        self.running.inc();
        Place { _permit: permit, running: self.running.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.running.dec();
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn beyond_the_queue_questions_are_turned_away_and_places_come_back() {
        let gate = Arc::new(Gate::new("test", GateLimits { running_max: 1, waiting_max: 1 }).unwrap());
        let inside = gate.enter().await.ok().unwrap();
        let second = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter().await.is_ok() }
        });
        while gate.waiting.get() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.enter().await.err(), Some(Full));
        drop(inside);
        assert!(second.await.unwrap());
        assert_eq!((gate.running.get(), gate.waiting.get(), gate.refused.get()), (0, 0, 1));
    }
}
