//! Dossiers: of an investigation, of a supplier, of a buyer; and the letter that asks a body for what is missing.

use app::App;
use app::queries::{DossierForm, Language};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::door::Door;
use crate::dossiers::{DossierQuery, answered, give, patience};
use crate::params::{FromParams, IdWith, Params};
use crate::problem::{BundleProblems, OneProblems, Problem};

/// The body that a letter is to.
#[derive(Debug, Default, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LetterQuery {
    /// The buyer's id; without it the body that the scope or most of the findings name.
    pub buyer: Option<String>,
}

impl FromParams for LetterQuery {
    fn read(params: &mut Params) -> Result<Self, Problem> {
        Ok(Self { buyer: params.text("buyer")? })
    }
}

/// Gives the dossier of an investigation: summary, method, findings with their rows, limits, what may explain them, sources.
///
/// One that has not ended, or did not come to its end, gives what there is, named partial. JSON and ZIP are signed; `cidadao verify` checks them.
#[utoipa::path(get, path = "/api/v1/investigations/{id}/report", tag = "investigations",
    params(("id" = String, Path, description = "The investigation's id"), DossierQuery),
    responses((status = 200, description = "The dossier", content(
        (Object = "application/json"), (String = "text/html"), (String = "text/markdown"), (String = "text/csv"),
        (Vec<u8> = "application/pdf"), (Vec<u8> = "application/zip"))), OneProblems, BundleProblems))]
pub async fn report_investigation(
    State(door): State<Door>,
    headers: HeaderMap,
    IdWith(id, query): IdWith<DossierQuery>,
) -> Result<Response, Problem> {
    let name = format!("dossie-{id}");
    give(&door, query, &headers, name, move |app, ask| app.investigation_report(&id, ask)).await
}

/// Gives the letter that asks a body for what an investigation lacks (Lei 12.527/2011), in Portuguese, with blanks for who asks.
#[utoipa::path(get, path = "/api/v1/investigations/{id}/lai", tag = "investigations",
    params(("id" = String, Path, description = "The investigation's id"), LetterQuery),
    responses((status = 200, description = "The letter", body = String, content_type = "text/markdown"), OneProblems, BundleProblems))]
pub async fn write_letter(
    State(door): State<Door>,
    IdWith(id, LetterQuery { buyer }): IdWith<LetterQuery>,
) -> Result<Response, Problem> {
    let name = format!("pedido-lai-{id}");
    let patience = patience(&door);
    let letter = move |app: &App| app.information_request(&id, buyer.as_deref(), patience).map(String::into_bytes);
    Ok(answered(door.fetch(letter).await?, DossierForm::Markdown, Language::Pt, &name))
}

/// Gives the dossier of a supplier: contracts along time, shares by buyer, amendments, sanctions, partners, network, findings.
#[utoipa::path(get, path = "/api/v1/suppliers/{id}/dossier", tag = "suppliers",
    params(("id" = String, Path, description = "The supplier's id, percent-encoded"), DossierQuery),
    responses((status = 200, description = "The dossier", content(
        (Object = "application/json"), (String = "text/html"), (String = "text/markdown"), (String = "text/csv"),
        (Vec<u8> = "application/pdf"), (Vec<u8> = "application/zip"))), OneProblems, BundleProblems))]
pub async fn supplier_dossier(
    State(door): State<Door>,
    headers: HeaderMap,
    IdWith(id, query): IdWith<DossierQuery>,
) -> Result<Response, Problem> {
    let name = format!("dossie-fornecedor-{id}");
    give(&door, query, &headers, name, move |app, ask| app.supplier_dossier(&id, ask)).await
}

/// Gives the dossier of a buyer: contracts along time, shares by supplier with concentration, modalities, amendments, findings, coverage.
#[utoipa::path(get, path = "/api/v1/buyers/{id}/dossier", tag = "buyers",
    params(("id" = String, Path, description = "The buyer's id, percent-encoded"), DossierQuery),
    responses((status = 200, description = "The dossier", content(
        (Object = "application/json"), (String = "text/html"), (String = "text/markdown"), (String = "text/csv"),
        (Vec<u8> = "application/pdf"), (Vec<u8> = "application/zip"))), OneProblems, BundleProblems))]
pub async fn buyer_dossier(
    State(door): State<Door>,
    headers: HeaderMap,
    IdWith(id, query): IdWith<DossierQuery>,
) -> Result<Response, Problem> {
    let name = format!("dossie-orgao-{id}");
    give(&door, query, &headers, name, move |app, ask| app.buyer_dossier(&id, ask)).await
}
