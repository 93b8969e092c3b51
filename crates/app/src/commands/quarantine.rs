//! The quarantine worked off: rows are looked at, read again after a mapping was mended, or taken out as a file.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use sources::Event;
use store::{QuarantineFilter, Quarantined};

use super::ingest::write_row;
use super::judge::JudgeReport;
use crate::{App, Error, Result};

/// Rows that are looked at together.
const PAGE_ROWS: usize = 500;

/// What became of rows that were read again.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RetryReport {
    /// Rows that were read again.
    pub tried: u64,
    /// Rows that are kept now.
    pub released: u64,
    /// Rows that still cannot be kept.
    pub still_quarantined: u64,
    /// Rows whose text was too long to be kept whole: their file has to be ingested again.
    pub not_whole: u64,
    /// Why rows still cannot be kept.
    pub reasons: BTreeMap<String, u64>,
    /// What was judged.
    pub judged: Option<JudgeReport>,
}

impl App {
    /// Rows of the quarantine after number `after`, in the order in which they came.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn quarantine(&self, filter: &QuarantineFilter, after: i64, limit: usize) -> Result<Vec<Quarantined>> {
        Ok(self.store().quarantined(filter, after, limit)?)
    }

    /// Quarantined rows by source and reason.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn quarantine_counts(&self) -> Result<BTreeMap<String, BTreeMap<String, i64>>> {
        let mut counts: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
        for count in self.store().quarantine_counts()? {
            counts.entry(count.source).or_default().insert(count.reason, count.rows);
        }
        Ok(counts)
    }

    /// Writes rows of the quarantine as JSON Lines.
    ///
    /// # Errors
    /// The database cannot be read, or `out` cannot be written.
    pub fn export_quarantine(&self, filter: &QuarantineFilter, out: &mut dyn Write) -> Result<u64> {
        let (mut after, mut written) = (0, 0);
        loop {
            let rows = self.store().quarantined(filter, after, PAGE_ROWS)?;
            let Some(last) = rows.last() else { return Ok(written) };
            after = last.id;
            for row in &rows {
                let line = serde_json::to_string(row).map_err(store::Error::from)?;
                writeln!(out, "{line}").map_err(|e| Error::io(std::path::Path::new("export"), &e))?;
                written += 1;
            }
        }
    }

    /// Reads quarantined rows again with this program's mappings, or with `mapping` for those of a mapped file. Rows that
    /// can be kept now leave the quarantine, and what they touch is judged.
    ///
    /// # Errors
    /// Another writer; a full disk. The quarantine stands as it was then.
    pub fn retry_quarantine(
        &self,
        filter: &QuarantineFilter,
        mapping: Option<&sources::Mapping>,
    ) -> Result<RetryReport> {
        let _lock = self.writer_lock(&AtomicBool::new(false), &mut |_| {})?;
        let mut report = RetryReport::default();
        let at = self.store().next_instant()?;
        let mut ingest = self.store().begin_ingest(&at, 0)?;
        let mut after = 0;
        loop {
            let rows = self.store().quarantined(filter, after, PAGE_ROWS)?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            for row in rows {
                report.tried += 1;
                if !row.whole {
                    report.not_whole += 1;
                    continue;
                }
                match self.read_again(&row, mapping)? {
                    Event::Row(mut parsed) => {
                        parsed.sourced.line = row.line;
                        ingest.reopen_file(row.file_id);
                        let outcome = write_row(&mut ingest, &row.source, parsed)?;
                        ingest.release(&row, outcome)?;
                        report.released += 1;
                    }
                    Event::Bad(bad) => {
                        ingest.keep_quarantined(row.id, bad.column.as_deref(), bad.reason.code(), &bad.detail)?;
                        report.still_quarantined += 1;
                        *report.reasons.entry(bad.reason.code().to_owned()).or_default() += 1;
                    }
                }
            }
        }
        if report.tried > 0 {
            ingest.finish_rows()?;
            self.lake().write_segments(self.store(), &ingest, &at)?;
            ingest.commit(&at)?;
            report.judged = self.judge_pending(&mut |_| {})?;
        }
        Ok(report)
    }

    fn read_again(&self, row: &Quarantined, mapping: Option<&sources::Mapping>) -> Result<Event> {
        let head = self.store().file_head(row.file_id)?.ok_or_else(|| Error::not_found("file", &row.file))?;
        let parse = |text: &str| sources::Mapping::parse("the mapping of its ingest", text);
        let kept = if head.mapping.is_empty() { None } else { Some(parse(&head.mapping)?) };
        let mapping = mapping.filter(|mapping| mapping.source() == row.source);
        let event = sources::read_again(&sources::Again {
            file: &head.name,
            format: &head.format,
            head: &head.head,
            raw: &row.raw,
            mapping: mapping.or(kept.as_ref()),
        });
        Ok(event)
    }
}
