//! PNCP's public query service, `/api/consulta`: contracts and tenders, by the day they were published or last changed.
//!
//! A window is one route over some days (and one modality, which the tenders' routes ask for), read page by page. A page
//! counts when it is whole: JSON with its list, and the page that was asked for.
//! Source: the service's OpenAPI document; windows of at most a year, 500 contracts or 50 tenders a page, 204 where
//! there is nothing.

use std::fmt;

use bytes::Bytes;
use chrono::{Datelike, Days, NaiveDate};
use outbound::Outbound;
use serde::{Deserialize, Deserializer, Serialize};
use tokio::time::Instant;

/// Where the service stands.
pub const SERVICE: &str = "https://pncp.gov.br/api/consulta";
/// The codes of its modalities.
pub const MODALITIES: std::ops::RangeInclusive<u8> = 1..=13;
/// How often a page that is not whole is asked for again.
const TRIES: u32 = 4;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// Contracts by the day of their publication.
    Contracts,
    /// Contracts by the day of their last change.
    ContractsUpdated,
    /// Tenders by the day of their publication.
    Tenders,
    /// Tenders by the day of their last change.
    TendersUpdated,
}

impl Route {
    /// By the day of publication.
    pub const PUBLISHED: [Self; 2] = [Self::Contracts, Self::Tenders];
    /// By the day of the last change.
    pub const UPDATED: [Self; 2] = [Self::ContractsUpdated, Self::TendersUpdated];

    fn path(self) -> &'static str {
        match self {
            Self::Contracts => "/v1/contratos",
            Self::ContractsUpdated => "/v1/contratos/atualizacao",
            Self::Tenders => "/v1/contratacoes/publicacao",
            Self::TendersUpdated => "/v1/contratacoes/atualizacao",
        }
    }

    /// Rows a page may have.
    fn page_rows(self) -> u32 {
        if self.needs_modality() { 50 } else { 500 }
    }

    fn needs_modality(self) -> bool {
        matches!(self, Self::Tenders | Self::TendersUpdated)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Contracts => "contratos",
            Self::ContractsUpdated => "contratos-atualizacao",
            Self::Tenders => "contratacoes",
            Self::TendersUpdated => "contratacoes-atualizacao",
        }
    }
}

/// One route over some days.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// What is asked for.
    pub route: Route,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// The modality, where the route asks for one.
    pub modality: Option<u8>,
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.route.name(), self.from.format("%Y%m%d"), self.to.format("%Y%m%d"))?;
        self.modality.map_or(Ok(()), |modality| write!(f, "_m{modality:02}"))
    }
}

impl Window {
    /// The windows of some routes over some days: one per calendar month, and per modality where the route asks for one.
    #[must_use]
    pub fn over(routes: &[Route], from: NaiveDate, to: NaiveDate) -> Vec<Self> {
        let mut windows = Vec::new();
        for (from, to) in months(from, to) {
            for &route in routes {
                if route.needs_modality() {
                    windows.extend(MODALITIES.map(|m| Self { route, from, to, modality: Some(m) }));
                } else {
                    windows.push(Self { route, from, to, modality: None });
                }
            }
        }
        windows
    }

    /// The address of one of its pages, the first being 1.
    #[must_use]
    pub fn url(&self, service: &str, page: u32) -> String {
        let mut url = format!(
            "{}{}?dataInicial={}&dataFinal={}",
            service.trim_end_matches('/'),
            self.route.path(),
            self.from.format("%Y%m%d"),
            self.to.format("%Y%m%d")
        );
        if let Some(modality) = self.modality {
            url.push_str(&format!("&codigoModalidadeContratacao={modality}"));
        }
        url.push_str(&format!("&pagina={page}&tamanhoPagina={}", self.route.page_rows()));
        url
    }
}

fn months(from: NaiveDate, to: NaiveDate) -> Vec<(NaiveDate, NaiveDate)> {
    let mut months = Vec::new();
    let mut start = from;
    while start <= to {
        let next = start.with_day(1).and_then(|day| day.checked_add_months(chrono::Months::new(1)));
        let Some(next) = next else { break };
        months.push((start, (next - Days::new(1)).min(to)));
        start = next;
    }
    months
}

/// A page that is whole.
#[derive(Debug, Clone)]
pub struct Page {
    /// As it came, but for CPFs in its texts, which are masked.
    pub body: Bytes,
    /// Its rows.
    pub rows: u64,
    /// How many pages the window has, as this one says.
    pub pages: u32,
    /// Rows of the window, as this one says.
    pub rows_total: u64,
}

/// Why a page could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing came, or a refusal.
    #[error(transparent)]
    Outbound(#[from] outbound::Error),
    /// It came several times, and never whole.
    #[error("{url}: {because}, {TRIES} times")]
    NotWhole {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        because: String,
    },
}

/// The envelope of a page.
#[derive(Deserialize)]
struct Envelope {
    data: Option<Vec<serde::de::IgnoredAny>>,
    #[serde(rename = "totalPaginas", deserialize_with = "number")]
    pages: u64,
    #[serde(rename = "totalRegistros", default, deserialize_with = "number")]
    rows_total: u64,
    #[serde(rename = "numeroPagina", deserialize_with = "number")]
    page: u64,
}

/// A number, also when it is written as text.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Text(String),
    }
    match Written::deserialize(from)? {
        Written::Number(number) => Ok(number),
        Written::Text(text) => text.trim().parse().map_err(serde::de::Error::custom),
    }
}

/// Fetches a page; `None` where the window has nothing there.
///
/// # Errors
/// The source does not answer by `deadline`, refuses, or sends what is not whole again and again.
pub async fn fetch(
    outbound: &Outbound,
    service: &str,
    window: &Window,
    page: u32,
    deadline: Instant,
) -> Result<Option<Page>, Error> {
    let url = window.url(service, page);
    let mut because = String::new();
    for _ in 0..TRIES {
        let answer = outbound.get(&url, deadline).await?;
        if answer.status == 204 || answer.body.is_empty() {
            return Ok(None);
        }
        match read_page(&answer.body, page) {
            Ok(read) => return Ok(read),
            Err(why) => because = why,
        }
    }
    Err(Error::NotWhole { url, because })
}

/// Whether a page is whole; `Ok(None)` is an empty one.
fn read_page(body: &[u8], asked: u32) -> Result<Option<Page>, String> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(|e| format!("no whole page ({e})"))?;
    let rows = envelope.data.ok_or("a page without `data`")?.len() as u64;
    if envelope.page != u64::from(asked) {
        return Err(format!("page {} came for page {asked}", envelope.page));
    }
    if rows == 0 {
        return match envelope.pages > u64::from(asked) {
            true => Err(format!("page {asked} of {} is empty", envelope.pages)),
            false => Ok(None),
        };
    }
    let pages = u32::try_from(envelope.pages).map_err(|_| format!("{} pages", envelope.pages))?;
    Ok(Some(Page { body: masked(body), rows, pages, rows_total: envelope.rows_total }))
}

/// The same JSON with the CPFs in its texts masked. Amounts and other numbers stay as they are.
fn masked(json: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(json.len());
    let mut rest = json;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        out.extend_from_slice(&rest[..quote]);
        let text = &rest[quote..];
        let end = end_of_text(text);
        match serde_json::from_slice::<String>(&text[..end]).as_deref().map(model::mask_cpfs) {
            Ok(std::borrow::Cow::Owned(masked)) => {
                out.extend_from_slice(serde_json::Value::from(masked).to_string().as_bytes());
            }
            _ => out.extend_from_slice(&text[..end]),
        }
        rest = &text[end..];
    }
    out.extend_from_slice(rest);
    out.into()
}

/// Where the text that begins here with a quote ends, its closing quote included.
fn end_of_text(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(next) = memchr::memchr2(b'"', b'\\', &text[at.min(text.len())..]) {
        at += next;
        if text[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn windows_are_months_and_ask_as_the_service_wants() {
        let windows = Window::over(&Route::PUBLISHED, day("2025-01-20"), day("2025-02-03"));
        assert_eq!(windows.len(), 2 * (1 + 13));
        assert_eq!(windows[0].to_string(), "contratos_20250120_20250131");
        assert_eq!(
            windows[1].url("https://example.org/api/consulta/", 3),
            "https://example.org/api/consulta/v1/contratacoes/publicacao?dataInicial=20250120&dataFinal=20250131&codigoModalidadeContratacao=1&pagina=3&tamanhoPagina=50"
        );
        assert_eq!(windows[14].to_string(), "contratos_20250201_20250203");
        assert!(Window::over(&Route::PUBLISHED, day("2025-02-03"), day("2025-01-20")).is_empty());
        let year_end = Window::over(&[Route::Contracts], day("2024-12-31"), day("2025-01-01"));
        assert_eq!(
            year_end.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["contratos_20241231_20241231", "contratos_20250101_20250101"]
        );
    }

    #[test]
    fn only_a_whole_page_counts() {
        let read = |text: &str| read_page(text.as_bytes(), 2).map(|page| page.map(|p| (p.rows, p.pages)));
        let whole = r#"{"data":[{"a":1},{}],"totalRegistros":12,"totalPaginas":7,"numeroPagina":2,"paginasRestantes":5,"empty":false}"#;
        assert_eq!(read(whole), Ok(Some((2, 7))));
        assert_eq!(read(&whole.replace(":7,", ":\"7\",")), Ok(Some((2, 7))));
        assert_eq!(read(r#"{"data":[],"totalPaginas":0,"numeroPagina":2,"empty":true}"#), Ok(None));
        for broken in [
            &whole[..40],
            "<html>",
            "[]",
            r#"{"data":null,"totalPaginas":7,"numeroPagina":2}"#,
            r#"{"data":[],"totalPaginas":7,"numeroPagina":2}"#,
            r#"{"data":[{}],"totalPaginas":7,"numeroPagina":1}"#,
            r#"{"data":[{}],"totalPaginas":"many","numeroPagina":2}"#,
        ] {
            assert!(read(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn no_cpf_of_a_text_is_kept_and_nothing_else_changes() {
        let page = r#"{"data":[{"niFornecedor":"52998224725","nome":"MARIA \"M\" 529.982.247-25","valor":1000.10,"n":52998224725,"e":"\u0035\u00329 98224725 529\u00398224725"}]}"#;
        let kept = String::from_utf8(masked(page.as_bytes()).to_vec()).unwrap();
        assert!(
            kept.contains(
                r#""niFornecedor":"***982247**","nome":"MARIA \"M\" ***.982.247-**","valor":1000.10,"n":52998224725"#
            ),
            "{kept}"
        );
        assert!(!kept.contains("\\u0039"), "{kept}");
        let other = r#"{"a":"x\\","b":"CNPJ 11222333000181","c":["\"",{}]}"#;
        assert_eq!(masked(other.as_bytes()), other);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it_and_no_half_page_counts(bytes: Vec<u8>, cut in 0usize..1_000, page: u32) {
            let _ = read_page(&bytes, page);
            let rows = "{\"numeroControlePNCP\":\"1\"},".repeat(20);
            let whole = format!("{{\"data\":[{rows}{{}}],\"totalPaginas\":{page},\"numeroPagina\":{page}}}");
            let cut = cut.min(whole.len() - 1);
            proptest::prop_assert!(read_page(&whole.as_bytes()[..cut], page).is_err());
            proptest::prop_assert_eq!(read_page(whole.as_bytes(), page).unwrap().map(|p| p.rows), Some(21));
        }
    }
}
