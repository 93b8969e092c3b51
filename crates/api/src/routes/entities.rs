//! Which ids are one buyer or supplier.

use app::DecideLink;
use app::queries::{LinkQuery, PageQuery};
use app::views::{Entity, EntityLink, List};
use axum::extract::State;

use crate::answer::{Answer, Encoded};
use crate::authority::Analyst;
use crate::command::Command;
use crate::door::Door;
use crate::params::{Asked, FromParams, Params};
use crate::problem::{CommandProblems, ListProblems, OneProblems, Problem};

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

/// Merges two ids of one buyer or of one supplier: their contracts are shown and judged as one's, from the next judgement on.
///
/// It takes an analyst, and a reason.
#[utoipa::path(post, path = "/api/v1/entities/links/merge", tag = "entities", request_body = DecideLink,
    responses((status = 200, description = "The entity that they are now", body = Entity),
        (status = 403, description = "Not an analyst", body = Problem), OneProblems, CommandProblems))]
pub async fn merge_entities(
    Analyst(account): Analyst,
    State(door): State<Door>,
    Command { asked, .. }: Command<DecideLink>,
) -> Answer {
    let DecideLink { from, into, reason } = asked;
    Encoded::json(&door.ask_for(move |app| app.merge_entities(&from, &into, &reason, account.as_ref())).await?)
}

/// Undoes a merge, or turns a proposal down: the program never merges the two again.
///
/// It takes an analyst.
#[utoipa::path(post, path = "/api/v1/entities/links/undo", tag = "entities", request_body = DecideLink,
    responses((status = 200, description = "The entity that `from` is now", body = Entity),
        (status = 403, description = "Not an analyst", body = Problem), OneProblems, CommandProblems))]
pub async fn undo_entities(
    Analyst(account): Analyst,
    State(door): State<Door>,
    Command { asked, .. }: Command<DecideLink>,
) -> Answer {
    let DecideLink { from, into, reason } = asked;
    Encoded::json(&door.ask_for(move |app| app.undo_entities(&from, &into, &reason, account.as_ref())).await?)
}
