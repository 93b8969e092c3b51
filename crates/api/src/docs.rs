//! The documentation page: one small file each of HTML, JavaScript and CSS that shows `/openapi.json`.
//!
//! Our own, because the content policy lets no other host's script in and a reader needs nothing more.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::response::{IntoResponse, Response};

use crate::answer::etag_of;

/// The page.
pub async fn page() -> Response {
    file("text/html; charset=utf-8", include_str!("../assets/docs.html"))
}

/// Its script.
pub async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("../assets/docs.js"))
}

/// Its looks.
pub async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("../assets/docs.css"))
}

fn file(kind: &'static str, body: &'static str) -> Response {
    let mut response = ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], body).into_response();
    response.headers_mut().insert(ETAG, etag_of(body.as_bytes()));
    response
}
