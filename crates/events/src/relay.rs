//! The relay: publishes the log to the groups that want an event.
//!
//! Each group gets each event once as a task of its own, in the order of its stream. How far the log is published is noted in
//! the transaction that publishes, so that a relay which dies leaves nothing half done; and since one transaction after the other
//! appends to the log, a cursor never passes an event that is committed late.

use serde_json::json;

use crate::{EventStore, NewTask, Result, TRACEPARENT, transact};

/// Events published in one transaction.
const BATCH: usize = 200;
/// The name of the relay's cursor.
pub const CURSOR: &str = "relay";

/// Who wants which events.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The topic under which its tasks are taken.
    pub topic: &'static str,
    /// The types of event that it wants.
    pub kinds: &'static [&'static str],
}

/// Publishes what was appended since the last time; gives the number of events.
///
/// # Errors
/// The database cannot be written.
pub fn relay(log: &dyn EventStore, groups: &[Group]) -> Result<usize> {
    let mut published = 0;
    loop {
        let done = transact(log, |unit| {
            let seq = unit.cursor(CURSOR)?;
            let events = unit.log(seq, BATCH)?;
            for event in &events {
                for group in groups.iter().filter(|group| group.kinds.contains(&event.kind.as_str())) {
                    let mut body = json!({"stream": event.stream, "version": event.version, "type": event.kind});
                    if let Some(place) = event.place {
                        body[TRACEPARENT] = place.traceparent().into();
                    }
                    unit.enqueue(&NewTask {
                        topic: group.topic.to_owned(),
                        key: event.seq.to_string(),
                        lane: Some(event.stream.clone()),
                        body,
                    })?;
                }
            }
            if let Some(last) = events.last() {
                unit.set_cursor(CURSOR, last.seq)?;
            }
            Ok::<_, crate::Error>(events.len())
        })?;
        published += done;
        if done < BATCH {
            return Ok(published);
        }
    }
}
