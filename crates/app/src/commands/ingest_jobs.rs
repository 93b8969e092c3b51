//! Ingests asked for from outside the process: each is a job with a number, that can be followed and stopped.
//!
//! One runs at a time and the others wait, up to [`WAITING_MAX`]; the newest [`KEPT_MAX`] can still be asked for. What
//! happens is a list of events, numbered from 1, so that who follows can come back to where they were.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use serde::Serialize;
use serde_json::{Value, json};

use crate::{App, Error, IngestProgress, IngestRequest, Result};

/// Jobs that may wait.
pub const WAITING_MAX: usize = 16;
/// Jobs that are remembered.
const KEPT_MAX: usize = 100;
/// Events that are remembered of one job; progress beyond it replaces progress.
const EVENTS_MAX: usize = 1_000;

/// One thing that happened to a job.
#[derive(Debug, Clone, Serialize)]
pub struct JobEvent {
    /// 1 is the first.
    pub seq: u64,
    /// `queued`, `waiting`, `reading`, `writing`, `judging`, `done`, `interrupted` or `failed`.
    pub kind: &'static str,
    /// What there is to say of it.
    pub data: Value,
}

/// An ingest asked for from outside.
#[derive(Debug, Clone, Serialize)]
pub struct Job {
    /// Its number, for the life of the process.
    pub id: u64,
    /// `queued`, `running`, `done`, `interrupted` or `failed`.
    pub status: &'static str,
    /// What was asked for.
    pub paths: Vec<PathBuf>,
    /// When it was asked for.
    pub asked_at: String,
    /// How far it is, as the last event says.
    pub progress: Option<Value>,
    /// The report, as of `cidadao ingest --json`, once it has ended.
    pub report: Option<Value>,
    /// Why it failed.
    pub error: Option<String>,
}

struct Held {
    job: Job,
    request: IngestRequest,
    events: Vec<JobEvent>,
    next_seq: u64,
}

impl Held {
    fn note(&mut self, kind: &'static str, data: Value) {
        // How far a file is read interests only the last time; what came before it makes room.
        let replaces = self.events.len() >= EVENTS_MAX && matches!(kind, "reading" | "waiting");
        if replaces {
            self.events.remove(1);
        }
        self.job.progress = Some(data.clone());
        self.events.push(JobEvent { seq: self.next_seq, kind, data });
        self.next_seq += 1;
    }

    fn has_ended(&self) -> bool {
        matches!(self.job.status, "done" | "interrupted" | "failed")
    }
}

/// The jobs of a process.
#[derive(Default)]
pub(crate) struct Jobs {
    held: Mutex<VecDeque<Held>>,
    works: AtomicBool,
}

impl Jobs {
    fn held(&self) -> MutexGuard<'_, VecDeque<Held>> {
        self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn with<T>(&self, id: u64, look: impl FnOnce(&mut Held) -> T) -> Result<T> {
        let mut held = self.held();
        let found = held.iter_mut().find(|held| held.job.id == id);
        found.map(look).ok_or_else(|| Error::not_found("ingest", &id.to_string()))
    }
}

impl App {
    /// Asks for an ingest and returns at once.
    ///
    /// # Errors
    /// A path that is not there, an unknown source; [`Error::QueueFull`] when too many wait.
    pub fn ask_ingest(&self, request: IngestRequest) -> Result<Job> {
        if request.paths.is_empty() {
            return Err(Error::invalid("paths", "name at least one file or folder"));
        }
        if let Some(path) = request.paths.iter().find(|path| !path.exists()) {
            return Err(Error::invalid("paths", format!("there is no file or folder {}", path.display())));
        }
        request.check_source()?;
        let jobs = self.jobs();
        let mut held = jobs.held();
        if held.iter().filter(|held| held.job.status == "queued").count() >= WAITING_MAX {
            return Err(Error::QueueFull(WAITING_MAX));
        }
        if held.len() >= KEPT_MAX
            && let Some(at) = held.iter().position(Held::has_ended)
        {
            held.remove(at);
        }
        let job = Job {
            id: held.back().map_or(1, |last| last.job.id + 1),
            status: "queued",
            paths: request.paths.clone(),
            asked_at: model::dates::now_text(),
            progress: None,
            report: None,
            error: None,
        };
        let mut new = Held { job: job.clone(), request, events: Vec::new(), next_seq: 1 };
        new.note("queued", json!({}));
        held.push_back(new);
        drop(held);
        if !jobs.works.swap(true, Ordering::AcqRel) {
            let app = self.clone();
            std::thread::spawn(move || app.work_off_jobs());
        }
        Ok(job)
    }

    /// Every job that is remembered, newest first.
    #[must_use]
    pub fn ingest_jobs(&self) -> Vec<Job> {
        self.jobs().held().iter().rev().map(|held| held.job.clone()).collect()
    }

    /// One job.
    ///
    /// # Errors
    /// No such job.
    pub fn ingest_job(&self, id: u64) -> Result<Job> {
        self.jobs().with(id, |held| held.job.clone())
    }

    /// What happened to a job after event `since`, and whether nothing more will.
    ///
    /// # Errors
    /// No such job.
    pub fn ingest_events(&self, id: u64, since: u64) -> Result<(Vec<JobEvent>, bool)> {
        self.jobs().with(id, |held| {
            let events = held.events.iter().filter(|event| event.seq > since).cloned().collect();
            (events, held.has_ended())
        })
    }

    /// Stops a job: one that runs ends after the row in hand, and the same request goes on from there.
    ///
    /// # Errors
    /// No such job.
    pub fn stop_ingest(&self, id: u64) -> Result<Job> {
        self.jobs().with(id, |held| {
            held.request.stop.store(true, Ordering::Relaxed);
            if held.job.status == "queued" {
                held.job.status = "interrupted";
                held.note("interrupted", json!({}));
            }
            held.job.clone()
        })
    }

    /// Stops every job, for the process ends.
    pub fn stop_all_ingests(&self) {
        for held in self.jobs().held().iter() {
            held.request.stop.store(true, Ordering::Relaxed);
        }
    }

    fn work_off_jobs(&self) {
        let jobs = self.jobs();
        loop {
            let next = {
                let mut held = jobs.held();
                let next = held.iter_mut().find(|held| held.job.status == "queued");
                let Some(next) = next else {
                    jobs.works.store(false, Ordering::Release);
                    return;
                };
                next.job.status = "running";
                (next.job.id, next.request.clone())
            };
            self.work_off(next.0, &next.1);
        }
    }

    fn work_off(&self, id: u64, request: &IngestRequest) {
        let jobs = self.jobs();
        let note = |kind, data| {
            let _ = jobs.with(id, |held| held.note(kind, data));
        };
        let mut told = (String::new(), false);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.ingest(request, &mut |progress| match progress {
                IngestProgress::Waiting if std::mem::replace(&mut told.1, true) => {}
                IngestProgress::Waiting => note("waiting", json!({})),
                IngestProgress::Reading { file, files: (done, all), rows } => {
                    file.clone_into(&mut told.0);
                    note("reading", json!({"file": file, "files_done": done, "files": all, "rows": rows}));
                }
                IngestProgress::Writing => note("writing", json!({})),
                IngestProgress::Judging(flag) => note("judging", json!({"flag": flag})),
            })
        }));
        let _ = jobs.with(id, |held| match outcome {
            Ok(Ok(report)) => {
                held.job.status = if report.interrupted { "interrupted" } else { "done" };
                let totals = json!(report.totals);
                held.job.report = serde_json::to_value(&report).ok();
                held.note(held.job.status, json!({"totals": totals}));
            }
            Ok(Err(error)) => {
                held.job.status = "failed";
                held.job.error = Some(error.to_string());
                held.note("failed", json!({"error": error.to_string()}));
            }
            Err(_) => {
                held.job.status = "failed";
                held.job.error = Some("the ingest failed inside; the cause is in the log".to_owned());
                held.note("failed", json!({}));
            }
        });
    }
}
