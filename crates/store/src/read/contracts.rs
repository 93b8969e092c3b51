//! Contracts with their items, amendments and older versions.

use crate::db::{Db, OptionalExtension, Row};
use rusqlite::params;
use serde_json::{Map, Value};

use super::{Conditions, Cursor, Page, Walk, keyed, page_of, walk, walk_late};
use crate::keys::keys_table;
use crate::links::{self, EntityKind};
use crate::{Result, Store, id_hash, search};

/// Above this many full-text matches, the list is walked in its order beside the set of all matches;
/// below it, the matches are fetched and put in order.
const FEW_MATCHES: i64 = 2_000;
/// Rows of the list whose own texts are read first, where matches are many: most often a page of them is among these.
const LOOK_AT: usize = 1_500;

/// A row of `contracts` with where it came from.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are the canonical columns'")]
pub struct ContractRow {
    pub id: String,
    pub source: String,
    pub number: Option<String>,
    pub process: Option<String>,
    pub object: Option<String>,
    pub modality: Option<String>,
    pub modality_as_stated: Option<String>,
    pub legal_basis: Option<String>,
    pub regime: Option<String>,
    pub status: Option<String>,
    pub category: Option<String>,
    pub buyer_id: Option<String>,
    pub buyer_name: Option<String>,
    pub buyer_state: Option<String>,
    pub supplier_id: Option<String>,
    pub supplier_name: Option<String>,
    pub signed_on: Option<String>,
    pub published_on: Option<String>,
    pub starts_on: Option<String>,
    pub ends_on: Option<String>,
    pub value_initial: Option<i64>,
    pub value_final: Option<i64>,
    pub currency: Option<String>,
    pub income: bool,
    pub activity: Option<String>,
    pub activity_basis: Option<String>,
    pub tender_id: Option<String>,
    pub file: String,
    pub file_sha256: String,
    pub fetched_at: String,
    pub line: i64,
    pub row_hash: String,
    pub metadata: Option<String>,
}

/// An older form of a record.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct RowVersion {
    pub row_hash: String,
    pub file: String,
    pub line: i64,
    pub valid_from: String,
    pub valid_to: String,
    pub fields: String,
}

/// What contracts are asked for.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are the query parameters'")]
pub struct ContractFilter {
    pub q: Option<String>,
    pub buyer_id: Option<String>,
    pub supplier_id: Option<String>,
    pub source: Option<String>,
    pub modality: Option<String>,
    pub state: Option<String>,
    pub signed_from: Option<String>,
    pub signed_to: Option<String>,
    pub value_min: Option<i64>,
    pub value_max: Option<i64>,
}

/// The order of contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ContractSort {
    #[default]
    NewestFirst,
    OldestFirst,
    DearestFirst,
    CheapestFirst,
}

pub(super) const SELECT: &str =
    "select c.*, b.state as buyer_state, f.name as file, f.sha256 as file_sha256, f.fetched_at
    from contracts c left join buyers b on b.idh = c.buyer_h left join files f on f.id = c.file_id";

pub(super) fn contract_from(row: &Row<'_>) -> rusqlite::Result<ContractRow> {
    Ok(ContractRow {
        id: row.get("id")?,
        source: row.get("source")?,
        number: row.get("number")?,
        process: row.get("process")?,
        object: row.get("object")?,
        modality: row.get("modality")?,
        modality_as_stated: row.get("modality_as_stated")?,
        legal_basis: row.get("legal_basis")?,
        regime: row.get("regime")?,
        status: row.get("status")?,
        category: row.get("category")?,
        buyer_id: row.get("buyer_id")?,
        buyer_name: row.get("buyer_name")?,
        buyer_state: row.get("buyer_state")?,
        supplier_id: row.get("supplier_id")?,
        supplier_name: row.get("supplier_name")?,
        signed_on: row.get("signed_on")?,
        published_on: row.get("published_on")?,
        starts_on: row.get("starts_on")?,
        ends_on: row.get("ends_on")?,
        value_initial: row.get("value_initial")?,
        value_final: row.get("value_final")?,
        currency: row.get("currency")?,
        income: row.get("income")?,
        activity: row.get("activity")?,
        activity_basis: row.get("activity_basis")?,
        tender_id: row.get("tender_id")?,
        file: row.get("file")?,
        file_sha256: row.get("file_sha256")?,
        fetched_at: row.get("fetched_at")?,
        line: row.get("line")?,
        row_hash: row.get("row_hash")?,
        metadata: row.get("metadata")?,
    })
}

impl Store {
    /// One page of contracts.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contracts(
        &self,
        filter: &ContractFilter,
        sort: ContractSort,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<ContractRow>> {
        let (column, descending) = match sort {
            ContractSort::NewestFirst => ("c.signed_on", true),
            ContractSort::OldestFirst => ("c.signed_on", false),
            ContractSort::DearestFirst => ("c.value_final", true),
            ContractSort::CheapestFirst => ("c.value_final", false),
        };
        self.read(|db| {
            let mut conditions = Conditions::default();
            let words = matches_of(db, filter.q.as_deref())?;
            // Who asks for one id of an entity is shown the rows of all its ids.
            let parties = [
                ("c.buyer_h", EntityKind::Buyer, &filter.buyer_id),
                ("c.supplier_h", EntityKind::Supplier, &filter.supplier_id),
            ];
            let mut several = false;
            for (column, kind, id) in parties {
                let Some(id) = id else { continue };
                let hashes: Vec<i64> = links::members(db, kind, id)?.iter().map(|id| id_hash(id)).collect();
                several |= hashes.len() > 1;
                links::add_one_of(&mut conditions, column, hashes);
            }
            conditions.add_some("c.source = ?", filter.source.as_ref());
            conditions.add_some("c.modality = ?", filter.modality.as_ref());
            conditions.add_some("c.buyer_h in (select idh from buyers where state = ?)", filter.state.as_ref());
            conditions.add_some("c.signed_on >= ?", filter.signed_from.as_ref());
            conditions.add_some("c.signed_on <= ?", filter.signed_to.as_ref());
            conditions.add_some("c.value_final >= ?", filter.value_min.as_ref());
            conditions.add_some("c.value_final <= ?", filter.value_max.as_ref());
            let by = Walk { column, descending, after, limit };
            if let Words::Many(_, sought) = &words
                && let Some(page) = first_of_many(db, &conditions, &by, sought)?
            {
                return Ok(page);
            }
            let few = words.add_to(&mut conditions);
            // A few matches lead, and so do an entity's ids; a unary plus keeps the order's index out of it.
            // A party's contracts lie in the order of their days: by value they are put in order by their numbers alone, in an index.
            let is_party = filter.buyer_id.is_some() || filter.supplier_id.is_some();
            let late = is_party && matches!(sort, ContractSort::DearestFirst | ContractSort::CheapestFirst);
            let column = if few || several || late { format!("+{column}") } else { column.to_owned() };
            let by = Walk { column: &column, ..by };
            if late {
                return walk_late(db, SELECT, "contracts c", &conditions, &by, contract_from);
            }
            walk(db, SELECT, &conditions, &by, contract_from)
        })
    }

    /// One contract.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contract(&self, id: &str) -> Result<Option<ContractRow>> {
        self.read(|db| {
            let sql = format!("{SELECT} where c.rid = (select rid from contracts_keys where idh = ?1) and c.id = ?2");
            db.prepare(&sql)?.query_row(params![id_hash(id), id], contract_from).optional()
        })
    }

    /// Rows of a table that belong to a contract (`items`, `amendments`), as their columns stand, with file and line.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn rows_of_contract(&self, table: &str, contract_id: &str, limit: usize) -> Result<Vec<Map<String, Value>>> {
        self.rows_where(
            table,
            "t.contract_h = ?1 and t.contract_id = ?2",
            params![id_hash(contract_id), contract_id],
            limit,
        )
    }

    /// What the register of companies says of an establishment and of its legal person.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn registrations_of(&self, cnpj: &str, root: &str) -> Result<Vec<Map<String, Value>>> {
        let condition = "t.cnpj = ?1 or (t.cnpj_root = ?2 and t.cnpj is null)";
        self.rows_where("registrations", condition, params![cnpj, root], 10)
    }

    /// Who owns or runs a legal person, as the register of companies says.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn partners_of(&self, root: &str, limit: usize) -> Result<Vec<Map<String, Value>>> {
        self.rows_where("partners", "t.company_root = ?1", params![root], limit)
    }

    /// The row with this id in a canonical table, as its columns stand, with file and line.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn row(&self, table: &str, id: &str) -> Result<Option<Map<String, Value>>> {
        let condition = match table {
            "buyers" | "suppliers" => "t.idh = ?1 and t.id = ?2".to_owned(),
            _ => format!("t.rid = (select rid from {} where idh = ?1) and t.id = ?2", keys_table(table)),
        };
        Ok(self.rows_where(table, &condition, params![id_hash(id), id], 1)?.pop())
    }

    pub(super) fn rows_where(
        &self,
        table: &str,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
        limit: usize,
    ) -> Result<Vec<Map<String, Value>>> {
        let Some(schema) = model::TABLES.iter().find(|t| t.name == table) else { return Ok(Vec::new()) };
        self.read(|db| {
            let sql = format!(
                "select t.*, f.name as file, f.sha256 as file_sha256, f.fetched_at as fetched_at
                 from {table} t left join files f on f.id = t.file_id where {condition} order by t.rid limit {limit}"
            );
            let mut statement = db.prepare(&sql)?;
            let rows = statement.query_map(values, |row| row_map(schema, row))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// The older versions of a record, newest first. A record whose key came to be shared shows what stood under that key.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn versions(&self, table: &str, id: &str) -> Result<Vec<RowVersion>> {
        self.read(|db| {
            let mut statement = db.prepare(
                "select v.row_hash, f.name, v.line, i.started_at, j.started_at, v.fields from versions v
                 left join files f on f.id = v.file_id
                 left join ingests i on i.id = v.valid_from left join ingests j on j.id = v.valid_to
                 where v.record_id in (?1, ?3) and v.tbl = ?2 order by v.rowid desc limit 50",
            )?;
            let rows = statement.query_map(params![id, table, crate::put::key_of(id)], |row| {
                Ok(RowVersion {
                    row_hash: row.get(0)?,
                    file: row.get(1)?,
                    line: row.get(2)?,
                    valid_from: row.get(3)?,
                    valid_to: row.get(4)?,
                    fields: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }
}

/// What is known of the contracts that hold the words sought.
enum Words {
    /// None are sought.
    Any,
    /// Nothing holds them.
    Nothing,
    /// So few that they should lead.
    Few(String),
    /// Many; with the words themselves, parted by spaces.
    Many(String, String),
}

fn matches_of(db: &Db, q: Option<&str>) -> Result<Words> {
    let Some(q) = q else { return Ok(Words::Any) };
    let Some(expression) = search::match_expression(q) else { return Ok(Words::Nothing) };
    let count: i64 = db
        .prepare("select count(*) from (select 1 from contracts_fts where contracts_fts match ?1 limit ?2) as m")?
        .query_row(params![expression, FEW_MATCHES], |row| row.get(0))?;
    if count < FEW_MATCHES {
        return Ok(Words::Few(expression));
    }
    Ok(Words::Many(expression, search::query_words(q).join(" ")))
}

impl Words {
    /// Adds the condition; true when what matches should lead.
    fn add_to(self, conditions: &mut Conditions) -> bool {
        // Gathering all matches costs SQLite 0.3 µs each, asking the index about one row up to half a millisecond. The unary plus keeps
        // the set from leading: the order's index does, and each of its rows is looked up in the set.
        let (plus, expression, few) = match self {
            Self::Any => return false,
            Self::Nothing => {
                conditions.add("false", vec![]);
                return true;
            }
            Self::Few(expression) => ("", expression, true),
            Self::Many(expression, _) => ("+", expression, false),
        };
        let condition = format!("{plus}c.rid in (select rowid from contracts_fts where contracts_fts match ?)");
        conditions.add(&condition, vec![Box::new(expression)]);
        few
    }
}

/// The page, if it can be filled from the first rows of the list by reading their own texts; nothing where that must be asked otherwise.
fn first_of_many(db: &Db, conditions: &Conditions, by: &Walk<'_>, words: &str) -> Result<Option<Page<ContractRow>>> {
    let is_among_those_without = by.after.is_some_and(|cursor| cursor.value.is_none());
    if db.is_postgres() || is_among_those_without {
        return Ok(None);
    }
    let (column, wanted) = (by.column, by.limit + 1);
    let (order, beyond) = if by.descending { ("desc", "<") } else { ("asc", ">") };
    let clause = conditions.where_clause();
    let start = match by.after {
        Some(_) => format!("({column}, c.rid) {beyond} (?, ?)"),
        None => format!("{column} is not null"),
    };
    let candidates = format!(
        "(select c.rid as place from contracts c where {clause} and {start} order by {column} {order}, c.rid {order} limit {LOOK_AT}) k"
    );
    // The join takes the candidates in their order and ends with the page; were it otherwise, the page would be asked the other way.
    let select =
        SELECT.replacen("from contracts c", &format!("from {candidates} cross join contracts c on c.rid = k.place"), 1);
    let sql = format!("{select} where holds_words(?, c.object, c.buyer_name, c.supplier_name) limit {wanted}");
    let mut values = conditions.values();
    if let Some(cursor) = by.after {
        values.extend([&cursor.value as &dyn rusqlite::ToSql, &cursor.rid]);
    }
    values.push(&words);
    let mut statement = db.prepare(&sql)?;
    let rows = statement.query_map(values.as_slice(), |row| keyed(row, column, contract_from))?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let is_filled = rows.len() == wanted && rows.is_sorted_by(|(_, a), (_, b)| by.is_in_order(a, b));
    Ok(is_filled.then(|| page_of(rows, by.limit)))
}

/// Ways to reach people are compared, never shown.
const NEVER_SHOWN: &[&str] = &["address_key", "phone_keys", "email_key"];

/// A canonical row as JSON: money and quantities as decimal strings, the rest as it is.
pub(super) fn row_map(table: &model::Table, row: &Row<'_>) -> rusqlite::Result<Map<String, Value>> {
    use rusqlite::types::ValueRef;
    let mut map = Map::new();
    for column in model::ENVELOPE.iter().chain(table.columns).filter(|c| !NEVER_SHOWN.contains(&c.name)) {
        let value = match (column.kind, row.get_ref(column.name)?) {
            (_, ValueRef::Null) => Value::Null,
            (model::Kind::Decimal, ValueRef::Integer(n)) => model::Money::from_scaled(n).to_string().into(),
            (model::Kind::Bool, ValueRef::Integer(n)) => (n != 0).into(),
            (_, ValueRef::Integer(n)) => n.into(),
            (_, other) => other.as_str()?.into(),
        };
        map.insert(column.name.to_owned(), value);
    }
    for extra in ["file", "file_sha256", "fetched_at"] {
        map.insert(extra.to_owned(), row.get::<_, Option<String>>(extra)?.into());
    }
    Ok(map)
}
