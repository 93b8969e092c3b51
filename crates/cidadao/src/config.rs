//! `cidadao config`: the settings in force and where each comes from; whether a file of them is right; their reload at SIGHUP.

use std::path::{Path, PathBuf};

use app::{App, Result, Settings, Told};
use clap::Subcommand;
use serde_json::json;

use crate::output::{say, table};
use crate::run::print_json;

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Each setting with its value and where that comes from: the default, a file's line, a variable, a secret's file, an option.
    Show,
    /// Read a file of settings over the defaults, without the environment; say what is wrong, and what is risky.
    ///
    /// Ends with 0 when a program would start with it, else with 2.
    Check {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Prints every setting; secrets are left out of addresses.
pub fn show(settings: &Settings, json: bool) {
    let risks = settings.risks();
    if json {
        return print_json(&json!({"settings": settings.told, "risks": risks}));
    }
    let mut rows = table(&["ajuste", "valor", "de onde", "muda com SIGHUP"]);
    for Told { name, value, in_force, from, at, reloads, .. } in &settings.told {
        let origin = if *from == "default" { "padrão" } else { at.as_str() };
        let value = if value == in_force { value.to_string() } else { format!("{value} → {in_force}") };
        rows.add_row([name.as_str(), &value, origin, if *reloads { "sim" } else { "" }]);
    }
    say!("{rows}");
    print_risks(&risks);
}

/// Checks one file.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn check(file: &Path, json: bool) -> Result<()> {
    let settings = Settings::load(Some(file), std::iter::empty())?;
    try_out(&settings)?;
    let risks = settings.risks();
    if json {
        print_json(&json!({"changed": settings.changed, "risks": risks}));
        return Ok(());
    }
    for change in &settings.changed {
        say!("{change}");
    }
    print_risks(&risks);
    say!("{}: certo, {} ajuste(s) fora do padrão", file.display(), settings.changed.len());
    Ok(())
}

fn print_risks(risks: &[String]) {
    for risk in risks {
        say!("atenção: {risk}");
    }
}

/// Looks at what only a start takes: the log's filter, the files of TLS.
///
/// # Errors
/// One of them is none; with its place.
pub fn try_out(settings: &Settings) -> Result<()> {
    crate::lines::filter_of(settings)?;
    api::check_tls(&settings.http).map_err(|error| settings.refuse(error.to_string()))
}

/// Reads the settings anew and takes what changes while the program runs; what is wrong leaves all as it was.
pub fn reload(app: &App, read: impl Fn() -> Result<Settings>) {
    let read = read().and_then(|settings| {
        try_out(&settings)?;
        crate::lines::filter_anew(&settings)?;
        Ok(settings)
    });
    let settings = match read {
        Ok(settings) => settings,
        Err(error) => return tracing::error!("the settings stay as they were: {error}"),
    };
    for risk in settings.risks() {
        tracing::warn!("risky setting: {risk}");
    }
    let reloaded = app.reload(settings);
    for change in &reloaded.changed {
        tracing::info!("setting {change}, from now on");
    }
    for change in &reloaded.at_restart {
        tracing::warn!("setting {change} takes a restart");
    }
    tracing::info!(changed = reloaded.changed.len(), at_restart = reloaded.at_restart.len(), "settings were read anew");
}
