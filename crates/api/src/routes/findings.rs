//! Findings and their evidence.

use app::App;
use app::queries::{FindingQuery, PageQuery};
use app::views::{EvidenceKey, EvidenceShape, FindingShape, List};
use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use axum::http::header::VARY;
use axum::response::{IntoResponse, Response};

use crate::answer::Answer;
use crate::archive::{Wanted, archive};
use crate::caller::Known;
use crate::door::Door;
use crate::export::{self, FINDINGS};
use crate::forms::Medium;
use crate::live::Named;
use crate::params::{Asked, FromParams, Id, Params};
use crate::problem::{BundleProblems, ListProblems, OneProblems, Problem};
use crate::sse;

impl FromParams for FindingQuery {
    fn read(params: &mut Params) -> Result<Self, Problem> {
        Ok(Self {
            flag: params.text("flag")?,
            severity: params.code("severity")?,
            kind: params.code("kind")?,
            state: params.code("state")?.unwrap_or_default(),
            buyer_id: params.text("buyer_id")?,
            supplier_id: params.text("supplier_id")?,
            contract_id: params.text("contract_id")?,
            verdict: params.code("verdict")?,
            sort: params.code("sort")?.unwrap_or_default(),
        })
    }
}

/// Lists findings, gravest first.
///
/// A finding is a reason to look closer, never proof.
#[utoipa::path(get, path = "/api/v1/findings", tag = "findings", params(FindingQuery, PageQuery),
    responses((status = 200, description = "A page of findings", body = List<FindingShape>), ListProblems))]
pub async fn list_findings(
    State(door): State<Door>,
    form: Medium,
    OriginalUri(uri): OriginalUri,
    Asked(query, page): Asked<FindingQuery>,
) -> Result<Response, Problem> {
    if form.is_table() {
        return door.ask_for(move |app| Ok(export::page(form, FINDINGS, &app.findings(&query, &page)?, &uri))).await?;
    }
    Ok(door.ask(move |app| app.findings(&query, &page)).await?.into_response())
}

/// Follows findings as server-sent events: those that are found, changed or withdrawn from now on, or behind `Last-Event-ID`.
///
/// Without `state` withdrawn ones are told too.
#[utoipa::path(get, path = "/api/v1/findings/events", tag = "findings",
    params(FindingQuery, ("Last-Event-ID" = Option<u64>, Header, description = "The last event that was seen")),
    responses((status = 200, description = "Events, without end", content_type = "text/event-stream"), OneProblems))]
pub async fn follow_findings(
    State(door): State<Door>,
    Known(calling): Known,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Problem> {
    let topic = Named::parse(&format!("findings?{}", uri.query().unwrap_or_default()))?;
    sse::follow(&door, (&calling, &headers), &topic, None).await
}

/// Shows one finding, whole.
#[utoipa::path(get, path = "/api/v1/findings/{id}", tag = "findings",
    params(("id" = String, Path, description = "The finding's id")),
    responses((status = 200, description = "The finding", body = FindingShape), OneProblems))]
pub async fn show_finding(State(door): State<Door>, Id(id): Id) -> Answer {
    door.ask(move |app| app.finding(&id)).await
}

/// Shows the evidence of a finding: rows with file and line, formula, SQL, parameters, arithmetic, segment hashes, law.
///
/// With `Accept: application/zip` it gives the evidence bundle: all that a stranger needs to redo the judgement with
/// `cidadao verify`, signed.
#[utoipa::path(get, path = "/api/v1/findings/{id}/evidence", tag = "findings",
    params(("id" = String, Path, description = "The finding's id")),
    responses((status = 200, description = "The evidence", content(
        (EvidenceShape = "application/json"), (Vec<u8> = "application/zip"))), OneProblems, BundleProblems))]
pub async fn show_evidence(State(door): State<Door>, Id(id): Id, wanted: Wanted) -> Result<Response, Problem> {
    if wanted == Wanted::Archive {
        let name = format!("{id}.zip");
        return door.fetch(move |app| app.evidence_bundle(&id)).await.map(|bytes| archive(bytes, &name));
    }
    let shown = door.analyse(move |app| app.evidence(&id)).await?;
    Ok(([(VARY, "accept")], shown).into_response())
}

/// Gives the public key that signs this server's evidence bundles.
#[utoipa::path(get, path = "/api/v1/evidence/key", tag = "findings",
    responses((status = 200, description = "The key", body = EvidenceKey), ListProblems))]
pub async fn show_evidence_key(State(door): State<Door>) -> Answer {
    door.ask(App::evidence_key).await
}
