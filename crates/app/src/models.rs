//! The read models that are made of the log alone, and which event goes into which.

use events::{Event, ReadModels};
use store::{Db, ingest_jobs, investigations, verdicts};

/// The read models of this program.
pub(crate) struct Models;

impl ReadModels for Models {
    fn apply(&self, db: &Db, event: &Event) -> store::Result<()> {
        match event.kind.split_once('.').map(|(about, _)| about) {
            Some("verdict") => verdicts::apply_verdict(db, event.version, &event.payload),
            Some("investigation") => investigations::apply(
                db,
                event.stream_id(),
                event.version,
                &event.kind,
                &event.recorded_at,
                &event.payload,
            ),
            Some("ingest") => {
                let number = event.stream_id().parse().unwrap_or_default();
                ingest_jobs::apply(db, number, &event.kind, &event.recorded_at, &event.payload)
            }
            _ => Ok(()),
        }
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "verdicts",
            "standing_verdicts",
            "investigations",
            "investigation_flags",
            "investigation_findings",
            "ingest_jobs",
        ]
    }
}
