//! Refusals: RFC 9457 problem+json, and the one table that says which error is which problem.
//!
//! `type` is stable and may be relied on; `detail` is for people. Causes inside the program are logged, never shown.

use std::borrow::Cow;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Stable: `/problems/invalid-parameter`, `/problems/not-found` …
    #[schema(value_type = String, example = "/problems/invalid-parameter")]
    r#type: Cow<'static, str>,
    /// What kind of refusal it is.
    #[schema(value_type = String, example = "Invalid parameter")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 400)]
    status: u16,
    /// What is wrong here.
    #[schema(value_type = String)]
    detail: Cow<'static, str>,
    /// The parameter at fault, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Said in `Retry-After`.
    #[serde(skip)]
    retry_after_s: Option<u64>,
}

/// Which refusal an answer is: the last part of its `type`.
#[derive(Debug, Clone)]
pub struct Refusal(pub String);

/// Seconds after which a client may try again.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("1");
/// The same for one who was shed.
const AFTER_SHEDDING_S: u64 = 5;

impl Problem {
    fn new(status: StatusCode, name: &str, title: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let r#type = format!("/problems/{name}").into();
        Self { r#type, title, status: status.as_u16(), detail: detail.into(), field: None, retry_after_s: None }
    }

    /// Its HTTP status.
    pub fn code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// A parameter that cannot be.
    pub fn invalid(field: &str, because: impl Into<Cow<'static, str>>) -> Self {
        let problem = Self::new(StatusCode::BAD_REQUEST, "invalid-parameter", "Invalid parameter", because);
        Self { field: Some(field.chars().take(100).collect()), ..problem }
    }

    /// Nothing is held under this id.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// No route has this path.
    pub fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-such-route", "No such route", "nothing is served under this path")
    }

    /// The route has another method.
    pub fn method_not_allowed() -> Self {
        let detail = "this path is served, but not for this method (see Allow)";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
    }

    /// The body is too large.
    pub fn body_too_large(bytes_max: usize) -> Self {
        let detail = format!("a request body may have at most {bytes_max} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large", detail)
    }

    /// The answers of a batch are too long together.
    pub fn batch_too_large(bytes_max: usize) -> Self {
        let detail =
            format!("the answers of one batch may have at most {bytes_max} bytes together; ask for this one alone");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "answer-too-large", "Answer too large", detail)
    }

    /// The path and query are too long.
    pub fn target_too_long(bytes_max: usize) -> Self {
        let detail = format!("path and query may have at most {bytes_max} bytes");
        Self::new(StatusCode::URI_TOO_LONG, "target-too-long", "Path and query too long", detail)
    }

    /// What was given to be known by is nobody's, or no longer; or something was needed and not given.
    pub fn unauthorized(because: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Not known", because)
    }

    /// The caller has asked for too much.
    pub fn rate_limited(because: String, seconds: u64) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", "Too many requests", because);
        Self { retry_after_s: Some(seconds), ..problem }
    }

    /// Too many sign-ins failed; the next may be tried after so many seconds.
    pub fn wait(seconds: u64) -> Self {
        let detail = format!("too many sign-ins failed for this name or from this address; try again in {seconds} s");
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "sign-in-refused", "Too many failed sign-ins", detail);
        Self { retry_after_s: Some(seconds), ..problem }
    }

    /// Memory runs out.
    pub fn overloaded() -> Self {
        let detail = "memory runs out, and dear requests are put off; try again later";
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Overloaded", detail);
        Self { retry_after_s: Some(AFTER_SHEDDING_S), ..problem }
    }

    /// Not for this caller.
    pub fn forbidden(detail: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden", detail)
    }

    /// Another version of a protocol.
    pub fn upgrade_required() -> Self {
        let detail = "a WebSocket of version 13 is spoken here";
        Self::new(StatusCode::UPGRADE_REQUIRED, "upgrade-required", "Upgrade required", detail)
    }

    /// So many of something are there already.
    pub fn too_many(what: &str, most: usize) -> Self {
        let detail = format!("there are {most} {what} already, and no more may be; try again later");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too-many", "Too many at once", detail)
    }

    /// Too many questions wait.
    pub fn too_busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too-busy", "Too busy", "too many questions are waiting; try again")
    }

    /// Whether it is that too many questions wait.
    pub fn is_too_busy(&self) -> bool {
        self.r#type.ends_with("/too-busy")
    }

    /// The evidence of a finding cannot be bundled.
    pub fn cannot_bundle(because: String) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "cannot-bundle", "Evidence cannot be bundled", because)
    }

    /// It took too long.
    pub fn timed_out() -> Self {
        let detail = "no answer within the time that one request may take; narrow the question or try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "timed-out", "Timed out", detail)
    }

    /// A parameter that cannot be previewed.
    pub fn not_previewable(name: &str, detail: String) -> Self {
        let problem = Self::new(StatusCode::BAD_REQUEST, "not-previewable", "Not previewable", detail);
        Self { field: Some(name.to_owned()), ..problem }
    }

    /// What was held then is no longer known as a whole.
    pub fn segments_gone(detail: String) -> Self {
        Self::new(StatusCode::GONE, "segments-gone", "Not known any more", detail)
    }

    /// Someone else decided meanwhile.
    pub fn conflict(detail: String) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "Changed meanwhile", detail)
    }

    /// An `Idempotency-Key` came with another body before.
    pub fn key_reused(detail: String) -> Self {
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", "Key used for another command", detail);
        Self { field: Some("Idempotency-Key".to_owned()), ..problem }
    }

    /// The client takes no coding that there is.
    pub fn not_acceptable() -> Self {
        let detail = "Accept-Encoding takes none of identity, zstd, br and gzip";
        Self::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", "Not acceptable", detail)
    }

    /// A body came in a coding that is not read.
    pub fn unknown_coding() -> Self {
        let detail = "a request body may come in one of zstd, br and gzip, or as it is";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unknown-coding", "Unknown content coding", detail)
    }

    /// A form holds fewer rows than there are.
    pub fn too_many_rows(rows_max: u32) -> Self {
        let detail = format!("this form holds {rows_max} rows; narrow the question or take another form");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "too-many-rows", "Too many rows", detail)
    }

    /// A body did not come in its time.
    pub fn body_too_slow(at_most: std::time::Duration) -> Self {
        let detail = format!("a request body must have come within {} s", at_most.as_secs());
        Self::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "Body too slow", detail)
    }

    /// A GraphQL query that cannot be understood.
    pub fn invalid_query(because: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-query", "Invalid query", because)
    }

    /// A GraphQL query beyond a limit.
    pub fn over_limit(detail: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "query-over-limit", "Query over a limit", detail)
    }

    /// A GraphQL operation that changes something came by a method that must not.
    pub fn query_method() -> Self {
        let detail = "by GET only queries are answered; send what changes something by POST";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
    }

    /// A body that had to be JSON did not say that it is.
    pub fn not_json() -> Self {
        let detail = "the body must be JSON, with `Content-Type: application/json`";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type", detail)
    }

    /// Something failed inside; its cause is in the log.
    pub fn internal() -> Self {
        let detail = "the program failed to answer; the cause is in its log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }
}

impl From<app::Error> for Problem {
    /// The table.
    fn from(error: app::Error) -> Self {
        match error {
            app::Error::Invalid { field, because } => Self::invalid(field, because),
            app::Error::NotFound { .. } => Self::not_found(error.to_string()),
            app::Error::CannotBundle(because) => Self::cannot_bundle(because),
            app::Error::Locked(_) | app::Error::QueueFull(_) | app::Error::TooManyActive(_) => Self::too_busy(),
            app::Error::Unknown(because) => Self::unauthorized(because),
            app::Error::Reused => Self::unauthorized(error.to_string()),
            app::Error::Store(ref error) if error.is_busy() => {
                tracing::warn!(%error, "a question waits for the database");
                Self::too_busy()
            }
            app::Error::Conflict(because) => Self::conflict(because),
            app::Error::KeyReused => Self::key_reused(error.to_string()),
            app::Error::NotPreviewable { ref name, .. } => Self::not_previewable(name, error.to_string()),
            app::Error::SegmentsGone { .. } => Self::segments_gone(error.to_string()),
            inside => {
                tracing::error!(error = %inside, "a question failed");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code();
        let refusal = Refusal(self.r#type.rsplit('/').next().unwrap_or_default().to_owned());
        let body = sonic_rs::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        response.extensions_mut().insert(refusal);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        } else if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, RETRY_AFTER_S);
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// How a list may refuse.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "stands in the OpenAPI document only")]
pub enum ListProblems {
    /// A parameter is unknown, repeated or cannot be; `field` names it.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(Problem),
    /// What was given to be known by is nobody's, or no longer.
    #[response(status = 401, content_type = "application/problem+json")]
    Unknown(Problem),
    /// Not for this caller.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// The caller has asked for too much; see `Retry-After`.
    #[response(status = 429, content_type = "application/problem+json")]
    RateLimited(Problem),
    /// Something failed inside.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Too busy, or not answered in time; see `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// How a question for one thing may be refused.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "stands in the OpenAPI document only")]
pub enum OneProblems {
    /// A parameter is unknown, or the path is not text.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(Problem),
    /// What was given to be known by is nobody's, or no longer.
    #[response(status = 401, content_type = "application/problem+json")]
    Unknown(Problem),
    /// Not for this caller.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// Nothing is held under this id.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// The caller has asked for too much; see `Retry-After`.
    #[response(status = 429, content_type = "application/problem+json")]
    RateLimited(Problem),
    /// Something failed inside.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Too busy, or not answered in time; see `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// How a question about a moment may be refused.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "stands in the OpenAPI document only")]
pub enum MomentProblems {
    /// A parameter is unknown, repeated or cannot be; `field` names it.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(Problem),
    /// What was given to be known by is nobody's, or no longer.
    #[response(status = 401, content_type = "application/problem+json")]
    Unknown(Problem),
    /// Not for this caller.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// Nothing is held under this id.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// Segments of then are gone; `detail` names them.
    #[response(status = 410, content_type = "application/problem+json")]
    Gone(Problem),
    /// The caller has asked for too much; see `Retry-After`.
    #[response(status = 429, content_type = "application/problem+json")]
    RateLimited(Problem),
    /// Something failed inside.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Too busy, or not answered in time; see `Retry-After`. The judgement goes on and is kept: ask again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// How a question for a bundle may be refused, beside [`OneProblems`].
#[derive(IntoResponses)]
#[allow(dead_code, reason = "stands in the OpenAPI document only")]
pub enum BundleProblems {
    /// The judgement reads more rows than a bundle holds, or no longer comes out as the finding says.
    #[response(status = 422, content_type = "application/problem+json")]
    CannotBundle(Problem),
}

/// How a command may be refused, beside [`OneProblems`].
#[derive(IntoResponses)]
#[allow(dead_code, reason = "stands in the OpenAPI document only")]
pub enum CommandProblems {
    /// Someone else decided meanwhile: look again.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
    /// The `Idempotency-Key` came with another body before.
    #[response(status = 422, content_type = "application/problem+json")]
    KeyReused(Problem),
}
