//! Answers: JSON encoded once, with a strong ETag of its bytes; and the rules of `If-None-Match`.

use std::sync::atomic::{AtomicBool, Ordering};

use app::settings::JsonEncoder;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::problem::Problem;

/// What a handler gives.
pub type Answer = Result<Encoded, Problem>;

/// Whether JSON is written by the usual encoder in place of the fast one.
static BY_SERDE: AtomicBool = AtomicBool::new(false);

/// Chooses by what JSON is written from now on; the bytes are the same.
pub fn write_json_by(encoder: JsonEncoder) {
    BY_SERDE.store(encoder == JsonEncoder::Serde, Ordering::Relaxed);
}

/// JSON on its way out; a clone shares its bytes.
#[derive(Debug, Clone)]
pub struct Encoded {
    body: Bytes,
    etag: HeaderValue,
}

impl Encoded {
    /// Encodes `value`.
    ///
    /// # Errors
    /// The internal problem, when the value cannot be JSON.
    pub fn json(value: &impl Serialize) -> Result<Self, Problem> {
        let written = if BY_SERDE.load(Ordering::Relaxed) {
            serde_json::to_vec(value).map_err(|error| error.to_string())
        } else {
            sonic_rs::to_vec(value).map_err(|error| error.to_string())
        };
        let body = written.map_err(|error| {
            tracing::error!(%error, "an answer could not be encoded");
            Problem::internal()
        })?;
        Ok(Self { etag: etag_of(&body), body: body.into() })
    }
}

/// An answer that is nobody else's: it is kept nowhere, and not compressed.
///
/// # Errors
/// As [`Encoded::json`].
pub fn private(status: StatusCode, value: &impl Serialize) -> Result<Response, Problem> {
    let mut response = (status, Encoded::json(value)?).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

impl IntoResponse for Encoded {
    fn into_response(self) -> Response {
        let mut response = self.body.into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(ETAG, self.etag);
        response
    }
}

/// The strong ETag of a body.
pub fn etag_of(body: &[u8]) -> HeaderValue {
    let tag = format!("\"{:032x}\"", xxhash_rust::xxh3::xxh3_128(body));
    HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// The ETag of `etag`'s body in another content encoding: a strong ETag names bytes, and those differ.
pub fn etag_encoded(etag: &HeaderValue, encoding: &HeaderValue) -> Option<HeaderValue> {
    let bare = etag.to_str().ok()?.strip_suffix('"')?;
    HeaderValue::try_from(format!("{bare}-{}\"", encoding.to_str().ok()?)).ok()
}

/// Whether `If-None-Match` names this body, in whatever encoding the client got it.
pub fn is_held_by_client(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let Some(own) = etag.to_str().ok().map(without_encoding) else { return false };
    let named = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).map(str::trim).any(|tag| tag == "*" || without_encoding(tag) == own)
}

/// The hash within an ETag: no `W/`, no quotes, no encoding.
fn without_encoding(tag: &str) -> &str {
    let bare = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    bare.split_once('-').map_or(bare, |(hash, _)| hash)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<u64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            (-1e6..1e6_f64).prop_map(Into::into),
            ".*".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
                prop::collection::vec((".*", inner), 0..8)
                    .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn both_encoders_write_the_same_bytes(value in values()) {
            let (fast, usual) = (sonic_rs::to_vec(&value).unwrap(), serde_json::to_vec(&value).unwrap());
            prop_assert_eq!(String::from_utf8(fast).unwrap(), String::from_utf8(usual).unwrap());
        }
    }

    #[test]
    fn a_body_is_known_in_every_encoding() {
        let etag = etag_of(b"{}");
        let encoded = etag_encoded(&etag, &HeaderValue::from_static("br")).unwrap();
        assert_ne!(etag, encoded);
        let held = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::try_from(value).unwrap());
            is_held_by_client(&headers, &etag)
        };
        assert!(held(encoded.to_str().unwrap()));
        assert!(held(&format!("\"other\", W/{}", etag.to_str().unwrap())));
        assert!(held("*"));
        assert!(!held("\"other\""));
        assert!(!is_held_by_client(&HeaderMap::new(), &etag));
    }
}
