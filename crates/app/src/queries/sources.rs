//! The board of sources.

use std::collections::{BTreeMap, BTreeSet};

use store::{QualityNote, SourceFiles, SourceMonth};

use super::page::Walk;
use super::quality::{duplicates, gaps, not_computable};
use super::{PageLimit, PageQuery};
use crate::commands::fetched::Fetched;
use crate::commands::quality::TOLD_APART;
use crate::views::{Errors, Fetch, List, Period, Presence, Source};
use crate::{App, Result};

/// Sources that are asked over the network.
const LIVE: &[&str] = &["pncp"];
/// The most windows that are named as not held.
const GAPS_SHOWN_MAX: usize = 20;
/// The most files that are named as not read to their end.
const INCOMPLETE_SHOWN_MAX: usize = 20;

/// What stands on every table of a source.
#[derive(Default)]
struct OfSource {
    files: i64,
    last_ingest_at: Option<String>,
    quarantined: BTreeMap<String, i64>,
    unchanged: i64,
    errors: Errors,
    fetch: Option<Fetch>,
}

impl App {
    /// What is held, per source and table, and how whole it is. A source of which nothing could be kept stands there
    /// too.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another list; the database cannot be read.
    pub fn sources(&self, page: &PageQuery) -> Result<List<Source>> {
        let walk = Walk::new("sources", &(), page, PageLimit::MAX)?;
        walk.slice(self.recalled("sources", &(), || self.board())?)
    }

    /// The whole board, by source and table.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn board(&self) -> Result<Vec<Source>> {
        let store = self.store();
        let of_source = self.of_sources()?;
        let presence = self.presence()?;
        let months = store.source_months()?;
        let notes = store.quality_notes()?;
        let coverage = store.coverage()?;
        let held = store.source_rows()?;
        let with_rows: BTreeSet<String> = held.iter().map(|row| row.source.clone()).collect();
        let nothing = OfSource::default();
        let mut all: Vec<Source> = of_source
            .iter()
            .filter(|(source, _)| !with_rows.contains(*source))
            .map(|(source, of)| board_row(source.clone(), None, of))
            .collect();
        for row in held {
            let of = of_source.get(&row.source).unwrap_or(&nothing);
            let key = (row.source.clone(), row.table.clone());
            let here: Vec<&SourceMonth> =
                months.iter().filter(|m| m.source == row.source && m.table == row.table).collect();
            let fields: BTreeMap<String, Presence> = presence.get(&key).cloned().unwrap_or_default();
            let noted = notes.as_deref().map(|notes| notes_of(notes, &row.source, &row.table));
            let told_apart = noted.as_ref().map(|(_, told_apart)| *told_apart);
            all.push(Source {
                rows: row.rows,
                period: Period { from: row.from, to: row.to },
                undated: here.iter().filter(|m| m.partition == "undated").map(|m| m.rows).sum(),
                duplicates: duplicates(of.unchanged, told_apart),
                gaps: gaps(&here),
                unknown: noted.map(|(unknown, _)| unknown),
                not_computable: not_computable(self.catalogue(), &row.source, &row.table, &fields, &coverage),
                fields,
                ..board_row(row.source, Some(row.table), of)
            });
        }
        all.sort_by(|a, b| (&a.source, &a.table).cmp(&(&b.source, &b.table)));
        Ok(all)
    }

    fn of_sources(&self) -> Result<BTreeMap<String, OfSource>> {
        let store = self.store();
        let mut all: BTreeMap<String, OfSource> = BTreeMap::new();
        for file in store.source_files()? {
            let of = all.entry(file.source).or_default();
            (of.files, of.last_ingest_at) = (file.files, Some(file.last_ingest_at));
        }
        for count in store.quarantine_counts()? {
            all.entry(count.source).or_default().quarantined.insert(count.reason, count.rows);
        }
        for SourceFiles { source, unchanged, incomplete, quarantined } in store.source_accounts()? {
            let files =
                if incomplete > 0 { store.incomplete_files(&source, INCOMPLETE_SHOWN_MAX)? } else { Vec::new() };
            let of = all.entry(source).or_default();
            of.unchanged = unchanged;
            of.errors = Errors { incomplete_files: incomplete, files, quarantined_rows: quarantined };
        }
        for source in LIVE {
            if let Some(fetch) = fetch_of(&Fetched::open(self.folder(), source)?) {
                all.entry((*source).to_owned()).or_default().fetch = Some(fetch);
            }
        }
        Ok(all)
    }
}

/// A row that holds what its source says and nothing of a table yet.
/// How the fetching stands; `None` where it was never begun.
fn fetch_of(fetched: &Fetched) -> Option<Fetch> {
    let windows = &fetched.windows;
    if windows.is_empty() {
        return None;
    }
    let last = |times: Option<chrono::NaiveDateTime>| {
        times.and_then(|at| at.and_local_timezone(model::dates::brasilia()).single()).map(|at| at.to_rfc3339())
    };
    let whole = || windows.values().filter(|window| window.complete);
    let gaps = || windows.iter().filter(|(_, window)| !window.complete);
    let because = |window: &crate::commands::fetched::WindowState| {
        window.error.clone().unwrap_or_else(|| "broken off".to_owned())
    };
    Some(Fetch {
        last_asked_at: last(windows.values().map(|window| window.asked_at).max()),
        last_success_at: last(whole().map(|window| window.asked_at).max()),
        windows: whole().count() as u64,
        rows: whole().map(|window| window.rows).sum(),
        gaps: gaps().take(GAPS_SHOWN_MAX).map(|(name, window)| (name.clone(), because(window))).collect(),
        gaps_total: gaps().count() as u64,
    })
}

fn board_row(source: String, table: Option<String>, of: &OfSource) -> Source {
    Source {
        source,
        table,
        rows: 0,
        period: Period::default(),
        undated: 0,
        files: of.files,
        last_ingest_at: of.last_ingest_at.clone(),
        quarantined: of.quarantined.clone(),
        fields: BTreeMap::new(),
        duplicates: duplicates(of.unchanged, None),
        gaps: gaps(&[]),
        errors: of.errors.clone(),
        fetch: of.fetch.clone(),
        unknown: None,
        not_computable: BTreeMap::new(),
    }
}

/// The unknown values of a source's table by field, and how many of its records share a key.
fn notes_of(notes: &[QualityNote], source: &str, table: &str) -> (BTreeMap<String, BTreeMap<String, i64>>, i64) {
    let mut unknown: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    let mut told_apart = 0;
    for note in notes.iter().filter(|note| note.source == source && note.table == table) {
        if note.field == TOLD_APART {
            told_apart += note.n;
        } else {
            unknown.entry(note.field.clone()).or_default().insert(note.value.clone(), note.n);
        }
    }
    (unknown, told_apart)
}
