//! What a query needs from the database, gathered for a whole level of it and then asked for in one go per kind.
//!
//! A query runs on one thread that may block. Whatever asks for a record by its id, or for what belongs to it, is noted; when all that can be
//! reached was looked at, each kind of question is one statement for all who asked it. So the number of statements grows with the depth of
//! the query, not with its rows, and always is the same: no clock says when a batch is full.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use app::App;
use app::queries::{Below, Owner, PageLimit};
use app::views::List;
use serde::Serialize;
use serde_json::Value;

use super::kept::FieldValues;
use super::refusal::Refusal;
use crate::problem::Problem;

/// A kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A buyer by its id.
    Buyer,
    /// A supplier by its id.
    Supplier,
    /// A contract by its id.
    Contract,
    /// A tender by its id.
    Tender,
    /// The newest contracts of a buyer or supplier, so many.
    Contracts(Owner, usize),
    /// The gravest findings, so many.
    Findings(Owner, usize),
    /// What stands below a contract or tender, so many.
    Rows(Below, usize),
    /// Sums over contracts.
    Totals(Owner),
    /// The sanctions of a supplier.
    Sanctions,
    /// What the register of companies says of it.
    Registrations,
    /// Who owns or runs it.
    Partners,
    /// A finding by its id.
    Finding,
    /// An investigation by its id.
    Investigation,
}

/// One page of a list, as connections show it.
#[derive(Debug, Default)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Arc<Value>>,
    /// The cursor of each.
    pub cursors: Vec<String>,
    /// Whether there are more.
    pub has_next: bool,
    /// Whether rows come before it.
    pub has_previous: bool,
}

impl Page {
    /// Of a list as the application gives it.
    ///
    /// # Errors
    /// A row cannot be JSON.
    pub fn of<T: Serialize>(list: &List<T>, has_previous: bool) -> Result<Self, Refusal> {
        let cursors = list.marks().cursors()?;
        let has_next = list.page.next_cursor.is_some();
        let rows = list.data.iter().map(|row| json(row).map(Arc::new)).collect::<Result<_, _>>()?;
        Ok(Self { rows, cursors, has_next, has_previous })
    }
}

/// A view as JSON.
///
/// # Errors
/// It cannot be.
pub fn json(view: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(view).map_err(|error| {
        tracing::error!(%error, "a view could not be encoded");
        Problem::internal().into()
    })
}

/// What a question gives.
#[derive(Debug, Clone)]
pub enum Loaded {
    /// Nothing is held under this id.
    Nothing,
    /// A record.
    One(Arc<Value>),
    /// A list, with its pages.
    Page(Arc<Page>),
    /// A short list, whole.
    Rows(Arc<Vec<Arc<Value>>>),
}

/// What a question came to.
pub type Answered = Result<Loaded, Refusal>;

/// Questions that are to be asked.
#[derive(Default)]
pub struct Wanted {
    asked: BTreeMap<Kind, Vec<String>>,
    known: HashMap<Kind, HashSet<String>>,
}

impl Wanted {
    /// Notes a question; a second time it is the same one.
    pub fn add(&mut self, kind: Kind, id: String) {
        if self.known.entry(kind).or_default().insert(id.clone()) {
            self.asked.entry(kind).or_default().push(id);
        }
    }
}

/// The questions of one query.
pub struct Loads {
    app: App,
    kept: Option<Arc<FieldValues>>,
    answered: HashMap<Kind, HashMap<String, Answered>>,
    /// The findings of which the answer speaks.
    findings: HashSet<String>,
}

impl Loads {
    /// None yet; `kept` has what other queries asked.
    pub fn new(app: App, kept: Option<Arc<FieldValues>>) -> Self {
        Self { app, kept, answered: HashMap::new(), findings: HashSet::new() }
    }

    /// The application.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// What was answered.
    pub fn get(&self, kind: Kind, id: &str) -> Option<&Answered> {
        self.answered.get(&kind)?.get(id)
    }

    /// Forgets what was answered: something was changed since.
    pub fn forget(&mut self) {
        self.answered.clear();
    }

    /// Notes that the answer speaks of these findings.
    pub fn speaks_of<'a>(&mut self, rows: impl Iterator<Item = &'a Value>) {
        self.findings.extend(rows.filter_map(|row| row.get("id").and_then(Value::as_str).map(str::to_owned)));
    }

    /// The findings of which the answer speaks.
    pub fn findings(self) -> Vec<String> {
        self.findings.into_iter().collect()
    }

    /// Asks for what `gather` wants, until it wants nothing more.
    pub fn fetch_all(&mut self, gather: impl Fn(&Self, &mut Wanted)) {
        loop {
            let mut wanted = Wanted::default();
            gather(self, &mut wanted);
            if wanted.asked.is_empty() {
                return;
            }
            wanted.asked.into_iter().for_each(|(kind, ids)| self.fetch(kind, ids));
        }
    }

    fn fetch(&mut self, kind: Kind, mut ids: Vec<String>) {
        let since = self.kept.as_ref().map(|kept| kept.now());
        if let Some(kept) = &self.kept {
            let held = self.answered.entry(kind).or_default();
            ids.retain(|id| match kept.get(kind, id) {
                Some(loaded) => held.insert(id.clone(), Ok(loaded)).is_some(),
                None => true,
            });
        }
        let answers = if ids.is_empty() { Ok(Vec::new()) } else { self.answers(kind, &ids) };
        let answers: Vec<Answered> = match answers {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(refusal) => ids.iter().map(|_| Err(refusal.clone())).collect(),
        };
        let held = self.answered.entry(kind).or_default();
        for (id, answer) in ids.into_iter().zip(answers) {
            if let (Some(kept), Some(since), Ok(loaded)) = (&self.kept, since, &answer) {
                kept.put(kind, &id, since, loaded);
            }
            held.insert(id, answer);
        }
        if let Kind::Findings(..) = kind {
            let pages: Vec<Arc<Page>> = self.answered[&kind].values().filter_map(page_of).collect();
            pages.iter().for_each(|page| self.speaks_of(page.rows.iter().map(|row| &**row)));
        }
    }

    /// The answers for these ids, in their order.
    fn answers(&self, kind: Kind, ids: &[String]) -> Result<Vec<Loaded>, Refusal> {
        let app = &self.app;
        let limit = |n: usize| PageLimit::new(n).unwrap_or_default();
        match kind {
            Kind::Buyer => by_id(ids, app.buyers_by_id(ids)?),
            Kind::Supplier => by_id(ids, app.suppliers_by_id(ids)?),
            Kind::Contract => by_id(ids, app.contracts_by_id(ids)?),
            Kind::Tender => by_id(ids, app.tenders_by_id(ids)?),
            Kind::Contracts(owner, n) => pages(app.contracts_of_each(owner, ids, limit(n))?),
            Kind::Findings(owner, n) => pages(app.findings_of_each(owner, ids, limit(n))?),
            Kind::Rows(Below::AmendmentsOfContract, n) => pages(app.amendments_of_each(ids, limit(n))?),
            Kind::Rows(Below::BidsOfTender, n) => pages(app.bids_of_each(ids, limit(n))?),
            Kind::Rows(below, n) => pages(app.items_of_each(below, ids, limit(n))?),
            Kind::Sanctions => rows(app.sanctions_of_each(ids)?),
            Kind::Registrations => rows(app.registrations_of_each(ids)?),
            Kind::Partners => rows(app.partners_of_each(ids)?),
            // Of these only an event speaks, of one at a time.
            Kind::Finding => ids.iter().map(|id| held(app.finding(id))).collect(),
            Kind::Investigation => ids.iter().map(|id| held(app.investigation(id))).collect(),
            Kind::Totals(owner) => {
                app.totals_of_each(owner, ids)?.iter().map(|one| Ok(Loaded::One(Arc::new(json(one)?)))).collect()
            }
        }
    }
}

fn by_id<T: Serialize>(ids: &[String], mut found: HashMap<String, T>) -> Result<Vec<Loaded>, Refusal> {
    let one = |id: &String| match found.remove(id) {
        Some(row) => Ok(Loaded::One(Arc::new(json(&row)?))),
        None => Ok(Loaded::Nothing),
    };
    ids.iter().map(one).collect()
}

fn pages<T: Serialize>(lists: Vec<List<T>>) -> Result<Vec<Loaded>, Refusal> {
    lists.into_iter().map(|list| Ok(Loaded::Page(Arc::new(Page::of(&list, false)?)))).collect()
}

fn rows<T: Serialize>(lists: Vec<Vec<T>>) -> Result<Vec<Loaded>, Refusal> {
    let rows = |list: Vec<T>| list.iter().map(|row| json(row).map(Arc::new)).collect::<Result<Vec<_>, _>>();
    lists.into_iter().map(|list| Ok(Loaded::Rows(Arc::new(rows(list)?)))).collect()
}

fn held(found: app::Result<impl Serialize>) -> Result<Loaded, Refusal> {
    match found {
        Ok(row) => Ok(Loaded::One(Arc::new(json(&row)?))),
        Err(app::Error::NotFound { .. }) => Ok(Loaded::Nothing),
        Err(error) => Err(error.into()),
    }
}

fn page_of(answered: &Answered) -> Option<Arc<Page>> {
    match answered {
        Ok(Loaded::Page(page)) => Some(Arc::clone(page)),
        _ => None,
    }
}
