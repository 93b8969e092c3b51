//! The log looked at as a whole: whether it is as it was written, and the read models made of it anew.

use serde::Serialize;
use serde_json::{Value, json};

use crate::models::Models;
use crate::{App, Error, Result};

/// What an audit found.
#[derive(Debug, Clone, Serialize)]
pub struct AuditReport {
    /// Events walked.
    pub events: u64,
    /// The last of them: `seq` and `hash`. Noted elsewhere, it proves later that all up to here is as it was.
    pub head: Value,
    /// What is wrong; empty for a sound log.
    pub faults: Vec<Value>,
}

impl App {
    /// Walks the whole log; with a head that was noted earlier (`SEQ:HASH`), that too must be there.
    ///
    /// # Errors
    /// The head cannot be read; the database cannot be read.
    pub fn audit(&self, noted: Option<&str>) -> Result<AuditReport> {
        let log = self.log();
        let audit = events::verify(&*log)?;
        let mut faults: Vec<Value> = audit
            .faults
            .iter()
            .map(|fault| json!({"seq": fault.seq, "kind": fault.kind, "because": fault.because}))
            .collect();
        if let Some(noted) = noted {
            let parted = noted.split_once(':').and_then(|(seq, hash)| Some((seq.parse::<i64>().ok()?, hash)));
            let (seq, hash) = parted.ok_or_else(|| Error::invalid("head", "not of the form SEQ:HASH"))?;
            let held = log.rows(seq - 1, 1)?.into_iter().find(|row| row.seq == seq);
            if held.is_none_or(|row| row.hash != hash) {
                let because = format!("event {seq} is not the one that was noted");
                faults.push(json!({"seq": seq, "kind": "changed", "because": because}));
            }
        }
        let (seq, hash) = audit.head;
        Ok(AuditReport { events: audit.events, head: json!({"seq": seq, "hash": hash}), faults })
    }

    /// Makes the read models that come from the log anew; gives the number of events and their tables.
    ///
    /// # Errors
    /// The log is not sound: what is wrong in it would become wrong everywhere. Another writer.
    pub fn rebuild_models(&self) -> Result<(u64, &'static [&'static str])> {
        let audit = self.audit(None)?;
        if let Some(fault) = audit.faults.first() {
            let because = fault["because"].as_str().unwrap_or_default();
            return Err(Error::Failed(format!("nothing was rebuilt, for the log is not sound: {because}")));
        }
        let events = self.log().rebuild()?;
        Ok((events, events::ReadModels::tables(&Models)))
    }
}
