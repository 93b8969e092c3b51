//! A map that never holds more than it may: what was not touched for longest goes first, nearly.
//!
//! Two generations: what is touched lies in the young one. When that is half as large as the whole may be, it becomes the old one and
//! what was old is dropped at once. So each entry that is touched at least once while that many others are stays; every step costs
//! the same, whoever sends what.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// A bounded map.
pub struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    generation_max: usize,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// One of at most `entries_max` entries.
    pub fn new(entries_max: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), generation_max: (entries_max / 2).max(1) }
    }

    /// The entry under `key`, which is young again.
    pub fn touch<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if !self.young.contains_key(key) {
            let (key, value) = self.old.remove_entry(key)?;
            self.put(key, value);
        }
        self.young.get_mut(key)
    }

    /// Puts an entry; gives how many were dropped for it.
    pub fn put(&mut self, key: K, value: V) -> usize {
        let mut dropped = 0;
        if self.young.len() >= self.generation_max && !self.young.contains_key(&key) {
            dropped = self.old.len();
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
        dropped
    }

    /// How many it holds.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_it_may_and_keeps_what_is_used() {
        let mut recent = Recent::new(100);
        recent.put("busy".to_owned(), 0);
        for n in 0..10_000 {
            recent.put(format!("{n}"), n);
            assert!(recent.len() <= 100);
            *recent.touch("busy").expect("it is touched all the time") += 1;
        }
        assert_eq!(recent.touch("busy"), Some(&mut 10_000));
        assert!(recent.touch("1").is_none());
        assert_eq!(recent.touch("9999"), Some(&mut 9_999));
    }
}
