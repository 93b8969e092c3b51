//! Tenders, with what is sought in them and who bid.

use rusqlite::params;
use serde_json::{Map, Value};

use super::contracts::row_map;
use super::{Conditions, Cursor, Page, Walk, walk};
use crate::links::{self, EntityKind};
use crate::{Result, Store};

/// What tenders are asked for.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are the query parameters'")]
pub struct TenderFilter {
    pub buyer_id: Option<String>,
    pub source: Option<String>,
    pub modality: Option<String>,
    pub published_from: Option<String>,
    pub published_to: Option<String>,
}

pub(super) const SELECT: &str = "select t.*, f.name as file, f.sha256 as file_sha256, f.fetched_at as fetched_at
    from tenders t left join files f on f.id = t.file_id";

impl Store {
    /// One page of tenders, by the day of their publication.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn tenders(
        &self,
        filter: &TenderFilter,
        newest_first: bool,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Map<String, Value>>> {
        self.read(|db| {
            let mut conditions = Conditions::default();
            let mut several = false;
            if let Some(id) = &filter.buyer_id {
                let ids = links::members(db, EntityKind::Buyer, id)?;
                several = ids.len() > 1;
                links::add_one_of(&mut conditions, "t.buyer_id", ids);
            }
            conditions.add_some("t.source = ?", filter.source.as_ref());
            conditions.add_some("t.modality = ?", filter.modality.as_ref());
            conditions.add_some("t.published_on >= ?", filter.published_from.as_ref());
            conditions.add_some("t.published_on <= ?", filter.published_to.as_ref());
            // An entity's several ids lead; a unary plus keeps the order's index out of it.
            let column = if several { "+t.published_on" } else { "t.published_on" };
            let by = Walk { column, descending: newest_first, after, limit };
            walk(db, SELECT, &conditions, &by, |row| row_map(&<model::Tender as model::Row>::TABLE, row))
        })
    }

    /// Rows of a table that belong to a tender (`items`, `bids`), as their columns stand, with file and line.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn rows_of_tender(&self, table: &str, tender_id: &str, limit: usize) -> Result<Vec<Map<String, Value>>> {
        self.rows_where(table, "t.tender_id = ?1", params![tender_id], limit)
    }
}
