//! Buyers.

use app::queries::{BuyerQuery, PageQuery, state};
use app::views::{Buyer, BuyerDetail, List};
use axum::extract::State;

use crate::answer::Answer;
use crate::door::Door;
use crate::params::{Asked, FromParams, Id, Params};
use crate::problem::{ListProblems, OneProblems, Problem};

impl FromParams for BuyerQuery {
    fn read(params: &mut Params) -> Result<Self, Problem> {
        Ok(Self {
            q: params.words("q")?,
            state: params.known("state", state)?,
            sphere: params.code("sphere")?,
            sort: params.code("sort")?.unwrap_or_default(),
        })
    }
}

/// Lists buyers by name.
#[utoipa::path(get, path = "/api/v1/buyers", tag = "buyers", params(BuyerQuery, PageQuery),
    responses((status = 200, description = "A page of buyers", body = List<Buyer>), ListProblems))]
pub async fn list_buyers(State(door): State<Door>, Asked(query, page): Asked<BuyerQuery>) -> Answer {
    door.ask(move |app| app.buyers(&query, &page)).await
}

/// Shows one buyer with totals, open findings and newest contracts.
#[utoipa::path(get, path = "/api/v1/buyers/{id}", tag = "buyers",
    params(("id" = String, Path, description = "The buyer's id, percent-encoded")),
    responses((status = 200, description = "The buyer", body = BuyerDetail), OneProblems))]
pub async fn show_buyer(State(door): State<Door>, Id(id): Id) -> Answer {
    door.ask(move |app| app.buyer(&id)).await
}
