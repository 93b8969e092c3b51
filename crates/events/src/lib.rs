//! What was decided, in an append-only log; what is to be done, in a queue; and who hears of what.
//!
//! A command decides within one transaction ([`transact`]): it looks at its aggregate's stream, appends events, and enqueues
//! tasks; read models ([`ReadModels`]) are brought up to date with each event, in the same transaction. So either all of it
//! happened or nothing. A [`relay`] publishes the log to the groups that want an event, each of which gets it as a task of
//! its own. Tasks are at-least-once: who works one makes an effect that may come twice, and acknowledges after it.
//!
//! Everything goes through the traits [`EventStore`], [`Unit`] and [`Queue`], and one suite (`tests/events`) says what they
//! promise. The embedded backend keeps all of it in the store's database and wakes by [`Bell`]; with a [`Redis`] the log stays
//! there, and tasks are handed on to Redis Streams.

mod audit;
mod bell;
mod clock;
mod error;
mod event;
mod local;
mod log;
mod open;
mod queue;
mod relay;
mod streams;

pub use audit::{Audit, Fault, verify};
pub use bell::Bell;
pub use clock::Clock;
pub use error::{Error, Result};
pub use event::{Event, Expected, NewEvent};
pub(crate) use event::{TRACEPARENT, place_in};
pub use log::{Answered, CommandKey, EventStore, ReadModels, Snapshot, Unit, transact};
pub use open::{Backend, open};
pub use queue::{Backoff, Dead, Fate, NewTask, Queue, Task};
pub use relay::{CURSOR, Group, relay};
pub use streams::Redis;
