//! Names of buyers and suppliers, all of them in the order of their rows, for whoever reads questions.

use rusqlite::params;

use crate::db::OptionalExtension;
use crate::{Result, Store, id_hash, search};

/// Rows read at once.
const LOT: i64 = 5_000;
/// Contracts that are looked at for whose words they hold.
const LOOKED_AT_MAX: i64 = 300;

/// The names of a buyer.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are the canonical columns'")]
pub struct BuyerNames {
    pub id: String,
    pub name: Option<String>,
    pub code: Option<String>,
    pub parent: Option<String>,
    pub superior: Option<String>,
    pub state: Option<String>,
    pub municipality: Option<String>,
}

impl Store {
    /// Tells the names of up to `most` buyers.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn each_buyer(&self, most: usize, mut tell: impl FnMut(BuyerNames)) -> Result<()> {
        let (mut after, mut told) = (0, 0);
        loop {
            let lot = self.read(|db| {
                let mut statement = db.prepare(
                    "select rid, id, name, code, parent_name, superior_name, state, municipality from buyers
                     where rid > ?1 order by rid limit ?2",
                )?;
                let rows = statement.query_map(params![after, LOT], |row| {
                    let names = BuyerNames {
                        id: row.get(1)?,
                        name: row.get(2)?,
                        code: row.get(3)?,
                        parent: row.get(4)?,
                        superior: row.get(5)?,
                        state: row.get(6)?,
                        municipality: row.get(7)?,
                    };
                    Ok((row.get::<_, i64>(0)?, names))
                })?;
                Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
            })?;
            let Some((last, _)) = lot.last() else { return Ok(()) };
            after = *last;
            for (_, names) in lot {
                if told == most {
                    return Ok(());
                }
                told += 1;
                tell(names);
            }
        }
    }

    /// Tells id and name of up to `most` suppliers.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn each_supplier(&self, most: usize, mut tell: impl FnMut(&str, &str)) -> Result<()> {
        let (mut after, mut told) = (0, 0);
        loop {
            let lot = self.read(|db| {
                let mut statement =
                    db.prepare("select rid, id, name from suppliers where rid > ?1 order by rid limit ?2")?;
                let rows = statement.query_map(params![after, LOT], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
                })?;
                Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
            })?;
            let Some((last, ..)) = lot.last() else { return Ok(()) };
            after = *last;
            for (_, id, name) in lot {
                if told == most {
                    return Ok(());
                }
                told += 1;
                tell(&id, name.as_deref().unwrap_or_default());
            }
        }
    }

    /// Whether some contract holds all these words, in its object or its parties' names.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn some_contract_holds(&self, words: &str) -> Result<bool> {
        let Some(expression) = search::match_expression(words) else { return Ok(false) };
        self.read(|db| {
            let sql = "select 1 from contracts_fts where contracts_fts match ?1 limit 1";
            Ok(db.prepare(sql)?.query_row([expression], |_| Ok(())).optional()?.is_some())
        })
    }

    /// The same of a contract of another supplier than this one, among the first few hundred.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn some_contract_of_others_holds(&self, words: &str, supplier: &str) -> Result<bool> {
        let Some(expression) = search::match_expression(words) else { return Ok(false) };
        self.read(|db| {
            let sql = "select 1 from contracts c where c.rid in
                       (select rowid from contracts_fts where contracts_fts match ?1 limit ?3)
                       and (c.supplier_h is null or c.supplier_h <> ?2) limit 1";
            let values = params![expression, id_hash(supplier), LOOKED_AT_MAX];
            Ok(db.prepare(sql)?.query_row(values, |_| Ok(())).optional()?.is_some())
        })
    }

    /// The ids of the buyers of bodies: that have one of these names (normal), or stand under it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn buyers_of_bodies(&self, bodies: &[String]) -> Result<std::collections::BTreeSet<String>> {
        let mut ids = std::collections::BTreeSet::new();
        self.each_buyer(usize::MAX, |buyer| {
            let is_of = |name: &Option<String>| {
                name.as_deref().is_some_and(|name| bodies.contains(&model::text::normal_name(name)))
            };
            if is_of(&buyer.superior) || is_of(&buyer.parent) || is_of(&buyer.name) {
                ids.insert(buyer.id);
            }
        })?;
        Ok(ids)
    }
}
