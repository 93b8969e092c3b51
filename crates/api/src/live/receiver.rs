//! One who follows topics: a short queue of what is to be told, and what becomes of it when it is not read.
//!
//! The queue is bounded. When it is full, what waits is let go and the receiver is told of each topic from where to where it missed; when
//! that happens again before it has read everything, it is ended.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::Stream;

use super::batch::{Batch, Message};
use super::hub::Hub;
use super::{LiveMeters, Named};
use crate::problem::Problem;

/// How often a queue may be full before it was read to its end.
const OVERFLOWS_MAX: u32 = 2;

/// Why nothing more is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It reads too slowly.
    Slow,
    /// The program stops.
    GoingAway,
}

/// Where a topic stood when somebody came to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attached {
    /// Up to here what came before was told, or is not asked for; it goes on behind it.
    pub at: u64,
    /// Nothing more will happen.
    pub is_ended: bool,
}

/// What waits for one receiver.
pub(super) struct Outbox {
    inside: Mutex<Inside>,
    queue_max: usize,
    meters: Arc<LiveMeters>,
}

#[derive(Default)]
struct Inside {
    queue: VecDeque<Arc<Batch>>,
    overflows: u32,
    ending: Option<Ending>,
    waker: Option<Waker>,
}

impl Outbox {
    pub(super) fn new(queue_max: usize, meters: Arc<LiveMeters>) -> Arc<Self> {
        Arc::new(Self { inside: Mutex::default(), queue_max, meters })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a batch at the end of the queue.
    pub(super) fn push(&self, batch: Arc<Batch>) {
        let mut inside = self.inside();
        if inside.ending.is_some() {
            return;
        }
        if inside.queue.len() >= self.queue_max {
            inside.overflows += 1;
            let dropped = gaps_of(&mut inside.queue);
            self.meters.dropped.inc_by(dropped);
            if inside.overflows >= OVERFLOWS_MAX {
                inside.ending = Some(Ending::Slow);
            }
        }
        inside.queue.push_back(batch);
        let waker = inside.waker.take();
        drop(inside);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Ends it: what waits is still told.
    pub(super) fn end(&self, ending: Ending) {
        let mut inside = self.inside();
        inside.ending.get_or_insert(ending);
        if let Some(waker) = inside.waker.take() {
            waker.wake();
        }
    }
}

/// Leaves of what waits that it is missing, topic by topic; gives how many messages it was.
fn gaps_of(queue: &mut VecDeque<Arc<Batch>>) -> u64 {
    let mut missed: HashMap<Arc<str>, (u64, u64, usize)> = HashMap::new();
    let mut dropped = 0;
    for batch in queue.drain(..) {
        for message in &batch.messages {
            dropped += 1;
            let (since, to) = match &*message.kind {
                "gap" => (message.value()["since"].as_u64().unwrap_or(message.seq), message.seq),
                _ => (message.seq.saturating_sub(1), message.seq),
            };
            let of = missed.entry(Arc::clone(&batch.topic)).or_insert((since, to, 0));
            *of = (of.0.min(since), of.1.max(to), of.2 + 1);
        }
    }
    for (topic, (since, to, n)) in missed {
        let gap = Message::gap(since, to, Some(n), super::channel::read_of(&topic));
        queue.push_back(Batch::new(&topic, vec![Arc::new(gap)]));
    }
    dropped
}

/// One who follows topics. Dropped, it follows none.
pub struct Receiver {
    hub: Hub,
    id: u64,
    pub(super) outbox: Arc<Outbox>,
    topics: HashSet<Arc<str>>,
}

impl Receiver {
    pub(super) fn new(hub: Hub, id: u64, outbox: Arc<Outbox>) -> Self {
        Self { hub, id, outbox, topics: HashSet::new() }
    }

    /// Follows a topic too: behind `since`, where it is given, and else from now on. Gives where the topic stands then.
    ///
    /// # Errors
    /// There is no such investigation or flag; it is followed already; the process follows too many topics; the database is away.
    pub async fn subscribe(&mut self, named: &Named, since: Option<u64>) -> Result<Attached, Problem> {
        if self.topics.contains(&named.name) {
            return Err(Problem::invalid("topic", "is followed already"));
        }
        let at = self.hub.attach(named, since, self.id, &self.outbox).await?;
        self.topics.insert(Arc::clone(&named.name));
        Ok(at)
    }

    /// Follows a topic no longer; says whether it did.
    pub fn unsubscribe(&mut self, name: &str) -> bool {
        let held = self.topics.remove(name);
        if held {
            self.hub.detach(name, self.id);
        }
        held
    }

    /// How many topics it follows.
    pub fn topics(&self) -> usize {
        self.topics.len()
    }

    /// What waits to be told next, if something does.
    pub fn next_at_hand(&mut self) -> Option<Arc<Batch>> {
        self.outbox.inside().queue.pop_front()
    }

    /// Whether something waits to be told.
    pub fn has_more(&self) -> bool {
        !self.outbox.inside().queue.is_empty()
    }

    /// What is told next, once it is there; an ending, when everything before it was told.
    pub fn poll_told(&mut self, context: &mut Context<'_>) -> Poll<Result<Arc<Batch>, Ending>> {
        let mut inside = self.outbox.inside();
        // Who is too slow is not read to for longer.
        if let Some(ending) = inside.ending
            && (ending == Ending::Slow || inside.queue.is_empty())
        {
            return Poll::Ready(Err(ending));
        }
        match inside.queue.pop_front() {
            Some(batch) => Poll::Ready(Ok(batch)),
            None => {
                inside.overflows = 0;
                // An empty queue keeps no room: most wait most of the time.
                inside.queue = VecDeque::new();
                inside.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// What is told next.
    ///
    /// # Errors
    /// Why nothing more is.
    pub async fn told(&mut self) -> Result<Arc<Batch>, Ending> {
        std::future::poll_fn(|context| self.poll_told(context)).await
    }
}

impl Stream for Receiver {
    type Item = Arc<Batch>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Arc<Batch>>> {
        self.poll_told(context).map(Result::ok)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        for name in self.topics.drain() {
            self.hub.detach(&name, self.id);
        }
        self.hub.forget(self.id);
    }
}
