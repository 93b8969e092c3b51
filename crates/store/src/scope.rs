//! What decides whether a finding lies in a scope: its parties, day, money and contracts.

use std::collections::BTreeSet;

use crate::db::OptionalExtension;
use rusqlite::params;

use crate::links::{self, EntityKind};
use crate::{Result, Store, id_hash, search};

/// An open finding, as far as a scope asks.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct PlacedFinding {
    pub rid: i64,
    pub id: String,
    pub gravity: i64,
    pub amount: i64,
    pub as_of: String,
    pub buyer_id: Option<String>,
    pub supplier_id: Option<String>,
    pub updated_at: String,
}

impl Store {
    /// Up to `limit` open findings of a flag, gravest first, behind one with this gravity and row number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn placed_findings(&self, flag: &str, after: (i64, i64), limit: usize) -> Result<Vec<PlacedFinding>> {
        self.read(|db| {
            let mut statement = db.prepare(
                "select rid, id, gravity, amount, as_of, buyer_id, supplier_id, updated_at from findings
                 where flag = ?1 and state = 'open' and (gravity, rid) < (?2, ?3)
                 order by gravity desc, rid desc limit ?4",
            )?;
            let rows = statement.query_map(params![flag, after.0, after.1, limit.cast_signed()], |row| {
                Ok(PlacedFinding {
                    rid: row.get(0)?,
                    id: row.get(1)?,
                    gravity: row.get(2)?,
                    amount: row.get(3)?,
                    as_of: row.get(4)?,
                    buyer_id: row.get(5)?,
                    supplier_id: row.get(6)?,
                    updated_at: row.get(7)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The open findings about any of these contracts, each with its flag, by contract; one about several comes for each.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn findings_of_contracts(&self, contracts: &[String]) -> Result<Vec<(String, PlacedFinding)>> {
        self.read(|db| {
            let mut found = Vec::new();
            let mut statement = db.prepare(
                "select f.flag, f.rid, f.id, f.gravity, f.amount, f.as_of, f.buyer_id, f.supplier_id, f.updated_at
                 from finding_contracts c join findings f on f.id = c.finding_id
                 where c.contract_id = ?1 and f.state = 'open' order by f.gravity desc, f.rid desc",
            )?;
            for id in contracts {
                let rows = statement.query_map([id], |row| {
                    let placed = PlacedFinding {
                        rid: row.get(1)?,
                        id: row.get(2)?,
                        gravity: row.get(3)?,
                        amount: row.get(4)?,
                        as_of: row.get(5)?,
                        buyer_id: row.get(6)?,
                        supplier_id: row.get(7)?,
                        updated_at: row.get(8)?,
                    };
                    Ok((row.get(0)?, placed))
                })?;
                for row in rows {
                    found.push(row?);
                }
            }
            Ok(found)
        })
    }

    /// The contracts that a stored finding speaks of.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contracts_of_finding(&self, id: &str) -> Result<Vec<String>> {
        self.read(|db| {
            let mut statement = db.prepare("select contract_id from finding_contracts where finding_id = ?1")?;
            let rows = statement.query_map([id], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Whether a contract is of this modality and holds these words; `None` when it is not held, or states no modality
    /// where one is asked for.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contract_fits(&self, id: &str, modality: Option<&str>, words: Option<&str>) -> Result<Option<bool>> {
        self.read(|db| {
            let sql = "select rid, modality from contracts
                       where rid = (select rid from contracts_keys where idh = ?1) and id = ?2";
            let held: Option<(i64, Option<String>)> = db
                .prepare(sql)?
                .query_row(params![id_hash(id), id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((rid, stated)) = held else { return Ok(None) };
            match (modality, stated) {
                (Some(_), None) => return Ok(None),
                (Some(asked), Some(stated)) if asked != stated => return Ok(Some(false)),
                _ => {}
            }
            let Some(expression) = words.and_then(search::match_expression) else { return Ok(Some(words.is_none())) };
            let sql = "select exists (select 1 from contracts_fts where rowid = ?1 and contracts_fts match ?2)";
            Ok(Some(db.prepare(sql)?.query_row(params![rid, expression], |row| row.get(0))?))
        })
    }

    /// The ids that are one with each of these.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn all_ids_of(&self, kind: EntityKind, ids: &[String]) -> Result<BTreeSet<String>> {
        self.read(|db| {
            let mut all = BTreeSet::new();
            for id in ids {
                all.extend(links::members(db, kind, id)?);
            }
            Ok(all)
        })
    }

    /// The ids of buyers in a state and in a municipality of one of these spellings.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn buyers_in(&self, state: Option<&str>, municipalities: Option<&[String]>) -> Result<BTreeSet<String>> {
        self.read(|db| {
            let mut ids = BTreeSet::new();
            let sql = match state {
                Some(_) => "select id, municipality from buyers where state = ?1",
                None => "select id, municipality from buyers where cast(?1 as text) is null",
            };
            let mut statement = db.prepare(sql)?;
            let mut rows = statement.query([state])?;
            while let Some(row) = rows.next()? {
                let municipality: Option<String> = row.get(1)?;
                let fits =
                    municipalities.is_none_or(|asked| municipality.is_some_and(|stated| asked.contains(&stated)));
                if fits {
                    ids.insert(row.get(0)?);
                }
            }
            Ok(ids)
        })
    }

    /// Every spelling of a municipality among the buyers, with its state.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn municipalities(&self) -> Result<Vec<(String, Option<String>)>> {
        self.read(|db| {
            let sql = "select distinct municipality, state from buyers where municipality is not null";
            let mut statement = db.prepare(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}
