//! Suppliers and buyers: lists by name, and one party with what is held of it.

use model::Cnpj;
use serde::{Deserialize, Serialize};
use store::{BuyerFilter, ContractFilter, ContractSort, EntityKind, FindingFilter, SupplierFilter};
use utoipa::{IntoParams, ToSchema};

use super::entities::others;
use super::page::Walk;
use super::{CONTRACTS_SHOWN, FINDINGS_SHOWN_MAX, PageLimit, PageQuery, Sphere, Words};
use crate::views::{Buyer, BuyerDetail, Contract, List, Partner, Registration, Sanction, Supplier, SupplierDetail};
use crate::{App, Error, Result};

/// Partners that a supplier shows.
const PARTNERS_SHOWN_MAX: usize = 50;

/// The order of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub enum NameSort {
    #[default]
    #[serde(rename = "name")]
    Ascending,
    #[serde(rename = "-name")]
    Descending,
}

/// What a supplier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupplierKind {
    /// A legal person, with a CNPJ.
    Company,
    /// A natural person, with a masked CPF.
    Person,
    /// Of another country.
    Foreign,
    /// A number whose check digits are wrong.
    Unverified,
}

/// Which suppliers are wanted.
#[derive(Debug, Clone, Default, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SupplierQuery {
    /// Words sought in the name; accents, case and plural do not matter.
    #[param(value_type = Option<String>, max_length = 200)]
    pub q: Option<Words>,
    /// The CNPJ, with or without punctuation.
    #[param(value_type = Option<String>, example = "12.345.678/0001-95")]
    pub cnpj: Option<Cnpj>,
    /// What it is.
    #[param(inline)]
    pub kind: Option<SupplierKind>,
    /// The order (default `name`).
    #[param(value_type = Option<NameSort>, inline)]
    pub sort: NameSort,
}

/// Which buyers are wanted.
#[derive(Debug, Clone, Default, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BuyerQuery {
    /// Words sought in the name; accents, case and plural do not matter.
    #[param(value_type = Option<String>, max_length = 200)]
    pub q: Option<Words>,
    /// Two letters.
    #[param(value_type = Option<String>, example = "SP")]
    pub state: Option<&'static str>,
    /// Sphere of government: `F` federal, `E` state, `M` municipal, `D` Federal District.
    #[param(inline)]
    pub sphere: Option<Sphere>,
    /// The order (default `name`).
    #[param(value_type = Option<NameSort>, inline)]
    pub sort: NameSort,
}

impl From<NameSort> for store::NameSort {
    fn from(sort: NameSort) -> Self {
        match sort {
            NameSort::Ascending => Self::Ascending,
            NameSort::Descending => Self::Descending,
        }
    }
}

impl SupplierKind {
    /// Its code in every table.
    fn code(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Person => "person",
            Self::Foreign => "foreign",
            Self::Unverified => "unverified",
        }
    }
}

impl App {
    /// One page of suppliers.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another question; the database cannot be read.
    pub fn suppliers(&self, query: &SupplierQuery, page: &PageQuery) -> Result<List<Supplier>> {
        let walk = Walk::new("suppliers", query, page, PageLimit::default())?;
        let filter = SupplierFilter {
            q: query.q.as_ref().map(|q| q.as_str().to_owned()),
            cnpj: query.cnpj.map(|cnpj| cnpj.to_string()),
            kind: query.kind.map(|kind| kind.code().to_owned()),
        };
        walk.list(self.store().suppliers(&filter, query.sort.into(), walk.after.as_ref(), walk.limit)?)
    }

    /// One supplier with totals, sanctions, open findings and newest contracts.
    ///
    /// # Errors
    /// `NotFound`; the database cannot be read.
    pub fn supplier(&self, id: &str) -> Result<SupplierDetail> {
        let store = self.store();
        let supplier = Supplier::from(store.supplier(id)?.ok_or_else(|| Error::not_found("supplier", id))?);
        let ids = store.entity_members(EntityKind::Supplier, id)?;
        let (mut sanctions, mut registrations, mut partners) = (Vec::new(), Vec::new(), Vec::new());
        for id in &ids {
            let cnpj = id.strip_prefix("cnpj:").and_then(|cnpj| Cnpj::parse(cnpj).ok());
            sanctions.extend(store.sanctions_of(id, cnpj.as_ref().map(Cnpj::root))?);
            if let Some(cnpj) = &cnpj {
                registrations.extend(store.registrations_of(&cnpj.to_string(), cnpj.root())?);
                partners.extend(store.partners_of(cnpj.root(), PARTNERS_SHOWN_MAX)?);
            }
        }
        // Two establishments of one legal person show its sanctions once.
        let mut shown = std::collections::HashSet::new();
        sanctions.retain(|sanction| shown.insert(sanction.id.clone()));
        let about = FindingFilter { supplier_id: Some(id.to_owned()), ..FindingFilter::default() };
        let sold = ContractFilter { supplier_id: Some(id.to_owned()), ..ContractFilter::default() };
        Ok(SupplierDetail {
            supplier,
            same_as: others(&ids, id),
            links: self.links_of(EntityKind::Supplier, &ids)?,
            totals: self.recalled("totals_of_supplier", &id, || Ok(store.totals_of_supplier(id)?.into()))?,
            sanctions: sanctions.into_iter().map(Sanction::from).collect(),
            registrations: registrations.into_iter().map(Registration::from).collect(),
            partners: partners.into_iter().map(Partner::from).collect(),
            findings: self.open_findings(about, FINDINGS_SHOWN_MAX)?.0,
            contracts: self.newest_contracts(&sold)?,
        })
    }

    /// One page of buyers.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another question; the database cannot be read.
    pub fn buyers(&self, query: &BuyerQuery, page: &PageQuery) -> Result<List<Buyer>> {
        let walk = Walk::new("buyers", query, page, PageLimit::default())?;
        let filter = BuyerFilter {
            q: query.q.as_ref().map(|q| q.as_str().to_owned()),
            state: query.state.map(str::to_owned),
            sphere: query.sphere.map(|sphere| sphere.code().to_owned()),
        };
        walk.list(self.store().buyers(&filter, query.sort.into(), walk.after.as_ref(), walk.limit)?)
    }

    /// One buyer with totals, open findings and newest contracts.
    ///
    /// # Errors
    /// `NotFound`; the database cannot be read.
    pub fn buyer(&self, id: &str) -> Result<BuyerDetail> {
        let store = self.store();
        let buyer = Buyer::from(store.buyer(id)?.ok_or_else(|| Error::not_found("buyer", id))?);
        let ids = store.entity_members(EntityKind::Buyer, id)?;
        let about = FindingFilter { buyer_id: Some(id.to_owned()), ..FindingFilter::default() };
        let bought = ContractFilter { buyer_id: Some(id.to_owned()), ..ContractFilter::default() };
        Ok(BuyerDetail {
            buyer,
            same_as: others(&ids, id),
            links: self.links_of(EntityKind::Buyer, &ids)?,
            totals: self.recalled("totals_of_buyer", &id, || Ok(store.totals_of_buyer(id)?.into()))?,
            findings: self.open_findings(about, FINDINGS_SHOWN_MAX)?.0,
            contracts: self.newest_contracts(&bought)?,
        })
    }

    fn newest_contracts(&self, filter: &ContractFilter) -> Result<Vec<Contract>> {
        let page = self.store().contracts(filter, ContractSort::NewestFirst, None, CONTRACTS_SHOWN)?;
        Ok(page.rows.into_iter().map(Contract::from).collect())
    }
}
