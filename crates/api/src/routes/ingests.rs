//! Ingests over HTTP, for the machine's own operator: asked for, followed event by event, stopped.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use app::{IngestRequest, Job, JobEvent};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::{Answer, Encoded};
use crate::door::Door;
use crate::operator::Operator;
use crate::params::Id;
use crate::problem::{OneProblems, Problem};

/// How often a job's events are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A comment is sent when nothing happened for so long.
const HEARTBEAT: Duration = Duration::from_secs(15);

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
#[utoipa::path(post, path = "/api/v1/admin/ingests", tag = "admin", request_body = IngestAsked,
    responses((status = 202, description = "Accepted; `Location` is where to follow it"), OneProblems))]
pub async fn ask_ingest(
    _: Operator,
    State(door): State<Door>,
    asked: Result<Json<IngestAsked>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(asked) = asked.map_err(|refused| Problem::invalid("body", refused.body_text()))?;
    let mapping = asked.map.as_deref().map(app::load_mapping).transpose()?;
    let request = IngestRequest { paths: asked.paths, source: asked.source, mapping, ..IngestRequest::default() };
    let job: Job = door.inspect(move |app| app.ask_ingest(request)).await??;
    let location = format!("/api/v1/admin/ingests/{}", job.id);
    let mut response = (StatusCode::ACCEPTED, Encoded::json(&job)?).into_response();
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Lists the ingests of this process, newest first.
#[utoipa::path(get, path = "/api/v1/admin/ingests", tag = "admin",
    responses((status = 200, description = "The ingests"), OneProblems))]
pub async fn list_ingests(_: Operator, State(door): State<Door>) -> Answer {
    Encoded::json(&serde_json::json!({"data": door.inspect(app::App::ingest_jobs).await?}))
}

/// Shows one ingest: its status, how far it is, and its report once it has ended.
#[utoipa::path(get, path = "/api/v1/admin/ingests/{id}", tag = "admin", params(("id" = u64, Path)),
    responses((status = 200, description = "The ingest"), OneProblems))]
pub async fn show_ingest(_: Operator, State(door): State<Door>, Id(id): Id) -> Answer {
    let id = number(&id)?;
    Encoded::json(&door.inspect(move |app| app.ingest_job(id)).await??)
}

/// Stops one ingest: what was read is kept, and the same request goes on from there.
#[utoipa::path(post, path = "/api/v1/admin/ingests/{id}/cancel", tag = "admin", params(("id" = u64, Path)),
    responses((status = 200, description = "The ingest, which ends soon"), OneProblems))]
pub async fn stop_ingest(_: Operator, State(door): State<Door>, Id(id): Id) -> Answer {
    let id = number(&id)?;
    Encoded::json(&door.inspect(move |app| app.stop_ingest(id)).await??)
}

/// Follows one ingest as server-sent events; `Last-Event-ID` goes on behind an event that was seen.
#[utoipa::path(get, path = "/api/v1/admin/ingests/{id}/events", tag = "admin", params(("id" = u64, Path)),
    responses((status = 200, description = "Events until the ingest has ended", content_type = "text/event-stream"), OneProblems))]
pub async fn follow_ingest(
    _: Operator,
    State(door): State<Door>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let id = number(&id)?;
    let seen = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
    door.inspect(move |app| app.ingest_job(id)).await??;
    let follower = Follower { door, id, seen, waiting: VecDeque::new(), ended: false };
    let stream = futures_util::stream::unfold(follower, async |mut follower| {
        let event = follower.next().await?;
        let told = Event::default().id(event.seq.to_string()).event(event.kind).data(event.data.to_string());
        Some((Ok(told), follower))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// One who follows a job.
struct Follower {
    door: Door,
    id: u64,
    /// The last event that was told.
    seen: u64,
    waiting: VecDeque<JobEvent>,
    ended: bool,
}

impl Follower {
    /// The next event, once it happens; `None` when nothing more will.
    async fn next(&mut self) -> Option<JobEvent> {
        while self.waiting.is_empty() {
            if self.ended {
                return None;
            }
            let (id, seen) = (self.id, self.seen);
            let (events, ended) = self.door.inspect(move |app| app.ingest_events(id, seen)).await.ok()?.ok()?;
            self.ended = ended;
            self.waiting.extend(events);
            if self.waiting.is_empty() && !ended {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        let event = self.waiting.pop_front()?;
        self.seen = event.seq;
        Some(event)
    }
}

fn number(id: &str) -> Result<u64, Problem> {
    id.parse().map_err(|_| Problem::not_found(format!("ingest `{id}` is not held")))
}
