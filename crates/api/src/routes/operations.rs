//! What operators ask: is it alive, is it ready, how is it doing; and what programs ask: what is there to ask.

use std::sync::LazyLock;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{Answer, Encoded};
use crate::door::Door;
use crate::openapi::document;
use crate::problem::Problem;

/// Whether the program can answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, `unavailable`, or `leaving` when it was told to stop.
    status: &'static str,
    /// The database answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<bool>,
    /// The lake's folder is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    lake: Option<bool>,
}

/// Says that the process is alive.
#[utoipa::path(get, path = "/health/live", tag = "operations",
    responses((status = 200, description = "Alive", body = Health)))]
pub async fn live() -> Response {
    health(StatusCode::OK, &Health { status: "ok", database: None, lake: None })
}

/// Says whether questions can be answered: the database answers, the lake is there, and nobody told the process to stop.
#[utoipa::path(get, path = "/health/ready", tag = "operations",
    responses((status = 200, description = "Ready", body = Health), (status = 503, description = "Not ready", body = Health)))]
pub async fn ready(State(door): State<Door>) -> Result<Response, Problem> {
    let readiness = door.inspect(app::App::readiness).await?;
    let (code, status) = match readiness.is_ready() {
        _ if door.is_leaving() => (StatusCode::SERVICE_UNAVAILABLE, "leaving"),
        true => (StatusCode::OK, "ok"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    Ok(health(code, &Health { status, database: Some(readiness.database), lake: Some(readiness.lake) }))
}

fn health(code: StatusCode, health: &Health) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (code, headers, sonic_rs::to_vec(health).unwrap_or_default()).into_response()
}

/// Gives the metrics as Prometheus text 0.0.4, or as OpenMetrics 1.0 with exemplars to who asks for it by `Accept`.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Prometheus text", content(
        (String = "text/plain; version=0.0.4"), (String = "application/openmetrics-text; version=1.0.0"))),
        (status = 404, description = "`metrics.enabled` is off", body = Problem, content_type = "application/problem+json")))]
pub async fn metrics(State(door): State<Door>, asked: HeaderMap) -> Result<Response, Problem> {
    if !door.metrics().is_on() {
        return Err(Problem::no_route());
    }
    // One after the other: each asks the database, and goes through tables in memory.
    static TURN: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(1);
    let _turn = TURN.acquire().await;
    let at = door.clone();
    let (kind, text) = door.inspect(move |app| at.measured(&asked, &app.figures(), &app.agent_pools())).await?;
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache"), (VARY, "accept, accept-encoding")], text).into_response())
}

/// Gives the description of this API.
pub async fn openapi() -> Answer {
    static DOCUMENT: LazyLock<Answer> = LazyLock::new(|| Encoded::json(&document()));
    DOCUMENT.clone()
}

/// Answers a method that a path does not have.
pub async fn method_not_allowed() -> Problem {
    Problem::method_not_allowed()
}
