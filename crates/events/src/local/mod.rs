//! Log and queue in the store's database.

mod log;
mod queue;

use store::Store;

use crate::{Bell, ReadModels};

/// The embedded backend.
pub(crate) struct Embedded<'a> {
    pub(crate) store: &'a Store,
    pub(crate) models: &'a dyn ReadModels,
    pub(crate) bell: &'a Bell,
}

pub(crate) fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

pub(crate) fn millis(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 2)
}
