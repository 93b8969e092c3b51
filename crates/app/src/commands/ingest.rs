//! Ingest: files in, records and findings out, with an account that closes.
//!
//! Some threads read and map, one writes. A small ingest is one transaction; a large one commits batch by batch, each with
//! the progress of its file, and when it is broken off (a crash, Ctrl-C, a full disk) the same command goes on where it
//! stopped and ends as if nothing had happened. At the end segments are written and the touched peer groups are judged.

mod reading;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde::Serialize;
use sha2::{Digest, Sha256};
use sources::{Also, Event, Header, How, Input, Mapping, Parsed};
use store::{Account, Ingest, NewFile, Outcome, Progress, QuarantinedRow};

use self::reading::{Message, Readers};
use super::judge::JudgeReport;
use crate::{App, Error, Result, VERSION, WriterLock};

/// How long an ingest waits for another writer.
const LOCK_PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// What to ingest.
#[derive(Debug, Clone, Default)]
pub struct IngestRequest {
    /// Files, folders and archives.
    pub paths: Vec<PathBuf>,
    /// Forces a source; else each file is known by its content.
    pub source: Option<String>,
    /// A mapping by which all of them are read, for CSV that no format of ours knows.
    pub mapping: Option<Arc<Mapping>>,
    /// Set from outside, it ends the ingest at the next row: what was read is kept, and the same request goes on from there.
    pub stop: Arc<AtomicBool>,
}

/// How far an ingest is.
#[derive(Debug, Clone, Copy)]
pub enum IngestProgress<'a> {
    /// Another ingest is under way; this one waits for its end.
    Waiting,
    /// Rows of a file.
    Reading {
        /// The file.
        file: &'a str,
        /// Files done and in all.
        files: (usize, usize),
        /// Rows so far, of all files.
        rows: u64,
    },
    /// Writing segments and committing.
    Writing,
    /// Judging a flag.
    Judging(&'a str),
}

/// What an ingest did.
#[derive(Debug, Clone, Serialize)]
pub struct IngestReport {
    /// The account of all files.
    pub totals: Totals,
    /// The account of each file.
    pub files: Vec<FileReport>,
    /// It was stopped before its end; the same request goes on from there.
    pub interrupted: bool,
    /// Segments whose files were found missing or altered, and written anew.
    pub rebuilt: Vec<String>,
    /// What was judged.
    pub judged: Option<JudgeReport>,
    /// Seconds from start to end.
    pub seconds: f64,
}

/// `read = kept + unchanged + replaced + quarantined`.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[allow(missing_docs, reason = "the names are the account's own")]
pub struct Totals {
    pub read: u64,
    pub kept: u64,
    pub unchanged: u64,
    pub replaced: u64,
    pub quarantined: u64,
}

/// What became of one file.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    /// The file, as people know it.
    pub name: String,
    /// Its source, where it could be told.
    pub source: Option<String>,
    /// `ingested`, `seen_before`, `failed`, `interrupted` or `not_recognised`.
    pub status: &'static str,
    /// Why it failed.
    pub error: Option<String>,
    /// Words of mapped columns that have no meaning, and in how many rows they stand.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown_words: BTreeMap<String, u64>,
    /// Its account.
    #[serde(flatten)]
    pub account: Totals,
}

impl From<Account> for Totals {
    fn from(a: Account) -> Self {
        Self { read: a.read, kept: a.kept, unchanged: a.unchanged, replaced: a.replaced, quarantined: a.quarantined }
    }
}

/// A file that is worth reading.
struct Fresh {
    input: Input,
    sha256: String,
    named: bool,
}

impl App {
    /// Ingests files and judges what they touch.
    ///
    /// # Errors
    /// A path that is not there, another writer, a full disk: nothing is changed then. A file that cannot be read does
    /// not stop the others; its report says why.
    pub fn ingest(&self, request: &IngestRequest, tell: &mut dyn FnMut(IngestProgress<'_>)) -> Result<IngestReport> {
        let started = Instant::now();
        request.check_source()?;
        let _lock = self.writer_lock(&request.stop, tell)?;
        let rebuilt = self.rebuild(&self.lake().damage(self.store(), false)?)?;
        self.lake().remove_orphans(self.store())?;
        let mut reports: Vec<FileReport> = Vec::new();
        let (fresh, repeated) = self.fresh_files(request, &mut reports)?;
        if !fresh.is_empty() {
            self.read_and_commit(request, &fresh, &mut reports, tell)?;
        }
        for file in repeated {
            let member = file.input.member.as_deref().unwrap_or_default();
            let rows = self.store().file_seen(&file.sha256, member, request.mapping_text())?;
            reports.push(rows.map_or_else(
                || same_as_failed(file.input.name.clone()),
                |rows| seen_before(file.input.name.clone(), rows),
            ));
        }
        let interrupted = request.stop.load(Ordering::Relaxed);
        let judged = if interrupted { None } else { self.judge_what_came(tell)? };
        reports.sort_by(|a, b| a.name.cmp(&b.name));
        let mut totals = Totals::default();
        for report in &reports {
            totals.add(&report.account);
        }
        Ok(IngestReport {
            totals,
            files: reports,
            interrupted,
            rebuilt,
            judged,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// What follows the rows: who is who, what the flags say, how whole the sources are.
    fn judge_what_came(&self, tell: &mut dyn FnMut(IngestProgress<'_>)) -> Result<Option<JudgeReport>> {
        let started = Instant::now();
        self.link_entities()?;
        tracing::debug!(seconds = started.elapsed().as_secs_f64(), "entities are linked");
        let judged = self.judge_pending(&mut |flag| tell(IngestProgress::Judging(flag)))?;
        tracing::debug!(seconds = started.elapsed().as_secs_f64(), "judged");
        self.note_quality()?;
        tracing::debug!(seconds = started.elapsed().as_secs_f64(), "quality is noted");
        Ok(judged)
    }

    /// Waits for the folder's lock, telling so, until it is free or `stop` is set.
    pub(super) fn writer_lock(
        &self,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(IngestProgress<'_>),
    ) -> Result<WriterLock> {
        let started = Instant::now();
        loop {
            match WriterLock::take(self.folder(), Duration::from_millis(200)) {
                Err(Error::Locked(_)) if started.elapsed() < LOCK_PATIENCE && !stop.load(Ordering::Relaxed) => {
                    tell(IngestProgress::Waiting);
                }
                taken => return taken,
            }
        }
    }

    /// The files not seen before, and those whose content stands twice in this call; those seen are reported at once,
    /// their rows unchanged.
    fn fresh_files(&self, request: &IngestRequest, reports: &mut Vec<FileReport>) -> Result<(Vec<Fresh>, Vec<Fresh>)> {
        let mut hashes: HashMap<PathBuf, String> = HashMap::new();
        let (mut fresh, mut repeated): (Vec<Fresh>, Vec<Fresh>) = (Vec::new(), Vec::new());
        let mut listed: HashSet<(String, String)> = HashSet::new();
        let mut named_twice: HashSet<(PathBuf, String)> = HashSet::new();
        for path in &request.paths {
            let named = path.is_file();
            for input in sources::discover(std::slice::from_ref(path))? {
                let sha256 = match hashes.get(&input.path) {
                    Some(hash) => hash.clone(),
                    None => {
                        let hash = sha256_of(&input.path)?;
                        hashes.insert(input.path.clone(), hash.clone());
                        hash
                    }
                };
                let member = input.member.clone().unwrap_or_default();
                if !named_twice.insert((input.path.clone(), member.clone())) {
                    // By itself and with its folder, say.
                    continue;
                }
                match self.store().file_seen(&sha256, &member, request.mapping_text())? {
                    Some(rows) => reports.push(seen_before(input.name, rows)),
                    None if listed.insert((sha256.clone(), member)) => fresh.push(Fresh { input, sha256, named }),
                    None => repeated.push(Fresh { input, sha256, named }),
                }
            }
        }
        Ok((fresh, repeated))
    }

    fn read_and_commit(
        &self,
        request: &IngestRequest,
        fresh: &[Fresh],
        reports: &mut Vec<FileReport>,
        tell: &mut dyn FnMut(IngestProgress<'_>),
    ) -> Result<()> {
        let started = Instant::now();
        let bytes = fresh.iter().map(|f| f.input.bytes).sum();
        let mut writer = Writer {
            ingest: self.store().begin_ingest(&self.store().next_instant()?, bytes)?,
            mapping: request.mapping_text().unwrap_or_default(),
            stop: &request.stop,
            rows_unsaved: 0,
            batch_rows: self.settings().ingest.batch_rows,
        };
        let mut rows = 0;
        std::thread::scope(|scope| {
            let readers = Readers::start(scope, fresh, request.how());
            for (at, file) in fresh.iter().enumerate() {
                if request.stop.load(Ordering::Relaxed) {
                    break;
                }
                let report = writer.write_file(file, readers.of(at), &mut |done| {
                    let files = (at, fresh.len());
                    tell(IngestProgress::Reading { file: &file.input.name, files, rows: rows + done });
                })?;
                rows += report.account.read;
                reports.push(report);
            }
            // Who reads stops when nobody listens.
            Ok::<(), Error>(())
        })?;
        let mut ingest = writer.ingest;
        if request.stop.load(Ordering::Relaxed) {
            return Ok(ingest.save(None)?);
        }
        let recognised = reports.iter().any(|report| report.source.is_some());
        if !recognised && !ingest.is_split() {
            // There is nothing to make visible.
            return Ok(());
        }
        tell(IngestProgress::Writing);
        tracing::debug!(seconds = started.elapsed().as_secs_f64(), rows, "rows are put");
        ingest.finish_rows()?;
        let at = self.store().next_instant()?;
        tracing::debug!(seconds = started.elapsed().as_secs_f64(), "partitions can be found");
        self.lake().write_segments(self.store(), &ingest, &at)?;
        tracing::debug!(seconds = started.elapsed().as_secs_f64(), "segments and indexes are written");
        ingest.commit(&at)?;
        tracing::debug!(seconds = started.elapsed().as_secs_f64(), "committed");
        Ok(())
    }
}

/// Reads a mapping file.
///
/// # Errors
/// It cannot be read, or says what cannot be; the message names the line.
pub fn load_mapping(path: &Path) -> Result<Arc<Mapping>> {
    Mapping::load(path).map(Arc::new).map_err(|error| Error::invalid("map", error.to_string()))
}

impl IngestRequest {
    fn how(&self) -> How<'_> {
        How { source: self.source.as_deref(), mapping: self.mapping.as_deref() }
    }

    fn mapping_text(&self) -> Option<&str> {
        self.mapping.as_deref().map(Mapping::text)
    }

    /// # Errors
    /// A source that is not known.
    pub(crate) fn check_source(&self) -> Result<()> {
        if self.mapping.is_some() && self.source.is_some() {
            return Err(Error::invalid("map", "a mapping names its own source; no other can be forced"));
        }
        match self.source.as_deref().filter(|s| !sources::SOURCES.contains(s)) {
            None => Ok(()),
            Some(source) => {
                let known = sources::SOURCES.join(", ");
                Err(Error::invalid("source", format!("there is no `{source}`; known: {known}")))
            }
        }
    }
}

impl Totals {
    fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.kept += other.kept;
        self.unchanged += other.unchanged;
        self.replaced += other.replaced;
        self.quarantined += other.quarantined;
    }
}

/// The report of a file whose content is held already.
fn seen_before(name: String, rows: u64) -> FileReport {
    let account = Totals { read: rows, unchanged: rows, ..Totals::default() };
    FileReport { name, source: None, status: "seen_before", error: None, unknown_words: BTreeMap::new(), account }
}

/// The report of a copy of a file of the same call that could not be read.
fn same_as_failed(name: String) -> FileReport {
    let error = Some(format!("{name} has the content of another file of this call, which could not be read"));
    let (unknown_words, account) = (BTreeMap::new(), Totals::default());
    FileReport { name, source: None, status: "failed", error, unknown_words, account }
}

/// The one who writes.
struct Writer<'a> {
    ingest: Ingest,
    mapping: &'a str,
    stop: &'a AtomicBool,
    rows_unsaved: u64,
    batch_rows: u64,
}

impl Writer<'_> {
    /// Writes the rows of one file as they come.
    fn write_file(
        &mut self,
        file: &Fresh,
        messages: &Receiver<Message>,
        tell: &mut dyn FnMut(u64),
    ) -> Result<FileReport> {
        let mut header: Option<Header> = None;
        let mut progress = Progress::default();
        let mut skip = 0;
        let mut told = Instant::now();
        let outcome = loop {
            match messages.recv() {
                Ok(Message::Begin(found)) => {
                    progress = self.begin_file(file, &found)?;
                    skip = progress.rows_done;
                    header = Some(found);
                }
                Ok(Message::Rows(mut lot)) => {
                    let known = usize::try_from(skip).unwrap_or(usize::MAX).min(lot.len());
                    lot.drain(..known);
                    skip -= known as u64;
                    let source = header.as_ref().map_or("", |h| &*h.source);
                    self.write_rows(source, lot, &mut progress)?;
                    if told.elapsed() >= TELL_EVERY {
                        tell(progress.account.read);
                        told = Instant::now();
                    }
                    if self.stop.load(Ordering::Relaxed) {
                        return self.interrupted(file, header, &progress);
                    }
                }
                Ok(Message::End(outcome)) => break outcome,
                Err(_) => break Err(sources::Error::sink("the reader stopped")),
            }
        };
        tell(progress.account.read);
        let error = outcome.as_ref().err().map(ToString::to_string);
        if header.is_some() {
            self.ingest.end_file(&progress, error.as_deref())?;
        }
        let status = match &outcome {
            Ok(_) => "ingested",
            Err(
                sources::Error::UnknownFormat { .. }
                | sources::Error::Empty { .. }
                | sources::Error::MappedColumnsMissing { none_found: true, .. },
            ) if !file.named => "not_recognised",
            Err(_) => "failed",
        };
        Ok(FileReport {
            name: file.input.name.clone(),
            source: header.map(|h| h.source.into_owned()),
            status,
            error,
            unknown_words: outcome.map(|header| header.unknown_words).unwrap_or_default(),
            account: progress.account.into(),
        })
    }

    fn begin_file(&mut self, file: &Fresh, found: &Header) -> Result<Progress> {
        Ok(self.ingest.begin_file(&NewFile {
            name: &file.input.name,
            sha256: &file.sha256,
            member: file.input.member.as_deref().unwrap_or_default(),
            source: &found.source,
            format: found.format.code(),
            head: &found.head,
            mapping: self.mapping,
            reader: VERSION,
        })?)
    }

    fn interrupted(&mut self, file: &Fresh, header: Option<Header>, progress: &Progress) -> Result<FileReport> {
        self.ingest.save(Some(progress))?;
        Ok(FileReport {
            name: file.input.name.clone(),
            source: header.map(|h| h.source.into_owned()),
            status: "interrupted",
            error: None,
            unknown_words: BTreeMap::new(),
            account: progress.account.into(),
        })
    }

    fn write_rows(&mut self, source: &str, lot: Vec<Event>, progress: &mut Progress) -> Result<()> {
        for event in lot {
            write_event(&mut self.ingest, source, event, &mut progress.account)?;
            progress.rows_done += 1;
            self.rows_unsaved += 1;
            if self.rows_unsaved >= self.batch_rows {
                self.ingest.save(Some(progress))?;
                self.rows_unsaved = 0;
            }
        }
        Ok(())
    }
}

fn write_event(ingest: &mut Ingest, source: &str, event: Event, account: &mut Account) -> Result<()> {
    match event {
        Event::Row(row) => account.book(write_row(ingest, source, row)?),
        Event::Bad(bad) => {
            ingest.quarantine(&QuarantinedRow {
                line: bad.line,
                column: bad.column.as_deref(),
                reason: bad.reason.code(),
                detail: &bad.detail,
                raw: &bad.raw,
                whole: bad.is_whole(),
            })?;
            account.book_quarantined();
        }
    }
    Ok(())
}

/// Writes everything that a row states; of what that did, the greatest counts.
#[allow(clippy::boxed_local, reason = "rows travel in boxes")]
pub(super) fn write_row(ingest: &mut Ingest, source: &str, mut row: Box<Parsed>) -> Result<Outcome> {
    let line = row.sourced.line;
    if let Some((id, buyer)) = row.buyer.take() {
        ingest.see_buyer(&id, source, line, buyer)?;
    }
    if let Some((id, supplier)) = row.supplier.take() {
        ingest.see_supplier(&id, source, line, supplier)?;
    }
    let mut outcome = ingest.put(source, &mut row.sourced)?;
    for also in row.more {
        match also {
            Also::Buyer(id, buyer) => ingest.see_buyer(&id, source, line, buyer)?,
            Also::Supplier(id, supplier) => ingest.see_supplier(&id, source, line, supplier)?,
            Also::Record(mut record) => outcome = outcome.max(ingest.put(source, &mut record)?),
        }
    }
    Ok(outcome)
}

fn sha256_of(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(|e| Error::io(path, &e))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0u8; 1 << 18];
    loop {
        let read = file.read(&mut buffer).map_err(|e| Error::io(path, &e))?;
        if read == 0 {
            return Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect());
        }
        hash.update(&buffer[..read]);
    }
}
