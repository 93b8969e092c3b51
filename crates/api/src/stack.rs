//! What surrounds every route, from the outside in: named and measured, told to other origins, sealed with headers, compressed, caught
//! when it panics, its body taken whole, bounded in size and time, what it wrote seen.

use std::any::Any;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use crate::answer::{etag_encoded, is_held_by_client};
use crate::caller::identify;
use crate::cors;
use crate::door::Door;
use crate::kept::{self, CACHE_STATUS, Finished};
use crate::limits::TARGET_BYTES_MAX;
use crate::pack::pack;
use crate::problem::{Problem, Refusal};
use crate::rate::charge;
use crate::robots::{NOINDEX, X_ROBOTS_TAG};
use crate::traced::Traced;
use crate::unpack::{stated_length, unpack};

const CONTENT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
);
/// How a request is named, by its sender or by us, in the answer and in the log.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The most characters of a name that its sender gives.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// Puts the stack around `routes`.
pub fn around(routes: Router<Door>, door: Door) -> Router {
    let stack = ServiceBuilder::new()
        .layer(from_fn_with_state(door.clone(), measure))
        .layer(from_fn_with_state(door.clone(), cors::tell))
        .layer(from_fn(seal))
        .layer(from_fn_with_state(door.clone(), pack))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(door.clone(), unpack))
        .layer(from_fn_with_state(door.clone(), bound))
        .layer(from_fn_with_state(door.clone(), identify))
        // Most hits in memory are answered before all of this; none costs its caller anything.
        .layer(from_fn_with_state(door.clone(), charge))
        .layer(from_fn_with_state(door.clone(), kept::after_write));
    routes.layer(stack).with_state(door)
}

/// A request in flight; counted until it is answered or given up.
struct InFlight(Door);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.metrics().requests.in_flight.dec();
    }
}

/// Counts and times a request under its route's template; the path itself may name a person and is never logged.
async fn measure(State(door): State<Door>, route: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = known_method(request.method());
    door.metrics().requests.in_flight.inc();
    let in_flight = InFlight(door);
    let name = name_of(request.headers());
    let traced = Traced::begin(request.headers(), &name, started);
    let trace = traced.example();
    let mut response = trace::within(traced.current(), next.run(request)).await;
    response.headers_mut().insert(X_REQUEST_ID, name);
    let route = route.as_ref().map_or("page", MatchedPath::as_str);
    let door = &in_flight.0;
    let took = traced.end(&mut response, method, route, door.limits().slow_request);
    let requests = &door.metrics().requests;
    requests.observe(method, route, response.status().as_u16(), took, trace);
    if let Some(Refusal(problem)) = response.extensions().get() {
        requests.refused(problem);
    }
    response
}

/// Names a request in its answer: by the name that its sender gave, or by one of ours.
pub fn name(sent: &HeaderMap, response: &mut Response) {
    response.headers_mut().insert(X_REQUEST_ID, name_of(sent));
}

fn name_of(sent: &HeaderMap) -> HeaderValue {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    static PROCESS: LazyLock<u32> = LazyLock::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        since.subsec_nanos() ^ std::process::id().rotate_left(16)
    });
    let plain = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        let known = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
        (1..=REQUEST_ID_CHARS_MAX).contains(&bytes.len()) && bytes.iter().all(known)
    };
    sent.get(X_REQUEST_ID).filter(plain).cloned().unwrap_or_else(|| {
        let text = format!("{:08x}-{:x}", *PROCESS, NUMBER.fetch_add(1, Ordering::Relaxed));
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("-"))
    })
}

fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];
    KNOWN.into_iter().find(|known| method == known).unwrap_or("other")
}

/// Adds the headers that every answer carries, and answers 304 to a client that holds the body already.
async fn seal(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let data = request.uri().path().starts_with("/api/");
    let mut held = HeaderMap::new();
    for value in request.headers().get_all(IF_NONE_MATCH) {
        held.append(IF_NONE_MATCH, value.clone());
    }
    let mut response = next.run(request).await;
    let finished = response.extensions().get::<Finished>().is_some();
    if reads && response.status() == StatusCode::OK && !finished {
        response = conditional(response, &held);
    }
    let headers = response.headers_mut();
    seal_head(headers);
    if !headers.contains_key(CACHE_STATUS) {
        let why = if reads { "cidadao; fwd=bypass" } else { "cidadao; fwd=method" };
        headers.insert(CACHE_STATUS, HeaderValue::from_static(why));
    }
    if data {
        // Data without its page, persons among it.
        headers.insert(X_ROBOTS_TAG, NOINDEX);
    }
    response
}

/// Puts the headers that every answer carries.
pub fn seal_head(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, CONTENT_POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
}

/// Names the body by its encoding too, and leaves it out when the client holds it.
fn conditional(mut response: Response, held: &HeaderMap) -> Response {
    let Some(etag) = response.headers().get(ETAG).cloned() else { return response };
    let encoding = response.headers().get(CONTENT_ENCODING);
    if let Some(encoded) = encoding.and_then(|encoding| etag_encoded(&etag, encoding)) {
        response.headers_mut().insert(ETAG, encoded);
    }
    if !is_held_by_client(held, &etag) {
        return response;
    }
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    *response.body_mut() = Body::empty();
    for header in [CONTENT_LENGTH, CONTENT_TYPE, CONTENT_ENCODING] {
        response.headers_mut().remove(header);
    }
    response
}

#[allow(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    // What it said is on stderr already; it may name what is inside.
    tracing::error!("a handler panicked");
    Problem::internal().into_response()
}

/// Refuses what is too large, and gives up what takes too long.
async fn bound(State(door): State<Door>, request: Request, next: Next) -> Response {
    let limits = door.limits();
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > TARGET_BYTES_MAX {
        return Problem::target_too_long(TARGET_BYTES_MAX).into_response();
    }
    if stated_length(request.headers()).is_some_and(|bytes| bytes > limits.body_bytes_max as u64) {
        return Problem::body_too_large(limits.body_bytes_max).into_response();
    }
    let answered = tokio::time::timeout(limits.request_timeout, next.run(request)).await;
    answered.unwrap_or_else(|_| Problem::timed_out().into_response())
}
