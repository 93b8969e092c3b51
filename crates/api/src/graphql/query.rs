//! One operation: read, measured before anything of it is done, and done on a thread that may block.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use app::App;
use app::limit_settings::GraphqlSettings;
use app::views::WhoAmI;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Request, ServerError, Variables};
use futures_util::FutureExt as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Graphql;
use super::limits::{Costs, Found, measure};
use super::load::Loads;
use super::mutations::{Authority, DEAR};
use super::persisted::hash_of;
use super::plan::Planner;
use super::refusal::Refusal;
use super::run::{Answer, Order, answer, answer_with};
use super::scan::scan;
use super::subscriptions::topic_of;
use crate::live::Named;
use crate::problem::Problem;
use crate::recent::Recent;

/// How deep brackets may stand within each other, whatever they mean.
const BRACKETS_MAX: u64 = 64;
/// Points that cost as much as one request.
const POINTS_PER_REQUEST: u64 = 100;

/// What a request asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The query's text; left out by who names it by its hash.
    #[serde(default)]
    pub query: Option<String>,
    /// Which of several operations.
    #[serde(default)]
    pub operation_name: Option<String>,
    /// Values for its variables.
    #[serde(default)]
    pub variables: Option<Map<String, Value>>,
    /// `persistedQuery` and what others send.
    #[serde(default)]
    pub extensions: Option<Value>,
}

/// An operation that is within all limits.
pub struct Ready {
    document: ExecutableDocument,
    operation: Option<String>,
    variables: Variables,
    /// What it was found to be.
    pub found: Found,
    /// Under what its answer is kept, if it may be.
    pub key: Option<String>,
    /// What the library said of it.
    checked: OnceLock<Result<Value, Vec<Refusal>>>,
}

impl Ready {
    /// Whether it changes something.
    pub fn writes(&self) -> bool {
        self.found.kind == OperationType::Mutation
    }

    /// What it costs its caller, in requests.
    pub fn cost(&self) -> u32 {
        let of_points = u32::try_from(self.found.points / POINTS_PER_REQUEST).unwrap_or(u32::MAX);
        let dear = self.found.roots.iter().filter_map(|root| DEAR.iter().find(|(name, _)| name == root));
        of_points.saturating_add(1).saturating_add(dear.map(|(_, cost)| cost).sum())
    }
}

/// Operations that were made ready; with [`PREPARED_BYTES_MAX`] some 16 MiB at most.
const PREPARED_MAX: usize = 256;
/// Longer ones are made ready each time.
const PREPARED_BYTES_MAX: usize = 4 << 10;

/// Operations that were made ready before, by all that they were asked with: most come again and again.
pub struct Prepared(Mutex<Recent<Box<str>, Arc<Ready>>>);

impl Default for Prepared {
    fn default() -> Self {
        Self(Mutex::new(Recent::new(PREPARED_MAX)))
    }
}

impl Prepared {
    fn held(&self) -> MutexGuard<'_, Recent<Box<str>, Arc<Ready>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes an operation ready: reads it and measures it, if it was not just now.
///
/// # Errors
/// It cannot be understood, or is over a limit.
pub fn ready(asked: Asked, graphql: &Graphql) -> Result<Arc<Ready>, Refusal> {
    let (query, hash) = graphql.persisted.query(asked.query, asked.extensions.as_ref())?;
    let name = (query.len() <= PREPARED_BYTES_MAX)
        .then(|| json!([asked.operation_name, &*query, asked.variables]).to_string().into_boxed_str())
        .filter(|name| name.len() <= 2 * PREPARED_BYTES_MAX);
    if let Some(held) = name.as_ref().and_then(|name| graphql.prepared.held().touch(name).cloned()) {
        if let Some(hash) = hash {
            graphql.persisted.keep(hash, &query);
        }
        return Ok(held);
    }
    let made = Arc::new(read(&query, asked.operation_name, asked.variables, &graphql.costs, &graphql.limits)?);
    if let Some(hash) = hash {
        graphql.persisted.keep(hash, &query);
    }
    // What the library says of the schema is large, and seldom asked for.
    if let Some(name) = name.filter(|_| !made.found.roots.iter().any(|root| root.starts_with("__s"))) {
        graphql.prepared.held().put(name, Arc::clone(&made));
    }
    Ok(made)
}

fn read(
    query: &str,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    costs: &Costs,
    limits: &GraphqlSettings,
) -> Result<Ready, Refusal> {
    let scanned = scan(query, usize::try_from(limits.tokens_max).unwrap_or(usize::MAX));
    for (limit, max, cost) in [
        ("aliases", limits.aliases_max, scanned.aliases),
        ("tokens", limits.tokens_max, scanned.tokens),
        ("bytes", limits.query_bytes_max, query.len()),
        ("nesting", BRACKETS_MAX, scanned.nesting),
    ] {
        if cost as u64 > max {
            return Err(Refusal::limit(limit, max, cost as u64));
        }
    }
    let document = parse_query(query).map_err(|error| refusal_of(ServerError::from(error)))?;
    let given = Value::Object(variables.unwrap_or_default());
    let operation = operation_name.filter(|name| !name.is_empty());
    if operation.is_none() && document.operations.iter().count() > 1 {
        return Err(Refusal::invalid("several operations stand in the query: say which by `operationName`"));
    }
    let variables = Variables::from_json(given.clone());
    let found = measure(&document, operation.as_deref(), &variables, costs, limits)?;
    let is_kept = found.kind == OperationType::Query && found.hint.is_everybodys();
    let question = || json!([operation, scanned.normal, in_order(given.clone())]).to_string();
    let key = is_kept.then(|| format!("/graphql#{}", hash_of(&question())));
    Ok(Ready { document, operation, variables, found, key, checked: OnceLock::new() })
}

/// The same value with the names of its objects in order.
fn in_order(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.into_iter().map(|(name, value)| (name, in_order(value))).collect();
            pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(pairs.into_iter().collect())
        }
        Value::Array(values) => values.into_iter().map(in_order).collect(),
        scalar => scalar,
    }
}

fn refusal_of(error: ServerError) -> Refusal {
    let at = error.locations.first().copied();
    let refusal = if error.message.starts_with("internal") {
        tracing::error!(message = error.message, "a query failed");
        Refusal::from(Problem::internal())
    } else {
        Refusal::invalid(error.message)
    };
    Refusal { at, ..refusal }
}

/// What an operation came to.
pub struct Done {
    /// The answer, as JSON.
    pub body: Vec<u8>,
    /// The status with which it was refused as a whole.
    pub refused: Option<u16>,
    /// Whether all that was asked for is there.
    pub is_whole: bool,
    /// The findings of which it speaks.
    pub findings: Vec<String>,
    /// Statements that it took.
    pub statements: u64,
}

/// Who asks, as far as the operation wants to know.
#[derive(Default)]
pub struct By {
    /// For `me`.
    pub me: Option<WhoAmI>,
    /// For what changes something.
    pub authority: Option<Authority>,
}

impl Ready {
    /// The operation that is asked for.
    ///
    /// # Errors
    /// None has the name; a variable that it needs was not given.
    fn operation(&self) -> Result<&OperationDefinition, Refusal> {
        let mut all = self.document.operations.iter();
        let wanted = |name: Option<&async_graphql_value::Name>| {
            self.operation.as_ref().is_none_or(|wanted| name.is_some_and(|name| name.as_str() == wanted))
        };
        let found = all.find(|(name, _)| wanted(*name)).map(|(_, operation)| &operation.node);
        let found = found.ok_or_else(|| Refusal::invalid("no operation of this name stands in the query"))?;
        for definition in &found.variable_definitions {
            let (name, definition) = (&definition.node.name.node, &definition.node);
            let given = self.variables.get(name).is_some_and(|value| *value != async_graphql_value::ConstValue::Null);
            if !definition.var_type.node.nullable && definition.default_value.is_none() && !given {
                let refusal = Refusal::invalid(format!("the variable `${name}` needs a value"));
                return Err(Refusal { at: Some(definition.var_type.pos), ..refusal });
            }
        }
        Ok(found)
    }

    /// What the library says of it, once asked: why it is wrong, or its answer to `__schema` and `__type`.
    fn checked(&self, graphql: &Graphql) -> Result<&Value, Vec<Refusal>> {
        self.checked.get_or_init(|| self.check(graphql)).as_ref().map_err(Clone::clone)
    }

    fn check(&self, graphql: &Graphql) -> Result<Value, Vec<Refusal>> {
        let mut request = Request::new(String::new()).variables(self.variables.clone()).only_introspection();
        if let Some(operation) = &self.operation {
            request = request.operation_name(operation);
        }
        request.set_parsed_query(self.document.clone());
        let response = graphql.schema.execute(request).now_or_never();
        let Some(response) = response else { return Err(vec![Problem::internal().into()]) };
        // That there are such, and elsewhere, is the one thing that it does not know.
        let (kind, named) = (self.found.kind, |error: &ServerError| error.message == ELSEWHERE);
        if response.errors.is_empty() || (kind == OperationType::Subscription && response.errors.iter().all(named)) {
            return Ok(response.data.into_json().unwrap_or_default());
        }
        Err(response.errors.into_iter().map(refusal_of).collect())
    }
}

/// What the library says of a subscription that is right.
const ELSEWHERE: &str = "Subscriptions are not supported on this transport.";

fn refused(refusals: &[Refusal]) -> Done {
    let errors: Vec<Value> = refusals.iter().map(Refusal::to_json).collect();
    let body = json!({"errors": errors}).to_string().into_bytes();
    Done { body, refused: Some(400), is_whole: false, findings: Vec::new(), statements: 0 }
}

/// Does an operation, here and now.
pub fn work(app: &App, graphql: &Graphql, ready: &Ready, by: &By) -> Done {
    let before = app::statements_here();
    let introspection = match ready.checked(graphql) {
        Ok(introspection) => introspection,
        Err(refusals) => return refused(&refusals),
    };
    let operation = match ready.operation() {
        Ok(operation) => operation,
        Err(refusal) => return refused(&[refusal]),
    };
    let planner = Planner::new(&ready.document, operation, &ready.variables, &graphql.costs, &graphql.resolves);
    let (root, order) = if ready.writes() { ("Mutation", Order::InTurn) } else { ("Query", Order::Together) };
    let plan = planner.plan(root);
    // What was written a moment ago is not seen yet by who keeps.
    let mut loads = Loads::new(app.clone(), graphql.fields.clone().filter(|_| !ready.writes()));
    let answer = answer(&plan, &mut loads, order, by, introspection);
    let is_whole = answer.errors.is_empty();
    let statements = app::statements_here() - before;
    Done { body: body_of(answer), refused: None, is_whole, findings: loads.findings(), statements }
}

/// What a subscription follows, from where on, and whether what it wants of an event must be asked for.
///
/// # Errors
/// Why it cannot be followed.
pub fn follows(graphql: &Graphql, ready: &Ready) -> Result<(Named, Option<u64>, bool), Vec<Refusal>> {
    ready.checked(graphql)?;
    let operation = ready.operation().map_err(|no| vec![no])?;
    let planner = Planner::new(&ready.document, operation, &ready.variables, &graphql.costs, &graphql.resolves);
    let plan = planner.plan("Subscription");
    let [field] = plan.fields.as_slice() else {
        return Err(vec![Refusal::invalid("a subscription has one field at its root")]);
    };
    let [root] = ready.found.roots.as_slice() else {
        return Err(vec![Refusal::invalid("a subscription has one field at its root")]);
    };
    if root.starts_with("__") {
        return Err(vec![Refusal::invalid("a subscription follows something")]);
    }
    let (named, since) = topic_of(field, root, &graphql.followed_by).map_err(|no| vec![no])?;
    Ok((named, since, plan.asks))
}

/// An event as a subscription wants it.
pub fn tell(app: &App, graphql: &Graphql, ready: &Ready, row: &Value) -> Vec<u8> {
    let Ok(operation) = ready.operation() else { return body_of(Answer::default()) };
    let planner = Planner::new(&ready.document, operation, &ready.variables, &graphql.costs, &graphql.resolves);
    let plan = planner.plan("Subscription");
    let before = app::statements_here();
    // It speaks of what was written just now: nothing that was read before counts.
    let mut loads = Loads::new(app.clone(), None);
    let told = plan.fields.first().map(|field| answer_with(field, row, &mut loads));
    graphql.statements.inc_by(app::statements_here() - before);
    body_of(told.unwrap_or_default())
}

/// The answer as it goes out.
pub fn body_of(answer: Answer) -> Vec<u8> {
    let mut body = b"{\"data\":".to_vec();
    body.extend(answer.data);
    if !answer.errors.is_empty() {
        body.extend_from_slice(b",\"errors\":");
        body.extend(Value::from(answer.errors).to_string().into_bytes());
    }
    body.push(b'}');
    body
}
