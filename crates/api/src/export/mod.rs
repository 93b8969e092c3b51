//! Exports: lists as tables, in the forms that spreadsheets, pandas and polars read; whole, and streamed.
//!
//! A table has fixed columns, each with one type: money and other decimals are exact decimals, days are days, what a source did not state is
//! null. An export is read page by page, so that it holds no more than a page and no connection to the database between two; an ingest
//! meanwhile may show in its later pages. One that fails on the way is cut off, never ended as if it were whole.

mod columns;
mod write;

use app::views::List;
use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, LINK, VARY};
use axum::http::{HeaderName, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

pub use columns::{CONTRACTS, Column, FINDINGS};
use write::Writer;

use crate::door::Door;
use crate::forms::Medium;
use crate::problem::Problem;

/// An export on its way.
struct Export<F> {
    door: Door,
    read: F,
    writer: Writer,
    cursor: Option<String>,
}

/// Streams all rows that `read` gives, page by page, as a file called `name`.
///
/// # Errors
/// The first page cannot be had; the form holds fewer rows than there are.
pub async fn stream<T, F>(
    door: Door,
    form: Medium,
    name: &str,
    columns: &'static [Column],
    read: F,
) -> Result<Response, Problem>
where
    T: Serialize + Send + 'static,
    F: Fn(&app::App, Option<String>) -> app::Result<List<T>> + Clone + Send + Sync + 'static,
{
    let export = Export { door, read, writer: Writer::new(form, columns)?, cursor: None };
    let (mut first, mut rest) = export.next().await?;
    if form == Medium::Xlsx {
        // A workbook is written at its end: nothing is sent before it is whole.
        while let Some(export) = rest {
            (first, rest) = export.next().await?;
        }
    }
    let pages = futures_util::stream::unfold(Some((first, rest)), async |state| {
        let (bytes, rest) = state?;
        let next = match rest {
            None => None,
            Some(export) => Some(export.next().await.map_err(|_| std::io::Error::other("the export broke off"))),
        };
        // An error is told once, and ends it.
        Some(match next {
            None => (Ok(bytes), None),
            Some(Ok(next)) => (Ok(bytes), Some(next)),
            Some(Err(error)) => (Err(error), None),
        })
    });
    let head = [
        (CONTENT_TYPE, HeaderValue::from_static(form.kind())),
        (CONTENT_DISPOSITION, attachment(name)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((head, Body::from_stream(pages)).into_response())
}

/// One page of a list as a table; `Link` says where the next is found.
///
/// # Errors
/// It cannot be written.
pub fn page<T: Serialize>(
    form: Medium,
    columns: &'static [Column],
    list: &List<T>,
    asked: &Uri,
) -> Result<Response, Problem> {
    let mut writer = Writer::new(form, columns)?;
    writer.rows(&list.data)?;
    let mut response = Body::from(writer.end()?).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.kind()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    if let Some(cursor) = &list.page.next_cursor {
        let kept = asked.query().unwrap_or_default().split('&').filter(|p| !p.is_empty() && !p.starts_with("cursor="));
        let query: Vec<String> = kept.map(str::to_owned).chain([format!("cursor={cursor}")]).collect();
        let link = format!("<{}?{}>; rel=\"next\"", asked.path(), query.join("&"));
        headers.extend(HeaderValue::try_from(link).ok().map(|link| (LINK, link)));
    }
    Ok(response)
}

impl<T, F> Export<F>
where
    T: Serialize + Send + 'static,
    F: Fn(&app::App, Option<String>) -> app::Result<List<T>> + Clone + Send + Sync + 'static,
{
    /// Reads and writes a page; gives its bytes, and the rest if there is more.
    async fn next(self) -> Result<(Bytes, Option<Self>), Problem> {
        let Self { door, read, mut writer, cursor } = self;
        let asked = read.clone();
        let written = door.ask_for(move |app| {
            let list = asked(app, cursor)?;
            Ok(writer.rows(&list.data).map(|()| (writer, list.page.next_cursor)))
        });
        let (mut writer, next) = written.await??;
        Ok(match next {
            None => (writer.end()?, None),
            Some(cursor) => (writer.taken(), Some(Self { door, read, writer, cursor: Some(cursor) })),
        })
    }
}

fn attachment(name: &str) -> HeaderValue {
    HeaderValue::try_from(format!("attachment; filename=\"{name}\"")).unwrap_or(HeaderValue::from_static("attachment"))
}
