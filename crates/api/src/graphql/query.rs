//! One operation: read, measured before anything of it is done, and done on a thread that may block.

use std::sync::Arc;

use app::App;
use app::limit_settings::GraphqlSettings;
use app::views::WhoAmI;
use async_graphql::dynamic::Schema;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Request, ServerError, Variables};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::limits::{Costs, Found, measure};
use super::load::{Loads, run};
use super::mutations::{Authority, DEAR};
use super::persisted::{Persisted, hash_of};
use super::refusal::Refusal;
use super::scan::scan;
use super::schema::{Me, NEVER_KEPT};
use crate::problem::Problem;

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

/// Reads an operation and measures it.
///
/// # Errors
/// It cannot be understood, or is over a limit.
pub fn ready(asked: Asked, persisted: &Persisted, costs: &Costs, limits: &GraphqlSettings) -> Result<Ready, Refusal> {
    let (query, hash) = persisted.query(asked.query, asked.extensions.as_ref())?;
    let scanned = scan(&query, usize::try_from(limits.tokens_max).unwrap_or(usize::MAX));
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
    let document = parse_query(&*query).map_err(|error| refusal_of(ServerError::from(error)))?;
    let given = Value::Object(asked.variables.unwrap_or_default());
    let operation = asked.operation_name.filter(|name| !name.is_empty());
    if operation.is_none() && document.operations.iter().count() > 1 {
        return Err(Refusal::invalid("several operations stand in the query: say which by `operationName`"));
    }
    let variables = Variables::from_json(given.clone());
    let found = measure(&document, operation.as_deref(), &variables, costs, limits)?;
    if let Some(hash) = hash {
        persisted.keep(hash, &query);
    }
    let is_kept =
        found.kind == OperationType::Query && !found.roots.iter().any(|root| NEVER_KEPT.contains(&root.as_str()));
    let question = || json!([operation, scanned.normal, in_order(given.clone())]).to_string();
    let key = is_kept.then(|| format!("/graphql#{}", hash_of(&question())));
    Ok(Ready { document, operation, variables, found, key })
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

/// Does an operation, here and now.
///
/// # Errors
/// Something failed inside.
pub fn work(app: &App, schema: &Schema, ready: Ready, by: By) -> Result<Done, Problem> {
    let before = app::statements_here();
    let loads = Loads::new(app.clone());
    let mut request = Request::new(String::new()).variables(ready.variables).data(Arc::clone(&loads)).data(Me(by.me));
    if let Some(operation) = ready.operation {
        request = request.operation_name(operation);
    }
    if let Some(authority) = by.authority {
        request = request.data(authority);
    }
    request.set_parsed_query(ready.document);
    let mut response = run(&loads, schema.execute(request))?;
    let is_whole = response.errors.is_empty();
    // Refused before it was begun: then there is no data, not even none.
    let is_refused = !is_whole && response.errors.iter().all(|error| error.path.is_empty());
    for error in &mut response.errors {
        if error.extensions.is_none() {
            let (path, at) = (std::mem::take(&mut error.path), error.locations.first().copied().unwrap_or_default());
            *error = ServerError { path, ..refusal_of(error.clone()).into_error(at) };
        }
    }
    let body = if is_refused {
        serde_json::to_vec(&json!({"errors": response.errors}))
    } else {
        serde_json::to_vec(&response)
    };
    let body = body.map_err(|error| {
        tracing::error!(%error, "an answer could not be encoded");
        Problem::internal()
    })?;
    let statements = app::statements_here() - before;
    Ok(Done { body, refused: is_refused.then_some(400), is_whole, findings: loads.findings(), statements })
}
