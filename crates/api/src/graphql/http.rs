//! GraphQL over HTTP: `GET` and `POST`, alone or several at once, with the status and the media type that `Accept` asks for.

use std::sync::Arc;

use app::views::WhoAmI;
use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest as _, FromRequestParts as _, Query, Request, State};
use axum::http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, http};
use serde_json::{Value, json};

use super::hints::{Hint, Scope};
use super::mutations::Authority;
use super::query::{Asked, By, Done, Ready, ready, work};
use super::refusal::Refusal;
use super::{Graphql, explorer};
use crate::authority::{Analyst, Asker, may_read};
use crate::caller::Calling;
use crate::door::Door;
use crate::kept::{self, DependsOn};
use crate::problem::Problem;
use crate::rate::{admit, told};
use crate::robots::{NOINDEX, X_ROBOTS_TAG};

/// The route, for metrics and for what is kept.
const ROUTE: &str = "/graphql";
/// The most bytes of all answers of a batch together.
const BATCH_BYTES_MAX: usize = 32 << 20;

/// In which form errors are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    /// The status is 200 for whatever could be read.
    Json,
    /// The status says how it went.
    Graphql,
}

impl Media {
    fn of(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
        let mut best = (Self::Json, 0.0);
        for range in ranges {
            let mut parts = range.split(';').map(str::trim);
            let media = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/graphql-response+json" => Self::Graphql,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            let weight = parts.find_map(|p| p.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
            if weight > best.1 {
                best = (media, weight);
            }
        }
        best.0
    }

    fn kind(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::Graphql => "application/graphql-response+json",
        })
    }

    fn status(self, refused: Option<u16>) -> StatusCode {
        match (self, refused) {
            (Self::Graphql, Some(status)) => StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            _ => StatusCode::OK,
        }
    }
}

/// Answers what stands in the address, or gives the page on which queries are written.
pub async fn get(State(door): State<Door>, Extension(graphql): Extension<Arc<Graphql>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) else {
        let refusal = refused(Media::of(&parts.headers), &Refusal::invalid("not a query string"));
        return charged(&door, &parts, refusal).await;
    };
    if pairs.is_empty() && explorer::is_wanted(&parts.headers) {
        return explorer::page();
    }
    let media = Media::of(&parts.headers);
    let asked = match asked_of(pairs) {
        Ok(asked) => asked,
        Err(refusal) => return charged(&door, &parts, refused(media, &refusal)).await,
    };
    match ready(asked, &graphql) {
        Ok(ready) if ready.found.kind != OperationType::Query => {
            let problem = Problem::query_method();
            let mut response = body(problem.code(), media, &json!({"errors": [Refusal::from(problem).to_json()]}));
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            charged(&door, &parts, response).await
        }
        asked => alone(&door, &graphql, &mut parts, asked, true).await,
    }
}

fn asked_of(pairs: Vec<(String, String)>) -> Result<Asked, Refusal> {
    let mut asked = Asked::default();
    let json = |name: &str, text: &str| {
        serde_json::from_str(text).map_err(|_| Refusal::from(Problem::invalid(name, "not a JSON object")))
    };
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            "query" => asked.query = Some(value),
            "operationName" => asked.operation_name = Some(value),
            "variables" => {
                let given: Result<Option<serde_json::Map<String, Value>>, _> = serde_json::from_str(&value);
                asked.variables = given.map_err(|_| Problem::invalid("variables", "not a JSON object"))?;
            }
            "extensions" => asked.extensions = Some(json("extensions", &value)?),
            _ => return Err(Problem::invalid(&name, "unknown parameter").into()),
        }
    }
    Ok(asked)
}

/// Answers one operation, or several in a list.
pub async fn post(State(door): State<Door>, Extension(graphql): Extension<Arc<Graphql>>, request: Request) -> Response {
    let mut response = posted(door, graphql, request).await;
    // Most of them are queries.
    response.extensions_mut().insert(kept::Seen);
    response
}

async fn posted(door: Door, graphql: Arc<Graphql>, request: Request) -> Response {
    let media = Media::of(request.headers());
    let (mut parts, sent) = request.into_parts();
    if !is_json(&parts.headers) {
        return charged(&door, &parts, Problem::not_json().into_response()).await;
    }
    let bytes = match Bytes::from_request(http::Request::from_parts(parts.clone(), sent), &()).await {
        Ok(bytes) => bytes,
        Err(error) => {
            let refusal = refused(media, &Problem::invalid("body", error.body_text()).into());
            return charged(&door, &parts, refusal).await;
        }
    };
    let is_list = bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
    let not_read = |error: serde_json::Error| {
        let refusal = Refusal::from(Problem::invalid("body", format!("not a GraphQL request: {error}")));
        body(StatusCode::BAD_REQUEST, media, &json!({"errors": [refusal.to_json()]}))
    };
    if is_list {
        return match serde_json::from_slice::<Vec<Asked>>(&bytes) {
            Ok(all) => several(&door, &graphql, &mut parts, all, media).await,
            Err(error) => charged(&door, &parts, not_read(error)).await,
        };
    }
    match serde_json::from_slice::<Asked>(&bytes) {
        Ok(asked) => {
            let asked = ready(asked, &graphql);
            alone(&door, &graphql, &mut parts, asked, false).await
        }
        Err(error) => charged(&door, &parts, not_read(error)).await,
    }
}

/// What was refused costs its caller one request, as an answer does.
async fn charged(door: &Door, parts: &Parts, response: Response) -> Response {
    match admit(door, &Calling::of(&parts.extensions), 1).await {
        Ok(standing) => told(response, standing),
        Err(refusal) => refusal,
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

async fn alone(
    door: &Door,
    graphql: &Arc<Graphql>,
    parts: &mut Parts,
    asked: Result<Arc<Ready>, Refusal>,
    reads: bool,
) -> Response {
    let media = Media::of(&parts.headers);
    let calling = Calling::of(&parts.extensions);
    let is_at_hand = asked
        .as_ref()
        .ok()
        .and_then(|ready| ready.key.as_ref())
        .is_some_and(|key| door.answers().is_some_and(|answers| answers.has_key(key)));
    let cost = if is_at_hand { 0 } else { asked.as_ref().map_or(1, |ready| ready.cost()) };
    let standing = match admit(door, &calling, cost).await {
        Ok(standing) => standing,
        Err(refusal) => return refusal,
    };
    let response = match asked {
        Ok(ready) => answer(door, graphql, parts, ready, media, &parts_headers(parts, reads)).await,
        Err(refusal) => refused(media, &refusal),
    };
    told(response, standing)
}

/// Answers an operation that came over a connection that is there already.
pub async fn answer_over_socket(door: &Door, graphql: &Arc<Graphql>, parts: &mut Parts, ready: Arc<Ready>) -> Response {
    answer(door, graphql, parts, ready, Media::Json, &HeaderMap::new()).await
}

/// The headers that say in which coding an answer goes out, and which the client holds.
fn parts_headers(parts: &Parts, reads: bool) -> HeaderMap {
    let mut headers = parts.headers.clone();
    if !reads {
        headers.remove(http::header::IF_NONE_MATCH);
    }
    headers
}

/// Answers an operation out of what is kept, or does it.
async fn answer(
    door: &Door,
    graphql: &Arc<Graphql>,
    parts: &mut Parts,
    ready: Arc<Ready>,
    media: Media,
    headers: &HeaderMap,
) -> Response {
    if ready.found.kind == OperationType::Subscription {
        let where_to = "a subscription is followed over /graphql/ws, by the protocol graphql-transport-ws";
        return refused(media, &Refusal::invalid(where_to));
    }
    let calling = Calling::of(&parts.extensions);
    if !ready.writes()
        && let Err(problem) = may_read(&calling.caller)
    {
        return refused(media, &problem.into());
    }
    let Hint { ttl_s, scope } = ready.found.hint;
    if let (Some(key), Some(answers)) = (&ready.key, door.answers()) {
        let key = key.clone();
        let made = {
            let (door, graphql) = (door.clone(), Arc::clone(graphql));
            async move { done(&door, &graphql, ready, By::default(), media).await }
        };
        let mut response = in_form(kept::keep(answers, key, ROUTE.into(), headers, made).await, media);
        if response.headers().get(CACHE_CONTROL).is_some_and(|said| said.as_bytes().starts_with(b"public")) {
            response.headers_mut().insert(CACHE_CONTROL, answers.control(ttl_s));
        }
        return response;
    }
    let by = By {
        me: WhoAmI::of(&calling.caller, door.rates().rate_of(&calling)),
        authority: if ready.writes() { Some(authority(door, parts, &calling).await) } else { None },
    };
    let writes = ready.writes();
    let mut response = in_form(done(door, graphql, ready, by, media).await, media);
    if writes {
        kept::look_again(door).await;
    }
    if scope == Scope::Private {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    response
}

/// A whole answer in the form that `Accept` asks for: it is kept, and made, as plain JSON.
fn in_form(mut response: Response, media: Media) -> Response {
    if response.status() == StatusCode::OK {
        response.headers_mut().insert(CONTENT_TYPE, media.kind());
    }
    response
}

async fn authority(door: &Door, parts: &mut Parts, calling: &Calling) -> Authority {
    Authority {
        analyst: Analyst::from_request_parts(parts, door).await.map(|Analyst(account)| account),
        asker: Asker::from_request_parts(parts, door).await.map(|Asker(account)| account),
        payer: calling.payer(),
    }
}

/// Does an operation behind the gate of what the database answers.
async fn done(door: &Door, graphql: &Arc<Graphql>, ready: Arc<Ready>, by: By, media: Media) -> Response {
    // Who keeps values of fields rests on a look that is not old.
    if let Some(answers) = door.answers() {
        answers.look_if_due();
    }
    let done = {
        let graphql = Arc::clone(graphql);
        door.ask_for(move |app| Ok(work(app, &graphql, &ready, &by))).await
    };
    match done {
        Ok(done) => {
            graphql.statements.inc_by(done.statements);
            shown(done, media)
        }
        Err(problem) => {
            let status = problem.code();
            body(status, media, &json!({"errors": [Refusal::from(problem).to_json()]}))
        }
    }
}

fn shown(done: Done, media: Media) -> Response {
    let mut response = (media.status(done.refused), done.body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, if done.is_whole { Media::Json.kind() } else { media.kind() });
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(X_ROBOTS_TAG, NOINDEX);
    if done.is_whole {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response.extensions_mut().insert(DependsOn(done.findings));
    } else {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Answers several operations, one after the other; together they cost what each does.
async fn several(door: &Door, graphql: &Arc<Graphql>, parts: &mut Parts, all: Vec<Asked>, media: Media) -> Response {
    let (most, n) = (graphql.limits.batch_max, all.len() as u64);
    if n == 0 || n > most {
        return charged(door, parts, refused(media, &Refusal::limit("batch", most, n))).await;
    }
    let all: Vec<_> = all.into_iter().map(|asked| ready(asked, graphql)).collect();
    let cost = all.iter().map(|one| one.as_ref().map_or(1, |ready| ready.cost())).sum();
    let calling = Calling::of(&parts.extensions);
    let standing = match admit(door, &calling, cost).await {
        Ok(standing) => standing,
        Err(refusal) => return refusal,
    };
    let mut whole = vec![b'['];
    for one in all {
        if whole.len() > 1 {
            whole.push(b',');
        }
        let response = match one {
            Ok(ready) => answer(door, graphql, parts, ready, Media::Json, &HeaderMap::new()).await,
            Err(refusal) => refused(Media::Json, &refusal),
        };
        match to_bytes(response.into_body(), BATCH_BYTES_MAX.saturating_sub(whole.len())).await {
            Ok(bytes) => whole.extend_from_slice(&bytes),
            Err(_) => return Problem::batch_too_large(BATCH_BYTES_MAX).into_response(),
        }
    }
    whole.push(b']');
    let response = Response::new(Body::from(whole));
    told(with_head(response, media), standing)
}

fn refused(media: Media, refusal: &Refusal) -> Response {
    // A client that names a query by its hash asks again on whatever status; one that is refused reads it in the errors.
    let status = (!refusal.is_not_persisted()).then(|| refusal.status());
    body(media.status(status), media, &json!({"errors": [refusal.to_json()]}))
}

fn body(status: StatusCode, media: Media, value: &Value) -> Response {
    with_head((status, value.to_string()).into_response(), media)
}

fn with_head(mut response: Response, media: Media) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media.kind());
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_ROBOTS_TAG, NOINDEX);
    response
}
