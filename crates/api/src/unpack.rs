//! Takes a request's body whole, before anything is done with it: within its time, within its size, and out of its coding.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::coding::Coding;
use crate::door::Door;
use crate::problem::Problem;

/// The codings that a body may come in.
const TAKEN: HeaderValue = HeaderValue::from_static("zstd, br, gzip");

/// Takes a body whole.
pub async fn unpack(State(door): State<Door>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    match taken(&door, request).await {
        Ok(request) => next.run(request).await,
        Err(refused) => refused,
    }
}

async fn taken(door: &Door, request: Request) -> Result<Request, Response> {
    let (bytes_max, time_max) = (door.limits().body_bytes_max, Duration::from_secs(door.http().body_timeout_s));
    let too_large = || Problem::body_too_large(bytes_max).into_response();
    // What says that it is too large is not read.
    if stated_length(request.headers()).is_some_and(|bytes| bytes > bytes_max as u64) {
        return Err(too_large());
    }
    let (mut parts, body) = request.into_parts();
    let coding = match parts.headers.remove(CONTENT_ENCODING) {
        None => Coding::Identity,
        Some(named) => named.to_str().ok().and_then(|name| Coding::named(name.trim())).ok_or_else(unknown_coding)?,
    };
    let read = tokio::time::timeout(time_max, to_bytes(body, bytes_max)).await;
    let read = read.map_err(|_| Problem::body_too_slow(time_max).into_response())?;
    let mut bytes = read.map_err(|error| match std::error::Error::source(&error) {
        Some(source) if source.is::<http_body_util::LengthLimitError>() => too_large(),
        _ => Problem::invalid("body", "could not be read to its end").into_response(),
    })?;
    if coding != Coding::Identity {
        let decoded = tokio::task::spawn_blocking(move || coding.decode(&bytes, bytes_max)).await;
        bytes = match decoded {
            Ok(Ok(decoded)) => decoded.into(),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::FileTooLarge => return Err(too_large()),
            _ => return Err(Problem::invalid("body", format!("is not {}", coding.name())).into_response()),
        };
        parts.headers.insert(CONTENT_LENGTH, bytes.len().into());
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// How long the body is, as its request says.
pub fn stated_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn unknown_coding() -> Response {
    let mut response = Problem::unknown_coding().into_response();
    response.headers_mut().insert(ACCEPT_ENCODING, TAKEN);
    debug_assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    response
}
