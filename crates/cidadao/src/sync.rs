//! `sync`: what came over the network, in words.

use std::process::ExitCode;

use app::{App, Result, SyncProgress, SyncReport, SyncRequest};

use crate::output::{Progress, print_ingest, say};
use crate::run::print_json;

/// Fetches, ingests and says what came.
///
/// # Errors
/// Days that cannot be, another writer, a full disk.
pub fn run(app: &App, request: &SyncRequest, json: bool) -> Result<ExitCode> {
    let progress = Progress::new();
    let report = app.sync_pncp(request, &mut |p| match p {
        SyncProgress::Page { window, page, pages } => progress.say(format!("{window}: página {page} de {pages}")),
        SyncProgress::Failed { window, because } => eprintln!("{window}: {because}"),
        SyncProgress::Ingest(p) => progress.tell(p),
    });
    progress.end();
    let report = report?;
    if json {
        print_json(&report);
    } else {
        print(&report);
    }
    Ok(code_of(&report))
}

fn print(report: &SyncReport) {
    let r = &report.requests;
    say!(
        "{} janelas de {} a {}: {} já completas, {} buscadas, {} sem resposta; {} páginas, {} linhas ({} pedidos, {} repetidos, {} pausas)",
        report.windows,
        report.from,
        report.to,
        report.held,
        report.fetched,
        report.failed.len(),
        report.pages,
        report.rows,
        r.sent,
        r.again,
        r.pauses
    );
    if let Some(ingest) = &report.ingest {
        print_ingest(ingest);
    }
}

fn code_of(report: &SyncReport) -> ExitCode {
    let ingest = report.ingest.as_ref();
    let failed = report.interrupted
        || !report.failed.is_empty()
        || ingest.is_some_and(|i| i.interrupted || i.files.iter().any(|f| f.status == "failed"));
    match (failed, ingest.map_or(0, |i| i.totals.quarantined)) {
        (true, _) => ExitCode::from(1),
        (false, 0) => ExitCode::SUCCESS,
        (false, _) => ExitCode::from(3),
    }
}
