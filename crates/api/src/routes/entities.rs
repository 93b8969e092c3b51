//! Which ids are one buyer or supplier.

use app::queries::{LinkQuery, PageQuery};
use app::views::{EntityLink, List};
use axum::extract::State;

use crate::answer::Answer;
use crate::door::Door;
use crate::params::{Asked, FromParams, Params};
use crate::problem::{ListProblems, Problem};

impl FromParams for LinkQuery {
    fn read(params: &mut Params) -> Result<Self, Problem> {
        Ok(Self { kind: params.code("kind")?, state: params.code("state")? })
    }
}

/// Lists links between ids of one buyer or supplier, newest decision first.
///
/// A link by name is a proposal: it merges nothing until a person decides.
#[utoipa::path(get, path = "/api/v1/entities/links", tag = "entities", params(LinkQuery, PageQuery),
    responses((status = 200, description = "A page of links", body = List<EntityLink>), ListProblems))]
pub async fn list_links(State(door): State<Door>, Asked(query, page): Asked<LinkQuery>) -> Answer {
    door.ask(move |app| app.entity_links(&query, &page)).await
}
