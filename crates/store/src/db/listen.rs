//! Which statements are made ready: for who looks at their plans.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

static LISTENS: AtomicBool = AtomicBool::new(false);
/// One listens at a time.
static TURN: Mutex<()> = Mutex::new(());
static HEARD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

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
