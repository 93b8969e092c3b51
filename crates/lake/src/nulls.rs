//! How many values of each column a segment lacks, from the Parquet footer alone.
//!
//! A segment never changes, so its footer is read once in a process's life and no row is read at all.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use parquet::file::reader::{FileReader, SerializedFileReader};
use store::Segment;

use crate::{Error, Lake, Result};

/// Rows and nulls of one segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SegmentNulls {
    /// Rows.
    pub rows: u64,
    /// Nulls by column; `None` where the footer does not count them.
    pub nulls: HashMap<String, Option<u64>>,
}

/// The footers read so far, by path.
#[derive(Debug, Default)]
pub struct NullCounts {
    read: Mutex<HashMap<String, Arc<SegmentNulls>>>,
}

impl NullCounts {
    /// The nulls of a segment.
    ///
    /// # Errors
    /// The segment is missing or damaged.
    pub fn of(&self, lake: &Lake, segment: &Segment) -> Result<Arc<SegmentNulls>> {
        let held = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&segment.path).cloned();
        if let Some(held) = held {
            return Ok(held);
        }
        let counted = Arc::new(read_footer(&lake.root().join(&segment.path))?);
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(segment.path.clone(), Arc::clone(&counted));
        Ok(counted)
    }

    /// Forgets every segment but those that count, so that a long life does not gather what is gone.
    pub fn keep_only(&self, live: &[Segment]) {
        let paths: std::collections::HashSet<&str> = live.iter().map(|segment| segment.path.as_str()).collect();
        self.read.lock().unwrap_or_else(PoisonError::into_inner).retain(|path, _| paths.contains(path.as_str()));
    }
}

fn read_footer(path: &Path) -> Result<SegmentNulls> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let reader = SerializedFileReader::new(file)?;
    let mut counted = SegmentNulls::default();
    for group in reader.metadata().row_groups() {
        counted.rows += group.num_rows().unsigned_abs();
        for column in group.columns() {
            let name = column.column_path().string();
            let nulls = column.statistics().and_then(|statistics| statistics.null_count_opt());
            let sum = counted.nulls.entry(name).or_insert(Some(0));
            *sum = sum.zip(nulls).map(|(sum, nulls)| sum + nulls);
        }
    }
    Ok(counted)
}
