//! Tenders.

use app::queries::{PageQuery, TenderQuery, modality};
use app::views::{List, Tender, TenderDetail};
use axum::extract::State;

use crate::answer::Answer;
use crate::door::Door;
use crate::params::{Asked, FromParams, Id, Params};
use crate::problem::{ListProblems, OneProblems, Problem};

impl FromParams for TenderQuery {
    fn read(params: &mut Params) -> Result<Self, Problem> {
        Ok(Self {
            buyer_id: params.text("buyer_id")?,
            source: params.text("source")?,
            modality: params.known("modality", modality)?,
            published_from: params.day("published_from")?,
            published_to: params.day("published_to")?,
            sort: params.code("sort")?.unwrap_or_default(),
        })
    }
}

/// Lists tenders, newest publication first.
#[utoipa::path(get, path = "/api/v1/tenders", tag = "contracts", params(TenderQuery, PageQuery),
    responses((status = 200, description = "A page of tenders", body = List<Tender>), ListProblems))]
pub async fn list_tenders(State(door): State<Door>, Asked(query, page): Asked<TenderQuery>) -> Answer {
    door.ask(move |app| app.tenders(&query, &page)).await
}

/// Shows one tender with its items, bids and older versions.
#[utoipa::path(get, path = "/api/v1/tenders/{id}", tag = "contracts",
    params(("id" = String, Path, description = "The tender's id, percent-encoded")),
    responses((status = 200, description = "The tender", body = TenderDetail), OneProblems))]
pub async fn show_tender(State(door): State<Door>, Id(id): Id) -> Answer {
    door.ask(move |app| app.tender(&id)).await
}
