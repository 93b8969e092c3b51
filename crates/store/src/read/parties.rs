//! Suppliers and buyers.

use crate::db::{OptionalExtension, Row};
use rusqlite::params;

use super::{Conditions, Cursor, Page, Walk, walk};
use crate::links::{self, EntityKind};
use crate::{Result, Store, id_hash, search};

/// A row of `suppliers`.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are the canonical columns'")]
pub struct SupplierRow {
    pub id: String,
    pub kind: String,
    pub name: String,
    pub cnpj: Option<String>,
    pub masked_cpf: Option<String>,
}

/// A row of `buyers`.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are the canonical columns'")]
pub struct BuyerRow {
    pub id: String,
    pub name: String,
    pub code: Option<String>,
    pub cnpj: Option<String>,
    pub sphere: Option<String>,
    pub state: Option<String>,
    pub municipality: Option<String>,
    pub parent_name: Option<String>,
    pub superior_name: Option<String>,
}

/// A sanction of a supplier.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are the canonical columns'")]
pub struct SanctionRow {
    pub id: String,
    pub register: Option<String>,
    pub kind: Option<String>,
    pub kind_as_stated: Option<String>,
    pub bars_contracting: Option<bool>,
    pub starts_on: Option<String>,
    pub ends_on: Option<String>,
    pub body: Option<String>,
    pub scope_as_stated: Option<String>,
    pub legal_basis: Option<String>,
    pub file: String,
    pub file_sha256: String,
    pub line: i64,
    pub row_hash: String,
    pub fetched_at: String,
}

/// Sums over the contracts of a party, income left out.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Totals {
    pub contracts: i64,
    /// Contracts that state no value.
    pub without_value: i64,
    /// Ten-thousandths of a real.
    pub value: i128,
    pub first_signed_on: Option<String>,
    pub last_signed_on: Option<String>,
}

/// What suppliers are asked for.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are the query parameters'")]
pub struct SupplierFilter {
    pub q: Option<String>,
    pub cnpj: Option<String>,
    pub kind: Option<String>,
}

/// What buyers are asked for.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are the query parameters'")]
pub struct BuyerFilter {
    pub q: Option<String>,
    pub state: Option<String>,
    pub sphere: Option<String>,
}

/// The order of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub enum NameSort {
    #[default]
    Ascending,
    Descending,
}

/// The sanctions of an id, and of the legal person with a root.
pub(super) const SANCTIONS: &str = "select s.*, f.name as file, f.sha256 as file_sha256, f.fetched_at
    from sanctions s left join files f on f.id = s.file_id
    where s.rid in (select rid from sanctions where supplier_id = ? union select rid from sanctions where supplier_root = ?)
    order by s.starts_on desc nulls last, s.rid limit 200";

pub(super) fn sanction_from(row: &Row<'_>) -> rusqlite::Result<SanctionRow> {
    Ok(SanctionRow {
        id: row.get("id")?,
        register: row.get("register")?,
        kind: row.get("kind")?,
        kind_as_stated: row.get("kind_as_stated")?,
        bars_contracting: row.get("bars_contracting")?,
        starts_on: row.get("starts_on")?,
        ends_on: row.get("ends_on")?,
        body: row.get("body")?,
        scope_as_stated: row.get("scope_as_stated")?,
        legal_basis: row.get("legal_basis")?,
        file: row.get("file")?,
        file_sha256: row.get("file_sha256")?,
        line: row.get("line")?,
        row_hash: row.get("row_hash")?,
        fetched_at: row.get("fetched_at")?,
    })
}

/// Two halves keep each sum within 64 bits whatever the number of contracts.
pub(super) const TOTALS: &str = "select count(*) as n, sum(value_final / 10000) filter (where currency = 'BRL') as whole,
    sum(value_final % 10000) filter (where currency = 'BRL') as rest, min(signed_on) as first_on, max(signed_on) as last_on,
    count(*) - count(value_final) filter (where currency = 'BRL') as unstated from contracts";

pub(super) fn totals_from(row: &Row<'_>) -> rusqlite::Result<Totals> {
    let whole: Option<i64> = row.get("whole")?;
    let rest: Option<i64> = row.get("rest")?;
    Ok(Totals {
        contracts: row.get("n")?,
        without_value: row.get("unstated")?,
        value: i128::from(whole.unwrap_or(0)) * 10_000 + i128::from(rest.unwrap_or(0)),
        first_signed_on: row.get("first_on")?,
        last_signed_on: row.get("last_on")?,
    })
}

pub(super) fn supplier_from(row: &Row<'_>) -> rusqlite::Result<SupplierRow> {
    Ok(SupplierRow {
        id: row.get("id")?,
        kind: row.get("kind")?,
        name: row.get("name")?,
        cnpj: row.get("cnpj")?,
        masked_cpf: row.get("masked_cpf")?,
    })
}

pub(super) fn buyer_from(row: &Row<'_>) -> rusqlite::Result<BuyerRow> {
    Ok(BuyerRow {
        id: row.get("id")?,
        name: row.get("name")?,
        code: row.get("code")?,
        cnpj: row.get("cnpj")?,
        sphere: row.get("sphere")?,
        state: row.get("state")?,
        municipality: row.get("municipality")?,
        parent_name: row.get("parent_name")?,
        superior_name: row.get("superior_name")?,
    })
}

/// Adds a full-text condition over the names in `index`.
fn add_name(conditions: &mut Conditions, index: &str, q: Option<&str>) {
    let Some(q) = q else { return };
    match search::match_expression(q) {
        Some(expression) => conditions
            .add(&format!("p.rid in (select rowid from {index} where {index} match ?)"), vec![Box::new(expression)]),
        None => conditions.add("false", vec![]),
    }
}

impl Store {
    /// One page of suppliers, by name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn suppliers(
        &self,
        filter: &SupplierFilter,
        sort: NameSort,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<SupplierRow>> {
        let mut conditions = Conditions::default();
        add_name(&mut conditions, "suppliers_fts", filter.q.as_deref());
        conditions.add_some("p.kind = ?", filter.kind.as_ref());
        if let Some(cnpj) = &filter.cnpj {
            let id = format!("cnpj:{cnpj}");
            conditions.add("p.idh = ? and p.id = ?", vec![Box::new(id_hash(&id)), Box::new(id)]);
        }
        let descending = sort == NameSort::Descending;
        self.read(|db| {
            let by = Walk { column: "p.name", descending, after, limit };
            walk(db, "select p.* from suppliers p", &conditions, &by, supplier_from)
        })
    }

    /// One page of buyers, by name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn buyers(
        &self,
        filter: &BuyerFilter,
        sort: NameSort,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<BuyerRow>> {
        let mut conditions = Conditions::default();
        add_name(&mut conditions, "buyers_fts", filter.q.as_deref());
        conditions.add_some("p.state = ?", filter.state.as_ref());
        conditions.add_some("p.sphere = ?", filter.sphere.as_ref());
        let descending = sort == NameSort::Descending;
        self.read(|db| {
            let by = Walk { column: "p.name", descending, after, limit };
            walk(db, "select p.* from buyers p", &conditions, &by, buyer_from)
        })
    }

    /// One supplier.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn supplier(&self, id: &str) -> Result<Option<SupplierRow>> {
        self.read(|db| {
            let mut statement = db.prepare("select * from suppliers where idh = ?1 and id = ?2")?;
            statement.query_row(params![id_hash(id), id], supplier_from).optional()
        })
    }

    /// One buyer.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn buyer(&self, id: &str) -> Result<Option<BuyerRow>> {
        self.read(|db| {
            let mut statement = db.prepare("select * from buyers where idh = ?1 and id = ?2")?;
            statement.query_row(params![id_hash(id), id], buyer_from).optional()
        })
    }

    /// The sanctions of a supplier: of the same id, or of the same legal person.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn sanctions_of(&self, id: &str, root: Option<&str>) -> Result<Vec<SanctionRow>> {
        self.read(|db| {
            let mut statement = db.prepare(SANCTIONS)?;
            let rows = statement.query_map(params![id, root], sanction_from)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Sums over the contracts of a supplier, of all ids that are merged with this one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn totals_of_supplier(&self, id: &str) -> Result<Totals> {
        self.totals("supplier_h", EntityKind::Supplier, id)
    }

    /// Sums over the contracts of a buyer, of all ids that are merged with this one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn totals_of_buyer(&self, id: &str) -> Result<Totals> {
        self.totals("buyer_h", EntityKind::Buyer, id)
    }

    fn totals(&self, column: &str, kind: EntityKind, id: &str) -> Result<Totals> {
        self.read(|db| {
            let mut conditions = Conditions::default();
            let hashes = links::members(db, kind, id)?.iter().map(|id| id_hash(id)).collect();
            links::add_one_of(&mut conditions, column, hashes);
            let sql = format!("{TOTALS} where {} and not income", conditions.where_clause());
            db.prepare(&sql)?.query_row(conditions.values().as_slice(), totals_from)
        })
    }
}
