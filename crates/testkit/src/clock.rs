//! A clock of a program's own that can be set while it runs; its time for waits and time-outs is left alone.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::Program;

/// The clock of whatever program it is given to.
pub struct SetClock {
    folder: TempDir,
}

impl Default for SetClock {
    fn default() -> Self {
        Self::new()
    }
}

impl SetClock {
    /// One that goes right.
    #[must_use]
    pub fn new() -> Self {
        let clock = Self { folder: tempfile::tempdir().unwrap() };
        clock.set(0);
        clock
    }

    /// Sets it this many seconds ahead of the true time, or behind it.
    pub fn set(&self, ahead_s: i64) {
        let next = self.folder.path().join("next");
        std::fs::write(&next, format!("{ahead_s:+}s\n")).unwrap();
        std::fs::rename(next, self.file()).unwrap();
    }

    /// The program with this clock.
    ///
    /// # Panics
    /// The library that sets clocks is not installed; the message says how to get it.
    #[must_use]
    pub fn of(&self, program: Program) -> Program {
        let library = ["x86_64", "aarch64"]
            .map(|machine| PathBuf::from(format!("/usr/lib/{machine}-linux-gnu/faketime/libfaketimeMT.so.1")))
            .into_iter()
            .find(|path| path.exists())
            .expect("this test needs faketime: apt-get install faketime");
        program
            .env("LD_PRELOAD", library)
            .env("FAKETIME_TIMESTAMP_FILE", self.file())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_DONT_RESET", "1")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("clock")
    }
}
