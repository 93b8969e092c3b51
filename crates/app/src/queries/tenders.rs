//! Tenders: the list with its filters, and one tender with what was sought and who bid.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use store::TenderFilter;
use utoipa::{IntoParams, ToSchema};

use super::page::Walk;
use super::{PageLimit, PageQuery};
use crate::views::{Bid, Item, List, Tender, TenderDetail, Version};
use crate::{App, Error, Result};

/// The most items, and the most bids, that stand under a tender.
const ROWS_SHOWN_MAX: usize = 1_000;

/// The order of tenders; those without a day of publication come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub enum TenderSort {
    #[default]
    #[serde(rename = "-published_on")]
    NewestFirst,
    #[serde(rename = "published_on")]
    OldestFirst,
}

/// Which tenders are wanted.
#[derive(Debug, Clone, Default, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TenderQuery {
    /// The buyer's id.
    pub buyer_id: Option<String>,
    /// The source's code.
    pub source: Option<String>,
    /// The modality's code.
    #[param(value_type = Option<String>, example = "dispensa")]
    pub modality: Option<&'static str>,
    /// Published on this day or later.
    #[param(value_type = Option<String>, format = Date)]
    pub published_from: Option<NaiveDate>,
    /// Published on this day or earlier.
    #[param(value_type = Option<String>, format = Date)]
    pub published_to: Option<NaiveDate>,
    /// The order (default `-published_on`).
    #[param(value_type = Option<TenderSort>, inline)]
    pub sort: TenderSort,
}

impl App {
    /// One page of tenders.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another question; the database cannot be read.
    pub fn tenders(&self, query: &TenderQuery, page: &PageQuery) -> Result<List<Tender>> {
        let walk = Walk::new("tenders", query, page, PageLimit::default())?;
        let filter = TenderFilter {
            buyer_id: query.buyer_id.clone(),
            source: query.source.clone(),
            modality: query.modality.map(str::to_owned),
            published_from: query.published_from.map(|day| day.to_string()),
            published_to: query.published_to.map(|day| day.to_string()),
        };
        let newest_first = query.sort == TenderSort::NewestFirst;
        walk.list(self.store().tenders(&filter, newest_first, walk.after.as_ref(), walk.limit)?)
    }

    /// One tender with its items, bids and older versions.
    ///
    /// # Errors
    /// `NotFound`; the database cannot be read.
    pub fn tender(&self, id: &str) -> Result<TenderDetail> {
        let store = self.store();
        let row = store.row("tenders", id)?.ok_or_else(|| Error::not_found("tender", id))?;
        let rows = |table| -> Result<_> {
            let mut rows = store.rows_of_tender(table, id, ROWS_SHOWN_MAX + 1)?;
            let more = rows.len() > ROWS_SHOWN_MAX;
            rows.truncate(ROWS_SHOWN_MAX);
            Ok((rows, more))
        };
        let ((items, more_items), (bids, more_bids)) = (rows("items")?, rows("bids")?);
        let truncated = [("items", more_items), ("bids", more_bids)];
        Ok(TenderDetail {
            tender: Tender::from(row),
            items: items.into_iter().map(Item::from).collect(),
            bids: bids.into_iter().map(Bid::from).collect(),
            versions: store.versions("tenders", id)?.into_iter().map(Version::try_from).collect::<Result<_>>()?,
            truncated: truncated.into_iter().filter(|(_, more)| *more).map(|(name, _)| name).collect(),
        })
    }
}
