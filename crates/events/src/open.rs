//! Where log and queue are kept.

use store::Store;

use crate::sqlite::Embedded;
use crate::{Bell, EventStore, Queue, ReadModels};

/// Log and queue of one backend.
pub trait Backend: EventStore + Queue {}

impl<T: EventStore + Queue> Backend for T {}

/// Log and queue in the store's own database. The bell rings after each commit, for who waits in this process; processes
/// beside it look now and then.
#[must_use]
pub fn open<'a>(store: &'a Store, models: &'a dyn ReadModels, bell: &'a Bell) -> impl Backend + 'a {
    Embedded { store, models, bell }
}
