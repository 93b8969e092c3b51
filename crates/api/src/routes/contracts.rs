//! Contracts.

use app::queries::{ContractQuery, PageQuery, modality, state};
use app::views::{Contract, ContractDetail, List};
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse as _, Response};

use crate::answer::Answer;
use crate::door::Door;
use crate::export::{self, CONTRACTS};
use crate::forms::Medium;
use crate::params::{Asked, FromParams, Id, Params};
use crate::problem::{ListProblems, OneProblems, Problem};

impl FromParams for ContractQuery {
    fn read(params: &mut Params) -> Result<Self, Problem> {
        Ok(Self {
            q: params.words("q")?,
            buyer_id: params.text("buyer_id")?,
            supplier_id: params.text("supplier_id")?,
            cnpj: params.cnpj("cnpj")?,
            source: params.text("source")?,
            modality: params.known("modality", modality)?,
            state: params.known("state", state)?,
            signed_from: params.day("signed_from")?,
            signed_to: params.day("signed_to")?,
            value_min: params.money("value_min")?,
            value_max: params.money("value_max")?,
            sort: params.code("sort")?.unwrap_or_default(),
        })
    }
}

/// Lists contracts, newest signature first.
///
/// Money is in BRL. `q` searches the object's text and the parties' names.
#[utoipa::path(get, path = "/api/v1/contracts", tag = "contracts", params(ContractQuery, PageQuery),
    responses((status = 200, description = "A page of contracts", body = List<Contract>), ListProblems))]
pub async fn list_contracts(
    State(door): State<Door>,
    form: Medium,
    OriginalUri(uri): OriginalUri,
    Asked(query, page): Asked<ContractQuery>,
) -> Result<Response, Problem> {
    if form.is_table() {
        return door
            .ask_for(move |app| Ok(export::page(form, CONTRACTS, &app.contracts(&query, &page)?, &uri)))
            .await?;
    }
    Ok(door.ask(move |app| app.contracts(&query, &page)).await?.into_response())
}

/// Shows one contract with its items, amendments, open findings and older versions.
#[utoipa::path(get, path = "/api/v1/contracts/{id}", tag = "contracts",
    params(("id" = String, Path, description = "The contract's id, percent-encoded")),
    responses((status = 200, description = "The contract", body = ContractDetail), OneProblems))]
pub async fn show_contract(State(door): State<Door>, Id(id): Id) -> Answer {
    door.ask(move |app| app.contract(&id)).await
}
