//! The board of sources.

use std::collections::{BTreeMap, BTreeSet};

use super::page::Walk;
use super::{PageLimit, PageQuery};
use crate::views::{List, Period, Source};
use crate::{App, Result};

impl App {
    /// What is held, per source and table. A source of which nothing could be kept stands there too.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another list; the database cannot be read.
    pub fn sources(&self, page: &PageQuery) -> Result<List<Source>> {
        let walk = Walk::new("sources", &(), page, PageLimit::MAX)?;
        let store = self.store();
        let mut quarantined: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
        for count in store.quarantine_counts()? {
            quarantined.entry(count.source).or_default().insert(count.reason, count.rows);
        }
        let files: BTreeMap<String, _> = store.source_files()?.into_iter().map(|f| (f.source.clone(), f)).collect();
        let board = |source: String, table: Option<String>, rows: i64, period: Period| Source {
            files: files.get(&source).map_or(0, |f| f.files),
            last_ingest_at: files.get(&source).map(|f| f.last_ingest_at.clone()),
            quarantined: quarantined.get(&source).cloned().unwrap_or_default(),
            source,
            table,
            rows,
            period,
        };
        let held = store.source_rows()?;
        let with_rows: BTreeSet<String> = held.iter().map(|row| row.source.clone()).collect();
        let empty = files.keys().filter(|source| !with_rows.contains(*source));
        let mut all: Vec<Source> = empty.map(|source| board(source.clone(), None, 0, Period::default())).collect();
        for row in held {
            all.push(board(row.source, Some(row.table), row.rows, Period { from: row.from, to: row.to }));
        }
        all.sort_by(|a, b| (&a.source, &a.table).cmp(&(&b.source, &b.table)));
        walk.slice(all)
    }
}
