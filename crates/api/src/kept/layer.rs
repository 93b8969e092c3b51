//! The layer around the routes of public data: every tier, one recompute per question, and what is kept of its answer.

use std::future::Future;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, OriginalUri, Request, State};
use axum::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, COOKIE, IF_NONE_MATCH, SET_COOKIE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cache::{From, Made, Outcome, tag};
use trace::Phase;

use super::answer::{CACHE_STATUS, Finished, respond};
use super::key::key_of;
use super::{Answered, Answers, Kept, Words};
use crate::coding::{Coding, Wanted};
use crate::door::Door;
use crate::problem::Problem;

/// Bodies up to this many bytes are compressed where they are; larger ones on a thread that may block.
const AT_ONCE_BYTES_MAX: usize = 8_192;
/// The largest answer that is kept.
const KEPT_BYTES_MAX: usize = 8 << 20;
/// How the id of a finding begins.
const FINDING: &str = "\"fnd_";

/// Answers out of what is kept, or has it made and keeps it.
pub async fn answer(
    State(door): State<Door>,
    route: MatchedPath,
    // Routes are nested: what they see of the path is not the whole.
    OriginalUri(uri): OriginalUri,
    request: Request,
    next: Next,
) -> Response {
    let Some(answers) = door.answers() else { return next.run(request).await };
    let key = key_of(request.method(), &uri, request.headers());
    let Some(key) = key.map(std::borrow::Cow::into_owned) else { return next.run(request).await };
    let headers = request.headers().clone();
    keep(answers, key, route.as_str().into(), &headers, next.run(nobodys(request))).await
}

/// Names that an answer depends on beside what its bytes show.
#[derive(Clone)]
pub struct DependsOn(pub Vec<String>);

/// Answers out of what is kept under `key`, or has `make` make it and keeps it. What it makes must be the same whoever asks; `headers` say
/// in which coding it goes out and which form of it the client holds.
pub async fn keep(
    answers: &Answers,
    key: String,
    route: Arc<str>,
    headers: &HeaderMap,
    make: impl Future<Output = Response> + Send + 'static,
) -> Response {
    answers.look_if_due();
    let (wanted, held) = (Wanted::of(headers), named_etags(headers));
    let (words, make_max) = (answers.words.load_full(), answers.make_max);
    let made = {
        let key = key.clone();
        async move {
            let answered = tokio::time::timeout(make_max, make).await;
            let response = answered.unwrap_or_else(|_| Problem::timed_out().into_response());
            made_of(response, route, &key, wanted, &words).await
        }
    };
    // Made in a task of its own, which belongs to who asked first.
    match answers.cache.get_or_make(&key, trace::within_current(made)).await {
        Outcome::Got(got) => give(answers, got, wanted, &held).await,
        Outcome::Passed(response) => with_status(response),
        Outcome::Lost => Problem::internal().into_response(),
    }
}

/// Stands in the answer to a `POST` that wrote nothing, or that saw itself to what it wrote.
#[derive(Debug, Clone, Copy)]
pub struct Seen;

/// Sees what a command wrote before it is answered, so that who gave it finds it done.
pub async fn after_write(State(door): State<Door>, request: Request, next: Next) -> Response {
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let response = next.run(request).await;
    if writes && response.extensions().get::<Seen>().is_none() {
        look_again(&door).await;
    }
    response
}

/// Looks at the house, so that what is kept from before a command counts no more. Takes a question's time at a database server.
pub async fn look_again(door: &Door) {
    if door.answers().is_some() {
        let door = door.clone();
        let look = trace::carried(move || door.answers().map(Answers::look));
        let _ = tokio::task::spawn_blocking(look).await;
    }
}

/// The same question, asked by nobody in particular: its answer cannot depend on who asks, or on what they hold.
fn nobodys(request: Request) -> Request {
    let (mut parts, _) = request.into_parts();
    parts.method = Method::GET;
    for header in [AUTHORIZATION, COOKIE, IF_NONE_MATCH, ACCEPT_ENCODING] {
        parts.headers.remove(header);
    }
    parts.headers.remove("x-api-key");
    Request::from_parts(parts, Body::empty())
}

fn named_etags(headers: &HeaderMap) -> HeaderMap {
    headers.get_all(IF_NONE_MATCH).iter().map(|value| (IF_NONE_MATCH, value.clone())).collect()
}

/// What of an answer is to be kept: data, and that there are none; refusals are nobody else's, failures leave what was there.
async fn made_of(
    response: Response,
    route: Arc<str>,
    key: &str,
    wanted: Wanted,
    words: &Words,
) -> Made<Kept, Response> {
    let status = response.status();
    if status.is_server_error() {
        return Made::Fail(response);
    }
    let absent = status == StatusCode::NOT_FOUND;
    if !(absent || is_data(&response)) {
        return Made::Pass(response);
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, KEPT_BYTES_MAX).await else {
        return Made::Fail(Problem::internal().into_response());
    };
    let kind = parts.headers.get(CONTENT_TYPE).cloned().unwrap_or(HeaderValue::from_static("application/json"));
    let (names, surrogate) = (names_of(key, &body), surrogate_of(&route, key, &body));
    let further = parts.extensions.get::<DependsOn>().into_iter().flat_map(|DependsOn(names)| names);
    let tags = names.iter().copied().chain(further.map(String::as_str)).map(tag).collect();
    let mut value = Kept::new(status, kind, surrogate, route, body);
    if let Some(coding) = value.coding_for(wanted, words)
        && let Some(bytes) = encoded(value.plain().clone(), coding).await
    {
        value = value.with(coding, bytes, words);
    }
    Made::Keep { value, tags, negative: absent }
}

/// Whether an answer is data for everybody.
fn is_data(response: &Response) -> bool {
    let headers = response.headers();
    let says =
        |header, what: &str| headers.get(header).is_some_and(|value| value.to_str().is_ok_and(|v| v.contains(what)));
    let own = headers.contains_key(SET_COOKIE) || says(CACHE_CONTROL, "no-store") || says(CACHE_CONTROL, "private");
    response.status() == StatusCode::OK && says(CONTENT_TYPE, "application/json") && !own
}

/// What an answer depends on beside the data as a whole: the findings that it names, and verdicts where it counts or seeks by them.
fn names_of<'a>(key: &'a str, body: &'a Bytes) -> Vec<&'a str> {
    let (path, query) = key.split_once('?').unwrap_or((key, ""));
    let mut names = findings_in(body);
    let below = path.strip_prefix("/api/v1/").unwrap_or(path);
    if below.starts_with("flags")
        || below.starts_with("/graphql")
        || query.split('&').any(|pair| pair.starts_with("verdict="))
    {
        names.push("verdicts");
    }
    if let Some(finding) = below.strip_prefix("findings/") {
        names.push(finding.split_once('/').map_or(finding, |(id, _)| id));
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The ids of findings that stand in a body.
fn findings_in(body: &Bytes) -> Vec<&str> {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let ids = text.match_indices(FINDING).filter_map(|(at, _)| {
        let id = &text[at + 1..];
        id.find('"').map(|end| &id[..end])
    });
    ids.collect()
}

/// What caches before this server may drop it by: `data`, the kind of thing, and `findings` where it names any.
fn surrogate_of(route: &str, key: &str, body: &Bytes) -> HeaderValue {
    let kind =
        route.strip_prefix("/api/v1/").unwrap_or(route).trim_start_matches('/').split('/').next().unwrap_or_default();
    let mut words = vec!["data", kind];
    let named = findings_in(body);
    if kind != "findings" && !named.is_empty() {
        words.push("findings");
    }
    if let Some(id) = key.strip_prefix("/api/v1/findings/") {
        words.push(id.split(['/', '?']).next().unwrap_or_default());
    }
    HeaderValue::try_from(words.join(" ")).unwrap_or_else(|_| HeaderValue::from_static("data"))
}

async fn give(answers: &Answers, mut got: Answered, wanted: Wanted, held: &HeaderMap) -> Response {
    let Some(coding) = got.held.value.coding_for(wanted, &answers.words.load()) else {
        return Problem::not_acceptable().into_response();
    };
    if !got.held.value.has(coding) {
        let Some(bytes) = encoded(got.held.value.plain().clone(), coding).await else {
            return Problem::internal().into_response();
        };
        let value = got.held.value.with(coding, bytes, &answers.words.load());
        got.held = answers.cache.replace(&got.held, value);
    }
    if matches!(got.from, From::Tier(_)) {
        answers.dense.count(&got.held);
    }
    let mut response = respond(&got, coding, held);
    response.extensions_mut().insert(Finished);
    response
}

/// A body in a coding; nothing when the thread that was to make it died.
async fn encoded(plain: Bytes, coding: Coding) -> Option<Bytes> {
    if coding == Coding::Identity {
        return Some(plain);
    }
    let at_once = plain.len() <= AT_ONCE_BYTES_MAX;
    let encode = move || trace::step_of(Phase::Encoding, || coding.encode(&plain).into());
    if at_once {
        return Some(encode());
    }
    tokio::task::spawn_blocking(trace::carried(encode)).await.ok()
}

fn with_status(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_STATUS, HeaderValue::from_static("cidadao; fwd=miss"));
    response
}
