//! Contracts: the list with its filters, and one contract with all that belongs to it.

use chrono::NaiveDate;
use model::{Cnpj, Money};
use serde::{Deserialize, Serialize};
use store::{ContractFilter, FindingFilter};
use utoipa::{IntoParams, ToSchema};

use super::page::Walk;
use super::{FINDINGS_SHOWN_MAX, PageLimit, PageQuery, Words};
use crate::views::{Amendment, Contract, ContractDetail, Item, List, Version};
use crate::{App, Error, Result};

/// The most items that stand under a contract.
const ITEMS_SHOWN_MAX: usize = 1_000;
/// The most amendments that stand under a contract.
const AMENDMENTS_SHOWN_MAX: usize = 200;

/// The order of contracts; those without the date or value come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ContractSort {
    #[default]
    #[serde(rename = "-signed_on")]
    NewestFirst,
    #[serde(rename = "signed_on")]
    OldestFirst,
    #[serde(rename = "-value")]
    DearestFirst,
    #[serde(rename = "value")]
    CheapestFirst,
}

/// Which contracts are wanted.
#[derive(Debug, Clone, Default, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContractQuery {
    /// Words sought in the object's text and the parties' names; accents, case and plural do not matter.
    #[param(value_type = Option<String>, max_length = 200)]
    pub q: Option<Words>,
    /// The buyer's id.
    pub buyer_id: Option<String>,
    /// The supplier's id.
    pub supplier_id: Option<String>,
    /// The supplier's CNPJ, with or without punctuation.
    #[param(value_type = Option<String>, example = "12.345.678/0001-95")]
    pub cnpj: Option<Cnpj>,
    /// The source's code.
    pub source: Option<String>,
    /// The modality's code.
    #[param(value_type = Option<String>, example = "dispensa")]
    pub modality: Option<&'static str>,
    /// The buyer's state, two letters.
    #[param(value_type = Option<String>, example = "SP")]
    pub state: Option<&'static str>,
    /// Signed on this day or later.
    #[param(value_type = Option<String>, format = Date)]
    pub signed_from: Option<NaiveDate>,
    /// Signed on this day or earlier.
    #[param(value_type = Option<String>, format = Date)]
    pub signed_to: Option<NaiveDate>,
    /// Final value at least this, BRL.
    #[param(value_type = Option<String>, example = "1000.00")]
    pub value_min: Option<Money>,
    /// Final value at most this, BRL.
    #[param(value_type = Option<String>, example = "50000.00")]
    pub value_max: Option<Money>,
    /// The order (default `-signed_on`).
    #[param(value_type = Option<ContractSort>, inline)]
    pub sort: ContractSort,
}

impl ContractQuery {
    /// The supplier that is asked for; an error of nothing when two different ones are.
    fn supplier(&self) -> std::result::Result<Option<String>, ()> {
        let by_cnpj = self.cnpj.map(|cnpj| format!("cnpj:{cnpj}"));
        match (&self.supplier_id, by_cnpj) {
            (Some(id), Some(other)) if *id != other => Err(()),
            (Some(id), _) => Ok(Some(id.clone())),
            (None, by_cnpj) => Ok(by_cnpj),
        }
    }

    fn filter(&self, supplier_id: Option<String>) -> ContractFilter {
        ContractFilter {
            q: self.q.as_ref().map(|q| q.as_str().to_owned()),
            buyer_id: self.buyer_id.clone(),
            supplier_id,
            source: self.source.clone(),
            modality: self.modality.map(str::to_owned),
            state: self.state.map(str::to_owned),
            signed_from: self.signed_from.map(|d| d.to_string()),
            signed_to: self.signed_to.map(|d| d.to_string()),
            value_min: self.value_min.map(Money::scaled),
            value_max: self.value_max.map(Money::scaled),
        }
    }
}

impl From<ContractSort> for store::ContractSort {
    fn from(sort: ContractSort) -> Self {
        match sort {
            ContractSort::NewestFirst => Self::NewestFirst,
            ContractSort::OldestFirst => Self::OldestFirst,
            ContractSort::DearestFirst => Self::DearestFirst,
            ContractSort::CheapestFirst => Self::CheapestFirst,
        }
    }
}

impl App {
    /// One page of contracts.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another question; the database cannot be read.
    pub fn contracts(&self, query: &ContractQuery, page: &PageQuery) -> Result<List<Contract>> {
        let walk = Walk::new("contracts", query, page, PageLimit::default())?;
        let Ok(supplier) = query.supplier() else { return walk.slice(Vec::new()) };
        let filter = query.filter(supplier);
        let ask = || walk.list(self.store().contracts(&filter, query.sort.into(), walk.after.as_ref(), walk.limit)?);
        if page.is_usual() { self.recalled("contracts", &(query, page), ask) } else { ask() }
    }

    /// One contract with its items, amendments, open findings and older versions.
    ///
    /// # Errors
    /// `NotFound`; the database cannot be read.
    pub fn contract(&self, id: &str) -> Result<ContractDetail> {
        let store = self.store();
        let row = store.contract(id)?.ok_or_else(|| Error::not_found("contract", id))?;
        let metadata = row.metadata.as_deref().map_or(Ok(serde_json::json!({})), serde_json::from_str);
        let metadata = metadata.map_err(store::Error::from)?;
        let (items, more_items) = self.rows_under(id, "items", ITEMS_SHOWN_MAX)?;
        let (amendments, more_amendments) = self.rows_under(id, "amendments", AMENDMENTS_SHOWN_MAX)?;
        let about = FindingFilter { contract_id: Some(id.to_owned()), ..FindingFilter::default() };
        let (findings, more_findings) = self.open_findings(about, FINDINGS_SHOWN_MAX)?;
        let versions = store.versions("contracts", id)?.into_iter().map(Version::try_from).collect::<Result<_>>()?;
        let truncated = [("items", more_items), ("amendments", more_amendments), ("findings", more_findings)];
        Ok(ContractDetail {
            contract: Contract::from(row),
            metadata,
            items: items.into_iter().map(Item::from).collect(),
            amendments: amendments.into_iter().map(Amendment::from).collect(),
            findings,
            versions,
            truncated: truncated.into_iter().filter(|(_, more)| *more).map(|(name, _)| name).collect(),
        })
    }

    /// At most `shown` rows of a table that belong to a contract, and whether there are more.
    fn rows_under(
        &self,
        contract_id: &str,
        table: &str,
        shown: usize,
    ) -> Result<(Vec<serde_json::Map<String, serde_json::Value>>, bool)> {
        let mut rows = self.store().rows_of_contract(table, contract_id, shown + 1)?;
        let more = rows.len() > shown;
        rows.truncate(shown);
        Ok((rows, more))
    }
}
