//! The one loop under all strategies.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{Bounds, Ended, Standing, Turn, Why};

/// Who gets the next unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deal {
    ToWhoIsFree,
    InTurn,
}

/// Who is free.
struct Workers {
    deal: Deal,
    free: Vec<usize>,
    busy: Vec<bool>,
}

impl Workers {
    fn next(&mut self, unit: usize) -> Option<usize> {
        let worker = match self.deal {
            Deal::ToWhoIsFree => self.free.pop()?,
            Deal::InTurn => unit % self.busy.len(),
        };
        (!std::mem::replace(&mut self.busy[worker], true)).then_some(worker)
    }

    fn give_back(&mut self, worker: usize) {
        self.busy[worker] = false;
        if self.deal == Deal::ToWhoIsFree {
            self.free.push(worker);
        }
    }
}

/// Works units off and tells `ended` of each; what that gives is the first unit that may not be begun yet. Gives how many were
/// begun, and why it ended.
pub(super) async fn drive<I, O, F>(
    mut units: impl Iterator<Item = I>,
    bounds: &Bounds,
    deal: Deal,
    mut work: impl FnMut(I, Turn) -> F,
    mut ended: impl FnMut(usize, Ended<O>) -> usize,
) -> (usize, Why)
where
    O: Send + 'static,
    F: Future<Output = Result<O, String>> + Send + 'static,
{
    let n = bounds.max_workers.max(1);
    let mut workers = Workers { deal, free: (0..n).rev().collect(), busy: vec![false; n] };
    let stop = bounds.stop.child_token();
    let mut running = JoinSet::new();
    let (mut begun, mut horizon, mut all_known) = (0, usize::MAX, false);
    let (mut succeeded, mut failed) = (0, 0);
    let mut stopped = pin!(bounds.stop.cancelled());
    let deadline = bounds.total_deadline.map(|within| Instant::now() + within);
    let mut late = pin!(sleep_until(deadline.unwrap_or_else(Instant::now)));
    let why = loop {
        while !all_known && begun < horizon {
            let Some(worker) = workers.next(begun) else { break };
            let Some(unit) = units.next() else {
                workers.give_back(worker);
                all_known = true;
                break;
            };
            let turn = Turn { unit: begun, worker, stop: stop.child_token() };
            let (token, within) = (turn.stop.clone(), bounds.unit_deadline);
            let future = work(unit, turn);
            let unit = begun;
            running.spawn(async move { (unit, worker, end_of(future, token, within).await) });
            begun += 1;
        }
        match bounds.policy.standing(all_known.then_some(begun), succeeded, failed) {
            Standing::Lost => break Why::Lost,
            Standing::Enough if running.is_empty() && all_known => break Why::Done,
            Standing::Enough => break Why::Enough,
            Standing::Open => {}
        }
        let done = tokio::select! {
            biased;
            () = &mut stopped => break Why::Stopped,
            () = &mut late, if deadline.is_some() => break Why::Deadline,
            done = running.join_next() => done,
        };
        // Nothing is under way though it is open: a quorum of more than there are.
        let Some(done) = done else { break Why::Lost };
        let Ok((unit, worker, end)) = done else { continue };
        workers.give_back(worker);
        if matches!(end, Ended::Done(_)) {
            succeeded += 1;
        } else {
            failed += 1;
        }
        horizon = ended(unit, end);
    };
    stop.cancel();
    running.shutdown().await;
    (begun, why)
}

/// Runs one unit to its end; a panic is a failure of it alone.
async fn end_of<O>(
    future: impl Future<Output = Result<O, String>>,
    stop: CancellationToken,
    within: Option<std::time::Duration>,
) -> Ended<O> {
    let mut future = pin!(future);
    let whole = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(Ok(output))) => Poll::Ready(Ended::Done(output)),
        Ok(Poll::Ready(Err(because))) => Poll::Ready(Ended::Failed(because)),
        Err(_) => Poll::Ready(Ended::Failed("it panicked".to_owned())),
    });
    match within {
        None => whole.await,
        Some(within) => timeout(within, whole).await.unwrap_or_else(|_| {
            stop.cancel();
            Ended::Late
        }),
    }
}
