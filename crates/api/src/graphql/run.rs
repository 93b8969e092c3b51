//! Answering an operation: what it needs is gathered level by level, each kind of question asked once for all of a level, and then the answer
//! is written as JSON straight out of the rows.

use std::sync::Arc;

use async_graphql::Pos;
use serde_json::{Value, json};

use super::load::{Answered, Kind, Loaded, Loads, Page, Wanted};
use super::plan::{Plan, Planned, What};
use super::refusal::Refusal;
use super::resolve::{Asking, Resolve};
use crate::problem::Problem;

/// What fields are asked of.
#[derive(Clone, Copy)]
enum Node<'a> {
    Row(&'a Value),
    Page(&'a Page),
    Edge(&'a Page, usize),
}

/// The value of a field.
enum Shown<'a> {
    Null,
    Text(&'a str),
    Scalar(&'a Value),
    Made(Value),
    Node(Node<'a>),
    Rows(&'a [Arc<Value>]),
    Objects(&'a [Value]),
    Edges(&'a Page),
    /// A page of what was asked for one by one.
    Own(Page),
    Refused(Refusal),
    /// Not there yet.
    Waits(Vec<(Kind, String)>),
    /// What is never null is not there.
    Absent,
}

/// Something that is never null is not there: what holds it is null.
struct Absent;

/// A step on the way to a field.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// Where the answer goes.
struct Writer<'a> {
    out: Vec<u8>,
    errors: Vec<Value>,
    path: Vec<Step<'a>>,
}

/// An answer.
#[derive(Default)]
pub struct Answer {
    /// The data, as JSON.
    pub data: Vec<u8>,
    /// What could not be answered, as it stands in `errors`.
    pub errors: Vec<Value>,
}

/// How the roots are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Their questions are asked together.
    Together,
    /// Each is done before the next is begun.
    InTurn,
}

/// Answers what is planned. `introspection` is what the library said of `__schema` and `__type`.
pub fn answer(
    plan: &Plan<'_>,
    loads: &mut Loads,
    order: Order,
    by: &super::query::By,
    introspection: &Value,
) -> Answer {
    let app = loads.app().clone();
    let mut writer = Writer { out: vec![b'{'], errors: Vec::new(), path: Vec::new() };
    let ask = |field: &Planned<'_>| match &field.what {
        What::Field(Resolve::Root(ask)) => Some(ask(&Asking { app: &app, by, given: &field.given })),
        _ => None,
    };
    let groups: Vec<&[Planned<'_>]> = match order {
        Order::Together => vec![&plan.fields],
        Order::InTurn => plan.fields.chunks(1).collect(),
    };
    for fields in groups {
        if order == Order::InTurn {
            loads.forget();
        }
        let roots: Vec<Option<Answered>> = fields.iter().map(ask).collect();
        speak_of(fields, &roots, loads);
        loads.fetch_all(|loads, wanted| {
            for (field, root) in fields.iter().zip(&roots) {
                gather_in(loads, field, root_of(loads, field, root.as_ref(), introspection), wanted);
            }
        });
        for (field, root) in fields.iter().zip(&roots) {
            if writer.out.len() > 1 {
                writer.out.push(b',');
            }
            writer.out.extend_from_slice(&field.label);
            writer.path.push(Step::Key(field.key));
            let shown = root_of(loads, field, root.as_ref(), introspection);
            // All roots may be null.
            let _ = writer.value(loads, field, shown);
            writer.path.pop();
        }
    }
    writer.out.push(b'}');
    Answer { data: writer.out, errors: writer.errors }
}

/// Notes the findings that stand at the roots.
fn speak_of(fields: &[Planned<'_>], roots: &[Option<Answered>], loads: &mut Loads) {
    for (field, root) in fields.iter().zip(roots) {
        match root {
            Some(Ok(Loaded::Page(page))) if field.of == "FindingConnection" => {
                loads.speaks_of(page.rows.iter().map(|row| &**row));
            }
            Some(Ok(Loaded::One(row))) if field.of == "Finding" => loads.speaks_of(std::iter::once(&**row)),
            _ => {}
        }
    }
}

/// Answers one root whose value is there already, as an event's is.
pub fn answer_with(field: &Planned<'_>, row: &Value, loads: &mut Loads) -> Answer {
    let mut writer = Writer { out: vec![b'{'], errors: Vec::new(), path: vec![Step::Key(field.key)] };
    loads.fetch_all(|loads, wanted| gather_in(loads, field, Shown::Node(Node::Row(row)), wanted));
    writer.out.extend_from_slice(&field.label);
    let _ = writer.value(loads, field, Shown::Node(Node::Row(row)));
    writer.out.push(b'}');
    Answer { data: writer.out, errors: writer.errors }
}

fn root_of<'a>(
    loads: &'a Loads,
    field: &'a Planned<'a>,
    root: Option<&'a Answered>,
    introspection: &'a Value,
) -> Shown<'a> {
    match (&field.what, root) {
        (_, Some(Ok(loaded))) => of_loaded(loaded),
        (_, Some(Err(refusal))) => Shown::Refused(refusal.clone()),
        (What::Introspection, None) => introspection.get(field.key).map_or(Shown::Null, Shown::Scalar),
        (What::Field(Resolve::ById(kind, name)), None) => {
            let id = match field.given.id("id") {
                Ok(id) => id,
                Err(problem) => return Shown::Refused(problem.into()),
            };
            match loads.get(*kind, &id) {
                Some(Ok(Loaded::Nothing)) => {
                    Shown::Refused(Problem::not_found(format!("{name} `{id}` is not held")).into())
                }
                Some(answered) => of_answered(answered),
                None => Shown::Waits(vec![(*kind, id)]),
            }
        }
        _ => shown(loads, field, Node::Row(&Value::Null)),
    }
}

fn of_answered(answered: &Answered) -> Shown<'_> {
    match answered {
        Ok(loaded) => of_loaded(loaded),
        Err(refusal) => Shown::Refused(refusal.clone()),
    }
}

fn of_loaded(loaded: &Loaded) -> Shown<'_> {
    match loaded {
        Loaded::Nothing => Shown::Null,
        Loaded::One(row) => Shown::Node(Node::Row(row)),
        Loaded::Page(page) => Shown::Node(Node::Page(page)),
        Loaded::Rows(rows) => Shown::Rows(rows),
    }
}

/// The value of a field of `node`, as far as it is there.
fn shown<'a>(loads: &'a Loads, field: &'a Planned<'a>, node: Node<'a>) -> Shown<'a> {
    let resolve = match &field.what {
        What::Typename(of) => return Shown::Text(of),
        What::Introspection => return Shown::Null,
        What::Field(resolve) => *resolve,
    };
    let asked = |kind: Kind, id: Option<String>| match id {
        None => Shown::Null,
        Some(id) => match loads.get(kind, &id) {
            Some(answered) => of_answered(answered),
            None => Shown::Waits(vec![(kind, id)]),
        },
    };
    match (node, resolve) {
        (Node::Row(row), Resolve::Scalar(key)) => {
            row.get(key).filter(|value| !value.is_null()).map_or(Shown::Null, Shown::Scalar)
        }
        (Node::Row(row), Resolve::Id(key)) => {
            row.get(key).filter(|value| value.is_string()).map_or(Shown::Absent, Shown::Scalar)
        }
        (Node::Row(row), Resolve::Object(key)) => {
            row.get(key).filter(|value| value.is_object()).map_or(Shown::Null, |row| Shown::Node(Node::Row(row)))
        }
        (Node::Row(row), Resolve::Objects(key)) => {
            row.get(key).and_then(Value::as_array).map_or(Shown::Null, |rows| Shown::Objects(rows))
        }
        (Node::Row(row), Resolve::Made(make)) => Shown::Made(make(row)),
        (Node::Row(row), Resolve::Leads(kind, names)) => asked(*kind, names(row)),
        (Node::Row(row), Resolve::Below(kind)) => match field.given.how_many() {
            Ok(n) => asked(kind(n), text_of(row, "id")),
            Err(refusal) => Shown::Refused(refusal),
        },
        (Node::Row(row), Resolve::ContractsNamed) => match field.given.how_many() {
            Ok(n) => contracts_named(loads, row, n),
            Err(refusal) => Shown::Refused(refusal),
        },
        (Node::Page(page), Resolve::Edges) => Shown::Edges(page),
        (Node::Page(page), Resolve::Nodes) => Shown::Rows(&page.rows),
        (Node::Page(page), Resolve::PageInfo) => Shown::Node(Node::Page(page)),
        (Node::Page(page), Resolve::OfPage(show)) => Shown::Made(show(page)),
        (Node::Edge(page, at), Resolve::Node) => Shown::Node(Node::Row(&page.rows[at])),
        // A list that goes on nowhere has no cursors.
        (Node::Edge(page, at), Resolve::Cursor) => Shown::Text(page.cursors.get(at).map_or("", String::as_str)),
        _ => Shown::Null,
    }
}

/// A text of a row.
pub fn text_of(row: &Value, key: &str) -> Option<String> {
    row.get(key)?.as_str().map(str::to_owned)
}

fn contracts_named<'a>(loads: &'a Loads, row: &Value, n: usize) -> Shown<'a> {
    let ids: Vec<&str> = row["contract_ids"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut page = Page { has_next: ids.len() > n, ..Page::default() };
    let mut waits = Vec::new();
    for id in ids.into_iter().take(n) {
        match loads.get(Kind::Contract, id) {
            Some(Ok(Loaded::One(contract))) => page.rows.push(Arc::clone(contract)),
            Some(Ok(_)) => {}
            Some(Err(refusal)) => return Shown::Refused(refusal.clone()),
            None => waits.push((Kind::Contract, id.to_owned())),
        }
    }
    if waits.is_empty() { Shown::Own(page) } else { Shown::Waits(waits) }
}

/// Notes all that is asked for below a value and not there yet.
fn gather_in(loads: &Loads, field: &Planned<'_>, shown: Shown<'_>, wanted: &mut Wanted) {
    let plan = &field.below;
    match shown {
        Shown::Waits(questions) => questions.into_iter().for_each(|(kind, id)| wanted.add(kind, id)),
        _ if !plan.asks => {}
        Shown::Node(node) => gather(loads, plan, node, wanted),
        Shown::Rows(rows) => rows.iter().for_each(|row| gather(loads, plan, Node::Row(row), wanted)),
        Shown::Objects(rows) => rows.iter().for_each(|row| gather(loads, plan, Node::Row(row), wanted)),
        Shown::Edges(page) => (0..page.rows.len()).for_each(|at| gather(loads, plan, Node::Edge(page, at), wanted)),
        Shown::Own(page) => gather(loads, plan, Node::Page(&page), wanted),
        _ => {}
    }
}

fn gather(loads: &Loads, plan: &Plan<'_>, node: Node<'_>, wanted: &mut Wanted) {
    for field in plan.fields.iter().filter(|field| field.asks()) {
        gather_in(loads, field, shown(loads, field, node), wanted);
    }
}

impl<'p> Writer<'p> {
    fn object<'a: 'p>(&mut self, loads: &Loads, plan: &'p Plan<'a>, node: Node<'_>) -> Result<(), Absent> {
        self.out.push(b'{');
        for (at, field) in plan.fields.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&field.label);
            self.path.push(Step::Key(field.key));
            let written = self.value(loads, field, shown(loads, field, node));
            self.path.pop();
            written?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn list<'a: 'p, 'n>(
        &mut self,
        loads: &Loads,
        plan: &'p Plan<'a>,
        nodes: impl Iterator<Item = Node<'n>>,
    ) -> Result<(), Absent> {
        self.out.push(b'[');
        for (at, node) in nodes.enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.path.push(Step::Index(at));
            let written = self.object(loads, plan, node);
            self.path.pop();
            written?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// Writes the value of a field; null where something that it needs is not there.
    fn value<'a: 'p>(&mut self, loads: &Loads, field: &'p Planned<'a>, shown: Shown<'_>) -> Result<(), Absent> {
        let begun = self.out.len();
        let plan = &field.below;
        let written = match shown {
            Shown::Null => self.json(&Value::Null),
            Shown::Text(text) => self.json(text),
            Shown::Scalar(value) => self.json(value),
            Shown::Made(value) => self.json(&value),
            Shown::Node(node) => self.object(loads, plan, node),
            Shown::Rows(rows) => self.list(loads, plan, rows.iter().map(|row| Node::Row(row))),
            Shown::Objects(rows) => self.list(loads, plan, rows.iter().filter(|row| row.is_object()).map(Node::Row)),
            Shown::Edges(page) => self.list(loads, plan, (0..page.rows.len()).map(|at| Node::Edge(page, at))),
            Shown::Own(page) => self.object(loads, plan, Node::Page(&page)),
            Shown::Refused(refusal) => self.refused(refusal, field.at),
            Shown::Waits(_) => {
                tracing::error!(field = field.key, "a field waits for what nobody asks");
                self.refused(Problem::internal().into(), field.at)
            }
            Shown::Absent => {
                tracing::error!(field = field.key, "what is never null is not there");
                let _ = self.refused(Problem::internal().into(), field.at);
                return Err(Absent);
            }
        };
        if written.is_err() {
            self.out.truncate(begun);
            // The parts of a page are never null either.
            let is_part = matches!(
                field.what,
                What::Field(Resolve::Edges | Resolve::Nodes | Resolve::Node | Resolve::PageInfo | Resolve::Cursor)
            );
            return if is_part { written } else { self.json(&Value::Null) };
        }
        Ok(())
    }

    fn json(&mut self, value: &(impl serde::Serialize + ?Sized)) -> Result<(), Absent> {
        // Values are JSON, and memory takes what is written.
        serde_json::to_writer(&mut self.out, value).map_err(|_| Absent)
    }

    fn refused(&mut self, refusal: Refusal, at: Pos) -> Result<(), Absent> {
        let path = self.path.iter().map(|step| match step {
            Step::Key(key) => json!(key),
            Step::Index(index) => json!(index),
        });
        let path: Vec<Value> = path.collect();
        let mut error = Refusal { at: Some(at), ..refusal }.to_json();
        error["path"] = path.into();
        self.errors.push(error);
        self.json(&Value::Null)
    }
}
