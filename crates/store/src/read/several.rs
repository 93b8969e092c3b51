//! What belongs to several things at once, in one statement for all of them: for who asks for a tree of records.
//!
//! Of each thing the first rows are taken by the same index as when it is asked for alone: the statement is one narrow branch for each, put
//! together with `union all`; or, where all rows of a thing must be looked at to know the first, one walk over them all. Wide rows are
//! fetched behind that, together.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::ToSql;
use serde_json::{Map, Value};

use super::contracts::{self, ContractRow, row_map};
use super::parties::{BuyerRow, SANCTIONS, SanctionRow, SupplierRow, Totals, buyer_from, sanction_from, supplier_from};
use super::tenders;
use super::{Cursor, CursorValue};
use crate::db::Db;
use crate::findings::{self, FindingRow};
use crate::keys::keys_table;
use crate::links::EntityKind;
use crate::{Result, Store, id_hash};

/// The most branches of one statement: SQLite takes 500.
const BRANCHES_MAX: usize = 200;

/// The most keys that one statement seeks.
const KEYS_MAX: usize = 1_000;

/// Whose rows are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

/// Rows of which table are asked for, under what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Below {
    ItemsOfContract,
    AmendmentsOfContract,
    ItemsOfTender,
    BidsOfTender,
}

impl Below {
    fn table(self) -> &'static model::Table {
        match self {
            Self::ItemsOfContract | Self::ItemsOfTender => &<model::Item as model::Row>::TABLE,
            Self::AmendmentsOfContract => &<model::Amendment as model::Row>::TABLE,
            Self::BidsOfTender => &<model::Bid as model::Row>::TABLE,
        }
    }

    /// The condition under which a row belongs to an id, and its values.
    fn under(self, id: &str) -> (&'static str, Vec<Box<dyn ToSql>>) {
        match self {
            Self::ItemsOfContract | Self::AmendmentsOfContract => {
                ("t.contract_h = ? and t.contract_id = ?", vec![Box::new(id_hash(id)), Box::new(id.to_owned())])
            }
            Self::ItemsOfTender | Self::BidsOfTender => ("t.tender_id = ?", vec![Box::new(id.to_owned())]),
        }
    }
}

/// What the register of companies lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Registered {
    Partners,
    Registrations,
}

/// A row, and where it stands in its list.
pub type Marked<T> = (T, Cursor);

/// A row as its columns stand, and where it stands in its list.
pub type MarkedColumns = Marked<Map<String, Value>>;

/// For whom it is asked, the statement and its values.
type Branch = (usize, String, Vec<Box<dyn ToSql>>);

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

/// Runs one branch for each of `branches`, each for the thing of that number.
///
/// Branches of one call differ in their values alone, of which the first is an id. They are filled up to a few usual numbers with branches for
/// no id, so that a statement of many branches, which is dear to make ready, mostly is ready from before.
fn unite<T>(db: &Db, branches: &[Branch], from: impl Fn(&crate::Row<'_>) -> rusqlite::Result<T>) -> Result<Of<T>> {
    const NOTHING: &dyn ToSql = &rusqlite::types::Null;
    let mut found: Of<T> = HashMap::new();
    for part in branches.chunks(BRANCHES_MAX) {
        let filled = part.len().next_power_of_two().min(BRANCHES_MAX);
        let last = part.last().into_iter().cycle().take(filled - part.len());
        let sql: Vec<String> = part
            .iter()
            .chain(last.clone())
            .enumerate()
            .map(|(at, (_, sql, _))| format!("select * from (select {at} as who, branch.* from ({sql}) branch) u{at}"))
            .collect();
        let values = part.iter().flat_map(|(_, _, values)| values.iter().map(AsRef::as_ref));
        let nothing =
            last.flat_map(|(_, _, values)| std::iter::once(NOTHING).chain(values.iter().skip(1).map(AsRef::as_ref)));
        let values: Vec<&dyn ToSql> = values.chain(nothing).collect();
        let mut statement = db.prepare(&sql.join(" union all "))?;
        for row in statement.query_map(values.as_slice(), |row| Ok((row.get::<_, i64>("who")?, from(row)?)))? {
            let (at, row) = row?;
            if let Some((who, ..)) = usize::try_from(at).ok().and_then(|at| part.get(at)) {
                found.entry(*who).or_default().push(row);
            }
        }
    }
    Ok(found)
}

/// The most rows of a branch, as a value: it makes no other statement.
fn rows_max(limit: usize) -> Box<dyn ToSql> {
    Box::new(i64::try_from(limit).unwrap_or(i64::MAX))
}

/// The rows that stand in these places, fetched together; `select` is everything up to the condition on their number.
fn fetch<T: Clone>(
    db: &Db,
    select: &str,
    places: Vec<Vec<Cursor>>,
    from: impl Fn(&crate::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<Vec<Marked<T>>>> {
    let rids: HashSet<i64> = places.iter().flatten().map(|place| place.rid).collect();
    let rids: Vec<i64> = rids.into_iter().collect();
    let mut rows: HashMap<i64, T> = HashMap::with_capacity(rids.len());
    for part in rids.chunks(KEYS_MAX) {
        let values: Vec<&dyn ToSql> = part.iter().map(|rid| rid as &dyn ToSql).collect();
        let mut statement = db.prepare(&format!("{select} in ({})", marks(part.len())))?;
        for row in statement.query_map(values.as_slice(), |row| Ok((row.get::<_, i64>("rid")?, from(row)?)))? {
            let (rid, row) = row?;
            rows.insert(rid, row);
        }
    }
    let of_one = |places: Vec<Cursor>| {
        places.into_iter().filter_map(|place| Some((rows.get(&place.rid)?.clone(), place))).collect()
    };
    Ok(places.into_iter().map(of_one).collect())
}

/// The root of a supplier's CNPJ, if its id is one.
fn root_of(id: &str) -> Option<String> {
    let cnpj = model::Cnpj::parse(id.strip_prefix("cnpj:")?).ok()?;
    Some(cnpj.root().to_owned())
}

/// The rows of a branch for every id that is one with each of these suppliers.
fn of_members<T>(
    db: &Db,
    ids: &[String],
    branch: impl Fn(&String) -> (String, Vec<Box<dyn ToSql>>),
    from: impl Fn(&crate::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<Vec<T>>> {
    let members = members_of(db, Owner::Supplier, ids)?;
    let mut branches = Vec::new();
    for (who, ids) in members.iter().enumerate() {
        for id in ids {
            let (sql, values) = branch(id);
            branches.push((who, sql, values));
        }
    }
    Ok(in_order(unite(db, &branches, from)?, ids.len()))
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
        self.by_keys(&select, ids, contracts::contract_from, |row| row.id.clone())
    }

    /// The tenders of these ids that are held, as their columns stand.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn tenders_by_id(&self, ids: &[String]) -> Result<HashMap<String, Map<String, Value>>> {
        let keys = keys_table("tenders");
        let select = format!("{} where t.rid in (select rid from {keys} where idh", tenders::SELECT);
        let id_of = |row: &Map<String, Value>| row["id"].as_str().unwrap_or_default().to_owned();
        self.by_keys(&select, ids, |row| row_map(&<model::Tender as model::Row>::TABLE, row), id_of)
    }

    fn by_keys<T>(
        &self,
        select: &str,
        ids: &[String],
        from: impl Fn(&crate::Row<'_>) -> rusqlite::Result<T>,
        id_of: impl Fn(&T) -> String,
    ) -> Result<HashMap<String, T>> {
        self.read(|db| {
            let mut found = HashMap::new();
            for part in ids.chunks(BRANCHES_MAX) {
                let hashes: Vec<i64> = part.iter().map(|id| id_hash(id)).collect();
                let sql = format!("{select} in ({}))", marks(part.len()));
                let values: Vec<&dyn ToSql> = hashes.iter().map(|hash| hash as &dyn ToSql).collect();
                let mut statement = db.prepare(&sql)?;
                for row in statement.query_map(values.as_slice(), &from)? {
                    let row = row?;
                    found.insert(id_of(&row), row);
                }
            }
            Ok(found)
        })
    }

    /// The first `limit` rows below each of these after row number `after`, as their columns stand, with file and line.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn rows_of_each(
        &self,
        below: Below,
        ids: &[String],
        after: i64,
        limit: usize,
    ) -> Result<Vec<Vec<MarkedColumns>>> {
        let table = below.table();
        let branches: Vec<_> = ids
            .iter()
            .enumerate()
            .map(|(who, id)| {
                let (condition, mut values) = below.under(id);
                let sql = format!(
                    "select t.*, f.name as file, f.sha256 as file_sha256, f.fetched_at as fetched_at
                     from {} t left join files f on f.id = t.file_id where {condition} and +t.rid > ? order by t.rid limit ?",
                    table.name
                );
                values.push(Box::new(after));
                values.push(rows_max(limit));
                (who, sql, values)
            })
            .collect();
        self.read(|db| {
            let marked =
                |row: &crate::Row<'_>| Ok((row_map(table, row)?, Cursor { value: None, rid: row.get("rid")? }));
            Ok(in_order(unite(db, &branches, marked)?, ids.len()))
        })
    }

    /// The sanctions of each of these suppliers: of every id that is one with it, or of the same legal person.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn sanctions_of_each(&self, ids: &[String]) -> Result<Vec<Vec<SanctionRow>>> {
        self.read(|db| {
            let of_root = |id: &String| {
                let root = root_of(id);
                (SANCTIONS.to_owned(), vec![Box::new(id.clone()) as Box<dyn ToSql>, Box::new(root)])
            };
            let mut found = of_members(db, ids, of_root, sanction_from)?;
            for rows in &mut found {
                // Two establishments of one legal person show its sanctions once.
                let mut shown = HashSet::new();
                rows.retain(|row: &SanctionRow| shown.insert(row.id.clone()));
            }
            Ok(found)
        })
    }

    /// What the register of companies says of each of these suppliers (`registrations`, `partners`), as its columns stand, with file and line.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn registered_of_each(&self, listed: Registered, ids: &[String]) -> Result<Vec<Vec<Map<String, Value>>>> {
        let (table, condition, most) = match listed {
            Registered::Partners => (&<model::Partner as model::Row>::TABLE, "t.company_root = ?", 50),
            Registered::Registrations => {
                (&<model::Registration as model::Row>::TABLE, "t.cnpj = ? or (t.cnpj_root = ? and t.cnpj is null)", 10)
            }
        };
        let sql = format!(
            "select t.*, f.name as file, f.sha256 as file_sha256, f.fetched_at as fetched_at
             from {} t left join files f on f.id = t.file_id where {condition} order by t.rid limit {most}",
            table.name
        );
        self.read(|db| {
            let of_root = |id: &String| {
                let (root, cnpj) = (root_of(id), id.strip_prefix("cnpj:").map(str::to_owned));
                let values: Vec<Box<dyn ToSql>> = match listed {
                    Registered::Partners => vec![Box::new(root)],
                    Registered::Registrations => vec![Box::new(cnpj), Box::new(root)],
                };
                (sql.clone(), values)
            };
            of_members(db, ids, of_root, |row| row_map(table, row))
        })
    }

    /// Sums over the contracts of each of these buyers or suppliers, of all ids that are one with it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn totals_of_each(&self, owner: Owner, ids: &[String]) -> Result<Vec<Totals>> {
        let column = if owner == Owner::Buyer { "buyer_h" } else { "supplier_h" };
        self.read(|db| {
            let members = members_of(db, owner, ids)?;
            let branch = |(who, ids): (usize, &Vec<String>)| {
                let sql = format!("{} where {column} in ({}) and not income", super::parties::TOTALS, marks(ids.len()));
                let values = ids.iter().map(|id| Box::new(id_hash(id)) as Box<dyn ToSql>).collect();
                (who, sql, values)
            };
            let branches: Vec<_> = members.iter().enumerate().map(branch).collect();
            let found = in_order(unite(db, &branches, super::parties::totals_from)?, ids.len());
            Ok(found.into_iter().map(|mut one| one.pop().unwrap_or_default()).collect())
        })
    }

    /// The newest `limit` contracts of each of these buyers or suppliers, in their order: found in the index, then fetched together.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contracts_of_each(
        &self,
        owner: Owner,
        ids: &[String],
        limit: usize,
    ) -> Result<Vec<Vec<Marked<ContractRow>>>> {
        let column = if owner == Owner::Buyer { "buyer_h" } else { "supplier_h" };
        let sql = format!(
            "select c.rid as rid, c.signed_on as signed_on from contracts c where c.{column} = ?
             order by c.signed_on desc nulls last, c.rid desc limit ?"
        );
        self.read(|db| {
            let members = members_of(db, owner, ids)?;
            let mut branches = Vec::new();
            for (who, ids) in members.iter().enumerate() {
                for id in ids {
                    let values = vec![Box::new(id_hash(id)) as Box<dyn ToSql>, rows_max(limit)];
                    branches.push((who, sql.clone(), values));
                }
            }
            let place = |row: &crate::Row<'_>| {
                let value = row.get::<_, Option<String>>("signed_on")?.map(CursorValue::Text);
                Ok(Cursor { value, rid: row.get("rid")? })
            };
            let mut places = in_order(unite(db, &branches, place)?, ids.len());
            for (places, ids) in places.iter_mut().zip(&members) {
                if ids.len() > 1 {
                    let day = |place: &Cursor| match &place.value {
                        Some(CursorValue::Text(day)) => Some(day.clone()),
                        _ => None,
                    };
                    places.sort_by_key(|place| std::cmp::Reverse((day(place), place.rid)));
                }
                places.truncate(limit);
            }
            fetch(db, &format!("{} where c.rid", contracts::SELECT), places, contracts::contract_from)
        })
    }

    /// The gravest `limit` open findings of each of these, in their order; context only beside another finding of the same buyer.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn findings_of_each(&self, owner: Owner, ids: &[String], limit: usize) -> Result<Vec<Vec<Marked<FindingRow>>>> {
        let (key, from) = match owner {
            Owner::Buyer => ("p.buyer_id", "findings p"),
            Owner::Supplier => ("p.supplier_id", "findings p"),
            Owner::Contract => ("c.contract_id", "finding_contracts c join findings p on p.id = c.finding_id"),
        };
        self.read(|db| {
            let members = members_of(db, owner, ids)?;
            let mut owners: HashMap<&String, Vec<usize>> = HashMap::new();
            for (who, ids) in members.iter().enumerate() {
                for id in ids {
                    owners.entry(id).or_default().push(who);
                }
            }
            let keys: Vec<&String> = owners.keys().copied().collect();
            let mut places: Vec<Vec<Cursor>> = vec![Vec::new(); ids.len()];
            for part in keys.chunks(KEYS_MAX) {
                let sql = format!(
                    "select k, rid, gravity from (select {key} as k, p.rid as rid, p.gravity as gravity,
                        row_number() over (partition by {key} order by p.gravity desc, p.rid desc) as place
                        from {from} where {key} in ({}) and +p.state = 'open' and {}) ranked where place <= ?",
                    marks(part.len()),
                    findings::BESIDE
                );
                let most = i64::try_from(limit).unwrap_or(i64::MAX);
                let values: Vec<&dyn ToSql> =
                    part.iter().map(|id| *id as &dyn ToSql).chain(std::iter::once(&most as &dyn ToSql)).collect();
                let mut statement = db.prepare(&sql)?;
                let found = statement.query_map(values.as_slice(), |row| {
                    let value = Some(CursorValue::Int(row.get("gravity")?));
                    Ok((row.get::<_, String>("k")?, Cursor { value, rid: row.get("rid")? }))
                })?;
                for row in found {
                    let (key, place) = row?;
                    for who in owners.get(&key).into_iter().flatten() {
                        places[*who].push(place.clone());
                    }
                }
            }
            for places in &mut places {
                let gravity = |place: &Cursor| match place.value {
                    Some(CursorValue::Int(gravity)) => gravity,
                    _ => i64::MIN,
                };
                places.sort_by_key(|place| std::cmp::Reverse((gravity(place), place.rid)));
                places.dedup();
                places.truncate(limit);
            }
            fetch(db, &format!("{} where p.rid", findings::select()), places, findings::finding_from)
        })
    }
}
