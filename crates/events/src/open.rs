//! Where log and queue are kept.

use store::Store;

use crate::local::Embedded;
use crate::streams::Streams;
use crate::{Bell, EventStore, Queue, ReadModels, Redis};

/// Log and queue of one backend.
pub trait Backend: EventStore + Queue {}

impl<T: EventStore + Queue> Backend for T {}

/// The log in the store's own database, and the queue there too or, where one is given, in Redis. The bell rings after each commit,
/// for who waits in this process; processes beside it look now and then.
#[must_use]
pub fn open<'a>(
    store: &'a Store,
    models: &'a dyn ReadModels,
    bell: &'a Bell,
    redis: Option<&'a Redis>,
) -> Box<dyn Backend + 'a> {
    let local = Embedded { store, models, bell };
    match redis {
        None => Box::new(local),
        Some(redis) => Box::new(Streams { local, redis }),
    }
}
