//! What a query needs from the database, gathered until nothing else can be done and then asked for in one go per kind.
//!
//! A query runs on one thread that may block. Whatever asks for a record by its id, or for what belongs to it, waits; when all of the query
//! waits, each kind of question is one statement for all who asked it. So the number of statements grows with the depth of the query,
//! not with its rows, and always is the same: no clock says when a batch is full.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use app::App;
use app::queries::{Below, Owner, PageLimit};
use app::views::List;
use serde::Serialize;
use serde_json::Value;

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

type Answered = Result<Loaded, Refusal>;

#[derive(Default)]
struct Questions {
    answered: HashMap<(Kind, String), Answered>,
    asked: BTreeMap<Kind, Vec<String>>,
    known: HashSet<(Kind, String)>,
    waiting: Vec<Waker>,
    /// The findings of which the answer speaks.
    findings: HashSet<String>,
}

/// The questions of one query.
pub struct Loads {
    app: App,
    questions: Mutex<Questions>,
}

impl Loads {
    /// None yet.
    pub fn new(app: App) -> Arc<Self> {
        Arc::new(Self { app, questions: Mutex::default() })
    }

    /// The application.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Asks a question; the answer is there once all that can be asked was asked.
    pub fn ask(self: &Arc<Self>, kind: Kind, id: String) -> impl Future<Output = Answered> + Send + use<> {
        Asked { loads: Arc::clone(self), question: (kind, id) }
    }

    /// Notes that the answer speaks of these findings.
    pub fn speaks_of<'a>(&self, rows: impl Iterator<Item = &'a Value>) {
        let ids = rows.filter_map(|row| row.get("id").and_then(Value::as_str).map(str::to_owned));
        self.questions().findings.extend(ids);
    }

    /// The findings of which the answer speaks.
    pub fn findings(&self) -> Vec<String> {
        self.questions().findings.iter().cloned().collect()
    }

    fn questions(&self) -> MutexGuard<'_, Questions> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the database all that is waited for; whether anything was.
    fn fetch(&self) -> bool {
        let asked = std::mem::take(&mut self.questions().asked);
        let any = !asked.is_empty();
        for (kind, ids) in asked {
            let answers = self.answers(kind, &ids);
            let mut questions = self.questions();
            match answers {
                Ok(answers) => {
                    let answers = ids.into_iter().zip(answers).map(|(id, answer)| ((kind, id), Ok(answer)));
                    questions.answered.extend(answers);
                }
                Err(refusal) => {
                    let refused = ids.into_iter().map(|id| ((kind, id), Err(refusal.clone())));
                    questions.answered.extend(refused);
                }
            }
        }
        let waiting = std::mem::take(&mut self.questions().waiting);
        waiting.into_iter().for_each(Waker::wake);
        any
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
            Kind::Findings(owner, n) => {
                let found = pages(app.findings_of_each(owner, ids, limit(n))?)?;
                for one in &found {
                    if let Loaded::Page(page) = one {
                        self.speaks_of(page.rows.iter().map(|row| &**row));
                    }
                }
                Ok(found)
            }
            Kind::Rows(Below::AmendmentsOfContract, n) => pages(app.amendments_of_each(ids, limit(n))?),
            Kind::Rows(Below::BidsOfTender, n) => pages(app.bids_of_each(ids, limit(n))?),
            Kind::Rows(below, n) => pages(app.items_of_each(below, ids, limit(n))?),
            Kind::Sanctions => rows(app.sanctions_of_each(ids)?),
            Kind::Registrations => rows(app.registrations_of_each(ids)?),
            Kind::Partners => rows(app.partners_of_each(ids)?),
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

/// One question that waits for its answer.
struct Asked {
    loads: Arc<Loads>,
    question: (Kind, String),
}

impl Future for Asked {
    type Output = Answered;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answered> {
        let mut questions = self.loads.questions();
        if let Some(answer) = questions.answered.get(&self.question) {
            return Poll::Ready(answer.clone());
        }
        if questions.known.insert(self.question.clone()) {
            let (kind, id) = self.question.clone();
            questions.asked.entry(kind).or_default().push(id);
        }
        questions.waiting.push(context.waker().clone());
        Poll::Pending
    }
}

/// Whether something can go on.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does `work` to its end on this thread, asking the database whenever all of it waits.
///
/// # Errors
/// It waits for something that is not asked here.
pub fn run<T>(loads: &Loads, work: impl Future<Output = T>) -> Result<T, Problem> {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut work = std::pin::pin!(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Ok(done);
        }
        if !woken.0.swap(false, Ordering::Relaxed) && !loads.fetch() {
            tracing::error!("a query waits for what nobody asks");
            return Err(Problem::internal());
        }
    }
}
