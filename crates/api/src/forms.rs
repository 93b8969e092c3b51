//! In which form data are wanted: what `Accept` says (RFC 9110), among those that we write.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// A form in which data go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
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
const FORMS: [(Form, &str, &str); 7] = [
    (Form::Json, "application/json", "json"),
    (Form::Csv, "text/csv", "csv"),
    (Form::JsonLines, "application/x-ndjson", "jsonl"),
    (Form::Parquet, "application/vnd.apache.parquet", "parquet"),
    (Form::Xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    (Form::Arrow, "application/vnd.apache.arrow.stream", "arrow"),
    (Form::Zip, "application/zip", "zip"),
];

impl Form {
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
            Form::of(&headers)
        };
        assert_eq!(Form::of(&HeaderMap::new()), Form::Json);
        for accept in ["*/*", "text/html, */*;q=0.8", "application/json, text/csv", "text/csv;q=0", "image/png"] {
            assert_eq!(form(accept), Form::Json, "{accept}");
        }
        assert_eq!(form("text/csv"), Form::Csv);
        assert_eq!(form("application/json;q=0.5, application/vnd.apache.parquet"), Form::Parquet);
        assert_eq!(form("*/*;q=0.1, application/zip"), Form::Zip);
    }
}
