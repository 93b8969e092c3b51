//! The web page, built into the program.
//!
//! Files under `assets/` carry a hash in their name and never change; every other path is the page's own affair, so
//! it gets `index.html` and the page's router decides. Without a built page a short text says how to build it.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::response::{IntoResponse, Response};

use crate::answer::etag_of;
use crate::door::Door;
use crate::problem::Problem;
use crate::robots::{self, NOINDEX, X_ROBOTS_TAG};

/// A file of the page.
struct File {
    body: Cow<'static, [u8]>,
    etag: HeaderValue,
}

#[cfg(page_built)]
fn find(path: &str) -> Option<File> {
    #[derive(rust_embed::Embed)]
    #[folder = "../../web/dist"]
    struct Dist;

    let file = Dist::get(path)?;
    let etag = etag_of(&file.metadata.sha256_hash());
    Some(File { body: file.data, etag })
}

#[cfg(not(page_built))]
fn find(path: &str) -> Option<File> {
    const UNBUILT: &str = "<!doctype html><html lang=\"pt-BR\"><meta charset=\"utf-8\"><title>Cidadão.AI</title>\
        <p>A página web não foi construída nesta versão: rode <code>make build</code>. A API está em \
        <a href=\"/docs\">/docs</a>.</p><p lang=\"en\">The web page was not built into this version: run \
        <code>make build</code>. The API is at <a href=\"/docs\">/docs</a>.</p></html>";
    let body = UNBUILT.as_bytes();
    (path == "index.html").then(|| File { body: body.into(), etag: etag_of(body) })
}

/// Answers what no route serves: a file of the page, the page itself, or a 404.
pub async fn serve(State(door): State<Door>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if path == "/api" || path.starts_with("/api/") {
        return Problem::no_route().into_response();
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        return ([(ALLOW, "GET, HEAD")], Problem::method_not_allowed()).into_response();
    }
    let name = path.trim_start_matches('/');
    match find(name) {
        Some(file) => respond(name, file),
        None if name.starts_with("assets/") || !accepts_html(&headers) => Problem::no_route().into_response(),
        None => page_of(&door, path).await,
    }
}

/// The page itself; it asks search engines to pass it by where it names persons.
async fn page_of(door: &Door, path: &str) -> Response {
    let Some(file) = find("index.html") else { return Problem::no_route().into_response() };
    if !robots::are_asked_to_pass(door, path).await {
        return respond("index.html", file);
    }
    let body = robots::with_noindex(&file.body);
    let mut response = respond("index.html", File { etag: etag_of(&body), body: body.into() });
    response.headers_mut().insert(X_ROBOTS_TAG, NOINDEX);
    response
}

fn respond(name: &str, file: File) -> Response {
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let is_text = kind.type_() == mime_guess::mime::TEXT || kind.subtype() == mime_guess::mime::JAVASCRIPT;
    let kind = if is_text { format!("{kind}; charset=utf-8") } else { kind.to_string() };
    let caching = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = Response::new(Body::from(file.body.into_owned()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::try_from(kind).unwrap_or(HeaderValue::from_static("text/plain")));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(ETAG, file.etag);
    response
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(ACCEPT).and_then(|value| value.to_str().ok()) else { return true };
    accept.split(',').any(|range| {
        let range = range.split(';').next().unwrap_or_default().trim();
        matches!(range, "text/html" | "application/xhtml+xml" | "text/*" | "*/*")
    })
}
