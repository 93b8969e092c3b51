//! Events, as they are appended and as they stand in the log.

use serde_json::Value;
use store::chain::EventRow;

use trace::Place;

use crate::Result;

/// Under which name metadata, and the bodies of tasks, say from which place in a trace they come.
pub(crate) const TRACEPARENT: &str = "traceparent";

/// The place that a document names.
pub(crate) fn place_in(said: &Value) -> Option<Place> {
    Place::parse(said.get(TRACEPARENT)?.as_str()?)
}

/// What happened, to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Its type, such as `investigation.requested`.
    pub kind: &'static str,
    /// What there is to say of it.
    pub payload: Value,
    /// What there is to say about how it came.
    pub metadata: Value,
}

impl NewEvent {
    /// An event without metadata.
    #[must_use]
    pub fn new(kind: &'static str, payload: Value) -> Self {
        Self { kind, payload, metadata: Value::Object(serde_json::Map::new()) }
    }
}

/// What happened, as the log holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its place in the log; 1 is the first, and there are no gaps.
    pub seq: i64,
    /// What it happened to, such as `investigation:inv_…`.
    pub stream: String,
    /// Its place in the stream; 1 is the first.
    pub version: i64,
    /// Its type.
    pub kind: String,
    /// What there is to say of it.
    pub payload: Value,
    /// When it was recorded.
    pub recorded_at: String,
    /// The place in a trace that it came from.
    pub place: Option<Place>,
}

impl Event {
    pub(crate) fn of(row: &EventRow) -> Result<Self> {
        Ok(Self {
            seq: row.seq,
            stream: row.stream.clone(),
            version: row.version,
            kind: row.kind.clone(),
            payload: serde_json::from_str(&row.payload)?,
            recorded_at: row.recorded_at.clone(),
            place: (row.metadata.contains(TRACEPARENT))
                .then(|| serde_json::from_str::<Value>(&row.metadata).ok().as_ref().and_then(place_in))
                .flatten(),
        })
    }

    /// The id within its stream's name: what stands behind the colon.
    #[must_use]
    pub fn stream_id(&self) -> &str {
        self.stream.split_once(':').map_or(self.stream.as_str(), |(_, id)| id)
    }
}

/// How many events the caller knows a stream to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// However many: what is appended holds whatever came before.
    Any,
    /// Exactly these; 0 for a stream that is not there yet.
    Version(i64),
}
