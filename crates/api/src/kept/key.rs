//! What is kept under which key: the path, and the parameters in order.

use std::borrow::Cow;

use axum::http::header::{ACCEPT, RANGE};
use axum::http::{HeaderMap, Method, Uri};

/// The key of a request for what is kept; nothing for any other.
pub fn key_of<'a>(method: &Method, uri: &'a Uri, headers: &HeaderMap) -> Option<Cow<'a, str>> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if !reads || headers.contains_key(RANGE) || !wants_json(headers) {
        return None;
    }
    let target = uri.path_and_query()?;
    if target.path().ends_with("/dossier") && !is_settled(target.query()) {
        return None;
    }
    match target.query() {
        None => Some(Cow::Borrowed(target.path())),
        Some(query) if is_in_order(query) => Some(Cow::Borrowed(target.as_str())),
        Some(query) => {
            let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
            // Stable: of one parameter that comes twice the order stays, for that is another question.
            pairs.sort_by_key(|pair| name(pair));
            Some(Cow::Owned(format!("{}?{}", target.path(), pairs.join("&"))))
        }
    }
}

/// Whether a dossier's form and language are named by its parameters: else headers choose, which are in no key.
fn is_settled(query: Option<&str>) -> bool {
    let pairs = || query.unwrap_or_default().split('&');
    pairs().any(|pair| pair == "format=json") && pairs().any(|pair| pair.starts_with("lang="))
}

fn name(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(name, _)| name)
}

/// Whether the names are in order and no pair is empty.
fn is_in_order(query: &str) -> bool {
    let mut last = "";
    query.split('&').all(|pair| {
        let name = name(pair);
        let in_order = !pair.is_empty() && last <= name;
        last = name;
        in_order
    })
}

/// Whether `Accept` takes JSON, and likes nothing better that we could give.
pub fn wants_json(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(ACCEPT).iter();
    match (lines.next().map(axum::http::HeaderValue::as_bytes), lines.next()) {
        (None | Some(b"*/*" | b"application/json" | b""), None) => true,
        _ => crate::forms::Medium::of(headers) == crate::forms::Medium::Json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(target: &str) -> String {
        key_of(&Method::GET, &target.parse().unwrap(), &HeaderMap::new()).unwrap().into_owned()
    }

    #[test]
    fn the_order_of_parameters_makes_no_other_question() {
        assert_eq!(key("/c?limit=5&cursor=x"), key("/c?cursor=x&limit=5"));
        assert_eq!(key("/c?a=1&&b=2&"), "/c?a=1&b=2");
        assert_eq!(key("/c"), "/c");
        assert_ne!(key("/c?a=1&a=2"), key("/c?a=2&a=1"), "which is refused, and named");
        assert_ne!(key("/c?limit=5"), key("/d?limit=5"));
    }

    #[test]
    fn a_dossier_is_kept_where_its_form_and_language_are_named() {
        let key = |target: &str| key_of(&Method::GET, &target.parse().unwrap(), &HeaderMap::new()).map(Cow::into_owned);
        assert!(key("/api/v1/buyers/x/dossier?lang=en&format=json").is_some());
        for target in
            ["/b/x/dossier", "/b/x/dossier?format=json", "/b/x/dossier?lang=pt", "/b/x/dossier?format=pdf&lang=pt"]
        {
            assert_eq!(key(target), None, "{target}");
        }
    }

    #[test]
    fn only_plain_reads_of_json_are_kept() {
        let uri = Uri::from_static("/c");
        for (method, header, value) in
            [(Method::POST, ACCEPT, "*/*"), (Method::GET, RANGE, "bytes=0-1"), (Method::GET, ACCEPT, "text/csv")]
        {
            let headers = [(header, value.parse().unwrap())].into_iter().collect();
            assert_eq!(key_of(&method, &uri, &headers), None, "{method} {headers:?}");
        }
    }
}
