//! Walking the chain: every row is hashed again, and what was changed, is missing or stands in another's place is named.

use std::collections::HashMap;

use store::chain::GENESIS;

use crate::{EventStore, Result};

/// Rows looked at in one question.
const BATCH: usize = 1_000;
/// The most faults that are named.
const FAULTS_MAX: usize = 100;

/// What is wrong with the log at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The place.
    pub seq: i64,
    /// `changed`, `missing`, `out_of_place`, `out_of_order` or `cut_off`.
    pub kind: &'static str,
    /// In words.
    pub because: String,
}

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Rows walked.
    pub events: u64,
    /// Position and hash of the last event.
    pub head: (i64, String),
    /// What is wrong; empty for a sound log. At most 100.
    pub faults: Vec<Fault>,
}

/// Walks the whole chain.
///
/// # Errors
/// The database cannot be read.
pub fn verify(log: &dyn EventStore) -> Result<Audit> {
    let mut audit = Audit { events: 0, head: (0, GENESIS.to_owned()), faults: Vec::new() };
    let mut versions: HashMap<String, i64> = HashMap::new();
    loop {
        let rows = log.rows(audit.head.0, BATCH)?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let (seq, previous) = &audit.head;
            let gap = row.seq != seq + 1;
            if gap {
                let last = row.seq - 1;
                let which = if last == seq + 1 {
                    format!("event {last} is")
                } else {
                    format!("events {} to {last} are", seq + 1)
                };
                note(&mut audit.faults, seq + 1, "missing", format!("{which} not there"));
            }
            let changed = row.reckoned() != row.hash;
            if changed {
                let because = format!("the content of event {} ({}) is not what its hash says", row.seq, row.stream);
                note(&mut audit.faults, row.seq, "changed", because);
            } else if !gap && row.previous != *previous {
                let because = format!("event {} ({}) does not follow the event before it", row.seq, row.stream);
                note(&mut audit.faults, row.seq, "out_of_place", because);
            }
            let version = versions.entry(row.stream.clone()).or_default();
            if !gap && !changed && row.version != *version + 1 && audit.faults.is_empty() {
                let because = format!("event {} is number {} of {}, after {version}", row.seq, row.version, row.stream);
                note(&mut audit.faults, row.seq, "out_of_order", because);
            }
            *version = row.version;
            audit.events += 1;
            audit.head = (row.seq, row.hash);
        }
    }
    if let Some((seq, hash)) = log.noted_head()?
        && (seq, &hash) != (audit.head.0, &audit.head.1)
    {
        let because = format!("event {seq} was the last that was appended, but the log ends with {}", audit.head.0);
        if seq != audit.head.0 {
            note(&mut audit.faults, seq, "cut_off", because);
        } else if audit.faults.is_empty() {
            note(&mut audit.faults, seq, "changed", format!("event {seq} is not the one that was appended last"));
        }
    }
    Ok(audit)
}

fn note(faults: &mut Vec<Fault>, seq: i64, kind: &'static str, because: String) {
    if faults.len() < FAULTS_MAX {
        faults.push(Fault { seq, kind, because });
    }
}
