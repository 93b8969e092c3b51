//! Which records are held, by the hash of their id.
//!
//! Ids come in no order, so an index over them that grows with every row would be rewritten all over for each row of a
//! large load. Keys of new rows wait in memory until their batch ends and then go into their table sorted. During a
//! large load a Bloom filter over all keys answers "surely new" for nearly every row, so that no look-up is made.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::db::{Append, Db, OptionalExtension};
use model::{TABLES, Table};
use rusqlite::params;
use rusqlite::types::ValueRef;
use tokio_postgres::types::Type;

use crate::Result;

/// A hash needs no second one.
#[derive(Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only hashes of ids are keys here");
    }

    fn write_i64(&mut self, hash: i64) {
        self.0 = hash.cast_unsigned();
    }
}

type Waiting = HashMap<i64, i64, BuildHasherDefault<AsIs>>;

/// The keys of all tables.
pub(crate) struct Keys {
    tables: Vec<TableKeys>,
}

struct TableKeys {
    name: String,
    find: String,
    insert: String,
    remove: String,
    /// Keys of this batch's new rows, with their row numbers.
    waiting: Waiting,
    filter: Option<Filter>,
}

/// The table of a record table's keys.
pub(crate) fn keys_table(table: &str) -> String {
    format!("{table}_keys")
}

impl Keys {
    /// `filtered`: many rows will come, so that reading all keys once pays.
    pub(crate) fn open(db: &Db, filtered: bool) -> Result<Self> {
        let mut tables = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let keys = keys_table(table.name);
            let held = if has_keys(table) { &keys } else { table.name };
            let filter = if filtered { Some(Filter::over(db, held)?) } else { None };
            tables.push(TableKeys {
                name: keys.clone(),
                find: format!("select rid from {keys} where idh = ?1"),
                insert: format!("insert into {keys} (idh, rid) values (?1, ?2)"),
                remove: format!("delete from {keys} where idh = ?1"),
                waiting: Waiting::default(),
                filter,
            });
        }
        Ok(Self { tables })
    }

    /// The row held under a key.
    pub(crate) fn find(&self, db: &Db, table: u8, idh: i64) -> Result<Option<i64>> {
        let keys = &self.tables[usize::from(table)];
        if let Some(rid) = keys.waiting.get(&idh) {
            return Ok(Some(*rid));
        }
        if keys.filter.as_ref().is_some_and(|filter| !filter.may_hold(idh)) {
            return Ok(None);
        }
        db.prepare(&keys.find)?.query_row([idh], |row| row.get(0)).optional()
    }

    /// Whether a buyer or supplier may be held; from now on it may.
    pub(crate) fn may_hold(&mut self, table: u8, idh: i64) -> bool {
        let Some(filter) = &mut self.tables[usize::from(table)].filter else { return true };
        let may_hold = filter.may_hold(idh);
        if !may_hold {
            filter.add(idh);
        }
        may_hold
    }

    /// Notes a new row.
    pub(crate) fn add(&mut self, table: u8, idh: i64, rid: i64) {
        let keys = &mut self.tables[usize::from(table)];
        keys.waiting.insert(idh, rid);
        if let Some(filter) = &mut keys.filter {
            filter.add(idh);
        }
    }

    /// Forgets a key: its row goes by another from now on.
    pub(crate) fn remove(&mut self, db: &Db, table: u8, idh: i64) -> Result<()> {
        let keys = &mut self.tables[usize::from(table)];
        if keys.waiting.remove(&idh).is_none() {
            db.prepare(&keys.remove)?.execute([idh])?;
        }
        Ok(())
    }

    /// Writes the waiting keys into their tables, in order.
    pub(crate) fn flush(&mut self, db: &Db) -> Result<()> {
        for keys in &mut self.tables {
            if keys.waiting.is_empty() {
                continue;
            }
            let mut sorted: Vec<(i64, i64)> = keys.waiting.drain().collect();
            sorted.sort_unstable();
            if db.is_postgres() {
                keys.send(db, &sorted)?;
                continue;
            }
            let mut statement = db.prepare(&keys.insert)?;
            for (idh, rid) in sorted {
                statement.execute(params![idh, rid])?;
            }
        }
        Ok(())
    }
}

impl TableKeys {
    /// Sends keys to PostgreSQL, many at once.
    fn send(&self, db: &Db, sorted: &[(i64, i64)]) -> Result<()> {
        let mut rows = Append::new(&self.name, &[("idh", Type::INT8), ("rid", Type::INT8)]);
        for (idh, rid) in sorted {
            rows.push(ValueRef::Integer(*idh))?;
            rows.push(ValueRef::Integer(*rid))?;
        }
        rows.flush(db).map(|_| ())
    }
}

/// Buyers and suppliers are few and are looked up by joins: their key stands in their row.
pub(crate) fn has_keys(table: &Table) -> bool {
    !matches!(table.name, "buyers" | "suppliers")
}

/// A Bloom filter that grows by layers, each twice as large as the one before.
struct Filter {
    layers: Vec<Layer>,
}

struct Layer {
    bits: Vec<u64>,
    keys: usize,
    keys_max: usize,
}

/// Twelve bits a key and four probes: one key in 250 is taken for held and looked up in vain.
const BITS_PER_KEY: usize = 12;
const PROBES: usize = 4;
const FIRST_LAYER_KEYS: usize = 1 << 20;

impl Layer {
    fn new(keys_max: usize) -> Self {
        let words = (keys_max * BITS_PER_KEY).div_ceil(64).next_power_of_two();
        Self { bits: vec![0; words], keys: 0, keys_max }
    }

    fn probes(&self, idh: i64) -> [(usize, u64); PROBES] {
        let hash = idh.cast_unsigned();
        let step = hash.rotate_left(32) | 1;
        let mask = self.bits.len() as u64 * 64 - 1;
        std::array::from_fn(|n| {
            let bit = hash.wrapping_add((n as u64).wrapping_mul(step)) & mask;
            (usize::try_from(bit / 64).unwrap_or_default(), 1 << (bit % 64))
        })
    }
}

impl Filter {
    fn over(db: &Db, keys: &str) -> Result<Self> {
        let mut filter = Self { layers: vec![Layer::new(FIRST_LAYER_KEYS)] };
        let mut statement = db.prepare(&format!("select idh from {keys}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            filter.add(row.get(0)?);
        }
        Ok(filter)
    }

    fn add(&mut self, idh: i64) {
        let last = self.layers.last_mut().expect("a filter has a layer");
        if last.keys == last.keys_max {
            let next = Layer::new(last.keys_max * 2);
            self.layers.push(next);
        }
        let last = self.layers.last_mut().expect("a filter has a layer");
        last.keys += 1;
        for (word, bit) in last.probes(idh) {
            last.bits[word] |= bit;
        }
    }

    fn may_hold(&self, idh: i64) -> bool {
        self.layers.iter().any(|layer| layer.probes(idh).iter().all(|&(word, bit)| layer.bits[word] & bit != 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_never_forgets_a_key_and_seldom_sees_one_that_is_not_there() {
        let mut filter = Filter { layers: vec![Layer::new(1000)] };
        let key = |n: u64| crate::id_hash(&n.to_string());
        for n in 0..10_000 {
            filter.add(key(n));
        }
        assert!((0..10_000).all(|n| filter.may_hold(key(n))));
        let wrong = (10_000..30_000).filter(|n| filter.may_hold(key(*n))).count();
        assert!(wrong < 600, "{wrong} of 20,000 keys were seen that are not there");
    }
}
