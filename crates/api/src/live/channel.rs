//! One topic that somebody follows: its last messages, those that wait to go out together, and who gets them.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::queries::{Stretch, Told};
use prometheus::IntGauge;

use super::batch::{Batch, Message};
use super::receiver::Outbox;
use super::{Attached, Named};

/// How messages go out together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// At most so many in one batch.
    pub(super) batch_max: usize,
    /// A batch goes out so long after the one before it.
    pub(super) every: Duration,
    /// So many messages are kept for those who come back.
    pub(super) ring_max: usize,
}

/// A topic that is followed.
pub(super) struct Channel {
    pub(super) named: Named,
    /// From where it was begun to be followed.
    pub(super) begun_from: Option<IpAddr>,
    /// What happened behind `from`, up to `to`.
    ring: Ring,
    from: u64,
    pub(super) to: u64,
    pub(super) is_loaded: bool,
    /// Nothing more will happen.
    pub(super) is_ended: bool,
    /// Findings were perhaps touched that it has not seen.
    pub(super) is_stale: bool,
    /// How things stand: the newest of each kind, told to who comes new.
    states: Vec<Arc<Message>>,
    pending: Vec<Arc<Message>>,
    flushed_at: Option<Instant>,
    receivers: HashMap<u64, Arc<Outbox>>,
    /// Those who come, and have not got the ring yet.
    pub(super) coming: usize,
    pub(super) loading: Arc<tokio::sync::Mutex<()>>,
}

impl Channel {
    /// `held` are the bytes of all rings.
    pub(super) fn new(named: Named, begun_from: Option<IpAddr>, held: IntGauge) -> Self {
        Self {
            named,
            begun_from,
            ring: Ring { messages: VecDeque::new(), bytes: 0, held },
            from: 0,
            to: 0,
            is_loaded: false,
            is_ended: false,
            is_stale: false,
            states: Vec::new(),
            pending: Vec::new(),
            flushed_at: None,
            receivers: HashMap::new(),
            coming: 0,
            loading: Arc::default(),
        }
    }

    pub(super) fn is_unused(&self) -> bool {
        self.coming == 0 && self.receivers.is_empty()
    }

    /// Whether it can tell everything behind `since`.
    pub(super) fn covers(&self, since: Option<u64>) -> bool {
        self.is_loaded && since.is_none_or(|since| since >= self.from)
    }

    /// Takes over what the database tells of before.
    pub(super) fn load(&mut self, stretch: &Stretch, pace: Pace) {
        let kind = self.named.kind();
        let mut told: VecDeque<_> = stretch.told.iter().map(|told| Arc::new(Message::told(kind, told))).collect();
        if !self.is_loaded {
            let early = self.ring.change(VecDeque::new());
            let ended = stretch.ended || told.back().is_some_and(|last| last.is_end);
            (self.from, self.to, self.is_ended) = (stretch.from, stretch.to, ended);
            self.ring.change(told);
            self.is_loaded = true;
            self.is_stale = true;
            for message in early {
                self.keep(message, pace);
            }
        } else if stretch.from < self.from {
            told.retain(|message| message.seq <= self.from);
            if told.len() + self.ring.messages.len() <= pace.ring_max {
                told.append(&mut self.ring.change(VecDeque::new()));
                self.ring.change(told);
                self.from = stretch.from;
            }
        }
    }

    /// Notes what happened; it goes out with the next batch.
    pub(super) fn note(&mut self, told: &Told, pace: Pace) -> bool {
        if self.is_loaded && told.seq <= self.to {
            return false;
        }
        let message = Arc::new(Message::told(self.named.kind(), told));
        self.keep(Arc::clone(&message), pace);
        if self.is_loaded {
            self.pending.push(message);
        }
        true
    }

    /// Nothing else happened up to this place.
    pub(super) fn advance(&mut self, to: u64) {
        if self.is_loaded {
            self.to = self.to.max(to);
        }
    }

    /// Notes how things stand now.
    pub(super) fn note_state(&mut self, message: Message) {
        let message = Arc::new(message);
        self.states.retain(|state| state.kind != message.kind);
        self.states.push(Arc::clone(&message));
        self.pending.push(message);
    }

    /// Notes how things stood when it was begun to be followed; what was noted since is newer.
    pub(super) fn begin_with(&mut self, states: Vec<Message>) {
        for state in states {
            if self.states.iter().all(|newer| newer.kind != state.kind) {
                self.states.push(Arc::new(state));
            }
        }
    }

    /// Notes that what came up to `to` is not told.
    pub(super) fn note_gap(&mut self, to: u64) {
        let gap = Message::gap(self.to, to, None, &read_of(&self.named.name));
        (self.from, self.to) = (to, to);
        self.ring.change(VecDeque::new());
        self.pending.push(Arc::new(gap));
    }

    fn keep(&mut self, message: Arc<Message>, pace: Pace) {
        if self.is_loaded && message.seq <= self.to {
            return;
        }
        self.is_ended = message.is_end;
        self.to = self.to.max(message.seq);
        self.ring.push(message);
        let beyond = self.ring.messages.len().saturating_sub(pace.ring_max);
        self.forget(beyond);
    }

    /// The bytes of what it keeps for those who come back.
    pub(super) fn ring_bytes(&self) -> i64 {
        self.ring.bytes
    }

    /// Keeps the older half of that no longer.
    pub(super) fn forget_half(&mut self) {
        self.forget(self.ring.messages.len().div_ceil(2));
    }

    fn forget(&mut self, oldest: usize) {
        for _ in 0..oldest {
            let Some(gone) = self.ring.pop() else { return };
            self.from = gone.seq;
        }
    }

    /// When its next batch is to go out; nothing when none waits.
    pub(super) fn due_at(&self, now: Instant, pace: Pace) -> Option<Instant> {
        if self.pending.is_empty() {
            return None;
        }
        let at_once = self.pending.len() >= pace.batch_max || self.pending.iter().any(|message| message.is_urgent);
        if at_once { Some(now) } else { Some(self.flushed_at.map_or(now, |last| last + pace.every)) }
    }

    /// Sends what waits; gives how many messages and to how many receivers.
    pub(super) fn flush(&mut self, now: Instant, pace: Pace) -> (usize, usize) {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return (0, 0);
        }
        self.flushed_at = Some(now);
        for batch in batches(&self.named.name, &pending, pace.batch_max) {
            for outbox in self.receivers.values() {
                outbox.push(Arc::clone(&batch));
            }
        }
        (pending.len(), self.receivers.len())
    }

    /// Adds a receiver, and tells it what came behind `since`. Gives where it stands then.
    pub(super) fn admit(&mut self, id: u64, outbox: &Arc<Outbox>, since: Option<u64>, pace: Pace) -> Attached {
        // The ring holds what waits too: the others get it now, and this one with the ring.
        self.flush(Instant::now(), pace);
        let mut replay = self.states.clone();
        if let Some(since) = since {
            if since < self.from || since > self.to {
                let to = if since > self.to { self.to } else { self.from };
                replay.push(Arc::new(Message::gap(since, to, None, &read_of(&self.named.name))));
            }
            let known = if since > self.to { self.to } else { since };
            replay.extend(self.ring.messages.iter().filter(|message| message.seq > known).cloned());
        }
        for batch in batches(&self.named.name, &replay, pace.batch_max) {
            outbox.replay(batch);
        }
        self.receivers.insert(id, Arc::clone(outbox));
        Attached { at: self.to, is_ended: self.is_ended }
    }

    pub(super) fn dismiss(&mut self, id: u64) {
        self.receivers.remove(&id);
    }
}

fn batches(topic: &Arc<str>, messages: &[Arc<Message>], most: usize) -> impl Iterator<Item = Arc<Batch>> {
    messages.chunks(most.max(1)).map(|messages| Batch::new(topic, messages.to_vec()))
}

/// Where to read how a topic stands.
pub(super) fn read_of(name: &str) -> Cow<'static, str> {
    let (kind, id) = name.split_once([':', '?']).unwrap_or((name, ""));
    match kind {
        "investigation" => format!("/api/v1/investigations/{id}").into(),
        "ingest" => format!("/api/v1/admin/ingests/{id}").into(),
        "findings" => "/api/v1/findings".into(),
        "agents" => "/api/v1/agents/pool".into(),
        "sources" => "/api/v1/sources".into(),
        _ => "/health/ready".into(),
    }
}

/// Messages that are kept, and counted with those of all other topics.
struct Ring {
    messages: VecDeque<Arc<Message>>,
    bytes: i64,
    held: IntGauge,
}

impl Ring {
    fn push(&mut self, message: Arc<Message>) {
        self.count(message.bytes());
        self.messages.push_back(message);
    }

    fn pop(&mut self) -> Option<Arc<Message>> {
        let message = self.messages.pop_front()?;
        self.count(-message.bytes());
        Some(message)
    }

    /// Keeps these instead; gives those that were kept.
    fn change(&mut self, messages: VecDeque<Arc<Message>>) -> VecDeque<Arc<Message>> {
        self.count(messages.iter().map(|message| message.bytes()).sum::<i64>() - self.bytes);
        std::mem::replace(&mut self.messages, messages)
    }

    fn count(&mut self, more: i64) {
        self.bytes += more;
        self.held.add(more);
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        self.held.sub(self.bytes);
    }
}
