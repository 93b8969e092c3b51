//! Ingest: files in, records and findings out, with an account that closes.
//!
//! One thread reads and maps, one writes. Everything becomes visible in one transaction at the end; whatever happens
//! before leaves what was there untouched. Then the touched peer groups are judged.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use serde::Serialize;
use sha2::{Digest, Sha256};
use sources::{Also, Event, Header, Input};
use store::{Account, Ingest, QuarantinedRow};

use super::judge::JudgeReport;
use crate::{App, Error, Result, WriterLock};

/// Rows that travel together from the reader to the writer.
const LOT: usize = 512;
/// Lots that may wait between them; bounds memory.
const LOTS_WAITING: usize = 8;
/// How long an ingest waits for another writer.
const LOCK_PATIENCE: Duration = Duration::from_secs(600);
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// What to ingest.
#[derive(Debug, Clone, Default)]
pub struct IngestRequest {
    /// Files, folders and archives.
    pub paths: Vec<PathBuf>,
    /// Forces a source; else each file is known by its content.
    pub source: Option<String>,
}

/// How far an ingest is.
#[derive(Debug, Clone, Copy)]
pub enum IngestProgress<'a> {
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
    /// `ingested`, `seen_before`, `failed` or `not_recognised`.
    pub status: &'static str,
    /// Why it failed.
    pub error: Option<String>,
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
        if let Some(source) = request.source.as_deref().filter(|s| !sources::SOURCES.contains(s)) {
            return Err(Error::invalid(
                "source",
                format!("there is no `{source}`; known: {}", sources::SOURCES.join(", ")),
            ));
        }
        let _lock = WriterLock::take(self.folder(), LOCK_PATIENCE)?;
        self.lake().remove_orphans(self.store())?;
        let mut reports: Vec<FileReport> = Vec::new();
        let (fresh, repeated) = self.fresh_files(request, &mut reports)?;
        if !fresh.is_empty() {
            self.read_and_commit(request, &fresh, &mut reports, tell)?;
        }
        for file in repeated {
            let rows = self.store().file_seen(&file.sha256, file.input.member.as_deref().unwrap_or_default())?;
            reports.push(rows.map_or_else(
                || same_as_failed(file.input.name.clone()),
                |rows| seen_before(file.input.name.clone(), rows),
            ));
        }
        self.link_entities()?;
        let judged = self.judge_pending(&mut |flag| tell(IngestProgress::Judging(flag)))?;
        self.note_quality()?;
        reports.sort_by(|a, b| a.name.cmp(&b.name));
        let mut totals = Totals::default();
        for report in &reports {
            totals.read += report.account.read;
            totals.kept += report.account.kept;
            totals.unchanged += report.account.unchanged;
            totals.replaced += report.account.replaced;
            totals.quarantined += report.account.quarantined;
        }
        Ok(IngestReport { totals, files: reports, judged, seconds: started.elapsed().as_secs_f64() })
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
                match self.store().file_seen(&sha256, &member)? {
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
        let bytes = fresh.iter().map(|f| f.input.bytes).sum();
        let mut ingest = self.store().begin_ingest(&model::dates::now_text(), bytes)?;
        let mut total = Account::default();
        let hint = request.source.as_deref();
        let (sender, receiver) = sync_channel::<Message>(LOTS_WAITING);
        std::thread::scope(|scope| {
            scope.spawn(move || read_files(fresh, hint, &sender));
            for (at, file) in fresh.iter().enumerate() {
                let report = write_file(&mut ingest, file, &receiver, &mut |rows| {
                    tell(IngestProgress::Reading {
                        file: &file.input.name,
                        files: (at, fresh.len()),
                        rows: total.read + rows,
                    });
                });
                let (report, account) = match report {
                    Ok(report) => report,
                    Err(error) => {
                        // Who reads stops when nobody listens.
                        drop(receiver);
                        return Err(error);
                    }
                };
                total.add(&account);
                reports.push(report);
            }
            Ok(())
        })?;
        if reports.iter().all(|report| report.source.is_none()) {
            // No file was recognised: there is nothing to make visible.
            return Ok(());
        }
        tell(IngestProgress::Writing);
        ingest.finish_rows()?;
        let at = model::dates::now_text();
        self.lake().write_segments(&ingest, &at)?;
        ingest.commit(&total, &at)?;
        Ok(())
    }
}

/// The report of a file whose content is held already.
fn seen_before(name: String, rows: u64) -> FileReport {
    let account = Totals { read: rows, unchanged: rows, ..Totals::default() };
    FileReport { name, source: None, status: "seen_before", error: None, account }
}

/// The report of a copy of a file of the same call that could not be read.
fn same_as_failed(name: String) -> FileReport {
    let error = Some(format!("{name} has the content of another file of this call, which could not be read"));
    FileReport { name, source: None, status: "failed", error, account: Totals::default() }
}

/// What the reader tells the writer, file after file.
enum Message {
    /// A file was recognised; its rows follow.
    Begin(Header),
    /// Some of its rows.
    Rows(Vec<Event>),
    /// The file is done, or why it is not.
    End(std::result::Result<(), sources::Error>),
}

/// Reads and maps all files, one after the other; runs on a thread of its own, ahead of the writer by a bounded queue.
fn read_files(files: &[Fresh], hint: Option<&str>, sender: &SyncSender<Message>) {
    for file in files {
        // A reader that panics fails its file, not the ingest.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read_file(&file.input, hint, sender)));
        let outcome = outcome.unwrap_or_else(|_| {
            Err(sources::Error::Damaged {
                name: file.input.name.clone(),
                detail: "the reader of this format failed".to_owned(),
            })
        });
        if sender.send(Message::End(outcome)).is_err() {
            return;
        }
    }
}

fn read_file(
    input: &Input,
    hint: Option<&str>,
    sender: &SyncSender<Message>,
) -> std::result::Result<(), sources::Error> {
    let gone = || sources::Error::sink("the writer stopped");
    sender.send(Message::Begin(sources::identify(input, hint)?)).map_err(|_| gone())?;
    let mut lot = Vec::with_capacity(LOT);
    let outcome = sources::read(input, hint, &mut |event| {
        lot.push(event);
        if lot.len() == LOT {
            let full = std::mem::replace(&mut lot, Vec::with_capacity(LOT));
            sender.send(Message::Rows(full)).map_err(|_| gone())?;
        }
        Ok(())
    });
    if !lot.is_empty() {
        sender.send(Message::Rows(lot)).map_err(|_| gone())?;
    }
    outcome.map(|_| ())
}

/// Writes the rows of one file as they come.
fn write_file(
    ingest: &mut Ingest,
    file: &Fresh,
    receiver: &Receiver<Message>,
    tell: &mut dyn FnMut(u64),
) -> Result<(FileReport, Account)> {
    let mut header: Option<Header> = None;
    let mut account = Account::default();
    let mut told = Instant::now();
    let outcome = loop {
        match receiver.recv() {
            Ok(Message::Begin(found)) => {
                let member = file.input.member.as_deref().unwrap_or_default();
                ingest.begin_file(&file.input.name, &file.sha256, member, found.source, found.format.code())?;
                header = Some(found);
            }
            Ok(Message::Rows(lot)) => {
                let source = header.as_ref().map_or("", |h| h.source);
                write_rows(ingest, source, lot, &mut account)?;
                if told.elapsed() >= TELL_EVERY {
                    tell(account.read);
                    told = Instant::now();
                }
            }
            Ok(Message::End(outcome)) => break outcome,
            Err(_) => break Err(sources::Error::sink("the reader stopped")),
        }
    };
    tell(account.read);
    if header.is_some() {
        ingest.end_file(&account, outcome.is_ok())?;
    }
    let status = match &outcome {
        Ok(()) => "ingested",
        Err(sources::Error::UnknownFormat { .. } | sources::Error::Empty { .. }) if !file.named => "not_recognised",
        Err(_) => "failed",
    };
    let report = FileReport {
        name: file.input.name.clone(),
        source: header.map(|h| h.source.to_owned()),
        status,
        error: outcome.err().map(|e| e.to_string()),
        account: account.into(),
    };
    Ok((report, account))
}

fn write_rows(ingest: &mut Ingest, source: &str, lot: Vec<Event>, account: &mut Account) -> Result<()> {
    for event in lot {
        match event {
            Event::Row(mut row) => {
                if let Some((id, buyer)) = row.buyer.take() {
                    ingest.see_buyer(&id, source, row.sourced.line, buyer)?;
                }
                if let Some((id, supplier)) = row.supplier.take() {
                    ingest.see_supplier(&id, source, row.sourced.line, supplier)?;
                }
                let mut outcome = ingest.put(source, &mut row.sourced)?;
                let line = row.sourced.line;
                for also in row.more {
                    match also {
                        Also::Buyer(id, buyer) => ingest.see_buyer(&id, source, line, buyer)?,
                        Also::Supplier(id, supplier) => ingest.see_supplier(&id, source, line, supplier)?,
                        Also::Record(mut record) => outcome = outcome.max(ingest.put(source, &mut record)?),
                    }
                }
                account.book(outcome);
            }
            Event::Bad(bad) => {
                ingest.quarantine(&QuarantinedRow {
                    line: bad.line,
                    column: bad.column.as_deref(),
                    reason: bad.reason.code(),
                    detail: &bad.detail,
                    raw: &bad.raw,
                })?;
                account.book_quarantined();
            }
        }
    }
    Ok(())
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
