//! The data folder's lock: one writer at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// Held by whoever writes; released when dropped, also when the process dies.
pub struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Takes the lock, waiting up to `patience` for another writer to end.
    ///
    /// # Errors
    /// Another program still writes; the lock file cannot be made.
    pub fn take(folder: &Path, patience: Duration) -> Result<Self> {
        let path = folder.join("writer.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| Error::io(&path, &e))?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(TryLockError::WouldBlock) => return Err(Error::Locked(folder.to_owned())),
                Err(TryLockError::Error(e)) => return Err(Error::io(&path, &e)),
            }
        }
    }
}
