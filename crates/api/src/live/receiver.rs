//! One who follows topics: a short queue of what is to be told, and what becomes of it when it is not read.
//!
//! The queue is bounded. When it is full, what waits is let go: of each topic the receiver is told from where to where it missed, and how
//! things stand by the newest of each kind that says so. When that happens again before it has read everything, it is ended.

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

    /// Leaves of what waits what is missing of it and how things stand, topic by topic; gives how many messages are not told.
    fn let_go(&mut self) -> u64 {
        let mut left: HashMap<Arc<str>, Left> = HashMap::new();
        for (batch, _) in self.queue.drain(..) {
            let of = left.entry(Arc::clone(&batch.topic)).or_default();
            batch.messages.iter().for_each(|message| of.note(message));
        }
        self.happened = left.len();
        let mut dropped = 0;
        for (topic, of) in left {
            dropped += of.dropped;
            self.queue.push_back((Batch::new(&topic, of.messages(&topic)), true));
        }
        dropped
    }
}

/// What is left of a topic's messages that are not told.
#[derive(Default)]
struct Left {
    /// Behind which place, up to which, and how many.
    missed: Option<(u64, u64, usize)>,
    /// The newest of each kind.
    states: Vec<Arc<Message>>,
    dropped: u64,
}

impl Left {
    fn note(&mut self, message: &Arc<Message>) {
        if message.is_state {
            let before = self.states.len();
            self.states.retain(|older| older.kind != message.kind);
            self.dropped += (before - self.states.len()) as u64;
            self.states.push(Arc::clone(message));
            return;
        }
        self.dropped += 1;
        let since = match &*message.kind {
            "gap" => message.value()["since"].as_u64().unwrap_or(message.seq),
            _ => message.seq.saturating_sub(1),
        };
        let (from, to, n) = self.missed.unwrap_or((since, message.seq, 0));
        self.missed = Some((from.min(since), to.max(message.seq), n + 1));
    }

    /// The gap, where there is one, and how things stand.
    fn messages(self, topic: &str) -> Vec<Arc<Message>> {
        let read = super::channel::read_of(topic);
        let gap = self.missed.map(|(since, to, n)| Arc::new(Message::gap(since, to, Some(n), &read)));
        gap.into_iter().chain(self.states).collect()
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
        Batch::new(&topic.into(), vec![Arc::new(Message::gap(seq - 1, seq, None, "/x"))])
    }

    #[test]
    fn who_is_too_slow_is_told_how_things_stand() {
        let metrics = Metrics::new(&[], true).unwrap();
        let outbox = Outbox::new(3, Arc::new(LiveMeters::new(&metrics).unwrap()));
        let state = |seq: u64, kind: &str| {
            let message = Message::state(seq, kind, &json!({ "seq": seq }));
            outbox.push(Batch::new(&"sources".into(), vec![Arc::new(message)]));
        };
        state(1, "freshness");
        state(2, "progress");
        state(3, "progress");
        outbox.push(batch("agents", 4));
        let told = |batch: &Batch| -> Vec<(String, u64)> {
            batch.messages.iter().map(|message| (message.kind.to_string(), message.seq)).collect()
        };
        let inside = outbox.inside();
        let mut waits: Vec<_> = inside.queue.iter().map(|(batch, _)| (batch.topic.to_string(), told(batch))).collect();
        waits.sort();
        let stands = vec![("freshness".to_owned(), 1), ("progress".to_owned(), 3)];
        let wanted = [("agents".to_owned(), vec![("gap".to_owned(), 4)]), ("sources".to_owned(), stands)];
        assert_eq!(waits, wanted, "nothing of sources is missing: the newest says all");
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
