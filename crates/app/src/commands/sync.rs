//! Fetching what a live source published, and ingesting it.
//!
//! Pages are kept as they came and then read like any other file: what a page says is judged, quarantined and evidenced in
//! one way. A window that fails is named and does not stop the others.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{NaiveDate, Utc};
use futures_util::StreamExt;
use outbound::{Outbound, Settings as OutboundSettings};
use serde::Serialize;
use sources::live::pncp::{self, Route, Window};

use super::fetched::Fetched;
use super::ingest::{IngestProgress, IngestReport, IngestRequest};
use crate::{App, Error, Result, VERSION};

/// How often a fetch looks whether it is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What to fetch.
#[derive(Debug, Clone)]
pub struct SyncRequest {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// By the day of the last change, not of publication.
    pub updated: bool,
    /// Also what was fetched whole before.
    pub again: bool,
    /// Set from outside, it ends the fetch; the same request goes on from there.
    pub stop: Arc<AtomicBool>,
}

/// How far a sync is.
#[derive(Debug)]
pub enum SyncProgress<'a> {
    /// A page came.
    Page {
        /// Its window.
        window: &'a str,
        /// Its number.
        page: u32,
        /// Of how many.
        pages: u32,
    },
    /// A window cannot be had now.
    Failed {
        /// Which.
        window: &'a str,
        /// Why.
        because: &'a str,
    },
    /// The pages are read.
    Ingest(IngestProgress<'a>),
}

/// What a sync did.
#[derive(Debug, Clone, Serialize)]
pub struct SyncReport {
    /// The source.
    pub source: &'static str,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// Windows of the request.
    pub windows: usize,
    /// Of which were held whole before, and so not asked for.
    pub held: usize,
    /// Of which were fetched whole now.
    pub fetched: usize,
    /// Pages that came.
    pub pages: u64,
    /// Rows on them.
    pub rows: u64,
    /// Windows that could not be had, and why.
    pub failed: Vec<FailedWindow>,
    /// Whether it was stopped.
    pub interrupted: bool,
    /// What was asked of the source.
    pub requests: Requests,
    /// What the pages gave; null where there are none.
    pub ingest: Option<IngestReport>,
    /// Seconds from start to end.
    pub seconds: f64,
}

/// A window that could not be had.
#[derive(Debug, Clone, Serialize)]
pub struct FailedWindow {
    /// Which.
    pub window: String,
    /// Why.
    pub because: String,
}

/// What was asked of a source.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Requests {
    /// Sent.
    pub sent: u64,
    /// Of which again.
    pub again: u64,
    /// Pauses that the source asked for.
    pub pauses: u64,
    /// Connections opened for them.
    pub connections: u64,
}

/// One fetch at work.
struct Fetch<'a> {
    service: &'a str,
    outbound: Outbound,
    patience: Duration,
    stop: &'a AtomicBool,
    fetched: RefCell<&'a mut Fetched>,
    tell: RefCell<&'a mut dyn FnMut(SyncProgress<'_>)>,
    report: RefCell<&'a mut SyncReport>,
}

impl App {
    /// Fetches what PNCP published, or changed, in some days, and ingests it.
    ///
    /// # Errors
    /// `Invalid` for days that cannot be; the disk is full; another writer. A source that fails is no error but stands in
    /// the report.
    pub fn sync_pncp(&self, request: &SyncRequest, tell: &mut dyn FnMut(SyncProgress<'_>)) -> Result<SyncReport> {
        let started = Instant::now();
        if request.from > request.to {
            return Err(Error::Invalid { field: "from", because: format!("{} is after {}", request.from, request.to) });
        }
        let routes = if request.updated { Route::UPDATED } else { Route::PUBLISHED };
        let windows = Window::over(&routes, request.from, request.to);
        let mut fetched = Fetched::open(self.folder(), "pncp")?;
        let mut report = SyncReport {
            source: "pncp",
            from: request.from,
            to: request.to,
            windows: windows.len(),
            held: 0,
            fetched: 0,
            pages: 0,
            rows: 0,
            failed: Vec::new(),
            interrupted: false,
            requests: Requests::default(),
            ingest: None,
            seconds: 0.0,
        };
        let is_held = |window: &&Window| {
            !request.again
                && fetched.windows.get(&window.to_string()).is_some_and(super::fetched::WindowState::is_settled)
        };
        let (held, wanted): (Vec<&Window>, Vec<&Window>) = windows.iter().partition(is_held);
        report.held = held.len();
        self.fetch_windows(&wanted, request, &mut fetched, &mut report, tell)?;
        report.interrupted = request.stop.load(Ordering::Relaxed);
        // Also those held before: their ingest may have been broken off, and what was read is only hashed.
        let paths: Vec<PathBuf> = windows.iter().filter_map(|window| fetched.pages_of(window)).collect();
        if !paths.is_empty() && !report.interrupted {
            let request = IngestRequest { paths, stop: Arc::clone(&request.stop), ..IngestRequest::default() };
            report.ingest = Some(self.ingest(&request, &mut |progress| tell(SyncProgress::Ingest(progress)))?);
        }
        report.seconds = started.elapsed().as_secs_f64();
        Ok(report)
    }

    fn fetch_windows(
        &self,
        windows: &[&Window],
        request: &SyncRequest,
        fetched: &mut Fetched,
        report: &mut SyncReport,
        tell: &mut dyn FnMut(SyncProgress<'_>),
    ) -> Result<()> {
        if windows.is_empty() {
            return Ok(());
        }
        let settings = &self.settings().outbound;
        let outbound = Outbound::new(OutboundSettings {
            connections_max: settings.connections_max,
            per_origin: settings.per_origin,
            rate_per_s: settings.rate_per_s,
            attempt_timeout: Duration::from_secs(settings.timeout_s),
            hedge_after: (settings.hedge_after_ms > 0).then(|| Duration::from_millis(settings.hedge_after_ms)),
            user_agent: format!("cidadao/{VERSION}"),
            ..OutboundSettings::default()
        })
        .map_err(|e| Error::Failed(format!("the certificates of the system: {e}")))?;
        let watched = self.asked().watch(&outbound);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::Failed(format!("no asynchronous runtime: {e}")))?;
        let fetch = Fetch {
            service: &self.settings().pncp.service,
            outbound: outbound.clone(),
            patience: Duration::from_secs(settings.patience_s),
            stop: &request.stop,
            fetched: RefCell::new(fetched),
            tell: RefCell::new(tell),
            report: RefCell::new(&mut *report),
        };
        let done: Vec<Result<()>> = runtime.block_on(
            futures_util::stream::iter(windows)
                .map(|window| fetch.window(window))
                .buffer_unordered(settings.per_origin)
                .collect(),
        );
        drop(watched);
        let figures = outbound.figures();
        let of_all = |count: fn(&outbound::OriginFigures) -> u64| figures.origins.iter().map(count).sum();
        report.requests = Requests {
            sent: of_all(|o| o.requests),
            again: of_all(|o| o.retries + o.hedges),
            pauses: of_all(|o| o.throttled),
            connections: figures.opened,
        };
        done.into_iter().collect()
    }
}

impl Fetch<'_> {
    /// Fetches a window to its last page. What the source does wrong stands in the report; an error is one of this machine.
    async fn window(&self, window: &Window) -> Result<()> {
        if self.is_stopped() {
            return Ok(());
        }
        let name = window.to_string();
        let mut number = self.fetched.borrow_mut().begin(window, now());
        loop {
            let Some(asked) = self.page(window, number).await else { return Ok(()) };
            match asked {
                Ok(Some(page)) => {
                    let url = window.url(self.service, number);
                    self.fetched.borrow_mut().keep(window, &url, number, &page, now())?;
                    let mut report = self.report.borrow_mut();
                    report.pages += 1;
                    report.rows += page.rows;
                    drop(report);
                    (self.tell.borrow_mut())(SyncProgress::Page { window: &name, page: number, pages: page.pages });
                    if number < page.pages {
                        number += 1;
                        continue;
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    let because = error.to_string();
                    (self.tell.borrow_mut())(SyncProgress::Failed { window: &name, because: &because });
                    self.fetched.borrow_mut().end(window, Some(because.clone()), now())?;
                    self.report.borrow_mut().failed.push(FailedWindow { window: name, because });
                    return Ok(());
                }
            }
            self.report.borrow_mut().fetched += 1;
            return self.fetched.borrow_mut().end(window, None, now());
        }
    }

    /// Asks for a page; `None` when the fetch is to stop.
    async fn page(&self, window: &Window, number: u32) -> Option<std::result::Result<Option<pncp::Page>, pncp::Error>> {
        let deadline = tokio::time::Instant::now() + self.patience;
        let asked = pncp::fetch(&self.outbound, self.service, window, number, deadline);
        tokio::pin!(asked);
        loop {
            if self.is_stopped() {
                return None;
            }
            tokio::select! {
                page = &mut asked => return Some(page),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The day in Brasília.
#[must_use]
pub fn today() -> NaiveDate {
    now().date()
}

fn now() -> chrono::NaiveDateTime {
    Utc::now().with_timezone(&model::dates::brasilia()).naive_local()
}
