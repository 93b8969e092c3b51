//! Refusals in GraphQL's own form: `errors` with the `type`s that REST's problems have, in their `extensions`.

use async_graphql::Pos;
use serde_json::{Map, Value, json};

use super::names::camel;
use crate::problem::Problem;

/// By this clients know that a query is not kept here.
const NOT_PERSISTED: &str = "PERSISTED_QUERY_NOT_FOUND";

/// The code by which the usual clients and tools tell whose fault it is.
fn code_of(r#type: &str, status: u64) -> &'static str {
    match (r#type, status) {
        ("/problems/invalid-query", _) => "GRAPHQL_VALIDATION_FAILED",
        (_, 401) => "UNAUTHENTICATED",
        (_, 403) => "FORBIDDEN",
        (_, 500..) => "INTERNAL_SERVER_ERROR",
        _ => "BAD_USER_INPUT",
    }
}

/// Why a request is not done, or not wholly.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What is wrong, for people.
    pub message: String,
    /// `type`, `title`, `status` and what else there is to say.
    pub extensions: Map<String, Value>,
    /// Where in the query.
    pub at: Option<Pos>,
}

impl Refusal {
    /// The query cannot be understood.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::from(Problem::invalid_query(message.into()))
    }

    /// The query is beyond a limit.
    pub fn limit(limit: &'static str, max: u64, cost: u64) -> Self {
        let detail = format!("the query is over the limit `{limit}`: at most {max}, and it comes to {cost}");
        let mut refusal = Self::from(Problem::over_limit(detail));
        refusal.extensions.insert("limit".to_owned(), limit.into());
        refusal.extensions.insert("max".to_owned(), max.into());
        refusal.extensions.insert("cost".to_owned(), cost.into());
        refusal
    }

    /// The persisted query is not held here: the client sends it whole.
    pub fn not_persisted() -> Self {
        let problem = Problem::not_found("no query is kept under this hash; send it whole, once, with the hash");
        let mut refusal = Self::from(problem);
        "PersistedQueryNotFound".clone_into(&mut refusal.message);
        refusal.extensions.insert("code".to_owned(), NOT_PERSISTED.into());
        refusal
    }

    /// Whether the client has but to send the query whole.
    pub fn is_not_persisted(&self) -> bool {
        self.extensions.get("code").is_some_and(|code| code == NOT_PERSISTED)
    }

    /// The HTTP status of the same refusal by REST.
    pub fn status(&self) -> u16 {
        self.extensions.get("status").and_then(Value::as_u64).and_then(|status| status.try_into().ok()).unwrap_or(400)
    }

    /// As it stands in `errors`.
    pub fn to_json(&self) -> Value {
        let mut error = json!({"message": self.message, "extensions": self.extensions});
        if let Some(at) = self.at {
            error["locations"] = json!([{"line": at.line, "column": at.column}]);
        }
        error
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let Ok(Value::Object(mut extensions)) = serde_json::to_value(&problem) else {
            return Self { message: "internal".to_owned(), extensions: Map::new(), at: None };
        };
        let message = match extensions.remove("detail") {
            Some(Value::String(detail)) => detail,
            _ => String::new(),
        };
        let status = extensions.get("status").and_then(Value::as_u64).unwrap_or(500);
        let code = code_of(extensions.get("type").and_then(Value::as_str).unwrap_or_default(), status);
        extensions.insert("code".to_owned(), code.into());
        // Parameters have other names here.
        if let Some(Value::String(field)) = extensions.get_mut("field") {
            *field = match field.as_str() {
                "limit" => "first".to_owned(),
                "cursor" => "after".to_owned(),
                other => camel(other),
            };
        }
        Self { message, extensions, at: None }
    }
}

impl From<app::Error> for Refusal {
    fn from(error: app::Error) -> Self {
        Problem::from(error).into()
    }
}
