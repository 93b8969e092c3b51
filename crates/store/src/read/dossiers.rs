//! What a dossier counts of one buyer or supplier: along time, by the other party, by modality, and how its contracts changed.

use rusqlite::params;

use super::Conditions;
use crate::db::{Db, Row};
use crate::links::{self, EntityKind};
use crate::{Result, Store, id_hash};

/// Contracts whose amendments are read at once.
const LOT: usize = 500;

/// Contracts that were counted, and what they sum to; income and amounts in other currencies left out of the sum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// What they are of: a month (`AAAA-MM`), an id, a code; `None` where the contracts do not state it.
    pub of: Option<String>,
    /// As its rows name it.
    pub name: Option<String>,
    /// How many.
    pub contracts: i64,
    /// How many of them state no value in BRL.
    pub without_value: i64,
    /// Ten-thousandths of a real.
    pub value: i128,
}

/// How contracts changed, by kind of change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct CountedAmendments {
    pub kind: Option<String>,
    pub amendments: i64,
    pub with_value: i64,
    /// Ten-thousandths of a real; reductions count as less.
    pub value: i128,
}

/// The columns that [`counted_from`] reads behind `of` and `name`. Two halves keep each sum within 64 bits.
const SUMS: &str = "count(*), count(*) - count(c.value_final) filter (where c.currency = 'BRL'),
     sum(c.value_final / 10000) filter (where c.currency = 'BRL'), sum(c.value_final % 10000) filter (where c.currency = 'BRL')";

fn counted_from(row: &Row<'_>) -> rusqlite::Result<Counted> {
    let (whole, rest): (Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?);
    Ok(Counted {
        of: row.get(0)?,
        name: row.get(1)?,
        contracts: row.get(2)?,
        without_value: row.get(3)?,
        value: i128::from(whole.unwrap_or(0)) * 10_000 + i128::from(rest.unwrap_or(0)),
    })
}

/// The contracts of a party, of all ids that are merged with this one.
fn of_party(db: &Db, kind: EntityKind, id: &str) -> Result<Conditions> {
    let mut conditions = Conditions::default();
    let hashes = links::members(db, kind, id)?.iter().map(|id| id_hash(id)).collect();
    links::add_one_of(&mut conditions, if kind == EntityKind::Buyer { "c.buyer_h" } else { "c.supplier_h" }, hashes);
    conditions.add("not c.income", vec![]);
    Ok(conditions)
}

impl Store {
    fn counted(
        &self,
        kind: EntityKind,
        id: &str,
        of: &str,
        name: &str,
        join: &str,
        order: &str,
    ) -> Result<Vec<Counted>> {
        self.read(|db| {
            let conditions = of_party(db, kind, id)?;
            let sql = format!(
                "select {of}, {name}, {SUMS} from contracts c {join} where {} group by 1 order by {order}",
                conditions.where_clause()
            );
            let mut statement = db.prepare(&sql)?;
            let rows = statement.query_map(conditions.values().as_slice(), counted_from)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// A party's contracts by month of signature, first month first, those without a day last.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contracts_by_month(&self, kind: EntityKind, id: &str) -> Result<Vec<Counted>> {
        self.counted(kind, id, "substr(c.signed_on, 1, 7)", "cast(null as text)", "", "1 nulls last")
    }

    /// A party's contracts by modality, most first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contracts_by_modality(&self, kind: EntityKind, id: &str) -> Result<Vec<Counted>> {
        self.counted(kind, id, "c.modality", "min(c.modality_as_stated)", "", "3 desc, 1")
    }

    /// A party's contracts by who stands on the other side, each with all ids that are merged with it; in no order.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contracts_by_other(&self, kind: EntityKind, id: &str) -> Result<Vec<Counted>> {
        let other = if kind == EntityKind::Buyer { "supplier" } else { "buyer" };
        let of = format!("coalesce(m.entity_id, c.{other}_id)");
        let join = format!("left join entity_members m on m.kind = '{other}' and m.id = c.{other}_id");
        self.counted(kind, id, &of, &format!("min(c.{other}_name)"), &join, "1")
    }

    /// How many of a party's contracts were signed from one day to another (no last day: to this day).
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contracts_signed_within(&self, kind: EntityKind, id: &str, from: &str, to: Option<&str>) -> Result<i64> {
        self.read(|db| {
            let mut conditions = of_party(db, kind, id)?;
            conditions.add("c.signed_on >= ?", vec![Box::new(from.to_owned())]);
            conditions.add_some("c.signed_on <= ?", to.map(str::to_owned).as_ref());
            let sql = format!("select count(*) from contracts c where {}", conditions.where_clause());
            db.prepare(&sql)?.query_row(conditions.values().as_slice(), |row| row.get(0))
        })
    }

    /// How many of a party's contracts there are, and how many state each of these columns.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contract_fields(&self, kind: EntityKind, id: &str, columns: &[&str]) -> Result<(i64, Vec<i64>)> {
        self.read(|db| {
            let conditions = of_party(db, kind, id)?;
            let counts: String = columns.iter().map(|column| format!(", count(c.{column})")).collect();
            let sql = format!("select count(*){counts} from contracts c where {}", conditions.where_clause());
            db.prepare(&sql)?.query_row(conditions.values().as_slice(), |row| {
                Ok((row.get(0)?, (1..=columns.len()).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?))
            })
        })
    }

    /// The ids of a party's contracts, last signed first, at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contract_ids_of(&self, kind: EntityKind, id: &str, limit: usize) -> Result<Vec<String>> {
        self.read(|db| {
            let conditions = of_party(db, kind, id)?;
            let sql = format!(
                "select c.id from contracts c where {} order by c.signed_on desc nulls last, c.rid desc limit {limit}",
                conditions.where_clause()
            );
            let mut statement = db.prepare(&sql)?;
            let rows = statement.query_map(conditions.values().as_slice(), |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// How these contracts changed, by kind of change.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn amendments_by_kind(&self, contracts: &[String]) -> Result<Vec<CountedAmendments>> {
        let mut kinds: Vec<CountedAmendments> = Vec::new();
        self.read(|db| {
            for lot in contracts.chunks(LOT) {
                let mut conditions = Conditions::default();
                links::add_one_of(&mut conditions, "a.contract_h", lot.iter().map(|id| id_hash(id)).collect());
                let sql = format!(
                    "select a.kind, count(*), count(a.value) filter (where a.currency = 'BRL'),
                     sum(a.value) filter (where a.currency = 'BRL')
                     from amendments a where {} group by 1 order by 1",
                    conditions.where_clause()
                );
                let mut statement = db.prepare(&sql)?;
                let rows = statement.query_map(conditions.values().as_slice(), |row| {
                    let value: Option<i64> = row.get(3)?;
                    Ok(CountedAmendments {
                        kind: row.get(0)?,
                        amendments: row.get(1)?,
                        with_value: row.get(2)?,
                        value: value.unwrap_or(0).into(),
                    })
                })?;
                for row in rows {
                    let row = row?;
                    match kinds.iter_mut().find(|held| held.kind == row.kind) {
                        Some(held) => {
                            held.amendments += row.amendments;
                            held.with_value += row.with_value;
                            held.value += row.value;
                        }
                        None => kinds.push(row),
                    }
                }
            }
            Ok(())
        })?;
        Ok(kinds)
    }

    /// The ids of amendments of these contracts, last signed first, at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn amendment_ids_of(&self, contracts: &[String], limit: usize) -> Result<Vec<String>> {
        let mut found: Vec<(Option<String>, String)> = Vec::new();
        self.read(|db| {
            for lot in contracts.chunks(LOT) {
                let mut conditions = Conditions::default();
                links::add_one_of(&mut conditions, "a.contract_h", lot.iter().map(|id| id_hash(id)).collect());
                let sql = format!(
                    "select a.signed_on, a.id from amendments a where {} order by a.signed_on desc nulls last, a.id limit {limit}",
                    conditions.where_clause()
                );
                let mut statement = db.prepare(&sql)?;
                let rows =
                    statement.query_map(conditions.values().as_slice(), |row| Ok((row.get(0)?, row.get(1)?)))?;
                for row in rows {
                    found.push(row?);
                }
            }
            Ok(())
        })?;
        found.sort_by(|a, b| b.cmp(a));
        found.truncate(limit);
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }

    /// The runs that last judged these findings, in order.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn runs_of_findings(&self, ids: &[String]) -> Result<Vec<i64>> {
        let mut runs = std::collections::BTreeSet::new();
        self.read(|db| {
            let mut statement = db.prepare("select run_id from findings where id = ?1")?;
            for id in ids {
                let found = statement.query_map(params![id], |row| row.get::<_, i64>(0))?;
                for run in found {
                    runs.insert(run?);
                }
            }
            Ok(())
        })?;
        Ok(runs.into_iter().collect())
    }
}
