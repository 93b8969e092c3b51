//! Spans: what a recorded work did, from when to when.

use std::borrow::Cow;
use std::time::{Instant, SystemTime};

use crate::current::{Current, Phase, count, current};
use crate::{Place, queue, unix_ns};

/// What a span is to its parent, by OpenTelemetry's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A part of it.
    Internal = 1,
    /// What a request asked for.
    Server = 2,
    /// A request to someone else.
    Client = 3,
    /// A task that was taken from a queue.
    Consumer = 5,
}

/// Something that is told of a span.
#[derive(Debug, Clone)]
pub enum Told {
    /// Words. Never values of a question, addresses or names of people.
    Text(Cow<'static, str>),
    /// A number.
    Number(i64),
}

/// What was recorded.
#[derive(Debug)]
pub struct Recorded {
    pub(crate) place: Place,
    pub(crate) parent: Option<u64>,
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: Kind,
    pub(crate) begun_ns: u64,
    pub(crate) ended_ns: u64,
    pub(crate) told: Vec<(&'static str, Told)>,
    pub(crate) failed: bool,
}

/// A span under way; it ends when it is dropped.
#[derive(Debug)]
pub struct Span {
    current: Current,
    started: Instant,
    recorded: Option<Recorded>,
}

impl Span {
    /// The span that a work began with. `parent` is the span of whoever asked for it.
    #[must_use]
    pub fn first(current: &Current, parent: Option<Place>, kind: Kind) -> Option<Self> {
        current
            .is_recorded()
            .then(|| Self::new(current.clone(), parent.map(|parent| parent.span), kind, Instant::now()))
    }

    /// A part of what this thread is at, if that is recorded.
    #[must_use]
    pub fn below(kind: Kind) -> Option<Self> {
        let above = current().filter(Current::is_recorded)?;
        Some(Self::new(above.at(above.place().child()), Some(above.place().span), kind, Instant::now()))
    }

    fn new(current: Current, parent: Option<u64>, kind: Kind, started: Instant) -> Self {
        let recorded = Recorded {
            place: current.place(),
            parent,
            name: Cow::Borrowed(""),
            kind,
            begun_ns: 0,
            ended_ns: 0,
            told: Vec::new(),
            failed: false,
        };
        Self { current, started, recorded: Some(recorded) }
    }

    /// Names it.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.rename(name);
        self
    }

    /// Gives it another name.
    pub fn rename(&mut self, name: impl Into<Cow<'static, str>>) {
        if let Some(recorded) = &mut self.recorded {
            recorded.name = name.into();
        }
    }

    /// Says when it began, if it was before now.
    #[must_use]
    pub fn since(mut self, started: Instant) -> Self {
        self.started = started;
        self
    }

    /// Tells something of it.
    pub fn tell(&mut self, what: &'static str, told: impl Into<Told>) {
        if let Some(recorded) = &mut self.recorded {
            recorded.told.push((what, told.into()));
        }
    }

    /// Says that it failed.
    pub fn fail(&mut self) {
        if let Some(recorded) = &mut self.recorded {
            recorded.failed = true;
        }
    }

    /// The work at this span, for what is below it.
    #[must_use]
    pub fn current(&self) -> Current {
        self.current.clone()
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(mut recorded) = self.recorded.take() {
            recorded.ended_ns = unix_ns(SystemTime::now());
            let took = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            recorded.begun_ns = recorded.ended_ns.saturating_sub(took);
            queue::put(recorded);
        }
    }
}

impl From<&'static str> for Told {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Told {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Told {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// Does `work` as a part of what this thread is at.
pub fn step<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    let span = Span::below(Kind::Internal).map(|span| span.named(name));
    let _entered = span.as_ref().map(|span| span.current().enter());
    work()
}

/// Does `work` as a phase of what this thread is at.
pub fn step_of<T>(phase: Phase, work: impl FnOnce() -> T) -> T {
    let name = match phase {
        Phase::Queue => "queue",
        Phase::Database => "database",
        Phase::Encoding => "encoding",
    };
    let started = Instant::now();
    let done = step(name, work);
    count(phase, started.elapsed());
    done
}
