//! Which statements are made ready, for who looks at their plans; and how many, for who counts them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

static COUNTED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static COUNTED_HERE: Cell<u64> = const { Cell::new(0) };
    /// What was heard, while someone listens.
    static HEARD_HERE: RefCell<Option<BTreeSet<String>>> = const { RefCell::new(None) };
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
    HEARD_HERE.with_borrow_mut(|heard| {
        if let Some(heard) = heard
            && !heard.contains(sql)
        {
            heard.insert(sql.to_owned());
        }
    });
}

/// Does `work`, and gives every statement that this thread made ready meanwhile.
pub fn while_doing(work: impl FnOnce()) -> Vec<String> {
    HEARD_HERE.set(Some(BTreeSet::new()));
    work();
    HEARD_HERE.take().into_iter().flatten().collect()
}
