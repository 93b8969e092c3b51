//! Which pages of other origins may read the API: those that the settings name, each exactly.

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::door::Door;

/// What such a page may send.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "accept, authorization, content-type, idempotency-key, if-none-match, last-event-id, x-api-key, x-request-id",
);
/// What it may read beside the body.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "cache-status, etag, idempotent-replayed, location, ratelimit, ratelimit-policy, retry-after, x-request-id",
);
/// For how many seconds it need not ask again.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("600");

/// Tells a page of a named origin that it may read the answer; every other origin is told nothing.
pub async fn tell(State(door): State<Door>, request: Request, next: Next) -> Response {
    let named = door.origins();
    if named.is_empty() {
        return next.run(request).await;
    }
    let origin = request.headers().get(ORIGIN).cloned();
    let origin = origin.filter(|origin| named.iter().any(|named| named.as_bytes() == origin.as_bytes()));
    let preflight =
        *request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    if !headers.get_all(VARY).iter().any(|value| value.as_bytes().windows(6).any(|w| w == b"origin")) {
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
    let Some(origin) = origin else { return response };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if preflight {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
    }
    response
}
