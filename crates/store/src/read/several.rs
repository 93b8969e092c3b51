//! What belongs to several things at once, in one statement for all of them: for who asks for a tree of records.
//!
//! Of each thing the first rows are taken by the same index as when it is asked for alone: the statement is one branch for each,
//! put together with `union all`.

use std::collections::{BTreeMap, HashMap};

use rusqlite::ToSql;

use super::contracts::{self, ContractRow};
use super::parties::{BuyerRow, SupplierRow, buyer_from, supplier_from};
use crate::db::Db;
use crate::findings::{self, FindingRow};
use crate::links::EntityKind;
use crate::{Result, Store, id_hash};

/// The most branches of one statement: SQLite takes 500.
const BRANCHES_MAX: usize = 200;

/// Whose rows are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A buyer, under all ids that are one with it.
    Buyer,
    /// A supplier, likewise.
    Supplier,
    /// A contract.
    Contract,
}

impl Owner {
    fn entity(self) -> Option<EntityKind> {
        match self {
            Self::Buyer => Some(EntityKind::Buyer),
            Self::Supplier => Some(EntityKind::Supplier),
            Self::Contract => None,
        }
    }
}

/// Rows by the number of whom they belong to.
type Of<T> = HashMap<usize, Vec<T>>;

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// Every id that is one with each of these.
fn members_of(db: &Db, owner: Owner, ids: &[String]) -> Result<Vec<Vec<String>>> {
    let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if let Some(kind) = owner.entity() {
        for part in ids.chunks(BRANCHES_MAX) {
            let sql = format!(
                "select a.id, m.id from entity_members a join entity_members m on m.kind = a.kind and m.entity_id = a.entity_id
                 where a.kind = ? and a.id in ({})",
                marks(part.len())
            );
            let kind = kind.code();
            let values = std::iter::once(&kind as &dyn ToSql).chain(part.iter().map(|id| id as &dyn ToSql));
            let values: Vec<&dyn ToSql> = values.collect();
            let mut statement = db.prepare(&sql)?;
            for row in statement.query_map(values.as_slice(), |row| Ok((row.get(0)?, row.get(1)?)))? {
                let (id, member): (String, String) = row?;
                members.entry(id).or_default().push(member);
            }
        }
    }
    Ok(ids.iter().map(|id| members.remove(id).unwrap_or_else(|| vec![id.clone()])).collect())
}

/// Runs one branch for each of `branches`, each with the number of whom it is for as its column `who`.
fn unite<T>(
    db: &Db,
    branches: &[(usize, String, Vec<Box<dyn ToSql>>)],
    from: impl Fn(&crate::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Of<T>> {
    let mut found: Of<T> = HashMap::new();
    for part in branches.chunks(BRANCHES_MAX) {
        let sql: Vec<String> = part
            .iter()
            .map(|(who, sql, _)| format!("select * from (select {who} as who, t.* from ({sql}) t) u{who}"))
            .collect();
        let values: Vec<&dyn ToSql> = part.iter().flat_map(|(_, _, values)| values.iter().map(AsRef::as_ref)).collect();
        let mut statement = db.prepare(&sql.join(" union all "))?;
        for row in statement.query_map(values.as_slice(), |row| Ok((row.get::<_, i64>("who")?, from(row)?)))? {
            let (who, row) = row?;
            found.entry(usize::try_from(who).unwrap_or_default()).or_default().push(row);
        }
    }
    Ok(found)
}

fn in_order<T>(mut of: Of<T>, count: usize) -> Vec<Vec<T>> {
    (0..count).map(|who| of.remove(&who).unwrap_or_default()).collect()
}

impl Store {
    fn by_ids<T>(
        &self,
        select: &str,
        ids: &[String],
        from: impl Fn(&crate::Row<'_>) -> rusqlite::Result<T>,
        id_of: impl Fn(&T) -> &String,
    ) -> Result<HashMap<String, T>> {
        self.read(|db| {
            let mut found = HashMap::new();
            for part in ids.chunks(BRANCHES_MAX) {
                let hashes: Vec<i64> = part.iter().map(|id| id_hash(id)).collect();
                let sql = format!("{select} in ({})", marks(part.len()));
                let values: Vec<&dyn ToSql> = hashes.iter().map(|hash| hash as &dyn ToSql).collect();
                let mut statement = db.prepare(&sql)?;
                for row in statement.query_map(values.as_slice(), &from)? {
                    let row = row?;
                    found.insert(id_of(&row).clone(), row);
                }
            }
            Ok(found)
        })
    }

    /// The suppliers of these ids that are held.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn suppliers_by_id(&self, ids: &[String]) -> Result<HashMap<String, SupplierRow>> {
        self.by_ids("select * from suppliers where idh", ids, supplier_from, |row| &row.id)
    }

    /// The buyers of these ids that are held.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn buyers_by_id(&self, ids: &[String]) -> Result<HashMap<String, BuyerRow>> {
        self.by_ids("select * from buyers where idh", ids, buyer_from, |row| &row.id)
    }

    /// The contracts of these ids that are held.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contracts_by_id(&self, ids: &[String]) -> Result<HashMap<String, ContractRow>> {
        let select = format!("{} where c.rid in (select rid from contracts_keys where idh", contracts::SELECT);
        self.read(|db| {
            let mut found = HashMap::new();
            for part in ids.chunks(BRANCHES_MAX) {
                let hashes: Vec<i64> = part.iter().map(|id| id_hash(id)).collect();
                let sql = format!("{select} in ({}))", marks(part.len()));
                let values: Vec<&dyn ToSql> = hashes.iter().map(|hash| hash as &dyn ToSql).collect();
                let mut statement = db.prepare(&sql)?;
                for row in statement.query_map(values.as_slice(), contracts::contract_from)? {
                    let row = row?;
                    found.insert(row.id.clone(), row);
                }
            }
            Ok(found)
        })
    }

    /// The newest `limit` contracts of each of these buyers or suppliers, in their order.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contracts_of_each(&self, owner: Owner, ids: &[String], limit: usize) -> Result<Vec<Vec<ContractRow>>> {
        let column = if owner == Owner::Buyer { "buyer_h" } else { "supplier_h" };
        self.read(|db| {
            let members = members_of(db, owner, ids)?;
            let branches: Vec<_> = members
                .iter()
                .enumerate()
                .flat_map(|(who, ids)| {
                    ids.iter().map(move |id| {
                        let sql = format!(
                            "{} where c.{column} = ? order by c.signed_on desc nulls last, c.rid desc limit {limit}",
                            contracts::SELECT
                        );
                        (who, sql, vec![Box::new(id_hash(id)) as Box<dyn ToSql>])
                    })
                })
                .collect();
            let mut found = in_order(unite(db, &branches, contracts::contract_from)?, ids.len());
            for (rows, ids) in found.iter_mut().zip(&members) {
                if ids.len() > 1 {
                    rows.sort_by(|a, b| b.signed_on.cmp(&a.signed_on));
                }
                rows.truncate(limit);
            }
            Ok(found)
        })
    }

    /// The gravest `limit` open findings of each of these, in their order; context only beside another finding of the same buyer.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn findings_of_each(&self, owner: Owner, ids: &[String], limit: usize) -> Result<Vec<Vec<FindingRow>>> {
        self.read(|db| {
            let members = members_of(db, owner, ids)?;
            let condition = match owner {
                Owner::Buyer => "p.buyer_id = ?",
                Owner::Supplier => "p.supplier_id = ?",
                Owner::Contract => "p.id in (select finding_id from finding_contracts where contract_id = ?)",
            };
            let branches: Vec<_> = members.iter().enumerate().flat_map(|(who, ids)| {
                ids.iter().map(move |id| {
                    let sql = format!(
                        "{} where {condition} and +p.state = 'open' and {} order by +p.gravity desc, p.rid desc limit {limit}",
                        findings::select(), findings::BESIDE
                    );
                    (who, sql, vec![Box::new(id.clone()) as Box<dyn ToSql>])
                })
            }).collect();
            let mut found = in_order(unite(db, &branches, findings::finding_from)?, ids.len());
            for (rows, ids) in found.iter_mut().zip(&members) {
                if ids.len() > 1 {
                    rows.sort_by_key(|row| std::cmp::Reverse(row.gravity));
                }
                rows.truncate(limit);
            }
            Ok(found)
        })
    }
}
