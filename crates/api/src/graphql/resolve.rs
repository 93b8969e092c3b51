//! How a field is answered: out of the row that it stands on, by a question that is asked together with others, or on the spot.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use app::App;
use app::queries::PageQuery;
use async_graphql_value::ConstValue;
use serde_json::Value;

use super::load::{Kind, Loaded, Page};
use super::query::By;
use super::refusal::Refusal;
use crate::params::{FromParams as _, Params, short_enough};
use crate::problem::Problem;

/// Where a row names what it leads to.
pub type Names = fn(&Value) -> Option<String>;
/// What is said of a page.
pub type OfPage = fn(&Page) -> Value;
/// What is asked on the spot, of a root.
pub type Ask = Box<dyn Fn(&Asking<'_>) -> Result<Loaded, Refusal> + Send + Sync>;

/// How a field is answered.
pub enum Resolve {
    /// What stands in the row under REST's name.
    Scalar(String),
    /// The same, of what is never null.
    Id(String),
    /// An object that came with the row.
    Object(String),
    /// Objects that came with the row.
    Objects(String),
    /// What is made of the row.
    Made(fn(&Value) -> Value),
    /// What the row leads to.
    Leads(Kind, Names),
    /// The first so many of what belongs to the row.
    Below(fn(usize) -> Kind),
    /// The contracts that a finding names.
    ContractsNamed,
    /// `edges` of a page.
    Edges,
    /// `nodes` of a page.
    Nodes,
    /// `pageInfo` of a page.
    PageInfo,
    /// `node` of an edge.
    Node,
    /// `cursor` of an edge.
    Cursor,
    /// A field of `PageInfo`.
    OfPage(OfPage),
    /// A record by the id that is given; an error when it is not held.
    ById(Kind, &'static str),
    /// Asked on the spot.
    Root(Ask),
    /// Told when it happens.
    Event,
}

/// How every field of every type is answered.
pub type Resolves = HashMap<String, HashMap<String, Resolve>>;

/// The arguments of a field, with the variables' values.
#[derive(Debug, Default)]
pub struct Given {
    arguments: HashMap<String, ConstValue>,
    /// How many rows are asked for, once that was read: each parent asks.
    how_many: OnceLock<Result<usize, Refusal>>,
}

impl Given {
    /// These.
    pub fn new(arguments: HashMap<String, ConstValue>) -> Self {
        Self { arguments, how_many: OnceLock::new() }
    }

    /// An argument.
    pub fn get(&self, name: &str) -> Option<&ConstValue> {
        self.arguments.get(name)
    }

    /// An argument, as a parameter is written.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.arguments.get(name)? {
            ConstValue::String(text) => Some(text.clone()),
            ConstValue::Number(number) => Some(number.to_string()),
            ConstValue::Boolean(is) => Some(is.to_string()),
            _ => None,
        }
    }

    /// An argument that is an id.
    ///
    /// # Errors
    /// None is as long.
    pub fn id(&self, name: &str) -> Result<String, Problem> {
        short_enough(self.text(name).unwrap_or_default())
    }

    /// The arguments as REST's parameters: those of `names` (here, there), and the page.
    ///
    /// # Errors
    /// One of them cannot be.
    pub fn parameters(&self, names: &[(String, String)]) -> Result<Params, Refusal> {
        let pages = [("first", "limit"), ("after", "cursor")].map(|(name, key)| (name.to_owned(), key.to_owned()));
        let given = names.iter().chain(&pages);
        let given = given.filter_map(|(name, key)| self.text(name).map(|value| (key.clone(), value)));
        Ok(Params::new(given.collect())?)
    }

    /// How many rows are asked for, refused as REST refuses it.
    ///
    /// # Errors
    /// More than a page holds, or none.
    pub fn how_many(&self) -> Result<usize, Refusal> {
        let read = || Ok(PageQuery::read(&mut self.parameters(&[])?)?.limit.unwrap_or_default().get());
        self.how_many.get_or_init(read).clone()
    }
}

/// One question at a root.
pub struct Asking<'a> {
    /// Whom it is asked.
    pub app: &'a App,
    /// By whom.
    pub by: &'a By,
    /// With which arguments.
    pub given: &'a Given,
}

/// A record on its own.
pub fn one(value: Value) -> Loaded {
    Loaded::One(Arc::new(value))
}
