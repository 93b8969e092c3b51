//! What can stop the one who works on a task: a person, the end of the process, a lost lease, a deadline, a pool that gave it up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use lake::Interrupter;
use tokio_util::sync::CancellationToken;

use crate::{Error, Result};

/// Why a task was stopped, where its end depends on that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Because {
    /// The task is someone else's by now, was taken back, or the process ends.
    Taken,
    /// Its agent took too long, and was written off by its pool.
    Hung,
    /// The deadline of this task passed.
    TaskDeadline,
    /// The deadline of the whole investigation passed.
    TotalDeadline,
}

/// What can stop the one who works on a task.
#[derive(Default)]
pub(crate) struct Watch {
    stopped: AtomicBool,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    because: Option<Because>,
    interrupter: Option<Interrupter>,
    agent: Option<CancellationToken>,
    task_ends: Option<Instant>,
    total_ends: Option<Instant>,
}

impl Watch {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// [`Error::Stopped`].
    pub(crate) fn check(&self) -> Result<()> {
        if self.stopped.load(Ordering::Acquire) { Err(Error::Stopped) } else { Ok(()) }
    }

    /// From now on a stop interrupts this session too.
    pub(crate) fn interrupts(&self, session: Interrupter) -> Result<()> {
        self.inside().interrupter = Some(session);
        self.check()
    }

    /// The agent who does it; its pool may write it off.
    pub(crate) fn is_done_by(&self, agent: &CancellationToken) {
        self.inside().agent = Some(agent.clone());
    }

    /// When the task, and the whole that it is of, must have ended.
    pub(crate) fn ends_at(&self, task: Option<Instant>, total: Option<Instant>) {
        let mut inside = self.inside();
        (inside.task_ends, inside.total_ends) = (task, total);
    }

    /// Stops, or interrupts again who does not listen between two queries.
    pub(crate) fn stop(&self) {
        self.stop_because(Because::Taken);
    }

    fn stop_because(&self, because: Because) {
        let mut inside = self.inside();
        inside.because.get_or_insert(because);
        self.stopped.store(true, Ordering::Release);
        if let Some(session) = &inside.interrupter {
            session.interrupt();
        }
    }

    /// Stops when its agent was written off or a deadline has passed.
    pub(crate) fn look(&self) {
        let now = Instant::now();
        let because = {
            let inside = self.inside();
            let passed = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            if inside.agent.as_ref().is_some_and(CancellationToken::is_cancelled) {
                Some(Because::Hung)
            } else if passed(inside.total_ends) {
                Some(Because::TotalDeadline)
            } else if passed(inside.task_ends) {
                Some(Because::TaskDeadline)
            } else {
                None
            }
        };
        if let Some(because) = because {
            self.stop_because(because);
        }
    }

    /// Why it was stopped, if it was.
    pub(crate) fn because(&self) -> Option<Because> {
        self.inside().because
    }
}
