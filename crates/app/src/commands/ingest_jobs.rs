//! Ingests asked for from outside the process: each is a job with a number, that can be followed and stopped.
//!
//! That one was asked for, began and ended are events of the log, from which the list is made; how far it is stands in memory
//! only. One runs at a time and the others wait, up to [`WAITING_MAX`]. What happens is told as events numbered from 1, so that who
//! follows can come back to where they were; of a job of an earlier process only its end is told.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use events::{CommandKey, Expected, NewEvent};
use serde::Serialize;
use serde_json::{Value, json};
use store::IngestJobRow;

use super::decide::Answer;
use crate::queries::Told;
use crate::{App, Error, IngestProgress, IngestRequest, Result};

/// Jobs that may wait.
pub const WAITING_MAX: usize = 16;
/// Jobs that are listed, and whose progress is remembered.
const KEPT_MAX: usize = 100;
/// Events that are remembered of one job; progress beyond it replaces progress.
const EVENTS_MAX: usize = 1_000;

/// An ingest asked for from outside.
#[derive(Debug, Clone, Serialize)]
pub struct Job {
    /// Its number.
    pub id: i64,
    /// `queued`, `running`, `done`, `interrupted` or `failed`.
    pub status: String,
    /// What was asked for.
    pub paths: Value,
    /// When it was asked for.
    pub asked_at: String,
    /// How far it is, as the last event says.
    pub progress: Option<Value>,
    /// The report, as of `cidadao ingest --json`, once it has ended.
    pub report: Option<Value>,
    /// Why it failed.
    pub error: Option<String>,
}

impl Job {
    fn of(row: IngestJobRow, progress: Option<Value>) -> Result<Self> {
        let json = |text: String| serde_json::from_str(&text).map_err(store::Error::from);
        Ok(Self {
            id: row.id,
            status: row.status,
            paths: json(row.paths)?,
            asked_at: row.asked_at,
            progress,
            report: row.report.map(json).transpose()?,
            error: row.error,
        })
    }
}

/// A job of this process.
struct Live {
    id: i64,
    request: IngestRequest,
    events: Vec<Told>,
    begun: bool,
    ended: bool,
}

impl Live {
    fn note(&mut self, kind: &str, data: Value) {
        let next = self.events.last().map_or(1, |last| last.seq + 1);
        // How far a file is read interests only the last time; what came before it makes room.
        if self.events.len() >= EVENTS_MAX && matches!(kind, "reading" | "waiting") {
            self.events.remove(1);
        }
        self.events.push(Told { seq: next, kind: kind.to_owned(), data });
    }
}

/// The jobs of a process.
#[derive(Default)]
pub(crate) struct Jobs {
    live: Mutex<VecDeque<Live>>,
    /// Held by who asks, so that the queue's end holds.
    asking: Mutex<()>,
    works: AtomicBool,
    /// The lock of the one server whose jobs run.
    server: Mutex<Option<File>>,
}

impl Jobs {
    fn live(&self) -> MutexGuard<'_, VecDeque<Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, id: i64, look: impl FnOnce(&mut Live) -> T) -> Option<T> {
        self.live().iter_mut().find(|live| live.id == id).map(look)
    }

    /// Jobs that run, and that wait.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let live = self.live();
        let of = |begun: bool| live.iter().filter(|job| !job.ended && job.begun == begun).count();
        (of(true), of(false))
    }

    fn progress_of(&self, id: i64) -> Option<Value> {
        self.with(id, |live| live.events.last().map(|event| event.data.clone())).flatten()
    }
}

fn stream_of(id: i64) -> String {
    format!("ingest:{id}")
}

impl App {
    /// Asks for an ingest and returns at once.
    ///
    /// # Errors
    /// A path that is not there, an unknown source; [`Error::QueueFull`] when too many wait; [`Error::Locked`] while another
    /// writer holds the database.
    pub fn ask_ingest(&self, request: IngestRequest, key: Option<&CommandKey>) -> Result<Answer> {
        if request.paths.is_empty() {
            return Err(Error::invalid("paths", "name at least one file or folder"));
        }
        if let Some(path) = request.paths.iter().find(|path| !path.exists()) {
            return Err(Error::invalid("paths", format!("there is no file or folder {}", path.display())));
        }
        request.check_source()?;
        let jobs = self.jobs();
        let _asking = jobs.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let full = jobs.live().iter().filter(|live| !live.begun && !live.ended).count() >= WAITING_MAX;
        let answer = self.once(key, |unit| {
            if full {
                return Err(Error::QueueFull(WAITING_MAX));
            }
            let id = store::ingest_jobs::next_number(unit.db())?;
            let asked_at = model::dates::now_text();
            let payload = json!({"paths": request.paths, "source": request.source, "asked_at": asked_at});
            let event = NewEvent::new("ingest.requested", payload);
            unit.append(&stream_of(id), Expected::Version(0), &[event])?;
            let paths: Vec<&PathBuf> = request.paths.iter().collect();
            let (progress, status) = (Some(json!({})), "queued".to_owned());
            Ok(Job { id, status, paths: json!(paths), asked_at, progress, report: None, error: None })
        })?;
        if !answer.repeated {
            self.enqueue_job(answer.body["id"].as_i64().unwrap_or_default(), request);
        }
        Ok(answer)
    }

    fn enqueue_job(&self, id: i64, request: IngestRequest) {
        let jobs = self.jobs();
        let mut live = jobs.live();
        if live.len() >= KEPT_MAX
            && let Some(at) = live.iter().position(|live| live.ended)
        {
            live.remove(at);
        }
        let mut new = Live { id, request, events: Vec::new(), begun: false, ended: false };
        new.note("queued", json!({}));
        live.push_back(new);
        drop(live);
        if !jobs.works.swap(true, Ordering::AcqRel) {
            let app = self.clone();
            std::thread::spawn(move || app.work_off_jobs());
        }
    }

    /// The newest jobs, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn ingest_jobs(&self) -> Result<Vec<Job>> {
        let rows = self.store().ingest_jobs(KEPT_MAX)?;
        rows.into_iter().map(|row| Job::of(row.clone(), self.jobs().progress_of(row.id))).collect()
    }

    /// One job.
    ///
    /// # Errors
    /// No such job; the database cannot be read.
    pub fn ingest_job(&self, id: i64) -> Result<Job> {
        let row = self.store().ingest_job(id)?.ok_or_else(|| Error::not_found("ingest", &id.to_string()))?;
        Job::of(row, self.jobs().progress_of(id))
    }

    /// What happened to a job after event `since`, and whether nothing more will.
    ///
    /// # Errors
    /// No such job; the database cannot be read.
    pub fn ingest_events(&self, id: i64, since: u64) -> Result<(Vec<Told>, bool)> {
        let told = self.jobs().with(id, |live| {
            let events = live.events.iter().filter(|event| event.seq > since).cloned().collect();
            (events, live.ended)
        });
        if let Some(told) = told {
            return Ok(told);
        }
        let job = self.ingest_job(id)?;
        let data = json!({"totals": job.report.map(|report| report["totals"].clone()), "error": job.error});
        let ended = !matches!(job.status.as_str(), "queued" | "running");
        let end = ended.then_some(Told { seq: since.saturating_add(1), kind: job.status, data });
        Ok((end.into_iter().collect(), ended))
    }

    /// How far the ingests of this process are that wait or run. Which files they read is the installation's own.
    #[must_use]
    pub fn ingests_under_way(&self) -> Vec<Value> {
        let live = self.jobs().live();
        let under_way = live.iter().filter(|live| !live.ended);
        under_way
            .map(|live| {
                let last = live.events.last();
                let of = |field: &str| last.map(|last| last.data[field].clone());
                json!({"ingest": live.id, "status": last.map(|last| last.kind.clone()),
                    "files_done": of("files_done"), "files": of("files"), "rows": of("rows"), "flag": of("flag")})
            })
            .collect()
    }

    /// Stops a job: one that runs ends after the row in hand, and the same request goes on from there.
    ///
    /// # Errors
    /// No such job; the database cannot be read.
    pub fn stop_ingest(&self, id: i64) -> Result<Job> {
        let waits = self.jobs().with(id, |live| {
            live.request.stop.store(true, Ordering::Relaxed);
            let waits = !live.begun && !live.ended;
            if waits {
                live.ended = true;
                live.note("interrupted", json!({}));
            }
            waits
        });
        if waits == Some(true) {
            self.until_written(|| self.end_job(id, "interrupted", &Value::Null, None))?;
        }
        self.ingest_job(id)
    }

    /// Notes that jobs of a server which is no more ended with it, unless another server is there whose they are.
    ///
    /// # Errors
    /// The lock file cannot be made; the database cannot be read.
    pub fn take_over_ingests(&self) -> Result<()> {
        let path = self.folder().join("serve.lock");
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(|e| Error::io(&path, &e))?;
        if file.try_lock().is_err() {
            return Ok(());
        }
        *self.jobs().server.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        for job in self.store().ingest_jobs(usize::MAX >> 1)? {
            if matches!(job.status.as_str(), "queued" | "running") {
                let error = "its process ended; the same request goes on from where it was";
                self.end_job(job.id, "interrupted", &Value::Null, Some(error))?;
            }
        }
        Ok(())
    }

    fn work_off_jobs(&self) {
        let jobs = self.jobs();
        loop {
            let next = {
                let mut live = jobs.live();
                let next = live.iter_mut().find(|live| !live.begun && !live.ended);
                let Some(next) = next else {
                    jobs.works.store(false, Ordering::Release);
                    return;
                };
                next.begun = true;
                (next.id, next.request.clone())
            };
            self.work_off(next.0, &next.1);
        }
    }

    fn work_off(&self, id: i64, request: &IngestRequest) {
        let begun = self.until_written(|| self.note_job(id, NewEvent::new("ingest.started", json!({}))));
        self.log_trouble(id, begun);
        let (status, report, error) = self.run_job(id, request);
        let ended = self.until_written(|| self.end_job(id, status, &report, error.as_deref()));
        self.log_trouble(id, ended);
        self.jobs().with(id, |live| {
            live.ended = true;
            let data = match &error {
                Some(error) => json!({"error": error}),
                None if report.is_null() => json!({}),
                None => json!({"totals": report["totals"]}),
            };
            live.note(status, data);
        });
    }

    /// Runs an ingest to its end; gives its status, report and error.
    fn run_job(&self, id: i64, request: &IngestRequest) -> (&'static str, Value, Option<String>) {
        let jobs = self.jobs();
        let note = |kind, data| {
            jobs.with(id, |live| live.note(kind, data));
        };
        let mut told_waiting = false;
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.ingest(request, &mut |progress| match progress {
                IngestProgress::Waiting if std::mem::replace(&mut told_waiting, true) => {}
                IngestProgress::Waiting => note("waiting", json!({})),
                IngestProgress::Reading { file, files: (done, all), rows } => {
                    note("reading", json!({"file": file, "files_done": done, "files": all, "rows": rows}));
                }
                IngestProgress::Writing => note("writing", json!({})),
                IngestProgress::Judging(flag) => note("judging", json!({"flag": flag})),
            })
        }));
        match outcome {
            Ok(Ok(report)) => {
                let status = if report.interrupted { "interrupted" } else { "done" };
                (status, serde_json::to_value(&report).unwrap_or_default(), None)
            }
            Ok(Err(error)) => ("failed", Value::Null, Some(error.to_string())),
            Err(_) => ("failed", Value::Null, Some("the ingest failed inside; the cause is in the log".to_owned())),
        }
    }

    fn end_job(&self, id: i64, status: &str, report: &Value, error: Option<&str>) -> Result<()> {
        let payload = json!({"status": status, "report": report, "error": error});
        self.note_job(id, NewEvent::new("ingest.ended", payload))
    }

    fn note_job(&self, id: i64, event: NewEvent) -> Result<()> {
        self.decide(|unit| {
            unit.append(&stream_of(id), Expected::Any, &[event])?;
            Ok(())
        })
    }

    fn log_trouble(&self, id: i64, done: Result<()>) {
        if let Err(error) = done {
            tracing::error!(id, %error, "an event of an ingest could not be written");
        }
    }
}
