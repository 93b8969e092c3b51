//! Ingests over HTTP, for admins: asked for, followed event by event, stopped.

use std::path::PathBuf;

use app::IngestRequest;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::{Answer, Encoded};
use crate::authority::Admin;
use crate::caller::Known;
use crate::command::{Command, answered};
use crate::door::Door;
use crate::live::Named;
use crate::params::Id;
use crate::problem::{CommandProblems, OneProblems, Problem};
use crate::sse;

/// What to ingest.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IngestAsked {
    /// Files, folders and archives on the server's machine.
    #[schema(value_type = Vec<String>)]
    paths: Vec<PathBuf>,
    /// Forces a source instead of knowing each file by its content.
    #[serde(default)]
    source: Option<String>,
    /// A mapping file for CSV that no built-in format knows.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    map: Option<PathBuf>,
}

/// Asks for an ingest; answers at once with its number.
///
/// With `Idempotency-Key` it is asked for once, however often the request comes within 24 hours.
#[utoipa::path(post, path = "/api/v1/admin/ingests", tag = "admin", request_body = IngestAsked,
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this command")),
    responses((status = 202, description = "Accepted; `Location` is where to follow it"), OneProblems, CommandProblems))]
pub async fn ask_ingest(
    _: Admin,
    State(door): State<Door>,
    Command { asked, key }: Command<IngestAsked>,
) -> Result<Response, Problem> {
    let mapping = asked.map.as_deref().map(app::load_mapping).transpose()?;
    let request = IngestRequest { paths: asked.paths, source: asked.source, mapping, ..IngestRequest::default() };
    let answer = door.inspect(move |app| app.ask_ingest(request, key.as_ref())).await??;
    let location = format!("/api/v1/admin/ingests/{}", answer.body["id"]);
    answered(StatusCode::ACCEPTED, &answer, Some(&location))
}

/// Lists the newest ingests that were asked for, newest first.
#[utoipa::path(get, path = "/api/v1/admin/ingests", tag = "admin",
    responses((status = 200, description = "The ingests"), OneProblems))]
pub async fn list_ingests(_: Admin, State(door): State<Door>) -> Answer {
    Encoded::json(&serde_json::json!({"data": door.inspect(app::App::ingest_jobs).await??}))
}

/// Shows one ingest: its status, how far it is, and its report once it has ended.
#[utoipa::path(get, path = "/api/v1/admin/ingests/{id}", tag = "admin", params(("id" = i64, Path)),
    responses((status = 200, description = "The ingest"), OneProblems))]
pub async fn show_ingest(_: Admin, State(door): State<Door>, Id(id): Id) -> Answer {
    let id = number(&id)?;
    Encoded::json(&door.inspect(move |app| app.ingest_job(id)).await??)
}

/// Stops one ingest: what was read is kept, and the same request goes on from there.
#[utoipa::path(post, path = "/api/v1/admin/ingests/{id}/cancel", tag = "admin", params(("id" = i64, Path)),
    responses((status = 200, description = "The ingest, which ends soon"), OneProblems))]
pub async fn stop_ingest(_: Admin, State(door): State<Door>, Id(id): Id) -> Answer {
    let id = number(&id)?;
    Encoded::json(&door.inspect(move |app| app.stop_ingest(id)).await??)
}

/// Follows one ingest as server-sent events; `Last-Event-ID` goes on behind an event that was seen.
#[utoipa::path(get, path = "/api/v1/admin/ingests/{id}/events", tag = "admin", params(("id" = i64, Path)),
    responses((status = 200, description = "Events until the ingest has ended", content_type = "text/event-stream"), OneProblems))]
pub async fn follow_ingest(
    _: Admin,
    State(door): State<Door>,
    Id(id): Id,
    Known(calling): Known,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    sse::follow(&door, (&calling, &headers), &Named::ingest(number(&id)?), Some(0)).await
}

fn number(id: &str) -> Result<i64, Problem> {
    id.parse().map_err(|_| Problem::not_found(format!("ingest `{id}` is not held")))
}
