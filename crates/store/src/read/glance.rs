//! A glance over the contracts of a scope: each is told once, until the time that was given is over.
//!
//! One index leads (suppliers, buyers, words, days); what it does not say is looked at row by row, so that the time holds whatever the
//! filters are. A glance that ran out of time says so.

use std::collections::{BTreeSet, HashSet};
use std::time::Instant;

use rusqlite::ToSql;

use super::ContractRow;
use crate::{Result, Store, id_hash, search};

/// The most rows that one index is walked for; the time ends nearly every walk before.
const ROWS_MAX: usize = 2_000_000;
/// Ids that are asked for one by one; of more, the days lead.
const LEADING_IDS_MAX: usize = 4_000;
/// Rows that hold the words sought, kept in memory while others lead; with more each row is asked for them.
const HOLDING_MAX: usize = 400_000;
/// Rows between two looks at the clock.
const LOOK_EVERY: usize = 256;

/// Which contracts; what is not said does not narrow. Contracts that are income are left out.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are those of a scope")]
pub struct GlanceFilter {
    pub buyers: Option<BTreeSet<String>>,
    pub suppliers: Option<BTreeSet<String>>,
    pub words: Option<String>,
    pub modality: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub value_min: Option<i64>,
    pub value_max: Option<i64>,
}

/// A contract at a glance.
#[derive(Debug, Clone, Copy)]
pub struct Glanced {
    /// Number of its row.
    pub rid: i64,
    /// Ten-thousandths of a real; `None` when it states none, or one in another currency.
    pub value: Option<i64>,
    /// Hash of its supplier's id, if suppliers are asked for.
    pub supplier: Option<i64>,
}

impl Store {
    /// Tells of each contract that fits; whether it stopped before the last.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn glance(
        &self,
        filter: &GlanceFilter,
        with_suppliers: bool,
        until: Instant,
        mut tell: impl FnMut(Glanced),
    ) -> Result<bool> {
        let hashes = |ids: &BTreeSet<String>| ids.iter().map(|id| id_hash(id)).collect::<HashSet<i64>>();
        let (buyers, suppliers) = (filter.buyers.as_ref().map(hashes), filter.suppliers.as_ref().map(hashes));
        let expression = match filter.words.as_deref().map(search::match_expression) {
            Some(None) => return Ok(false),
            Some(some) => some,
            None => None,
        };
        let few = |ids: &Option<HashSet<i64>>| ids.as_ref().filter(|ids| ids.len() <= LEADING_IDS_MAX).cloned();
        let (column, leading) = match (few(&suppliers), few(&buyers)) {
            (Some(ids), _) => ("c.supplier_h", Some(ids)),
            (None, Some(ids)) => ("c.buyer_h", Some(ids)),
            (None, None) => ("", None),
        };
        let from = filter.from.clone().unwrap_or_else(|| "0000".to_owned());
        let to = filter.to.clone().unwrap_or_else(|| "9999-99-99".to_owned());
        let dated = filter.from.is_some() || filter.to.is_some();
        // What the leading index holds is enough unless another column is asked for.
        let buyer = if buyers.is_some() && column != "c.buyer_h" { "c.buyer_h" } else { "0" };
        let supplier =
            if with_suppliers || (suppliers.is_some() && column != "c.supplier_h") { "c.supplier_h" } else { "0" };
        let modality = if filter.modality.is_some() { "c.modality" } else { "null" };
        let select = format!(
            "select c.rid, c.value_final, c.currency, c.income, {buyer}, {supplier}, {modality} from contracts c where"
        );
        let days =
            if dated { "c.signed_on >= ?1 and c.signed_on <= ?2" } else { "cast(?1 as text) <= cast(?2 as text)" };
        let holds = "and exists (select 1 from contracts_fts where rowid = c.rid and contracts_fts match";
        let within = "and c.rid in (select rowid from contracts_fts where contracts_fts match";
        let holding = match (&leading, &expression) {
            (Some(_), Some(expression)) => self.rows_holding(expression)?,
            _ => None,
        };
        let limit = ROWS_MAX;
        let none = String::new();
        let words = expression.as_ref().unwrap_or(&none);
        let mut looked = 0;
        let mut see = |row: &crate::db::Row<'_>| -> rusqlite::Result<bool> {
            looked += 1;
            if looked % LOOK_EVERY == 0 && Instant::now() >= until {
                return Ok(false);
            }
            let value: Option<i64> = row.get(1)?;
            let currency: Option<String> = row.get(2)?;
            let (buyer, supplier): (Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?);
            let stated: Option<String> = row.get(6)?;
            let is_one = |ids: &Option<HashSet<i64>>, led: bool, id: Option<i64>| {
                led || ids.as_ref().is_none_or(|ids| id.is_some_and(|id| ids.contains(&id)))
            };
            let value = value.filter(|_| currency.as_deref() == Some("BRL"));
            let rid = row.get(0)?;
            let fits = !row.get::<_, Option<bool>>(3)?.unwrap_or(false)
                && holding.as_ref().is_none_or(|rids| rids.contains(&rid))
                && is_one(&buyers, column == "c.buyer_h", buyer)
                && is_one(&suppliers, column == "c.supplier_h", supplier)
                && filter.modality.as_ref().is_none_or(|asked| stated.as_ref() == Some(asked))
                && filter.value_min.is_none_or(|least| value.is_some_and(|value| value >= least))
                && filter.value_max.is_none_or(|most| value.is_some_and(|value| value <= most));
            if fits {
                tell(Glanced { rid, value, supplier: supplier.filter(|_| with_suppliers) });
            }
            Ok(true)
        };
        self.read(|db| {
            // Whether all rows of a walk were looked at: neither the time nor the limit ended it.
            let mut run = |sql: &str, values: &[&dyn ToSql]| -> Result<bool> {
                let mut statement = db.prepare(sql)?;
                let mut rows = statement.query(values)?;
                let mut walked = 0;
                while let Some(row) = rows.next()? {
                    walked += 1;
                    if !see(&row)? {
                        return Ok(false);
                    }
                }
                Ok(walked < limit)
            };
            match (leading, expression.is_some()) {
                (Some(ids), with_words) => {
                    let with_words = with_words && holding.is_none();
                    let words_too = if with_words { format!("{holds} ?4)") } else { String::new() };
                    let sql = format!("{select} {column} = ?3 and {days} {words_too} limit {limit}");
                    for id in &ids {
                        let values: &[&dyn ToSql] =
                            if with_words { &[&from, &to, id, words] } else { &[&from, &to, id] };
                        if Instant::now() >= until || !run(&sql, values)? {
                            return Ok(true);
                        }
                    }
                    Ok(false)
                }
                (None, true) => {
                    Ok(!run(&format!("{select} {days} {within} ?3) limit {limit}"), &[&from, &to, words])?)
                }
                (None, false) if filter.modality.is_some() => {
                    let asked = filter.modality.clone().unwrap_or_default();
                    Ok(!run(&format!("{select} {days} and c.modality = ?3 limit {limit}"), &[&from, &to, &asked])?)
                }
                (None, false) if dated => {
                    Ok(!run(&format!("{select} {days} limit {limit}"), &[&from, &to])?)
                }
                (None, false) => {
                    // By value, of which the dearest are what is shown.
                    let least = filter.value_min.unwrap_or(i64::MIN);
                    let most = filter.value_max.unwrap_or(i64::MAX);
                    let sql = format!(
                        "{select} c.value_final >= ?1 and c.value_final <= ?2 order by c.value_final desc, c.rid desc limit {limit}"
                    );
                    if !run(&sql, &[&least, &most])? {
                        return Ok(true);
                    }
                    // Those that state none come last, where none is asked for.
                    if filter.value_min.is_some() || filter.value_max.is_some() {
                        return Ok(false);
                    }
                    Ok(!run(&format!("{select} c.value_final is null limit {limit}"), &[])?)
                }
            }
        })
    }

    /// The rows of contracts that hold words; nothing when they are too many.
    fn rows_holding(&self, expression: &str) -> Result<Option<HashSet<i64>>> {
        self.read(|db| {
            let sql = "select rowid from contracts_fts where contracts_fts match ?1 limit ?2";
            let mut statement = db.prepare(sql)?;
            let limit = i64::try_from(HOLDING_MAX + 1).unwrap_or(i64::MAX);
            let rows = statement.query_map(rusqlite::params![expression, limit], |row| row.get(0))?;
            let rids = rows.collect::<rusqlite::Result<HashSet<i64>>>()?;
            Ok((rids.len() <= HOLDING_MAX).then_some(rids))
        })
    }

    /// The contracts of these rows, in the order of the numbers given.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn contracts_of_rows(&self, rids: &[i64]) -> Result<Vec<ContractRow>> {
        let mut rows = Vec::new();
        for rid in rids {
            let id: Option<String> = self.read(|db| {
                use crate::db::OptionalExtension;
                db.prepare("select id from contracts where rid = ?1")?.query_row([rid], |row| row.get(0)).optional()
            })?;
            if let Some(row) = id.map(|id| self.contract(&id)).transpose()?.flatten() {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// Id and name of the supplier of this hash.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn supplier_of_hash(&self, hash: i64) -> Result<Option<(String, String)>> {
        use crate::db::OptionalExtension;
        self.read(|db| {
            let mut statement = db.prepare("select id, name from suppliers where idh = ?1")?;
            let row = statement.query_row([hash], |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?)));
            Ok(row.optional()?.map(|(id, name): (String, _)| (id.clone(), name.unwrap_or(id))))
        })
    }
}
