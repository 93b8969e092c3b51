//! The demonstration: sample data, ingested, judged, ready to be looked at.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;
use store::{FindingFilter, FindingSort};

use super::ingest::{IngestProgress, IngestReport, IngestRequest};
use crate::{App, Error, Result};

/// The seed of the demonstration's data: the same for everyone.
const SEED: u64 = 2_026;
/// Findings that the demonstration prints.
const SHOWN: usize = 10;

/// What the demonstration made.
#[derive(Debug, Clone, Serialize)]
pub struct DemoReport {
    /// Where the fictitious files lie.
    pub files: PathBuf,
    /// What ingesting them did.
    pub ingest: IngestReport,
    /// The gravest findings.
    pub gravest: Vec<Value>,
}

/// Writes fictitious files in the layouts of real sources.
///
/// # Errors
/// The folder cannot be written.
pub fn write_sample(contracts: u64, seed: u64, out: &std::path::Path) -> Result<sample::Summary> {
    let options = sample::Options { contracts, seed, out: out.to_owned() };
    Ok(sample::write(&options, &mut |_| {})?)
}

impl App {
    /// Makes, ingests and judges fictitious data; gives the gravest findings.
    ///
    /// # Errors
    /// The data folder cannot be written.
    pub fn demo(&self, contracts: u64, tell: &mut dyn FnMut(IngestProgress<'_>)) -> Result<DemoReport> {
        let files = self.folder().join(format!("sample-{contracts}"));
        if !files.is_dir() {
            // Written beside and renamed: what stands under the name is whole, also after an interrupted start.
            let unfinished = files.with_extension("unfinished");
            if unfinished.is_dir() {
                std::fs::remove_dir_all(&unfinished).map_err(|e| Error::io(&unfinished, &e))?;
            }
            write_sample(contracts, SEED, &unfinished)?;
            std::fs::rename(&unfinished, &files).map_err(|e| Error::io(&files, &e))?;
        }
        let ingest = self.ingest(&IngestRequest { paths: vec![files.clone()], ..IngestRequest::default() }, tell)?;
        let filter = FindingFilter { state: Some("open".to_owned()), ..FindingFilter::default() };
        let page = self.store().findings(&filter, FindingSort::GravestFirst, None, SHOWN)?;
        let gravest = page
            .rows
            .iter()
            .map(|row| serde_json::from_str(&row.body).map_err(store::Error::from))
            .collect::<std::result::Result<Vec<Value>, _>>()?;
        Ok(DemoReport { files, ingest, gravest })
    }
}
