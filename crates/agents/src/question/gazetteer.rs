//! The names that are held: bodies, their units, suppliers, municipalities. Whoever reads a question finds them by their words.

use std::collections::HashMap;

use model::text::normal_name;

use super::words::{is_near, joins};

/// The most units, and suppliers, whose names are kept; those beyond are found by id or CNPJ only.
pub const UNITS_MAX: usize = 200_000;
/// See [`UNITS_MAX`].
pub const SUPPLIERS_MAX: usize = 400_000;

/// Words that say what kind of company it is.
const LEGAL: &[&str] = &["ltda", "sa", "s", "me", "epp", "eireli", "cia", "mei", "companhia", "limitada"];

/// What a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A body, or what stands over it: all of its units.
    Body,
    /// A buying unit.
    Unit,
    /// A supplier.
    Supplier,
}

/// A buying unit, as it is held.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are the canonical columns'")]
pub struct Unit<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub code: Option<&'a str>,
    pub parent: Option<&'a str>,
    pub superior: Option<&'a str>,
    pub state: Option<&'a str>,
    pub municipality: Option<&'a str>,
}

/// A name that is held.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What it is of.
    pub kind: Kind,
    /// The id of a unit or supplier; a body has its name.
    pub id: String,
    /// As it is written.
    pub name: String,
    /// Where a unit is.
    pub state: Option<String>,
    /// Where a unit is.
    pub municipality: Option<String>,
    /// The words of its name.
    pub(super) tokens: Box<[u32]>,
}

/// A municipality that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As it is written.
    pub name: String,
    /// Its states, as far as they are known.
    pub states: Vec<String>,
}

/// Every name that is held.
#[derive(Debug, Default)]
pub struct Gazetteer {
    entries: Vec<Entry>,
    tokens: HashMap<Box<str>, u32>,
    /// By token, the entries that hold it.
    postings: Vec<Vec<u32>>,
    /// Tokens by their first letter and length.
    by_shape: HashMap<(char, usize), Vec<Box<str>>>,
    bodies: HashMap<String, u32>,
    codes: HashMap<String, Vec<u32>>,
    initials: HashMap<String, Vec<u32>>,
    places: HashMap<String, Place>,
    place_words_max: usize,
    units: usize,
    suppliers: usize,
    cut: bool,
}

impl Gazetteer {
    /// Adds a unit, the bodies over it and its place.
    pub fn add_unit(&mut self, unit: &Unit<'_>) {
        if let Some(name) = unit.municipality {
            self.add_place(name, unit.state);
        }
        if self.units >= UNITS_MAX {
            self.cut = true;
            return;
        }
        self.units += 1;
        for body in [unit.superior, unit.parent].into_iter().flatten() {
            self.add_body(body);
        }
        // Words of its place and of the body over it tell it from others of its name.
        let beside = [unit.municipality, unit.parent].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let at = self.add(Kind::Unit, unit.id, unit.name, &beside);
        let entry = &mut self.entries[at as usize];
        (entry.state, entry.municipality) = (unit.state.map(str::to_owned), unit.municipality.map(str::to_owned));
        let code = unit.code.or_else(|| unit.id.strip_prefix("uasg:"));
        if let Some(code) = code.filter(|code| code.len() >= 4) {
            self.codes.entry(code.to_owned()).or_default().push(at);
        }
    }

    /// Adds a supplier.
    pub fn add_supplier(&mut self, id: &str, name: &str) {
        if self.suppliers >= SUPPLIERS_MAX {
            self.cut = true;
            return;
        }
        self.suppliers += 1;
        self.add(Kind::Supplier, id, name, "");
    }

    fn add_body(&mut self, name: &str) {
        let normal = normal_name(name);
        if !normal.is_empty() && !self.bodies.contains_key(&normal) {
            let at = self.add(Kind::Body, name, name, "");
            self.bodies.insert(normal, at);
        }
    }

    fn add_place(&mut self, name: &str, state: Option<&str>) {
        let normal = normal_name(name);
        if normal.is_empty() {
            return;
        }
        self.place_words_max = self.place_words_max.max(normal.split(' ').count());
        for token in normal.split(' ').filter(|token| !joins(token)) {
            self.token(token);
        }
        let place = self.places.entry(normal).or_insert_with(|| Place { name: name.to_owned(), states: Vec::new() });
        if let Some(state) = state.filter(|state| !place.states.iter().any(|held| held == state)) {
            place.states.push(state.to_owned());
        }
    }

    fn add(&mut self, kind: Kind, id: &str, name: &str, beside: &str) -> u32 {
        let at = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let tokens = self.tokens_of(name, kind == Kind::Supplier);
        let mut beside = self.tokens_of(beside, false);
        beside.retain(|token| !tokens.contains(token));
        for token in tokens.iter().chain(&beside) {
            self.postings[*token as usize].push(at);
        }
        if kind == Kind::Body {
            let normal = normal_name(name);
            let initials: String =
                normal.split(' ').filter(|token| !joins(token)).filter_map(|token| token.chars().next()).collect();
            if initials.len() >= 3 {
                self.initials.entry(initials).or_default().push(at);
            }
        }
        self.entries.push(Entry {
            kind,
            id: id.to_owned(),
            name: name.to_owned(),
            state: None,
            municipality: None,
            tokens: tokens.into(),
        });
        at
    }

    fn tokens_of(&mut self, name: &str, is_supplier: bool) -> Vec<u32> {
        let normal = normal_name(name);
        let mut tokens: Vec<u32> = Vec::new();
        for word in normal.split(' ').filter(|word| !word.is_empty() && !joins(word)) {
            if is_supplier && LEGAL.contains(&word) {
                continue;
            }
            let token = self.token(word);
            if !tokens.contains(&token) {
                tokens.push(token);
            }
        }
        tokens
    }

    fn token(&mut self, word: &str) -> u32 {
        if let Some(token) = self.tokens.get(word) {
            return *token;
        }
        let token = u32::try_from(self.postings.len()).unwrap_or(u32::MAX);
        self.tokens.insert(word.into(), token);
        self.postings.push(Vec::new());
        if let Some(first) = word.chars().next().filter(|_| word.len() >= 4) {
            self.by_shape.entry((first, word.len())).or_default().push(word.into());
        }
        token
    }

    /// Whether some names are left out because there are too many.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// How many names are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no name is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn entry(&self, at: u32) -> &Entry {
        &self.entries[at as usize]
    }

    pub(super) fn exact(&self, word: &str) -> Option<u32> {
        self.tokens.get(word).copied()
    }

    /// Tokens that a word may be a typing error of; none when it is a word of some name, or too many are near.
    pub(super) fn near(&self, word: &str) -> Vec<u32> {
        let Some(first) = word.chars().next().filter(|_| (5..=30).contains(&word.len())) else { return Vec::new() };
        let shapes = word.len().saturating_sub(2)..=word.len() + 2;
        let near = shapes.filter_map(|len| self.by_shape.get(&(first, len))).flatten();
        let mut found: Vec<u32> =
            near.filter(|held| is_near(word, held)).filter_map(|held| self.exact(held)).take(9).collect();
        if found.len() > 8 {
            found.clear();
        }
        found
    }

    pub(super) fn holders(&self, token: u32) -> &[u32] {
        &self.postings[token as usize]
    }

    pub(super) fn of_code(&self, code: &str) -> &[u32] {
        self.codes.get(code).map_or(&[], Vec::as_slice)
    }

    pub(super) fn of_initials(&self, initials: &str) -> &[u32] {
        self.initials.get(initials).map_or(&[], Vec::as_slice)
    }

    pub(super) fn place(&self, normal: &str) -> Option<&Place> {
        self.places.get(normal)
    }

    pub(super) fn place_words_max(&self) -> usize {
        self.place_words_max.min(8)
    }

    /// The place that a name is a typing error of, if it is only one.
    pub(super) fn place_near(&self, normal: &str) -> Option<&Place> {
        let words: Vec<&str> = normal.split(' ').collect();
        let mut found = None;
        // Every word but the wrong ones is a word of the gazetteer: only those that are near are tried.
        for (n, word) in words.iter().enumerate() {
            if joins(word) || self.exact(word).is_some() {
                continue;
            }
            for token in self.near(word) {
                let Some((text, _)) = self.tokens.iter().find(|(_, held)| **held == token) else { continue };
                let mut tried = words.clone();
                tried[n] = text;
                if let Some(place) = self.places.get(&tried.join(" ")) {
                    if found.is_some_and(|other: &Place| other != place) {
                        return None;
                    }
                    found = Some(place);
                }
            }
        }
        found
    }
}
