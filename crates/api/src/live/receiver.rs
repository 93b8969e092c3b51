//! One who follows topics: a short queue of what is to be told, and what becomes of it when it is not read.
//!
//! The queue is bounded. When it is full, what waits is let go and the receiver is told of each topic from where to where it missed; when
//! that happens again before it has read everything, it is ended.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
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
    /// Each with whether it happened just now; else it is told of before, once, to who came.
    queue: VecDeque<(Arc<Batch>, bool)>,
    /// Of those the ones that happened.
    happened: usize,
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

    /// Puts a batch of what happened at the end of the queue.
    pub(super) fn push(&self, batch: Arc<Batch>) {
        self.put(batch, true);
    }

    /// Puts a batch there of what was before. It is as long as a topic's ring at most, and nobody is too slow because it is told.
    pub(super) fn replay(&self, batch: Arc<Batch>) {
        self.put(batch, false);
    }

    fn put(&self, batch: Arc<Batch>, happened: bool) {
        let mut inside = self.inside();
        if inside.ending.is_some() {
            return;
        }
        if happened && inside.happened >= self.queue_max {
            inside.overflows += 1;
            let dropped = inside.let_go();
            self.meters.dropped.inc_by(dropped);
            if inside.overflows >= OVERFLOWS_MAX {
                inside.ending = Some(Ending::Slow);
            }
        }
        inside.happened += usize::from(happened);
        inside.queue.push_back((batch, happened));
        let waker = inside.waker.take();
        drop(inside);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Lets go of what waits of a topic.
    fn forget(&self, topic: &str) {
        let mut inside = self.inside();
        inside.queue.retain(|(batch, _)| &*batch.topic != topic);
        inside.happened = inside.queue.iter().filter(|(_, happened)| *happened).count();
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

impl Inside {
    fn pop(&mut self) -> Option<Arc<Batch>> {
        let (batch, happened) = self.queue.pop_front()?;
        self.happened -= usize::from(happened);
        Some(batch)
    }

    /// Leaves of what waits that it is missing, topic by topic; gives how many messages it was.
    fn let_go(&mut self) -> u64 {
        let mut missed: HashMap<Arc<str>, (u64, u64, usize)> = HashMap::new();
        let mut dropped = 0;
        for (batch, _) in self.queue.drain(..) {
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
        self.happened = missed.len();
        for (topic, (since, to, n)) in missed {
            let gap = Message::gap(since, to, Some(n), &super::channel::read_of(&topic));
            self.queue.push_back((Batch::new(&topic, vec![Arc::new(gap)]), true));
        }
        dropped
    }
}

/// One who follows topics. Dropped, it follows none.
pub struct Receiver {
    hub: Hub,
    id: u64,
    /// From where it follows.
    address: Option<IpAddr>,
    pub(super) outbox: Arc<Outbox>,
    topics: HashSet<Arc<str>>,
}

impl Receiver {
    pub(super) fn new(hub: Hub, id: u64, address: Option<IpAddr>, outbox: Arc<Outbox>) -> Self {
        Self { hub, id, address, outbox, topics: HashSet::new() }
    }

    /// Follows a topic too: behind `since`, where it is given, and else from now on. Gives where the topic stands then.
    ///
    /// # Errors
    /// There is no such investigation or flag; it is followed already; the process, or this address, follows too many topics; the database is busy or away.
    pub async fn subscribe(&mut self, named: &Named, since: Option<u64>) -> Result<Attached, Problem> {
        if self.topics.contains(&named.name) {
            return Err(Problem::invalid("topic", "is followed already"));
        }
        let at = self.hub.attach(named, since, (self.id, self.address), &self.outbox).await?;
        self.topics.insert(Arc::clone(&named.name));
        Ok(at)
    }

    /// Follows a topic no longer; says whether it did.
    pub fn unsubscribe(&mut self, name: &str) -> bool {
        let held = self.topics.remove(name);
        if held {
            self.hub.detach(name, self.id);
            // Who follows it again with `since` is told all of it then.
            self.outbox.forget(name);
        }
        held
    }

    /// How many topics it follows.
    pub fn topics(&self) -> usize {
        self.topics.len()
    }

    /// What waits to be told next, if something does.
    pub fn next_at_hand(&mut self) -> Option<Arc<Batch>> {
        let mut inside = self.outbox.inside();
        if inside.ending == Some(Ending::Slow) { None } else { inside.pop() }
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
        match inside.pop() {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metrics::Metrics;

    fn batch(topic: &str, seq: u64) -> Arc<Batch> {
        Batch::new(&topic.into(), vec![Arc::new(Message::state(seq, "x", &json!({})))])
    }

    #[test]
    fn what_is_told_of_before_makes_nobody_slow_and_what_is_followed_no_longer_is_let_go() {
        let metrics = Metrics::new(&[], true).unwrap();
        let outbox = Outbox::new(2, Arc::new(LiveMeters::new(&metrics).unwrap()));
        let stands = || {
            let inside = outbox.inside();
            (inside.queue.len(), inside.overflows)
        };
        (1..=50).for_each(|seq| outbox.replay(batch("a", seq)));
        (51..=52).for_each(|seq| outbox.push(batch("b", seq)));
        assert_eq!(stands(), (52, 0));
        outbox.forget("a");
        assert_eq!(stands(), (2, 0));
        outbox.push(batch("b", 53));
        assert_eq!(stands(), (2, 1), "a gap, and the last");
        outbox.forget("b");
        (54..=55).for_each(|seq| outbox.push(batch("c", seq)));
        assert_eq!(stands(), (2, 1), "nothing of it counts any more");
    }
}
