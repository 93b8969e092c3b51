//! GraphQL: the same records and the same rules as REST, as a tree of what is asked for.
//!
//! The schema is made at start from the OpenAPI document, so that a view is described once; rows travel as the JSON that REST would show.
//! A query is measured before anything of it is done ([`limits`]) and checked by the library. Then it is answered by ours, on one thread that
//! may block behind the same gate as REST's questions: made a plan ([`plan`]), for which the database is asked once for each kind of record and
//! step down the tree ([`load`]), and written as JSON straight out of the rows ([`run`]).

mod build;
mod explorer;
mod hints;
mod http;
mod kept;
mod limits;
mod load;
mod mutations;
mod names;
mod persisted;
mod plan;
mod query;
mod refusal;
mod resolve;
mod run;
mod scan;
mod schema;
mod shapes;
mod socket;
mod stats;
mod subscriptions;

use std::sync::Arc;

use app::limit_settings::GraphqlSettings;
use async_graphql::dynamic::Schema;
use axum::routing::get;
use axum::{Extension, Router};
use prometheus::IntCounter;

use crate::door::Door;
use kept::FieldValues;
use limits::Costs;
use persisted::Persisted;
use query::Prepared;
use resolve::Resolves;
use schema::Made;

/// What every query shares.
struct Graphql {
    schema: Schema,
    costs: Costs,
    resolves: Resolves,
    limits: GraphqlSettings,
    persisted: Persisted,
    prepared: Prepared,
    statements: IntCounter,
    fields: Option<Arc<FieldValues>>,
    /// The filters by which findings are followed, as REST names them.
    followed_by: Vec<String>,
}

/// The routes of this door.
///
/// # Panics
/// Never: the schema is made of views alone, and the tests have seen it and its metric's name accepted.
pub fn routes(door: &Door) -> Router<Door> {
    let Made { schema, costs, resolves, followed_by } =
        schema::schema().expect("the schema names only types that are there");
    let statements = IntCounter::new("cidadao_ai_graphql_statements_total", "Statements that GraphQL queries took.");
    let statements = statements.expect("the metric's name is well formed");
    door.metrics().add(&[&statements]).expect("the metric stands once");
    let fields = door.answers().and_then(|answers| FieldValues::of(door.graphql(), answers.world()));
    if let Some(fields) = &fields {
        fields.measure_in(door.metrics()).expect("the metrics stand once");
    }
    let (limits, persisted, fields) = (door.graphql().clone(), Persisted::default(), fields.map(Arc::new));
    let prepared = Prepared::default();
    let graphql = Graphql { schema, costs, resolves, limits, persisted, prepared, statements, fields, followed_by };
    Router::new()
        .route("/graphql", get(http::get).post(http::post))
        .route("/graphql/ws", get(socket::open))
        .route("/graphql/explorer.js", get(explorer::script))
        .route("/graphql/explorer.css", get(explorer::style))
        .layer(Extension(Arc::new(graphql)))
}

/// The schema in GraphQL's own language.
///
/// # Panics
/// As [`routes`].
#[must_use]
pub fn sdl() -> String {
    schema::schema().expect("the schema names only types that are there").schema.sdl()
}

#[cfg(test)]
mod tests {
    /// The schema as it was last agreed to. `CIDADAO_WRITE_SDL=1 cargo test …` writes it anew.
    #[test]
    fn the_schema_is_the_one_that_was_agreed_to() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
        let now = super::sdl();
        if std::env::var_os("CIDADAO_WRITE_SDL").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        let agreed = std::fs::read_to_string(path).unwrap();
        assert_eq!(now, agreed, "CIDADAO_WRITE_SDL=1 writes it anew");
    }
}
