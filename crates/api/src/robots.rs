//! What search engines are asked: to leave alone whatever names natural persons.
//!
//! Such a page says so in a header and in itself. `robots.txt` bars nothing: an engine that may not read a page cannot see
//! that it asks not to be indexed, and lists its address all the same when others link to it.

use app::queries::PageAbout;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use crate::door::Door;

/// The header that asks.
pub const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");
/// What it asks.
pub const NOINDEX: HeaderValue = HeaderValue::from_static("noindex");

const ROBOTS: &str = "# Nothing is barred: a page that may not be read cannot be seen to ask not to be indexed.\n\
    # Pages and data about persons carry noindex (X-Robots-Tag and <meta name=\"robots\">).\n\
    User-agent: *\nDisallow:\n";

/// Gives `robots.txt`.
pub async fn txt() -> Response {
    ([(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "public, max-age=3600")], ROBOTS).into_response()
}

/// Whether the page at `path` is to be left alone: it names a person, or it cannot be known that it does not.
pub async fn are_asked_to_pass(door: &Door, path: &str) -> bool {
    match page_at(path) {
        None => true,
        Some(PageAbout::General) => false,
        Some(page) => door.ask_for(move |app| app.names_a_person(&page)).await.unwrap_or(true),
    }
}

/// What the page at a path is about; `None` for a path that no page has.
fn page_at(path: &str) -> Option<PageAbout> {
    let path = path.strip_prefix('/')?;
    let (section, id) =
        path.strip_suffix('/').unwrap_or(path).split_once('/').unwrap_or((path.trim_end_matches('/'), ""));
    let id = percent_decode_str(id).decode_utf8().ok()?.into_owned();
    match (section, id.as_str()) {
        ("" | "orgaos" | "sinais" | "fontes", "") | ("sinais", _) => Some(PageAbout::General),
        ("achados" | "contratos" | "fornecedores", "") => Some(PageAbout::ListOfSuppliers),
        ("achados", _) => Some(PageAbout::Finding(id)),
        ("contratos", _) => Some(PageAbout::Contract(id)),
        ("fornecedores", _) => Some(PageAbout::Supplier(id)),
        ("orgaos", _) => Some(PageAbout::Buyer(id)),
        _ => None,
    }
}

/// The page with the request in it that search engines pass it by.
pub fn with_noindex(html: &[u8]) -> Vec<u8> {
    const META: &str = "<meta name=\"robots\" content=\"noindex\">";
    let text = String::from_utf8_lossy(html);
    // Behind the declaration of its characters, which must come first.
    let at = text.find("charset=").and_then(|at| Some(at + text[at..].find('>')? + 1)).unwrap_or(0);
    [&text[..at], META, &text[at..]].concat().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_by_its_path_and_any_other_is_passed_by() {
        assert_eq!(page_at("/fornecedores/cpf%3A***%7Cmaria"), Some(PageAbout::Supplier("cpf:***|maria".into())));
        assert_eq!(page_at("/achados/fnd_x/"), Some(PageAbout::Finding("fnd_x".into())));
        for path in ["/", "/sinais", "/sinais/BR05", "/orgaos", "/orgaos/", "/fontes"] {
            assert_eq!(page_at(path), Some(PageAbout::General), "{path}");
        }
        for path in ["/achados", "/fornecedores/", "/contratos"] {
            assert_eq!(page_at(path), Some(PageAbout::ListOfSuppliers), "{path}");
        }
        for path in ["/pessoas/maria", "/fornecedores/%FF", "/x"] {
            assert_eq!(page_at(path), None, "{path}");
        }
    }

    #[test]
    fn the_request_stands_in_the_head() {
        let page = with_noindex(b"<html><head><meta charset=\"utf-8\" /><title>x</title></head>");
        let page = String::from_utf8(page).unwrap();
        assert_eq!(
            page,
            "<html><head><meta charset=\"utf-8\" /><meta name=\"robots\" content=\"noindex\"><title>x</title></head>"
        );
    }
}
