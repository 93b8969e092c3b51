//! `migrate` and `copy`: the database's schema, and the way from a file to a server.

use std::time::Duration;

use app::{Result, SchemaStatus, Settings};

use crate::output::{say, table};
use crate::run::print_json;

pub fn migrate(settings: &Settings, status: bool, json: bool) -> Result<()> {
    tell(&if status { app::schema_status(settings)? } else { app::migrate(settings)? }, json);
    Ok(())
}

/// Waits until another has brought the schema up to date.
pub fn wait(settings: &Settings, seconds: u64, json: bool) -> Result<()> {
    tell(&app::wait_for_schema(settings, Duration::from_secs(seconds))?, json);
    Ok(())
}

fn tell(schema: &SchemaStatus, json: bool) {
    if json {
        return print_json(schema);
    }
    let state = match schema.held.cmp(&schema.known) {
        std::cmp::Ordering::Equal => "em dia",
        std::cmp::Ordering::Less if schema.held == 0 => "ainda vazio: o próximo início o faz",
        std::cmp::Ordering::Less => "antigo: o próximo início o atualiza",
        std::cmp::Ordering::Greater => "de um programa mais novo: este não o abre",
    };
    say!("{}: versão {}; este programa conhece a {}: {state}", schema.database, schema.held, schema.known);
}

pub fn copy(settings: &Settings, to: &str, json: bool) -> Result<()> {
    let report = app::copy_to(settings, to, &mut |name| eprintln!("copiando {name}"))?;
    if json {
        print_json(&report);
        return Ok(());
    }
    let mut rows = table(&["tabela", "linhas", "sha256"]);
    for copied in &report.tables {
        rows.add_row([copied.table.clone(), copied.rows.to_string(), copied.sha256.clone()]);
    }
    say!("{rows}");
    say!("Tudo copiado e conferido. Daqui em diante, com a mesma pasta: DATABASE_URL={}", report.to);
    Ok(())
}
