//! Suppliers.

use app::queries::{PageQuery, SupplierQuery};
use app::views::{List, Supplier, SupplierDetail};
use axum::extract::State;

use crate::answer::Answer;
use crate::door::Door;
use crate::params::{Asked, FromParams, Id, Params};
use crate::problem::{ListProblems, OneProblems, Problem};

impl FromParams for SupplierQuery {
    fn read(params: &mut Params) -> Result<Self, Problem> {
        Ok(Self {
            q: params.words("q")?,
            cnpj: params.cnpj("cnpj")?,
            kind: params.code("kind")?,
            sort: params.code("sort")?.unwrap_or_default(),
        })
    }
}

/// Lists suppliers by name.
#[utoipa::path(get, path = "/api/v1/suppliers", tag = "suppliers", params(SupplierQuery, PageQuery),
    responses((status = 200, description = "A page of suppliers", body = List<Supplier>), ListProblems))]
pub async fn list_suppliers(State(door): State<Door>, Asked(query, page): Asked<SupplierQuery>) -> Answer {
    door.ask(move |app| app.suppliers(&query, &page)).await
}

/// Shows one supplier with totals, sanctions, open findings and newest contracts.
#[utoipa::path(get, path = "/api/v1/suppliers/{id}", tag = "suppliers",
    params(("id" = String, Path, description = "The supplier's id, percent-encoded")),
    responses((status = 200, description = "The supplier", body = SupplierDetail), OneProblems))]
pub async fn show_supplier(State(door): State<Door>, Id(id): Id) -> Answer {
    door.ask(move |app| app.supplier(&id)).await
}
