//! Profiles of the running process: begun at once, or refused while another is made; ended when whoever asked has waited long enough, or went away.

use crate::{Error, Result};

pub use profile::SECONDS_MAX;

/// How a profile is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileForm {
    /// A flame graph.
    Svg,
    /// For `pprof`: profile.proto, gzipped.
    Pprof,
}

/// A profile under way.
pub struct Profiling(Of);

enum Of {
    Cpu(profile::Cpu),
    Memory(profile::Memory),
}

impl Profiling {
    /// Begins to see where processors' time goes.
    ///
    /// # Errors
    /// [`Error::Conflict`] while another profile is made; the system gives no timer.
    pub fn of_cpu() -> Result<Self> {
        Ok(Self(Of::Cpu(profile::Cpu::begin().map_err(said)?)))
    }

    /// Begins to see where memory is asked for.
    ///
    /// # Errors
    /// [`Error::Conflict`] while another profile is made.
    pub fn of_memory() -> Result<Self> {
        Ok(Self(Of::Memory(profile::Memory::begin().map_err(said)?)))
    }

    /// Ends it, and writes what was seen. One that is dropped instead is ended too, and written nowhere.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn end(self, form: ProfileForm) -> Result<Vec<u8>> {
        let profile = match self.0 {
            Of::Cpu(cpu) => cpu.end(),
            Of::Memory(memory) => memory.end(),
        };
        match form {
            ProfileForm::Svg => Ok(profile.flame_graph()),
            ProfileForm::Pprof => profile.pprof().map_err(said),
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn said(error: profile::Error) -> Error {
    match error {
        profile::Error::Taken => Error::Conflict("another profile is being made; one at a time".to_owned()),
        profile::Error::Failed(_) => Error::Failed(error.to_string()),
    }
}
