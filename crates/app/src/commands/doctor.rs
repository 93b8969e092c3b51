//! The doctor: what is wrong with a data folder or a set-up, in words, with what to do.

use std::path::Path;
use std::time::Duration;

use lake::Lake;
use serde::Serialize;
use store::Store;

use crate::models::Models;
use crate::{App, Result, Settings, WriterLock};

/// Free space below which an ingest may fail, in bytes.
const FREE_SPACE_LOW: u64 = 1 << 30;
/// Damaged segments named one by one; more are counted.
const NAMED_MAX: usize = 10;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Gravity {
    Ok,
    Note,
    Problem,
}

/// One finding of the doctor.
#[derive(Debug, Clone, Serialize)]
pub struct Advice {
    /// How bad it is.
    pub gravity: Gravity,
    /// What was looked at.
    pub about: &'static str,
    /// What was found.
    pub found: String,
    /// What to do, where something is to be done.
    pub advice: Option<String>,
}

/// What the doctor has found so far.
#[derive(Default)]
struct Chart(Vec<Advice>);

impl Chart {
    fn ok(&mut self, about: &'static str, found: impl Into<String>) {
        self.0.push(Advice { gravity: Gravity::Ok, about, found: found.into(), advice: None });
    }

    fn note(&mut self, about: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        self.0.push(Advice { gravity: Gravity::Note, about, found: found.into(), advice: Some(advice.into()) });
    }

    fn problem(&mut self, about: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        self.0.push(Advice { gravity: Gravity::Problem, about, found: found.into(), advice: Some(advice.into()) });
    }
}

impl App {
    /// Looks at a data folder and the set-up around it. Changes nothing, and never stops at the first problem.
    #[must_use]
    pub fn doctor(settings: &Settings) -> Vec<Advice> {
        let mut chart = Chart::default();
        check_machine(&mut chart, settings);
        let folder = &settings.data_dir;
        if !folder.is_dir() {
            chart.note(
                "data folder",
                format!("{} is not there yet", folder.display()),
                "`cidadao ingest FILE` or `cidadao demo` makes it",
            );
            return chart.0;
        }
        check_space(&mut chart, folder);
        let database = folder.join("cidadao.db");
        if settings.database.server().is_none() && !database.is_file() {
            chart.note(
                "database",
                format!("{} holds no database yet", folder.display()),
                "`cidadao ingest FILE` or `cidadao demo` makes it",
            );
            return chart.0;
        }
        match crate::open_store(settings) {
            Err(error) => chart.problem(
                "database",
                format!("{} cannot be opened: {error}", place_of(settings, &database)),
                "restore it from a copy, or move the folder away and ingest the files again",
            ),
            Ok(store) => {
                if let Err(error) = check_data(&mut chart, &store, folder, settings.redis.address()) {
                    chart.problem(
                        "data",
                        format!("a check could not run: {error}"),
                        "see the lines above; if there are none, report this",
                    );
                }
            }
        }
        chart.0
    }
}

impl App {
    /// Writes damaged segments anew from the store's rows; gives their names.
    ///
    /// # Errors
    /// Another writer; a full disk. Nothing is changed then.
    pub fn repair(&self) -> Result<Vec<String>> {
        let _lock = WriterLock::take(self.folder(), Duration::from_secs(600))?;
        let damaged = self.lake().damage(self.store(), true)?;
        let rebuilt = self.rebuild(&damaged)?;
        self.judge_pending(&mut |_| {})?;
        Ok(rebuilt)
    }

    /// What the look at sizes finds is written anew before anything else is done.
    pub(crate) fn rebuild(&self, damaged: &[lake::Damage]) -> Result<Vec<String>> {
        if damaged.is_empty() {
            return Ok(Vec::new());
        }
        for damage in damaged {
            tracing::warn!("{damage}; it is written anew from the rows");
        }
        self.lake().rebuild(self.store(), damaged, &self.store().next_instant()?)?;
        self.lake().remove_orphans(self.store())?;
        Ok(damaged.iter().map(ToString::to_string).collect())
    }
}

fn place_of(settings: &Settings, file: &Path) -> String {
    if settings.database.server().is_some() { "the server's".to_owned() } else { file.display().to_string() }
}

fn check_machine(chart: &mut Chart, settings: &Settings) {
    match std::net::TcpListener::bind(&settings.http.listen) {
        Ok(_) => chart.ok("address", format!("{} is free", settings.http.listen)),
        Err(error) => chart.note(
            "address",
            format!("{} cannot be taken: {error}", settings.http.listen),
            "if that is not a running cidadao, choose another with --listen",
        ),
    }
    chart.ok("machine", settings.sized.to_string());
    for change in &settings.changed {
        chart.ok("setting", change.clone());
    }
    for risk in settings.risks() {
        chart.note("setting", risk, "keep it only if it is meant");
    }
}

fn check_space(chart: &mut Chart, folder: &Path) {
    let lock =
        if folder.join("writer.lock").exists() { WriterLock::take(folder, Duration::ZERO).map(Some) } else { Ok(None) };
    match lock {
        _ if rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_err() => {
            chart.problem("writer", "the folder cannot be written", "give this user the right to write there");
        }
        Ok(_) => chart.ok("writer", "nobody is writing"),
        Err(crate::Error::Locked(_)) => {
            chart.note("writer", "another program is writing to this folder", "wait for it to end before you ingest");
        }
        Err(error) => chart.problem(
            "writer",
            format!("the lock cannot be taken: {error}"),
            "give this user the right to write there",
        ),
    }
    match rustix::fs::statvfs(folder) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let text = format!("{} MiB free", free >> 20);
            if free < FREE_SPACE_LOW {
                chart.problem("disk", text, "an ingest needs about three times the size of its files; make room");
            } else {
                chart.ok("disk", text);
            }
        }
        Err(error) => {
            chart.note("disk", format!("free space is unknown: {error}"), "check it yourself before a large ingest");
        }
    }
}

/// The chain of the log, and tasks that failed for good.
fn check_log(chart: &mut Chart, store: &Store) -> Result<()> {
    let bell = events::Bell::default();
    let log = events::open(store, &Models, &bell, None);
    let audit = events::verify(&*log)?;
    match audit.faults.first() {
        None => chart.ok("log", format!("all {} event(s) are as they were written", audit.events)),
        Some(first) => chart.problem(
            "log",
            format!("{} fault(s), the first: {}", audit.faults.len(), first.because),
            "`cidadao audit verify` names all; someone wrote to the database past the program: restore a copy from before",
        ),
    }
    if !log.dead(0, 1)?.is_empty() {
        chart.note("tasks", "some failed for good", "`cidadao dlq list` says which and why; replay or drop them");
    }
    Ok(())
}

/// Whether Redis answers, where one is set.
fn check_redis(chart: &mut Chart, store: &Store, address: Option<&str>) -> Result<()> {
    let Some(address) = address else { return Ok(()) };
    match events::Redis::at(address, store)?.ping() {
        Ok(()) => chart.ok("redis", "it answers"),
        Err(error) => chart.problem(
            "redis",
            error.to_string(),
            "start it, or name another (redis.url); until then tasks wait in the database, and nothing is lost",
        ),
    }
    Ok(())
}

fn check_data(chart: &mut Chart, store: &Store, folder: &Path, address: Option<&str>) -> Result<()> {
    let faults = match store.integrity() {
        Ok(faults) => faults,
        // So damaged that it cannot even be looked through.
        Err(error) => {
            chart.problem(
                "database",
                error.to_string(),
                "restore it from a copy, or ingest the files again into a new folder",
            );
            return Ok(());
        }
    };
    match faults.first() {
        None => chart.ok("database", "sound"),
        Some(first) => chart.problem(
            "database",
            format!("{} fault(s), the first: {first}", faults.len()),
            "restore it from a copy, or ingest the files again into a new folder",
        ),
    }
    check_log(chart, store)?;
    check_redis(chart, store, address)?;
    let lake = Lake::open(&folder.join("lake"))?;
    check_lake(chart, store, &lake)?;
    if let Some((number, since)) = store.open_ingest()? {
        chart.problem(
            "ingest",
            format!("ingest {number}, begun {since}, is under way or was broken off"),
            "if no ingest is running, give the same command again: it goes on where it stopped",
        );
    }
    let (ingests, pending) = store.ingests()?;
    if ingests == 0 {
        chart.note("data", "nothing was ingested yet", "`cidadao ingest FILE`");
        return Ok(());
    }
    match pending {
        None => chart.ok("judgement", format!("all {ingests} ingest(s) are judged")),
        Some(first) => {
            chart.problem("judgement", format!("ingests from number {first} on are not judged"), "`cidadao flags run`");
        }
    }
    for (table, rows) in store.table_counts()? {
        match (table.as_str(), rows) {
            ("contracts", 0) => chart.note("contracts", "none are held", "ingest a file that holds contracts"),
            ("sanctions", 0) => {
                chart.note("sanctions", "none are held: BR01 cannot be computed", "ingest the CEIS and CNEP lists");
            }
            (_, rows) => chart.ok("rows", format!("{table}: {rows}")),
        }
    }
    for count in store.quarantine_counts()? {
        chart.note(
            "quarantine",
            format!("{} row(s) of {} could not be kept: {}", count.rows, count.source, count.reason),
            "compare them with the file; a corrected file can be ingested again",
        );
    }
    Ok(())
}

fn check_lake(chart: &mut Chart, store: &Store, lake: &Lake) -> Result<()> {
    let damage = lake.damage(store, true)?;
    if damage.is_empty() {
        chart.ok("lake", "every segment is as the manifest says");
    }
    for damaged in damage.iter().take(NAMED_MAX) {
        chart.problem(
            "lake",
            damaged.to_string(),
            "the rows are safe in the database; `cidadao doctor --repair` writes it anew from them",
        );
    }
    if damage.len() > NAMED_MAX {
        chart.problem("lake", format!("{} more segments are damaged", damage.len() - NAMED_MAX), "as above");
    }
    let orphans = lake.orphans(store)?;
    if !orphans.is_empty() {
        chart.note(
            "lake",
            format!("{} file(s) that no manifest row names", orphans.len()),
            "the next ingest removes them; they count for nothing",
        );
    }
    Ok(())
}
