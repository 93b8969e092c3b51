//! `cidadao audit`, `cidadao rebuild` and `cidadao dlq`: the log and the tasks that failed for good.

use std::process::ExitCode;

use app::queries::{PageLimit, PageQuery};
use app::{App, DeadLetter, Result};
use serde_json::json;

use crate::cli::DlqCommand;
use crate::output::{say, table};
use crate::run::print_json;

/// Walks the chain.
pub fn verify(app: &App, head: Option<&str>, json: bool) -> Result<ExitCode> {
    let report = app.audit(head)?;
    if json {
        print_json(&report);
    } else {
        for fault in &report.faults {
            say!("{}: {}", fault["kind"].as_str().unwrap_or_default(), fault["because"].as_str().unwrap_or_default());
        }
        let found = if report.faults.is_empty() { "íntegro" } else { "ALTERADO" };
        say!("registro {found}: {} eventos", report.events);
        let (seq, hash) = (&report.head["seq"], report.head["hash"].as_str().unwrap_or_default());
        say!("anote para conferir depois: cidadao audit verify --head {seq}:{hash}");
    }
    Ok(ExitCode::from(u8::from(!report.faults.is_empty())))
}

/// Makes the read models anew.
pub fn rebuild(app: &App, json: bool) -> Result<()> {
    let (events, tables) = app.rebuild_models()?;
    if json {
        print_json(&json!({"events": events, "tables": tables}));
    } else {
        say!("{} refeitas de {events} eventos", tables.join(", "));
    }
    Ok(())
}

/// Looks at dead letters, tries one again, drops one.
pub fn dlq(app: &App, command: &DlqCommand, json: bool) -> Result<()> {
    let letters = match command {
        DlqCommand::List => all(app)?,
        DlqCommand::Replay { id } => vec![app.replay_letter(*id)?],
        DlqCommand::Drop { id } => vec![app.drop_letter(*id)?],
    };
    if json {
        print_json(&json!({"data": letters}));
        return Ok(());
    }
    let mut rows = table(&["nº", "tarefa", "chave", "tentativas", "falhou em", "por quê"]);
    for letter in &letters {
        let (id, attempts) = (letter.id.to_string(), letter.attempts.to_string());
        rows.add_row([&id, &letter.topic, &letter.key, &attempts, &letter.died_at, &letter.error]);
    }
    say!("{rows}");
    match command {
        DlqCommand::List => {}
        DlqCommand::Replay { .. } => say!("volta à fila: o próximo `serve` ou `investigate` a faz"),
        DlqCommand::Drop { .. } => say!("descartada"),
    }
    Ok(())
}

fn all(app: &App) -> Result<Vec<DeadLetter>> {
    let mut page = PageQuery { limit: Some(PageLimit::MAX), cursor: None };
    let mut letters = Vec::new();
    loop {
        let list = app.dead_letters(&page)?;
        letters.extend(list.data);
        match list.page.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(letters),
        }
    }
}
