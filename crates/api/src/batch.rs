//! Several operations in one request: in order of priority, a few at once, each with a status and a time of its own.
//!
//! Each is what it would be alone: it goes through the same routes under the same caller. What a batch saves is the way, not the cost. Equal
//! reads are done once. Nothing is undone when an operation fails: a batch is no transaction. Streams, signing in and batches cannot
//! be part of one.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use prometheus::{IntCounterVec, Opts};
use serde::Deserialize;
use serde_json::value::RawValue;
use tower::ServiceExt as _;
use utoipa::ToSchema;

use crate::caller::{Calling, check_reading};
use crate::command::IDEMPOTENCY_KEY;
use crate::limits::TARGET_BYTES_MAX;
use crate::metrics::Metrics;
use crate::operator::FORWARDING;
use crate::problem::Problem;
use crate::rate::cost_of;

/// The most characters of an operation's id.
const ID_CHARS_MAX: usize = 100;
/// The most bytes of all answers together.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// How long before a request is given up its last operations are.
const BEFORE_TIMEOUT: Duration = Duration::from_millis(500);

/// What a request asks for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Each with an id of its own.
    pub operations: Vec<Operation>,
}

/// One operation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Names its result.
    #[schema(max_length = 100)]
    id: String,
    /// `GET` (also when left out) or `POST`.
    #[serde(default)]
    method: Option<String>,
    /// Path and query, such as `/api/v1/contracts?limit=5`.
    path: String,
    /// What a `POST` sends.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    body: Option<Box<RawValue>>,
    /// Higher ones are begun first, equal ones as they stand.
    #[serde(default)]
    #[schema(minimum = -100, maximum = 100)]
    priority: i8,
    /// Its `Idempotency-Key`.
    #[serde(default)]
    idempotency_key: Option<String>,
}

/// An operation's answer.
#[derive(Clone)]
struct Outcome {
    status: StatusCode,
    body: Bytes,
}

/// What may be asked for in a batch: every route but those of batches themselves.
#[derive(Clone)]
pub struct Operations {
    routes: Router,
    counted: IntCounterVec,
}

impl Operations {
    /// Over these routes, counted among `metrics`.
    ///
    /// # Errors
    /// A metric that stands twice.
    pub fn over(routes: Router, metrics: &Metrics) -> prometheus::Result<Self> {
        let counted = IntCounterVec::new(
            Opts::new(
                "cidadao_ai_batch_operations_total",
                "Operations of batches: asked, or answered by an equal one's answer.",
            ),
            &["how"],
        )?;
        for how in ["asked", "shared"] {
            counted.with_label_values(&[how]);
        }
        metrics.add(&[&counted])?;
        Ok(Self { routes, counted })
    }

    fn count(&self, work: &Work) {
        self.counted.with_label_values(&["asked"]).inc();
        self.counted.with_label_values(&["shared"]).inc_by(work.places.len() as u64 - 1);
    }
}

/// Within which bounds a batch is done.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The most operations.
    pub operations_max: usize,
    /// Done at once.
    pub concurrency: usize,
    /// Of one operation.
    pub operation_timeout: Duration,
    /// Of the whole request.
    pub request_timeout: Duration,
}

/// From whom and where a batch comes: what its operations are asked with.
pub struct Sender {
    /// Who calls.
    pub calling: Calling,
    /// The other end of the connection.
    pub peer: Option<ConnectInfo<SocketAddr>>,
    /// The batch's own headers.
    pub headers: HeaderMap,
}

/// Operations that share one answer, ready to be asked.
struct Work {
    asked: Result<Request, Problem>,
    places: Vec<usize>,
    priority: i8,
}

impl Batch {
    /// Checks what concerns the batch as a whole.
    ///
    /// # Errors
    /// It is empty or too long; an id stands twice or cannot be.
    pub fn check(&self, bounds: Bounds) -> Result<(), Problem> {
        let most = bounds.operations_max;
        if self.operations.is_empty() || self.operations.len() > most {
            return Err(Problem::invalid("operations", format!("must be 1 to {most}")));
        }
        let mut ids = HashSet::new();
        for operation in &self.operations {
            let chars = operation.id.chars().count();
            if chars == 0 || chars > ID_CHARS_MAX || !ids.insert(operation.id.as_str()) {
                let because = format!("each operation has an id of its own, of 1 to {ID_CHARS_MAX} characters");
                return Err(Problem::invalid("id", because));
            }
            if !(-100..=100).contains(&operation.priority) {
                return Err(Problem::invalid("priority", "must lie between -100 and 100"));
            }
        }
        Ok(())
    }

    /// What it costs: what its operations do.
    pub fn cost(&self) -> u32 {
        let of_one = |operation: &Operation| {
            let (path, query) =
                operation.path.split_once('?').map_or((operation.path.as_str(), None), |(p, q)| (p, Some(q)));
            cost_of(&operation.method().unwrap_or(Method::GET), path, query)
        };
        self.operations.iter().map(of_one).sum()
    }

    /// Does its operations; gives their results in the order in which they were asked for.
    pub async fn run(self, operations: &Operations, sender: &Sender, bounds: Bounds) -> Response {
        let deadline = Instant::now() + bounds.request_timeout.saturating_sub(BEFORE_TIMEOUT);
        let left = AtomicUsize::new(ANSWER_BYTES_MAX);
        let ids: Vec<String> = self.operations.iter().map(|operation| operation.id.clone()).collect();
        let mut outcomes = vec![None; ids.len()];
        let done = futures_util::stream::iter(self.works(sender)).map(|work| {
            let timeout = bounds.operation_timeout.min(deadline.saturating_duration_since(Instant::now()));
            let left = &left;
            operations.count(&work);
            async move { (work.places, answer(operations.routes.clone(), work.asked, timeout, left).await) }
        });
        let mut done = std::pin::pin!(done.buffer_unordered(bounds.concurrency));
        while let Some((places, outcome)) = done.next().await {
            for place in places {
                outcomes[place] = Some(outcome.clone());
            }
        }
        written(&ids, &outcomes)
    }

    /// Its operations, equal reads put together, those with the highest priority first.
    fn works(self, sender: &Sender) -> Vec<Work> {
        let mut works: Vec<Work> = Vec::new();
        let mut reads: HashMap<String, usize> = HashMap::new();
        for (place, operation) in self.operations.into_iter().enumerate() {
            let is_read = operation.method() == Some(Method::GET) && operation.body.is_none();
            if is_read && let Some(at) = reads.get(&operation.path) {
                let work = &mut works[*at];
                work.places.push(place);
                work.priority = work.priority.max(operation.priority);
                continue;
            }
            if is_read {
                reads.insert(operation.path.clone(), works.len());
            }
            let priority = operation.priority;
            works.push(Work { asked: operation.request(sender), places: vec![place], priority });
        }
        works.sort_by_key(|work| Reverse(work.priority));
        works
    }
}

impl Operation {
    /// `GET` or `POST`; nothing for another.
    fn method(&self) -> Option<Method> {
        match self.method.as_deref() {
            None | Some("GET") => Some(Method::GET),
            Some("POST") => Some(Method::POST),
            Some(_) => None,
        }
    }

    /// The request that it would be alone.
    fn request(self, sender: &Sender) -> Result<Request, Problem> {
        let method = self.method().ok_or_else(|| Problem::invalid("method", "must be GET or POST"))?;
        if self.path.len() > TARGET_BYTES_MAX {
            return Err(Problem::target_too_long(TARGET_BYTES_MAX));
        }
        let uri: Uri = self.path.parse().map_err(|_| Problem::invalid("path", "not a path and query"))?;
        let route = uri.path().strip_prefix("/api/v1/").filter(|_| uri.authority().is_none());
        let route = route.ok_or_else(|| Problem::invalid("path", "must start with /api/v1/"))?;
        if route == "batch" || route.starts_with("auth/") || route.ends_with("/events") {
            return Err(Problem::invalid("path", "batches, signing in and streams cannot be part of a batch"));
        }
        check_reading(&sender.calling.caller, &method, uri.path())?;
        if method == Method::GET && self.body.is_some() {
            return Err(Problem::invalid("body", "a GET has none"));
        }
        let body = self.body.map_or_else(Body::empty, |body| Body::from(String::from(Box::<str>::from(body))));
        let mut request = Request::new(body);
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        let told: [HeaderName; 2] = [HOST, ORIGIN];
        for name in told.into_iter().chain(FORWARDING.map(HeaderName::from_static)) {
            if let Some(value) = sender.headers.get(&name) {
                request.headers_mut().insert(name, value.clone());
            }
        }
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = self.idempotency_key {
            let value =
                HeaderValue::try_from(key).map_err(|_| Problem::invalid("idempotency_key", "not visible ASCII"))?;
            request.headers_mut().insert(IDEMPOTENCY_KEY, value);
        }
        request.extensions_mut().insert(sender.calling.clone());
        if let Some(peer) = sender.peer {
            request.extensions_mut().insert(peer);
        }
        Ok(request)
    }
}

/// Asks within its time, and reads the answer while all answers together have room.
async fn answer(routes: Router, asked: Result<Request, Problem>, timeout: Duration, left: &AtomicUsize) -> Outcome {
    let request = match asked {
        Ok(request) if !timeout.is_zero() => request,
        Ok(_) => return Outcome::of(&Problem::timed_out()),
        Err(problem) => return Outcome::of(&problem),
    };
    let read = async {
        let Ok(response) = routes.oneshot(request).await;
        let status = response.status();
        let is_json = response.headers().get(CONTENT_TYPE).is_none_or(|kind| {
            kind.to_str()
                .is_ok_and(|kind| kind.starts_with("application/json") || kind.starts_with("application/problem+json"))
        });
        if !is_json {
            return Outcome::of(&Problem::invalid("path", "what this answers is not JSON: ask for it alone"));
        }
        let room = left.load(Ordering::Relaxed);
        let Ok(body) = to_bytes(response.into_body(), room).await else {
            return Outcome::of(&Problem::batch_too_large(ANSWER_BYTES_MAX));
        };
        left.fetch_sub(body.len().min(room), Ordering::Relaxed);
        Outcome { status, body }
    };
    tokio::time::timeout(timeout, read).await.unwrap_or_else(|_| Outcome::of(&Problem::timed_out()))
}

impl Outcome {
    fn of(problem: &Problem) -> Self {
        Self { status: problem.code(), body: sonic_rs::to_vec(problem).unwrap_or_default().into() }
    }
}

/// The results as JSON; what the routes answered is put in as it is.
fn written(ids: &[String], outcomes: &[Option<Outcome>]) -> Response {
    let internal = || Outcome::of(&Problem::internal());
    let mut text = Vec::with_capacity(outcomes.iter().flatten().map(|outcome| outcome.body.len() + 64).sum());
    text.extend_from_slice(b"{\"results\":[");
    for (at, (id, outcome)) in ids.iter().zip(outcomes).enumerate() {
        let Outcome { status, body } = outcome.clone().unwrap_or_else(internal);
        if at > 0 {
            text.push(b',');
        }
        text.extend_from_slice(b"{\"id\":");
        text.extend_from_slice(&sonic_rs::to_vec(id).unwrap_or_default());
        text.extend_from_slice(format!(",\"status\":{},\"body\":", status.as_u16()).as_bytes());
        text.extend_from_slice(if body.is_empty() { b"null" } else { &body });
        text.push(b'}');
    }
    text.extend_from_slice(b"]}");
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(axum::http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
