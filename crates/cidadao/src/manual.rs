//! What packages carry beside the program: completions for shells and manual pages, made of the command line itself.

use std::io::Write as _;
use std::path::Path;

use app::{Error, Result};
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;

/// Writes the completions of a shell to stdout.
pub fn completions(shell: Shell) {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cidadao", &mut text);
    give(&text);
}

/// Writes the manual page to stdout, or a page for each command to a folder.
pub fn pages(out: Option<&Path>) -> Result<()> {
    let Some(folder) = out else {
        let mut text = Vec::new();
        let told = clap_mangen::Man::new(Cli::command()).render(&mut text);
        told.map_err(|error| Error::Failed(format!("the manual page: {error}")))?;
        give(&text);
        return Ok(());
    };
    let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.map_err(|error| Error::Failed(format!("{}: {error}", folder.display())))
}

/// A closed pipe is no reason to fail.
fn give(text: &[u8]) {
    let _ = std::io::stdout().lock().write_all(text);
}
