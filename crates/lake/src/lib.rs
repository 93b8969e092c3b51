//! The lake: immutable Parquet segments, their manifest (in the store) and the DuckDB session over them.
//!
//! A segment counts when its manifest row is committed, so a crash leaves at most a file that nobody names; the next
//! start removes it. Segments are written from the store's rows inside the ingest's transaction: facts travel one way,
//! source → store → lake, and a partition whose rows changed is written anew as a whole.

mod columns;
mod confined;
mod error;
mod filling;
mod health;
mod moment;
mod narrow;
mod nulls;
mod session;
mod write;

use std::path::{Path, PathBuf};

pub use confined::{Confinement, Deadline};
pub use error::{Error, Result};
pub use filling::{Cell, TableWriter};
pub use health::{Damage, DamageKind};
pub use moment::SegmentSet;
pub use nulls::{NullCounts, SegmentNulls};
pub use session::{Interrupter, Literal, Reading, Scope, Session, SessionLimits, TextRow};

/// The folder of segments.
#[derive(Debug, Clone)]
pub struct Lake {
    root: PathBuf,
}

impl Lake {
    /// The lake in `root`, which is made when it is not there.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(root: &Path) -> Result<Self> {
        std::fs::create_dir_all(root).map_err(|e| Error::io(root, e))?;
        Ok(Self { root: root.to_owned() })
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
}
