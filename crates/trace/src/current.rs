//! The work that a thread is at.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::{Place, is_drawn, may_record};

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// On what the time of a work goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Waiting to be let in.
    Queue,
    /// Asking the database.
    Database,
    /// Writing the answer: JSON and compression.
    Encoding,
}

/// What the phases of a work took so far.
#[derive(Debug, Default)]
pub struct Times([AtomicU64; 3]);

impl Times {
    /// What one phase took.
    #[must_use]
    pub fn of(&self, phase: Phase) -> Duration {
        Duration::from_nanos(self.0[phase as usize].load(Ordering::Relaxed))
    }

    fn add(&self, phase: Phase, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.0[phase as usize].fetch_add(took, Ordering::Relaxed);
    }
}

/// One request, or one task, and what it took so far.
#[derive(Debug)]
struct Work {
    /// How its sender, or we, named the request.
    name: Option<Box<str>>,
    times: Times,
    recorded: bool,
}

/// A work, and the span of it that is being done.
#[derive(Debug, Clone)]
pub struct Current {
    work: Arc<Work>,
    place: Place,
}

impl Current {
    /// A work that `parent` asks for, or nobody; the first span of it is the place given. A parent that is recorded has its children
    /// recorded too, as far as the settings let it.
    #[must_use]
    pub fn begin(parent: Option<Place>, name: Option<&str>) -> Self {
        let place = parent.map_or_else(|| Place::root(is_drawn()), Place::child);
        Self::of(place, parent.is_some(), name)
    }

    fn of(place: Place, has_parent: bool, name: Option<&str>) -> Self {
        let recorded = place.sampled && may_record();
        // Whoever began it may record it though we do not.
        let place = Place { sampled: place.sampled && (recorded || has_parent), ..place };
        let work = Work { name: name.map(Into::into), times: Times::default(), recorded };
        Self { work: Arc::new(work), place }
    }

    /// As [`Current::begin`], but nothing unless it has a parent or is drawn.
    #[must_use]
    pub fn if_followed(parent: Option<Place>) -> Option<Self> {
        let place = parent.map(Place::child).or_else(|| is_drawn().then(|| Place::root(true)))?;
        Some(Self::of(place, parent.is_some(), None))
    }

    /// Its place.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// How the request is named.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.work.name.as_deref()
    }

    /// Whether spans of it are recorded.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.work.recorded
    }

    /// What its phases took so far.
    #[must_use]
    pub fn times(&self) -> &Times {
        &self.work.times
    }

    /// The same work at another span.
    pub(crate) fn at(&self, place: Place) -> Self {
        Self { work: Arc::clone(&self.work), place }
    }

    /// Makes it this thread's work until what is given is dropped.
    #[must_use]
    pub fn enter(self) -> Entered {
        Entered { before: CURRENT.with(|current| current.borrow_mut().replace(self)) }
    }
}

/// A work that a thread is at; what it was at before is taken up again when this is dropped.
#[derive(Debug)]
pub struct Entered {
    before: Option<Current>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.with(|current| *current.borrow_mut() = self.before.take());
    }
}

/// What this thread is at.
#[must_use]
pub fn current() -> Option<Current> {
    CURRENT.with(|current| current.borrow().clone())
}

/// Counts what a phase of this thread's work took.
pub fn count(phase: Phase, took: Duration) {
    CURRENT.with(|current| {
        if let Some(current) = &*current.borrow() {
            current.work.times.add(phase, took);
        }
    });
}

/// `work`, for another thread to do: it belongs where this thread's does.
pub fn carried<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let current = current();
    move || {
        let _entered = current.map(Current::enter);
        work()
    }
}

pin_project_lite::pin_project! {
    /// A future that is part of a work, whichever thread it runs on.
    #[derive(Debug)]
    pub struct Within<F> {
        current: Option<Current>,
        #[pin]
        future: F,
    }
}

/// `future` as a part of `current`.
pub fn within<F: Future>(current: Current, future: F) -> Within<F> {
    Within { current: Some(current), future }
}

/// `future` as a part of what this thread is at now, for it to be run elsewhere.
pub fn within_current<F: Future>(future: F) -> Within<F> {
    Within { current: current(), future }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        match this.current.take() {
            None => this.future.poll(context),
            Some(current) => {
                let entered = current.enter();
                let polled = this.future.poll(context);
                // Taken back, not copied.
                *this.current = CURRENT.with(|held| held.borrow_mut().take());
                drop(entered);
                polled
            }
        }
    }
}
