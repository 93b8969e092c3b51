//! The rule of keywords: reading it, checking it, and judging a text by it. What it means is said one floor up.

use std::collections::HashMap;

use serde::Deserialize;
use thiserror::Error;

use crate::text::normal_name;

/// Points of a keyword; whole numbers after halving.
const PAIR: u16 = 6;
const WORD: u16 = 4;
const WEAK: u16 = 2;

/// Room for classes and keywords, so that judging needs no memory of its own; [`Rules::read`] refuses more.
pub(super) const CLASSES_MAX: usize = 96;
const KEYWORDS_MAX: usize = 64 * 32;

/// Patterns are found by their first four bytes; shorter words are filled up with zeros.
type Head = [u8; 4];

#[derive(Debug)]
pub(super) struct Rules {
    pub(super) classes: Vec<Class>,
    /// Under each head the pairs before the single words, the longest first: the first that fits is taken.
    pub(super) by_head: HashMap<Head, Vec<Keyword>>,
}

#[derive(Debug)]
pub(super) struct Class {
    pub(super) code: String,
    pub(super) pt: String,
    pub(super) en: String,
}

#[derive(Debug)]
pub(super) struct Keyword {
    id: usize,
    pub(super) first: Pattern,
    pub(super) second: Option<Pattern>,
    pub(super) sense: Sense,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// Speaks for a class, by index.
    Class { at: u8, weak: bool },
    /// Read over.
    Passing,
    /// Halves what comes after it.
    Purpose,
    /// Uses up its words and says nothing.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Pattern {
    pub(super) text: String,
    stem: bool,
}

impl Pattern {
    fn fits(&self, word: &str) -> bool {
        if self.stem { word.starts_with(&self.text) } else { word == self.text }
    }
}

impl Keyword {
    /// Whether `next` is its second word, if it has one.
    fn goes_on(&self, next: Option<&str>) -> bool {
        self.second.as_ref().is_none_or(|second| next.is_some_and(|next| second.fits(next)))
    }

    fn length(&self) -> usize {
        self.first.text.len() + self.second.as_ref().map_or(0, |second| second.text.len())
    }
}

fn head_of(word: &str) -> Head {
    let mut head = [0; 4];
    let bytes = word.as_bytes();
    let length = bytes.len().min(4);
    head[..length].copy_from_slice(&bytes[..length]);
    head
}

struct Tally {
    points: [u16; CLASSES_MAX],
    /// In the order in which their first keyword stands.
    order: Vec<u8>,
    seen: [u64; KEYWORDS_MAX / 64],
}

impl Tally {
    fn add(&mut self, keyword: &Keyword, halved: bool) {
        let Sense::Class { at, weak } = keyword.sense else { return };
        let (cell, bit) = (keyword.id / 64, 1 << (keyword.id % 64));
        if self.seen[cell] & bit != 0 {
            return;
        }
        self.seen[cell] |= bit;
        let points = match keyword.second {
            _ if weak => WEAK,
            Some(_) => PAIR,
            None => WORD,
        };
        let sum = &mut self.points[usize::from(at)];
        if *sum == 0 {
            self.order.push(at);
        }
        *sum = sum.saturating_add(if halved { points / 2 } else { points });
    }

    fn winner(&self) -> Option<u8> {
        let most = self.order.iter().map(|at| self.points[usize::from(*at)]).max()?;
        self.order.iter().copied().find(|at| self.points[usize::from(*at)] == most)
    }
}

impl Rules {
    /// The index of the class that a normal text speaks of.
    pub(super) fn judge(&self, normal: &str) -> Option<u8> {
        let mut tally = Tally { points: [0; CLASSES_MAX], order: Vec::new(), seen: [0; KEYWORDS_MAX / 64] };
        let mut halved = false;
        let mut words = self.content(normal).peekable();
        while let Some((word, keywords)) = words.next() {
            let next = words.peek().map(|(next, _)| *next);
            let Some(keyword) = keywords.iter().find(|keyword| keyword.first.fits(word) && keyword.goes_on(next))
            else {
                continue;
            };
            if keyword.second.is_some() {
                words.next();
            }
            halved |= keyword.sense == Sense::Purpose;
            tally.add(keyword, halved);
        }
        tally.winner()
    }

    /// The words that are not read over, each with the keywords that may begin with it.
    fn content<'a>(&'a self, normal: &'a str) -> impl Iterator<Item = (&'a str, &'a [Keyword])> {
        normal.split(' ').filter_map(|word| {
            let keywords = self.by_head.get(&head_of(word)).map_or(&[][..], Vec::as_slice);
            let passing = |keyword: &Keyword| keyword.sense == Sense::Passing && keyword.first.fits(word);
            let is_number = || word.bytes().all(|b| b.is_ascii_digit());
            (!keywords.iter().any(passing) && (!keywords.is_empty() || !is_number())).then_some((word, keywords))
        })
    }

    pub(super) fn read(text: &str) -> Result<Self, RuleError> {
        let file: RuleFile = toml::from_str(text)?;
        let mut listed: Vec<(String, Sense)> = Vec::new();
        let mut list = |words: Vec<String>, sense: Sense| listed.extend(words.into_iter().map(|word| (word, sense)));
        list(file.passing, Sense::Passing);
        list(file.purpose, Sense::Purpose);
        list(file.nothing, Sense::Nothing);
        let mut classes: Vec<Class> = Vec::new();
        for (at, row) in (0u8..).zip(file.class) {
            if classes.last().is_some_and(|before| before.code >= row.code) {
                return Err(RuleError::Order(row.code));
            }
            list(row.words, Sense::Class { at, weak: false });
            list(row.weak, Sense::Class { at, weak: true });
            classes.push(Class { code: row.code, pt: row.pt, en: row.en });
        }
        if classes.len() > CLASSES_MAX || listed.len() > KEYWORDS_MAX {
            return Err(RuleError::TooMany);
        }
        Ok(Self { classes, by_head: index(listed)? })
    }
}

fn index(listed: Vec<(String, Sense)>) -> Result<HashMap<Head, Vec<Keyword>>, RuleError> {
    let mut by_head: HashMap<Head, Vec<Keyword>> = HashMap::new();
    for (id, (text, sense)) in listed.into_iter().enumerate() {
        let (first, second) = patterns(&text).ok_or_else(|| RuleError::Pattern(text.clone()))?;
        if second.is_some() && sense == Sense::Passing {
            return Err(RuleError::Pattern(text));
        }
        let under = by_head.entry(head_of(&first.text)).or_default();
        if under.iter().any(|known| known.first == first && known.second == second) {
            return Err(RuleError::Twice(text));
        }
        under.push(Keyword { id, first, second, sense });
    }
    if let Some(text) = never_met(&by_head) {
        return Err(RuleError::Pattern(text));
    }
    for keywords in by_head.values_mut() {
        keywords.sort_by_key(|keyword| (keyword.second.is_none(), std::cmp::Reverse(keyword.length()), keyword.id));
    }
    Ok(by_head)
}

/// A second word that is always read over, so that its keyword can never be met.
fn never_met(by_head: &HashMap<Head, Vec<Keyword>>) -> Option<String> {
    let all = || by_head.values().flatten();
    let is_passing = |word: &str| all().any(|known| known.sense == Sense::Passing && known.first.fits(word));
    let parts = all().filter(|keyword| keyword.sense != Sense::Passing);
    parts
        .flat_map(|keyword| keyword.second.iter().chain([&keyword.first]))
        .map(|part| part.text.clone())
        .find(|text| is_passing(text))
}

/// One or two patterns from `"generos aliment*"`; a stem has at least the four bytes by which it is found.
fn patterns(text: &str) -> Option<(Pattern, Option<Pattern>)> {
    let mut parts = text.split(' ').map(|part| {
        let (word, stem) = part.strip_suffix('*').map_or((part, false), |word| (word, true));
        let right = normal_name(word) == word && !word.is_empty() && (!stem || word.len() >= 3);
        right.then(|| Pattern { text: word.to_owned(), stem })
    });
    let first = parts.next()??;
    let second = parts.next();
    let found_by_head = !first.stem || first.text.len() >= 4;
    (found_by_head && parts.next().is_none()).then_some(())?;
    match second {
        None => Some((first, None)),
        Some(second) => Some((first, Some(second?))),
    }
}

#[derive(Debug, Error)]
pub(super) enum RuleError {
    #[error("the rule cannot be read")]
    Parse(#[from] toml::de::Error),
    #[error("`{0}` is not one or two words, each with at most one `*` at its end")]
    Pattern(String),
    #[error("the keyword `{0}` stands twice")]
    Twice(String),
    #[error("the class `{0}` does not stand in the order of codes")]
    Order(String),
    #[error("more classes or keywords than there is room for")]
    TooMany,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    passing: Vec<String>,
    purpose: Vec<String>,
    nothing: Vec<String>,
    class: Vec<ClassRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassRow {
    code: String,
    pt: String,
    en: String,
    words: Vec<String>,
    #[serde(default)]
    weak: Vec<String>,
}
