//! Dossiers on their way out: in which form and language they are wanted, and how they leave.

use std::time::Duration;

use app::App;
use app::queries::{AskDossier, Dossier, DossierForm, Language};
use axum::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LANGUAGE, CONTENT_TYPE, ETAG, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};

use crate::answer::etag_of;
use crate::door::Door;
use crate::params::{FromParams, Params};
use crate::problem::Problem;

/// The part of a request's time in which rows behind findings are gathered; the rest is for writing.
const FOR_ROWS: f64 = 0.25;
/// What each `Accept` gives.
const KINDS: &[(&str, DossierForm)] = &[
    ("application/json", DossierForm::Json),
    ("text/html", DossierForm::Html),
    ("text/markdown", DossierForm::Markdown),
    ("application/pdf", DossierForm::Pdf),
    ("text/csv", DossierForm::Csv),
    ("application/zip", DossierForm::Zip),
    ("*/*", DossierForm::Json),
    ("application/*", DossierForm::Json),
];

/// In which form and language a dossier is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DossierQuery {
    /// The form; without it `Accept` says, and JSON is what everybody gets who names none.
    #[param(inline)]
    pub format: Option<DossierForm>,
    /// `pt` or `en`; without it `Accept-Language` says, and Portuguese is what everybody gets who names neither.
    #[param(value_type = Option<String>, example = "pt")]
    pub lang: Option<Language>,
}

impl FromParams for DossierQuery {
    fn read(params: &mut Params) -> Result<Self, Problem> {
        Ok(Self { format: params.code("format")?, lang: params.code("lang")? })
    }
}

impl DossierQuery {
    /// The form and the language, by the parameters and then by the headers.
    pub fn settle(self, headers: &HeaderMap) -> (DossierForm, Language) {
        let form = self.format.or_else(|| best(headers, &ACCEPT, |kind| of(KINDS, kind)));
        let language = self.lang.or_else(|| best(headers, &ACCEPT_LANGUAGE, language_of));
        (form.unwrap_or_default(), language.unwrap_or_default())
    }
}

fn of(kinds: &[(&str, DossierForm)], kind: &str) -> Option<DossierForm> {
    kinds.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind)).map(|(_, form)| *form)
}

fn language_of(tag: &str) -> Option<Language> {
    match tag.split('-').next()?.to_ascii_lowercase().as_str() {
        "pt" | "*" => Some(Language::Pt),
        "en" => Some(Language::En),
        _ => None,
    }
}

/// What a header likes best of what is known; of equal ones the first that it names.
fn best<T>(headers: &HeaderMap, name: &HeaderName, known: impl Fn(&str) -> Option<T>) -> Option<T> {
    let ranges = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
    let mut best: Option<(T, f64)> = None;
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let Some(form) = parts.next().and_then(&known) else { continue };
        let weight = parts.find_map(|p| p.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
        if weight > best.as_ref().map_or(0.0, |(_, best)| *best) {
            best = Some((form, weight));
        }
    }
    best.map(|(form, _)| form)
}

/// How long rows behind findings may be gathered for a request.
pub fn patience(door: &Door) -> Duration {
    Duration::from_secs(door.http().request_timeout_s).mul_f64(FOR_ROWS)
}

/// Has a dossier made and written in the form that is wanted.
///
/// # Errors
/// Too busy; there is no such thing; the form cannot be made.
pub async fn give(
    door: &Door,
    query: DossierQuery,
    headers: &HeaderMap,
    name: String,
    make: impl FnOnce(&App, AskDossier) -> app::Result<Dossier> + Send + 'static,
) -> Result<Response, Problem> {
    let (form, language) = query.settle(headers);
    let ask = AskDossier { language, patience: patience(door) };
    let bytes = door.fetch(move |app| app.write_dossier(&make(app, ask)?, form)).await?;
    Ok(answered(bytes, form, language, &name))
}

/// A dossier on its way out, to be saved under `name`.
pub fn answered(bytes: Vec<u8>, form: DossierForm, language: Language, name: &str) -> Response {
    let etag = etag_of(&bytes);
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' }).take(80).collect();
    let seen = matches!(form, DossierForm::Html | DossierForm::Pdf);
    let how = if seen { "inline" } else { "attachment" };
    let disposition = HeaderValue::try_from(format!("{how}; filename=\"{plain}.{}\"", form.ending()));
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.media_type()));
    if form != DossierForm::Json {
        headers.insert(CONTENT_DISPOSITION, disposition.unwrap_or_else(|_| HeaderValue::from_static("attachment")));
    }
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.say("pt-BR", "en")));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(VARY, HeaderValue::from_static("accept, accept-language"));
    headers.insert(ETAG, etag);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(accept: &str, languages: &str, query: DossierQuery) -> (DossierForm, Language) {
        let mut headers = HeaderMap::new();
        for (name, value) in [(ACCEPT, accept), (ACCEPT_LANGUAGE, languages)] {
            if !value.is_empty() {
                headers.insert(name, HeaderValue::try_from(value).unwrap());
            }
        }
        query.settle(&headers)
    }

    #[test]
    fn parameters_come_before_headers_and_json_in_portuguese_is_for_who_names_nothing() {
        let none = DossierQuery::default();
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(settled("", "", none), (DossierForm::Json, Language::Pt));
        assert_eq!(settled(browser, "en-US,en;q=0.9,pt;q=0.8", none), (DossierForm::Html, Language::En));
        assert_eq!(settled("application/pdf", "de, pt-BR;q=0.5", none), (DossierForm::Pdf, Language::Pt));
        assert_eq!(settled("image/png", "de", none), (DossierForm::Json, Language::Pt));
        let asked = DossierQuery { format: Some(DossierForm::Csv), lang: Some(Language::En) };
        assert_eq!(settled(browser, "pt", asked), (DossierForm::Csv, Language::En));
    }
}
