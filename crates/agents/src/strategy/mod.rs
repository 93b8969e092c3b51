//! How work is spread over workers: `scatter_gather`, `round_robin`, `map_reduce`, `pipeline`.
//!
//! Each pulls its units one by one as workers come free (never more than `max_workers` are under way), gives results in the
//! order of the units whatever order they end in, and holds to a [`Policy`], a deadline for each unit and one for all. When
//! the work ends early (enough, lost, late, stopped) the units under way are told by their [`Turn`], and nothing of them runs on in
//! the background. Work that computes belongs on threads, and looks at its turn there ([`Turn::is_over`]).
//!
//! An investigation's work is tasks that any process may take; what the strategies are there is in [`Strategy::ready`].

mod drive;
mod policy;
mod schedule;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

pub use policy::{Policy, Standing};
pub use schedule::Strategy;

use drive::{Deal, drive};

/// What a run may take.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Units under way at once.
    pub max_workers: usize,
    /// When it is enough.
    pub policy: Policy,
    /// How long one unit may take.
    pub unit_deadline: Option<Duration>,
    /// How long all may take.
    pub total_deadline: Option<Duration>,
    /// Stops it from outside.
    pub stop: CancellationToken,
}

impl Bounds {
    /// So many at once, and nothing else.
    #[must_use]
    pub fn workers(max_workers: usize) -> Self {
        Self {
            max_workers: max_workers.max(1),
            policy: Policy::default(),
            unit_deadline: None,
            total_deadline: None,
            stop: CancellationToken::new(),
        }
    }
}

/// One unit's turn.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Its place among the units.
    pub unit: usize,
    /// The worker that has it: 0 to `max_workers` - 1.
    pub worker: usize,
    /// Is cancelled when the unit is to stop.
    pub stop: CancellationToken,
}

impl Turn {
    /// The unit is to stop.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stop.is_cancelled()
    }
}

/// What became of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended<O> {
    /// It succeeded.
    Done(O),
    /// It failed, for this reason.
    Failed(String),
    /// Its deadline came first.
    Late,
    /// The run ended before it did.
    Unfinished,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// All was done.
    Done,
    /// The policy had enough, and the rest was left.
    Enough,
    /// The policy cannot be met any more.
    Lost,
    /// The deadline for all came.
    Deadline,
    /// It was stopped from outside.
    Stopped,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered<O> {
    /// What became of the units that were begun, in their order.
    pub units: Vec<Ended<O>>,
    /// Why it ended.
    pub why: Why,
}

impl<O> Gathered<O> {
    /// Something is missing that was asked for: what there is must be named partial.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        !matches!(self.why, Why::Done | Why::Enough)
            || (self.why == Why::Done && self.units.iter().any(|unit| !matches!(unit, Ended::Done(_))))
    }

    /// What succeeded, in order.
    pub fn done(self) -> impl Iterator<Item = O> {
        self.units.into_iter().filter_map(|unit| if let Ended::Done(output) = unit { Some(output) } else { None })
    }
}

/// Whoever is free takes the next unit; the results are gathered in order.
pub async fn scatter_gather<I, O, F, W>(units: I, bounds: &Bounds, work: W) -> Gathered<O>
where
    I: IntoIterator,
    O: Send + 'static,
    F: Future<Output = Result<O, String>> + Send + 'static,
    W: FnMut(I::Item, Turn) -> F,
{
    gather(units, bounds, Deal::ToWhoIsFree, work).await
}

/// Units are dealt in turn: the n-th worker has every n-th unit, and a slow one delays its own alone.
pub async fn round_robin<I, O, F, W>(units: I, bounds: &Bounds, work: W) -> Gathered<O>
where
    I: IntoIterator,
    O: Send + 'static,
    F: Future<Output = Result<O, String>> + Send + 'static,
    W: FnMut(I::Item, Turn) -> F,
{
    gather(units, bounds, Deal::InTurn, work).await
}

async fn gather<I, O, F, W>(units: I, bounds: &Bounds, deal: Deal, work: W) -> Gathered<O>
where
    I: IntoIterator,
    O: Send + 'static,
    F: Future<Output = Result<O, String>> + Send + 'static,
    W: FnMut(I::Item, Turn) -> F,
{
    let mut ended: Vec<Option<Ended<O>>> = Vec::new();
    let (begun, why) = drive(units.into_iter(), bounds, deal, work, |unit, end| {
        if ended.len() <= unit {
            ended.resize_with(unit + 1, || None);
        }
        ended[unit] = Some(end);
        // Results may be far ahead of the first: nothing holds them back.
        usize::MAX
    })
    .await;
    ended.resize_with(begun, || None);
    Gathered { units: ended.into_iter().map(|end| end.unwrap_or(Ended::Unfinished)).collect(), why }
}

/// What a reduction came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reduced<A> {
    /// What the units that succeeded came to together.
    pub value: A,
    /// How many succeeded.
    pub done: usize,
    /// What became of the others: their place, and why.
    pub missing: Vec<(usize, Ended<()>)>,
    /// Why it ended.
    pub why: Why,
}

/// Maps every unit, and merges the results in order as they come. A slow unit holds back those more than a few rounds ahead of
/// it, so that what waits to be merged is bounded.
pub async fn map_reduce<I, O, A, F, W>(
    units: I,
    bounds: &Bounds,
    map: W,
    first: A,
    mut reduce: impl FnMut(A, O) -> A,
) -> Reduced<A>
where
    I: IntoIterator,
    O: Send + 'static,
    F: Future<Output = Result<O, String>> + Send + 'static,
    W: FnMut(I::Item, Turn) -> F,
{
    let window = bounds.max_workers.max(1) * 4;
    let (mut waiting, mut next) = (std::collections::VecDeque::new(), 0);
    let mut reduced = Reduced { value: Some(first), done: 0, missing: Vec::new(), why: Why::Done };
    let mut merge = |reduced: &mut Reduced<Option<A>>, unit: usize, end: Ended<O>| match end {
        Ended::Done(output) => {
            reduced.done += 1;
            reduced.value = reduced.value.take().map(|value| reduce(value, output));
        }
        Ended::Failed(because) => reduced.missing.push((unit, Ended::Failed(because))),
        Ended::Late => reduced.missing.push((unit, Ended::Late)),
        Ended::Unfinished => reduced.missing.push((unit, Ended::Unfinished)),
    };
    let (begun, why) = drive(units.into_iter(), bounds, Deal::ToWhoIsFree, map, |unit, end| {
        let at = unit - next;
        if waiting.len() <= at {
            waiting.resize_with(at + 1, || None);
        }
        waiting[at] = Some(end);
        while let Some(Some(_)) = waiting.front() {
            let end = waiting.pop_front().flatten().unwrap_or(Ended::Unfinished);
            merge(&mut reduced, next, end);
            next += 1;
        }
        next + window
    })
    .await;
    waiting.resize_with(begun - next, || None);
    for end in waiting {
        merge(&mut reduced, next, end.unwrap_or(Ended::Unfinished));
        next += 1;
    }
    let Reduced { value, done, missing, .. } = reduced;
    Reduced { value: value.expect("it is put back each time that it is taken"), done, missing, why }
}

/// One stage of a pipeline.
pub type Stage<T> = Arc<dyn Fn(T, Turn) -> Pin<Box<dyn Future<Output = Result<T, String>> + Send>> + Send + Sync>;

/// Every unit goes through all stages; a stage has one unit at a time and units stay in order, so that while one is in the second stage
/// the next is in the first.
pub async fn pipeline<I, T>(units: I, bounds: &Bounds, stages: &[Stage<T>]) -> Gathered<T>
where
    I: IntoIterator<Item = T>,
    T: Send + 'static,
{
    let stages: Arc<[Place<T>]> = stages.iter().map(|stage| (Arc::clone(stage), Arc::new(Semaphore::new(1)))).collect();
    gather(units, bounds, Deal::ToWhoIsFree, move |unit, turn| {
        let first = stages.first().map(|(_, place)| in_line(place));
        through(Arc::clone(&stages), first, unit, turn)
    })
    .await
}

/// A stage, and the one place in it.
type Place<T> = (Stage<T>, Arc<Semaphore>);
type Entry = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;

/// Stands in line for a place from now on, not only from when it is awaited: units enter in their order.
fn in_line(place: &Arc<Semaphore>) -> Entry {
    let mut entry: Entry = Box::pin(tokio::task::unconstrained(Arc::clone(place).acquire_owned()));
    match entry.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(entered) => Box::pin(std::future::ready(entered)),
        Poll::Pending => entry,
    }
}

async fn through<T: Send + 'static>(
    stages: Arc<[Place<T>]>,
    mut entry: Option<Entry>,
    mut unit: T,
    turn: Turn,
) -> Result<T, String> {
    let mut held = None;
    for (stage, place) in stages.iter() {
        let entered = entry.take().unwrap_or_else(|| in_line(place));
        let entered = entered.await.map_err(|_| "the stage is closed".to_owned())?;
        // Only now is the place before free: nobody overtakes.
        drop(held.replace(entered));
        unit = stage(unit, turn.clone()).await?;
    }
    Ok(unit)
}
