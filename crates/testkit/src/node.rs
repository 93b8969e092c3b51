//! Clients in JavaScript that we did not write, beside the scripts that use them; `scripts/node.sh` installs them.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a script of `crates/cidadao/tests/clients` printed, one line of JSON each.
///
/// # Panics
/// Node or the clients are not there, and the message says how to get them; the script fails, and the message is what it said.
#[must_use]
pub fn run(script: &str, arguments: &[&str]) -> Vec<serde_json::Value> {
    let output = command(script, arguments).output().expect("this test needs Node: apt-get install nodejs npm");
    lines_of(&output)
}

/// The command that runs a script.
///
/// # Panics
/// The clients are not there; the message says how to get them.
#[must_use]
pub fn command(script: &str, arguments: &[&str]) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cidadao/tests/clients");
    assert!(folder.join("node_modules/.installed").exists(), "this test needs clients of Node: run scripts/node.sh");
    let mut command = Command::new("node");
    command.arg(folder.join(script)).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a script printed, one line of JSON each.
///
/// # Panics
/// It failed; the message is what it said.
#[must_use]
pub fn lines_of(output: &Output) -> Vec<serde_json::Value> {
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
