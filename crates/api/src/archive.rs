//! Archives: who asks for one, and how it goes out.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};

use crate::answer::etag_of;

/// The form in which evidence is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// JSON, which is what everybody gets who does not name the other.
    Json,
    /// The bundle.
    Archive,
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

impl Wanted {
    /// What `Accept` names first of the two by weight; of equal ones the first.
    fn of(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
        let mut best = (Self::Json, 0.0);
        for range in ranges {
            let mut parts = range.split(';').map(str::trim);
            let form = match parts.next() {
                Some("application/zip") => Self::Archive,
                Some("application/json" | "application/*" | "*/*") => Self::Json,
                _ => continue,
            };
            let weight = parts.find_map(|p| p.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
            if weight > best.1 {
                best = (form, weight);
            }
        }
        best.0
    }
}

/// A ZIP archive on its way out, to be saved under `name`.
pub fn archive(bytes: Vec<u8>, name: &str) -> Response {
    let etag = etag_of(&bytes);
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{plain}\""));
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(CONTENT_DISPOSITION, disposition.unwrap_or_else(|_| HeaderValue::from_static("attachment")));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(ETAG, etag);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_for_who_asks_for_it() {
        let wanted = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::try_from(accept).unwrap());
            Wanted::of(&headers)
        };
        assert_eq!(Wanted::of(&HeaderMap::new()), Wanted::Json);
        for accept in
            ["*/*", "application/json", "text/html", "application/json, application/zip;q=0.5", "application/zip;q=0"]
        {
            assert_eq!(wanted(accept), Wanted::Json, "{accept}");
        }
        for accept in ["application/zip", "application/zip, */*", "text/html, application/zip;q=0.9, */*;q=0.1"] {
            assert_eq!(wanted(accept), Wanted::Archive, "{accept}");
        }
    }
}
