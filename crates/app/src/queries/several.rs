//! What belongs to several things at once: one question to the store for all of them, for who asks for a tree of records.
//!
//! Lists that stand under a thing are the first page of the list that is asked for it alone, with the same cursors: who wants more goes on
//! there.

use std::collections::HashMap;

use serde::Serialize;
use store::Cursor;
use store::Registered;
pub use store::{Below, Owner};

use super::cursor::Question;
use super::page::Marks;
use super::{ContractQuery, FindingQuery, PageLimit, PageQuery, Walk};
use crate::views::{
    Amendment, Bid, Buyer, Contract, Finding, Item, List, PageInfo, Partner, Registration, Sanction, Supplier, Tender,
    Totals,
};
use crate::{App, Error, Result};

/// The first page of a list, out of one row more than it holds.
fn first_page<R, V>(
    list: &str,
    filters: &impl Serialize,
    mut rows: Vec<(R, Cursor)>,
    limit: PageLimit,
) -> Result<List<V>>
where
    V: TryFrom<R>,
    Error: From<V::Error>,
{
    let question = Question::new(list, filters)?;
    let more = rows.len() > limit.get();
    rows.truncate(limit.get());
    let next_cursor = rows.last().filter(|_| more).map(|(_, last)| question.seal(last)).transpose()?;
    let (rows, marks): (Vec<R>, Vec<Cursor>) = rows.into_iter().unzip();
    let data = rows.into_iter().map(V::try_from).collect::<std::result::Result<Vec<V>, _>>()?;
    Ok(List { data, page: PageInfo { next_cursor, limit: limit.get() }, marks: Marks::new(question, marks) })
}

/// The name of a list of rows below something.
fn name_of(below: Below) -> &'static str {
    match below {
        Below::ItemsOfContract => "items_of_contract",
        Below::AmendmentsOfContract => "amendments_of_contract",
        Below::ItemsOfTender => "items_of_tender",
        Below::BidsOfTender => "bids_of_tender",
    }
}

impl App {
    /// The suppliers of these ids that are held.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn suppliers_by_id(&self, ids: &[String]) -> Result<HashMap<String, Supplier>> {
        let found = self.store().suppliers_by_id(ids)?;
        Ok(found.into_iter().map(|(id, row)| (id, row.into())).collect())
    }

    /// The buyers of these ids that are held.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn buyers_by_id(&self, ids: &[String]) -> Result<HashMap<String, Buyer>> {
        Ok(self.store().buyers_by_id(ids)?.into_iter().map(|(id, row)| (id, row.into())).collect())
    }

    /// The contracts of these ids that are held.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contracts_by_id(&self, ids: &[String]) -> Result<HashMap<String, Contract>> {
        let found = self.store().contracts_by_id(ids)?;
        Ok(found.into_iter().map(|(id, row)| (id, row.into())).collect())
    }

    /// The tenders of these ids that are held.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn tenders_by_id(&self, ids: &[String]) -> Result<HashMap<String, Tender>> {
        Ok(self.store().tenders_by_id(ids)?.into_iter().map(|(id, row)| (id, row.into())).collect())
    }

    /// The newest contracts of each of these buyers or suppliers.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contracts_of_each(&self, owner: Owner, ids: &[String], limit: PageLimit) -> Result<Vec<List<Contract>>> {
        let found = self.store().contracts_of_each(owner, ids, limit.get() + 1)?;
        let page = |(rows, id): (Vec<_>, &String)| {
            let mut query = ContractQuery::default();
            match owner {
                Owner::Buyer => query.buyer_id = Some(id.clone()),
                Owner::Supplier | Owner::Contract => query.supplier_id = Some(id.clone()),
            }
            first_page("contracts", &query, rows, limit)
        };
        found.into_iter().zip(ids).map(page).collect()
    }

    /// The gravest open findings of each of these.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn findings_of_each(&self, owner: Owner, ids: &[String], limit: PageLimit) -> Result<Vec<List<Finding>>> {
        let found = self.store().findings_of_each(owner, ids, limit.get() + 1)?;
        let page = |(rows, id): (Vec<_>, &String)| {
            let mut query = FindingQuery::default();
            match owner {
                Owner::Buyer => query.buyer_id = Some(id.clone()),
                Owner::Supplier => query.supplier_id = Some(id.clone()),
                Owner::Contract => query.contract_id = Some(id.clone()),
            }
            first_page("findings", &query, rows, limit)
        };
        found.into_iter().zip(ids).map(page).collect()
    }

    /// The first items below each of these.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn items_of_each(&self, below: Below, ids: &[String], limit: PageLimit) -> Result<Vec<List<Item>>> {
        self.below_each(below, ids, limit)
    }

    /// The first amendments of each of these contracts.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn amendments_of_each(&self, ids: &[String], limit: PageLimit) -> Result<Vec<List<Amendment>>> {
        self.below_each(Below::AmendmentsOfContract, ids, limit)
    }

    /// The first bids of each of these tenders.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn bids_of_each(&self, ids: &[String], limit: PageLimit) -> Result<Vec<List<Bid>>> {
        self.below_each(Below::BidsOfTender, ids, limit)
    }

    /// One page of the items below a contract or a tender.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another question; the database cannot be read.
    pub fn items_below(&self, below: Below, id: &str, page: &PageQuery) -> Result<List<Item>> {
        self.page_below(below, id, page)
    }

    /// One page of the bids of a tender.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another question; the database cannot be read.
    pub fn bids_below(&self, id: &str, page: &PageQuery) -> Result<List<Bid>> {
        self.page_below(Below::BidsOfTender, id, page)
    }

    /// Sums over the contracts of each of these buyers or suppliers.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn totals_of_each(&self, owner: Owner, ids: &[String]) -> Result<Vec<Totals>> {
        Ok(self.store().totals_of_each(owner, ids)?.into_iter().map(Totals::from).collect())
    }

    /// The sanctions of each of these suppliers.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn sanctions_of_each(&self, ids: &[String]) -> Result<Vec<Vec<Sanction>>> {
        let found = self.store().sanctions_of_each(ids)?;
        Ok(found.into_iter().map(|rows| rows.into_iter().map(Sanction::from).collect()).collect())
    }

    /// What the register of companies says of each of these suppliers.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn registrations_of_each(&self, ids: &[String]) -> Result<Vec<Vec<Registration>>> {
        let found = self.store().registered_of_each(Registered::Registrations, ids)?;
        Ok(found.into_iter().map(|rows| rows.into_iter().map(Registration::from).collect()).collect())
    }

    /// Who owns or runs each of these suppliers, as that register says.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn partners_of_each(&self, ids: &[String]) -> Result<Vec<Vec<Partner>>> {
        let found = self.store().registered_of_each(Registered::Partners, ids)?;
        Ok(found.into_iter().map(|rows| rows.into_iter().map(Partner::from).collect()).collect())
    }

    fn below_each<V>(&self, below: Below, ids: &[String], limit: PageLimit) -> Result<Vec<List<V>>>
    where
        V: From<serde_json::Map<String, serde_json::Value>>,
    {
        let found = self.store().rows_of_each(below, ids, i64::MIN, limit.get() + 1)?;
        found.into_iter().zip(ids).map(|(rows, id)| first_page(name_of(below), id, rows, limit)).collect()
    }

    fn page_below<V>(&self, below: Below, id: &str, page: &PageQuery) -> Result<List<V>>
    where
        V: From<serde_json::Map<String, serde_json::Value>>,
    {
        let walk = Walk::new(name_of(below), &id, page, PageLimit::default())?;
        let after = walk.after.as_ref().map_or(i64::MIN, |cursor| cursor.rid);
        let limit = page.limit.unwrap_or_default();
        let rows = self.store().rows_of_each(below, &[id.to_owned()], after, limit.get() + 1)?.pop();
        first_page(name_of(below), &id, rows.unwrap_or_default(), limit)
    }
}
