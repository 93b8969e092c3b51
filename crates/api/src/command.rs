//! Commands: a JSON body read strictly, and the key by which one is done once however often it comes.

use app::CommandKey;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use crate::answer::Encoded;
use crate::caller::Calling;
use crate::problem::Problem;

/// The header that names a command.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Says that an answer was given before.
const REPLAYED: &str = "idempotent-replayed";
/// The most characters of a key.
const KEY_CHARS_MAX: usize = 200;

/// What a request asks for, with its key if it has one.
pub struct Command<T> {
    /// The body.
    pub asked: T,
    /// The key, with what it names.
    pub key: Option<CommandKey>,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Command<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let calling = Calling::of(request.extensions());
        // A key names a command of its caller: another's is another command.
        let by = if calling.is_known() { format!(" {}", calling.payer()) } else { String::new() };
        let command = format!("{} {}{by}", request.method(), request.uri().path());
        let key = key_of(request.headers())?;
        let (parts, body) = request.into_parts();
        let whole = Request::from_parts(parts.clone(), body);
        let bytes = Bytes::from_request(whole, state).await.map_err(|e| Problem::invalid("body", e.body_text()))?;
        let again = Request::from_parts(parts, Body::from(bytes.clone()));
        let read = Json::<T>::from_request(again, state).await;
        let Json(asked) = read.map_err(|refused| Problem::invalid("body", refused.body_text()))?;
        let body_hash = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&bytes));
        Ok(Self { asked, key: key.map(|key| CommandKey { command, key, body_hash }) })
    }
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(first) = given.next() else { return Ok(None) };
    if given.next().is_some() {
        return Err(Problem::invalid("Idempotency-Key", "stands more than once"));
    }
    key_named(first.to_str().unwrap_or_default()).map(Some)
}

/// The key of a command, by whichever door it comes.
///
/// # Errors
/// It is empty, too long, or holds what is not visible ASCII.
pub fn key_named(text: &str) -> Result<String, Problem> {
    let key = text.trim();
    let is_visible = key.bytes().all(|b| (0x20..0x7f).contains(&b));
    if key.is_empty() || key.len() > KEY_CHARS_MAX || !is_visible {
        let because = format!("must have 1 to {KEY_CHARS_MAX} visible ASCII characters");
        return Err(Problem::invalid("Idempotency-Key", because));
    }
    Ok(key.to_owned())
}

/// The answer to a command, with where what it made is found.
pub fn answered(status: StatusCode, answer: &app::Answer, location: Option<&str>) -> Result<Response, Problem> {
    let mut response = (status, Encoded::json(&answer.body)?).into_response();
    if answer.repeated {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    if let Some(location) = location.and_then(|location| HeaderValue::try_from(location).ok()) {
        response.headers_mut().insert(axum::http::header::LOCATION, location);
    }
    Ok(response)
}
