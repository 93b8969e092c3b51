//! Sampling profiles of this process, on demand.
//!
//! [`Cpu`] interrupts whoever runs a hundred times in each second of processor time; [`Memory`] looks at one allocation in each half
//! MiB, through the allocator [`Watched`], which costs one relaxed load for each call while nobody profiles. One profile is made at a
//! time, for at most [`SECONDS_MAX`], with bounded memory. A [`Profile`] is written as a flame graph or for `pprof`.
//!
//! What the analytical engine allocates goes through the system's allocator, and is in no profile of memory.

mod cpu;
mod flame;
mod memory;
mod names;
mod stacks;
mod unwind;
mod wire;

pub use cpu::Cpu;
pub use memory::{Memory, Watched};
pub use stacks::Profile;

use std::sync::atomic::{AtomicBool, Ordering};

/// The longest profile, in seconds.
pub const SECONDS_MAX: u64 = 60;

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another is being made.
    #[error("another profile is being made")]
    Taken,
    /// It could not be made.
    #[error("the profile could not be made: {0}")]
    Failed(String),
}

/// What gives a profile, or says why not.
pub type Result<T> = std::result::Result<T, Error>;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The right to make a profile; given back when dropped.
#[derive(Debug)]
pub(crate) struct Turn;

impl Turn {
    fn take() -> Result<Self> {
        if TAKEN.swap(true, Ordering::AcqRel) { Err(Error::Taken) } else { Ok(Self) }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TAKEN.store(false, Ordering::Release);
    }
}
