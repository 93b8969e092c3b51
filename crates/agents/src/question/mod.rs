//! A question in Portuguese becomes an intent and a scope, by rules and by the names that are held.
//!
//! Nothing is asked of a network or a database but what [`Held`] answers. Whatever became a filter is told with its words, so that the
//! person can change it; whatever did not is told too, with why; where words may mean several things, the candidates are told. A filter
//! never comes from anything but words of the question. Words that are left over seek in the objects of contracts, if some object holds
//! them all.

mod aliases;
mod amount;
mod codes;
mod gazetteer;
mod names;
mod period;
mod places;
mod words;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use gazetteer::{Entry, Gazetteer, Kind, Place, SUPPLIERS_MAX, UNITS_MAX, Unit};

use words::Word;

/// The most words that are sought in objects.
const OBJECT_WORDS_MAX: usize = 8;

/// What a reader asks of what is held, besides names.
pub trait Held {
    /// Whether some contract's object holds all these words (folded, parted by blanks).
    fn objects(&self, words: &str) -> bool;
    /// The same, of contracts of others than this supplier.
    fn objects_of_others(&self, words: &str, supplier: &str) -> bool;
    /// Whether there is a supplier of this id.
    fn supplier(&self, id: &str) -> bool;
    /// Whether there is a flag of this code.
    fn flag(&self, code: &str) -> bool;
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Which red flags there are.
    Flags,
    /// Which contracts there are.
    List,
    /// How many contracts there are.
    Count,
    /// How much money it is.
    Total,
    /// Which suppliers got the most.
    TopSuppliers,
    /// Who somebody is.
    WhoIs,
    /// How two or more differ.
    Compare,
    /// Whether a supplier is sanctioned.
    Sanctioned,
}

/// The filters that words became; what is not said does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the names are those of an investigation's scope")]
pub struct ReadScope {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bodies: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buyers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suppliers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub municipality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_min: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_max: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

/// Words, and the filter that they became.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Understood {
    /// As they were written.
    pub words: String,
    /// The filter.
    #[serde(rename = "as")]
    pub filter: String,
    /// Its value.
    pub value: Value,
}

/// Why words became no filter, or may mean something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// They are no name, and no object holds them.
    Unknown,
    /// Nothing is held under this number.
    NotHeld,
    /// The check digits of this CNPJ are wrong.
    WrongDigits,
    /// What is left out cannot be asked.
    LeftOut,
    /// There is another of the kind, and a scope takes one.
    Second,
    /// Several things have this name.
    Several,
    /// The state was taken, which holds the city of the same name.
    StateOrCity,
    /// Municipalities of several states have this name; all are taken.
    CityOfSeveralStates,
    /// The ministry was taken, for the article before it; the state has the same letters.
    MinistryOrState,
    /// The question is longer than what is read.
    TooLong,
}

/// What words may mean instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The filter that it would be.
    #[serde(rename = "as")]
    pub filter: &'static str,
    /// Its value.
    pub value: String,
    /// What it is, for people.
    pub name: String,
}

/// Words that may mean several things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// As they were written.
    pub words: String,
    /// Why.
    pub because: Because,
    /// What was taken, if anything.
    pub taken: Option<String>,
    /// What else, or which of them, they may mean.
    pub candidates: Vec<Candidate>,
}

/// Words that became no filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotUnderstood {
    /// As they were written.
    pub words: String,
    /// Why.
    pub because: Because,
}

/// What a question was read as.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the types say it")]
pub struct Reading {
    pub intent: Intent,
    pub scope: ReadScope,
    pub flags: Vec<String>,
    pub understood: Vec<Understood>,
    pub doubts: Vec<Doubt>,
    pub not_understood: Vec<NotUnderstood>,
}

impl Reading {
    /// Whether no word became a filter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scope == ReadScope::default() && self.flags.is_empty()
    }
}

/// What is read so far.
struct Reader<'a> {
    gazetteer: &'a Gazetteer,
    held: &'a dyn Held,
    today: NaiveDate,
    words: Vec<Word>,
    /// All is written in capitals: they say nothing.
    all_capitals: bool,
    scope: ReadScope,
    flags: Vec<String>,
    intent: Option<Intent>,
    understood: Vec<(usize, Understood)>,
    doubts: Vec<Doubt>,
    left: Vec<(usize, NotUnderstood)>,
    /// Names of several things, which the place may tell apart.
    pending: Vec<(usize, usize, Vec<u32>)>,
}

/// Reads a question.
#[must_use]
pub fn read(question: &str, gazetteer: &Gazetteer, held: &dyn Held, today: NaiveDate) -> Reading {
    let (words, rest) = words::words_of(question);
    let long = words.iter().filter(|word| word.folded.chars().any(char::is_alphabetic));
    let all_capitals = words.len() > 2 && long.clone().count() > 1 && long.clone().all(Word::is_capitals);
    let mut reader = Reader {
        gazetteer,
        held,
        today,
        words,
        all_capitals,
        scope: ReadScope::default(),
        flags: Vec::new(),
        intent: None,
        understood: Vec::new(),
        doubts: Vec::new(),
        left: Vec::new(),
        pending: Vec::new(),
    };
    reader.leave_out();
    reader.read_cnpjs();
    reader.read_unit_codes();
    reader.read_names();
    reader.read_amounts();
    reader.read_periods();
    reader.read_codes();
    reader.read_places();
    reader.settle_pending();
    reader.read_objects();
    reader.finish(rest)
}

impl Reader<'_> {
    fn folded(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |word| word.folded.as_str())
    }

    fn written(&self, from: usize, to: usize) -> String {
        self.words[from..to].iter().map(|word| word.written.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Takes words and says what they became.
    fn take(&mut self, from: usize, to: usize, filter: &str, value: impl Serialize) {
        let value = serde_json::to_value(value).unwrap_or_default();
        let words = self.written(from, to);
        self.understood.push((from, Understood { words, filter: filter.to_owned(), value }));
        for word in &mut self.words[from..to] {
            word.taken = true;
        }
    }

    /// Takes words and says why they became nothing.
    fn leave(&mut self, from: usize, to: usize, because: Because) {
        let words = self.written(from, to);
        self.left.push((from, NotUnderstood { words, because }));
        for word in &mut self.words[from..to] {
            word.taken = true;
        }
    }

    /// `exceto pregão`, `que não sejam…`: what is left out must not become what is asked.
    fn leave_out(&mut self) {
        let mut at = 0;
        while at < self.words.len() {
            let (word, next) = (self.folded(at), self.folded(at + 1));
            let before = at.checked_sub(1).map_or("", |at| self.folded(at));
            let says = match word {
                "exceto" | "salvo" | "tirando" | "excluindo" | "excluidos" | "excluidas" | "senao" => true,
                "fora" => {
                    !matches!(next, "do" | "da" | "de" | "dos" | "das") && before != "preco" && before != "precos"
                }
                "menos" => {
                    !matches!(next, "de" | "que" | "do" | "")
                        && !matches!(before, "pelo" | "a" | "ao" | "mais" | "e" | "ou")
                }
                "nao" => !matches!(next, "sei" | ""),
                "sem" => !matches!(
                    next,
                    "competicao" | "concorrencia" | "concorrente" | "concorrentes" | "disputa" | "licitacao"
                ),
                _ => false,
            };
            if !says || self.words[at].quoted.is_some() {
                at += 1;
                continue;
            }
            let mut end = at + 1;
            let mut content = false;
            while end < self.words.len() && !self.words[end - 1].ends {
                let stops = content && matches!(self.folded(end), "em" | "no" | "na" | "desde" | "entre" | "mas");
                if stops {
                    break;
                }
                content |= !self.words[end].is_joining();
                end += 1;
            }
            if content {
                self.leave(at, end, Because::LeftOut);
            }
            at = end;
        }
    }

    /// Quotations, then what is left, as far as some object holds all of it.
    fn read_objects(&mut self) {
        let mut sought: Vec<String> = Vec::new();
        for quotation in 0..=self.words.iter().filter_map(|word| word.quoted).max().unwrap_or(0) {
            let at: Vec<usize> = (0..self.words.len())
                .filter(|at| self.words[*at].quoted == Some(quotation) && !self.words[*at].taken)
                .collect();
            let (Some(first), Some(last)) = (at.first().copied(), at.last().copied()) else { continue };
            if last - first + 1 != at.len() {
                continue;
            }
            let said: Vec<String> = at.iter().map(|at| self.words[*at].folded.clone()).collect();
            self.seek(first, last + 1, said, &mut sought);
        }
        for at in 0..self.words.len() {
            let word = &self.words[at];
            let says = !word.taken && !word.is_empty() && sought.len() < OBJECT_WORDS_MAX;
            if says && word.folded.chars().any(char::is_alphanumeric) {
                let said = vec![word.folded.clone()];
                self.seek(at, at + 1, said, &mut sought);
            }
        }
        self.scope.q = (!sought.is_empty()).then(|| sought.join(" "));
    }

    fn seek(&mut self, from: usize, to: usize, said: Vec<String>, sought: &mut Vec<String>) {
        let said: Vec<String> = said.into_iter().filter(|word| !words::joins(word) && !sought.contains(word)).collect();
        let mut all = sought.clone();
        all.extend(said.iter().cloned());
        // Numbers alone stand in too many objects to mean anything.
        let says = said.iter().any(|word| word.chars().any(char::is_alphabetic));
        if says && self.held.objects(&all.join(" ")) {
            self.take(from, to, "q", said.join(" "));
            *sought = all;
        }
    }

    fn finish(mut self, rest: Option<String>) -> Reading {
        for at in 0..self.words.len() {
            if !self.words[at].taken && !self.words[at].is_empty() {
                self.leave(at, at + 1, Because::Unknown);
            }
        }
        self.understood.sort_by_key(|(at, _)| *at);
        self.left.sort_by_key(|(at, _)| *at);
        self.flags.sort();
        self.flags.dedup();
        let mut not_understood: Vec<NotUnderstood> = self.left.into_iter().map(|(_, left)| left).collect();
        not_understood.extend(rest.map(|words| NotUnderstood { words, because: Because::TooLong }));
        Reading {
            intent: self.intent.unwrap_or(Intent::List),
            scope: self.scope,
            flags: self.flags,
            understood: self.understood.into_iter().map(|(_, understood)| understood).collect(),
            doubts: self.doubts,
            not_understood,
        }
    }
}
