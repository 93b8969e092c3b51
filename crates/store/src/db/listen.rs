//! Which statements are made ready, for who looks at their plans; and how many, for who counts them.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

static LISTENS: AtomicBool = AtomicBool::new(false);
/// One listens at a time.
static TURN: Mutex<()> = Mutex::new(());
static HEARD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

static COUNTED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static COUNTED_HERE: Cell<u64> = const { Cell::new(0) };
}

/// Counts one statement.
pub(super) fn count() {
    COUNTED.fetch_add(1, Ordering::Relaxed);
    COUNTED_HERE.set(COUNTED_HERE.get() + 1);
}

/// Statements that this process has asked of the database.
#[must_use]
pub fn counted() -> u64 {
    COUNTED.load(Ordering::Relaxed)
}

/// Statements that this thread has.
#[must_use]
pub fn counted_here() -> u64 {
    COUNTED_HERE.get()
}

pub(super) fn hear(sql: &str) {
    if LISTENS.load(Ordering::Relaxed) {
        HEARD.lock().unwrap_or_else(PoisonError::into_inner).insert(sql.to_owned());
    }
}

/// Does `work`, and gives every statement that this process made ready meanwhile.
pub fn while_doing(work: impl FnOnce()) -> Vec<String> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    HEARD.lock().unwrap_or_else(PoisonError::into_inner).clear();
    LISTENS.store(true, Ordering::Relaxed);
    work();
    LISTENS.store(false, Ordering::Relaxed);
    std::mem::take(&mut *HEARD.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
}
