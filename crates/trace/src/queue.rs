//! Spans on their way out: one bounded queue, and what became of them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::settings;
use crate::span::Recorded;

/// Spans after which who takes them is woken.
const MANY: usize = 256;

static WAITING: Mutex<VecDeque<Recorded>> = Mutex::new(VecDeque::new());
static CAME: Condvar = Condvar::new();
static DROPPED: AtomicU64 = AtomicU64::new(0);
static SENT: AtomicU64 = AtomicU64::new(0);
static LOST: AtomicU64 = AtomicU64::new(0);
static PASSED_OVER: AtomicU64 = AtomicU64::new(0);

/// What became of spans so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Spans that wait to be sent.
    pub waiting: usize,
    /// Spans that a collector took.
    pub sent: u64,
    /// Spans that found the queue full.
    pub dropped: u64,
    /// Spans that no collector took.
    pub lost: u64,
    /// Works that were not recorded because too many were in their second.
    pub passed_over: u64,
}

fn waiting() -> MutexGuard<'static, VecDeque<Recorded>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn put(span: Recorded) {
    let most = settings().map_or(0, |settings| settings.waiting_max);
    let mut waiting = waiting();
    if waiting.len() >= most {
        DROPPED.fetch_add(1, Ordering::Relaxed);
        return;
    }
    waiting.push_back(span);
    let is_many = waiting.len().is_multiple_of(MANY.min(most / 2).max(1));
    drop(waiting);
    if is_many {
        CAME.notify_one();
    }
}

/// Up to `most` spans: as soon as there are so many, or what came within `patience`; none when none did.
#[must_use]
pub fn take(most: usize, patience: Duration) -> Vec<Recorded> {
    let until = Instant::now() + patience;
    let mut waiting = waiting();
    while waiting.len() < most {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        waiting = CAME.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
    }
    let taken = most.min(waiting.len());
    waiting.drain(..taken).collect()
}

/// Counts spans that a collector took.
pub fn count_sent(spans: usize) {
    SENT.fetch_add(spans as u64, Ordering::Relaxed);
}

/// Counts spans that no collector took.
pub fn count_lost(spans: usize) {
    LOST.fetch_add(spans as u64, Ordering::Relaxed);
}

pub(crate) fn count_passed_over() {
    PASSED_OVER.fetch_add(1, Ordering::Relaxed);
}

/// What became of spans so far.
#[must_use]
pub fn figures() -> Figures {
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    Figures {
        waiting: waiting().len(),
        sent: read(&SENT),
        dropped: read(&DROPPED),
        lost: read(&LOST),
        passed_over: read(&PASSED_OVER),
    }
}
