//! Investigations: asked for, followed event by event, read, stopped.

use app::queries::{InvestigationQuery, PageQuery};
use app::views::{FindingShape, Investigation, InvestigationDetail, List};
use app::{AskInvestigation, EditPlan};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::answer::Answer;
use crate::authority::{Analyst, Asker};
use crate::caller::Known;
use crate::command::{Command, answered};
use crate::door::Door;
use crate::live::Named;
use crate::params::{Asked, FromParams, Id, IdAsked, Params};
use crate::problem::{CommandProblems, ListProblems, OneProblems, Problem};
use crate::sse;

impl FromParams for InvestigationQuery {
    fn read(params: &mut Params) -> Result<Self, Problem> {
        Ok(Self { status: params.code("status")?, user: params.text("user")? })
    }
}

/// Asks for an investigation, by a question or a scope; answers at once.
///
/// With `Idempotency-Key` the same request is done once, however often it comes within 24 hours. `hold` takes an analyst, who alone can
/// start what waits.
#[utoipa::path(post, path = "/api/v1/investigations", tag = "investigations", request_body = AskInvestigation,
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this command")),
    responses((status = 202, description = "Accepted; `Location` is where it is found", body = Object),
        OneProblems, CommandProblems))]
pub async fn ask_investigation(
    Asker(account): Asker,
    analyst: Result<Analyst, Problem>,
    State(door): State<Door>,
    Command { asked, key }: Command<AskInvestigation>,
) -> Result<Response, Problem> {
    if asked.run.hold {
        analyst?;
    }
    let asked = asked.signed(account.as_ref())?;
    let answer = door.inspect(move |app| app.ask_investigation(asked, key.as_ref())).await??;
    let location = answer.body["id"].as_str().map(|id| format!("/api/v1/investigations/{id}"));
    answered(StatusCode::ACCEPTED, &answer, location.as_deref())
}

/// Lists investigations, newest first.
#[utoipa::path(get, path = "/api/v1/investigations", tag = "investigations", params(InvestigationQuery, PageQuery),
    responses((status = 200, description = "A page of investigations", body = List<Investigation>), ListProblems))]
pub async fn list_investigations(State(door): State<Door>, Asked(query, page): Asked<InvestigationQuery>) -> Answer {
    door.ask(move |app| app.investigations(&query, &page)).await
}

/// Shows one investigation: where it stands, what became of each flag, its gravest findings.
#[utoipa::path(get, path = "/api/v1/investigations/{id}", tag = "investigations",
    params(("id" = String, Path, description = "The investigation's id")),
    responses((status = 200, description = "The investigation", body = InvestigationDetail), OneProblems))]
pub async fn show_investigation(State(door): State<Door>, Id(id): Id) -> Answer {
    door.ask(move |app| app.investigation(&id)).await
}

/// Lists the findings of an investigation, gravest first.
#[utoipa::path(get, path = "/api/v1/investigations/{id}/findings", tag = "investigations",
    params(("id" = String, Path, description = "The investigation's id"), PageQuery),
    responses((status = 200, description = "A page of findings", body = List<FindingShape>), OneProblems))]
pub async fn list_findings_of(State(door): State<Door>, IdAsked(id, (), page): IdAsked<()>) -> Answer {
    door.ask(move |app| app.investigation_findings(&id, &page)).await
}

/// Stops an investigation: what waits is taken back, what runs is stopped. It takes an analyst; while there is no account, a program on this machine.
#[utoipa::path(post, path = "/api/v1/investigations/{id}/cancel", tag = "investigations",
    params(("id" = String, Path, description = "The investigation's id")),
    responses((status = 200, description = "The investigation", body = InvestigationDetail),
        (status = 403, description = "Not an analyst", body = Problem), OneProblems))]
pub async fn cancel_investigation(_: Analyst, State(door): State<Door>, Id(id): Id) -> Answer {
    let named = id.clone();
    door.inspect(move |app| app.cancel_investigation(&named)).await??;
    door.ask(move |app| app.investigation(&id)).await
}

/// Follows one investigation as server-sent events; `Last-Event-ID` goes on behind an event that was seen.
#[utoipa::path(get, path = "/api/v1/investigations/{id}/events", tag = "investigations",
    params(("id" = String, Path, description = "The investigation's id"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The last event that was seen")),
    responses((status = 200, description = "Events until it has ended", content_type = "text/event-stream"), OneProblems))]
pub async fn follow_investigation(
    State(door): State<Door>,
    Id(id): Id,
    Known(calling): Known,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    sse::follow(&door, (&calling, &headers), &Named::investigation(&id), Some(0)).await
}

/// Changes the plan of an investigation: drops or moves steps and flags, spreads a step otherwise. What has begun stays as it is. It takes
/// an analyst; while there is no account, a program on this machine.
#[utoipa::path(put, path = "/api/v1/investigations/{id}/plan", tag = "investigations", request_body = EditPlan,
    params(("id" = String, Path, description = "The investigation's id")),
    responses((status = 200, description = "The investigation", body = InvestigationDetail),
        (status = 403, description = "Not an analyst", body = Problem), OneProblems, CommandProblems))]
pub async fn edit_plan(
    Analyst(account): Analyst,
    State(door): State<Door>,
    Id(id): Id,
    Command { asked, .. }: Command<EditPlan>,
) -> Answer {
    let named = id.clone();
    door.inspect(move |app| app.edit_plan(&named, &asked, account.as_ref())).await??;
    door.ask(move |app| app.investigation(&id)).await
}

/// Starts an investigation that was asked for with `hold`, whose plan a person has looked at. It takes an analyst.
#[utoipa::path(post, path = "/api/v1/investigations/{id}/start", tag = "investigations",
    params(("id" = String, Path, description = "The investigation's id")),
    responses((status = 200, description = "The investigation", body = InvestigationDetail), OneProblems, CommandProblems))]
pub async fn start_investigation(_: Analyst, State(door): State<Door>, Id(id): Id) -> Answer {
    let named = id.clone();
    door.inspect(move |app| app.start_investigation(&named)).await??;
    door.ask(move |app| app.investigation(&id)).await
}
