//! The page on which queries are written: one small file each of HTML, JavaScript and CSS, as the documentation's page, because the content
//! policy lets no other host's script in.

use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};

use crate::answer::etag_of;

/// Whether who asks is a browser that shows pages.
pub fn is_wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|range| range.split(';').next().is_some_and(|kind| kind.trim() == "text/html"))
}

/// The page.
pub fn page() -> Response {
    let mut response = file("text/html; charset=utf-8", include_str!("../../assets/graphql.html"));
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}

/// Its script.
pub async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("../../assets/graphql.js"))
}

/// Its looks.
pub async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("../../assets/graphql.css"))
}

fn file(kind: &'static str, body: &'static str) -> Response {
    let mut response = ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], body).into_response();
    response.headers_mut().insert(ETAG, etag_of(body.as_bytes()));
    response
}
