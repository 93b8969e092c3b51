//! In which form data are wanted: what `Accept` says (RFC 9110), among those that we write.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;

/// A form in which data go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// What everybody gets who does not name another.
    Json,
    /// Comma-separated, with a header.
    Csv,
    /// One JSON document a line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
    /// Office Open XML.
    Xlsx,
    /// Arrow's stream.
    Arrow,
    /// An archive, where there is one.
    Zip,
}

/// Every form, with its type and the ending of its files.
const FORMS: [(Medium, &str, &str); 7] = [
    (Medium::Json, "application/json", "json"),
    (Medium::Csv, "text/csv", "csv"),
    (Medium::JsonLines, "application/x-ndjson", "jsonl"),
    (Medium::Parquet, "application/vnd.apache.parquet", "parquet"),
    (Medium::Xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    (Medium::Arrow, "application/vnd.apache.arrow.stream", "arrow"),
    (Medium::Zip, "application/zip", "zip"),
];

impl<S: Sync> FromRequestParts<S> for Medium {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

impl Medium {
    /// Whether it is one of tables.
    pub fn is_table(self) -> bool {
        !matches!(self, Self::Json | Self::Zip)
    }

    /// Its media type.
    pub fn kind(self) -> &'static str {
        FORMS.iter().find(|(form, ..)| *form == self).map_or("application/json", |(_, kind, _)| kind)
    }

    /// By the ending of a file's name.
    pub fn ending_in(ending: &str) -> Option<Self> {
        FORMS.iter().find(|(_, _, known)| *known == ending).map(|(form, ..)| *form)
    }

    /// The one that `Accept` likes best; of equal ones the first that it names.
    pub fn of(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
        let mut best = (Self::Json, 0.0);
        for range in ranges {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let any = matches!(kind, "application/*" | "*/*" | "application/problem+json").then_some(Self::Json);
            let named = FORMS.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(kind)).map(|(form, ..)| *form);
            let Some(form) = named.or(any) else { continue };
            let weight = parts.find_map(|p| p.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
            if weight > best.1 {
                best = (form, weight);
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_everybody_who_does_not_name_another() {
        let form = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            Medium::of(&headers)
        };
        assert_eq!(Medium::of(&HeaderMap::new()), Medium::Json);
        for accept in ["*/*", "text/html, */*;q=0.8", "application/json, text/csv", "text/csv;q=0", "image/png"] {
            assert_eq!(form(accept), Medium::Json, "{accept}");
        }
        assert_eq!(form("text/csv"), Medium::Csv);
        assert_eq!(form("application/json;q=0.5, application/vnd.apache.parquet"), Medium::Parquet);
        assert_eq!(form("*/*;q=0.1, application/zip"), Medium::Zip);
    }
}
