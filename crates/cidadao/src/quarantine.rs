//! The command `quarantine`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use app::{App, Error, QuarantineFilter, Quarantined, Result};
use serde_json::json;

use crate::cli::{QuarantineCommand, Which};
use crate::output::{say, table};
use crate::run::print_json;

/// Some rows still stand in quarantine.
const ROWS_LEFT: u8 = 3;
/// Characters of a row's text that a list shows.
const SHOWN_CHARS: usize = 60;

pub fn run(app: &App, command: QuarantineCommand, json: bool) -> Result<ExitCode> {
    match command {
        QuarantineCommand::List { which, limit, after } => list(app, &filter(which, None), after, limit, json)?,
        QuarantineCommand::Show { id } => show(app, id, json)?,
        QuarantineCommand::Retry { which, id, map } => {
            let mapping = map.as_deref().map(app::load_mapping).transpose()?;
            let report = app.retry_quarantine(&filter(which, id), mapping.as_deref())?;
            if json {
                print_json(&report);
            } else {
                say!(
                    "{} linhas lidas de novo: {} aproveitadas, {} continuam em quarentena, {} só com o arquivo inteiro",
                    report.tried,
                    report.released,
                    report.still_quarantined,
                    report.not_whole
                );
                for (reason, rows) in &report.reasons {
                    say!("  {reason}: {rows}");
                }
            }
            let left = report.still_quarantined + report.not_whole;
            return Ok(if left == 0 { ExitCode::SUCCESS } else { ExitCode::from(ROWS_LEFT) });
        }
        QuarantineCommand::Export { which, out } => export(app, &filter(which, None), out.as_deref(), json)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn filter(which: Which, id: Option<i64>) -> QuarantineFilter {
    QuarantineFilter { id, source: which.source, reason: which.reason, file: which.file }
}

fn list(app: &App, filter: &QuarantineFilter, after: i64, limit: u32, json: bool) -> Result<()> {
    let counts = app.quarantine_counts()?;
    let rows = app.quarantine(filter, after, limit as usize)?;
    let next = rows.last().filter(|_| rows.len() == limit as usize).map(|row| row.id);
    if json {
        print_json(&json!({"counts": counts, "rows": rows, "next_after": next}));
        return Ok(());
    }
    let mut shown = table(&["fonte", "motivo", "linhas"]);
    for (source, reasons) in &counts {
        for (reason, rows) in reasons {
            shown.add_row([source.clone(), reason.clone(), rows.to_string()]);
        }
    }
    say!("{shown}");
    let mut shown = table(&["nº", "arquivo", "linha", "coluna", "motivo", "texto"]);
    for row in &rows {
        let text: String = row.raw.chars().take(SHOWN_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let column = row.column.clone().unwrap_or_default();
        shown.add_row([row.id.to_string(), row.file.clone(), row.line.to_string(), column, row.reason.clone(), text]);
    }
    say!("{shown}");
    if let Some(next) = next {
        say!("mais: --after {next}");
    }
    Ok(())
}

fn show(app: &App, id: i64, json: bool) -> Result<()> {
    let filter = QuarantineFilter { id: Some(id), ..QuarantineFilter::default() };
    let row: Option<Quarantined> = app.quarantine(&filter, 0, 1)?.pop();
    let row = row.ok_or_else(|| Error::NotFound { what: "quarantined row", id: id.to_string() })?;
    if json {
        print_json(&row);
        return Ok(());
    }
    say!("nº {} · {} ({})", row.id, row.source, row.format);
    say!("{}, linha {}", row.file, row.line);
    say!("{}{}: {}", row.column.map(|column| format!("{column}: ")).unwrap_or_default(), row.reason, row.detail);
    say!("{}", row.raw);
    if !row.whole {
        say!("(não está inteira aqui: para tentar de novo, ingira o arquivo corrigido)");
    }
    Ok(())
}

fn export(app: &App, filter: &QuarantineFilter, out: Option<&std::path::Path>, json: bool) -> Result<()> {
    let Some(path) = out else {
        app.export_quarantine(filter, &mut std::io::stdout().lock())?;
        return Ok(());
    };
    let io = |error: std::io::Error| Error::Io { path: path.to_owned(), because: error.to_string() };
    let mut file = BufWriter::new(File::create(path).map_err(io)?);
    let rows = app.export_quarantine(filter, &mut file)?;
    file.flush().map_err(io)?;
    if json {
        print_json(&json!({"rows": rows, "file": path}));
    } else {
        say!("{rows} linhas em {}", path.display());
    }
    Ok(())
}
