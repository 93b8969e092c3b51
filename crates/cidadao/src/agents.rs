//! `cidadao agents`: who works here.

use app::{App, Result};
use serde_json::json;

use crate::output::{say, table};
use crate::run::print_json;

/// Prints the roster, or one of it.
pub fn run(app: &App, name: Option<&str>, json: bool) -> Result<()> {
    let agents = match name {
        Some(name) => vec![app.agent(name)?],
        None => app.roster().agents().to_vec(),
    };
    if json {
        match name {
            Some(_) => print_json(&agents[0]),
            None => print_json(&json!({"agents": agents})),
        }
        return Ok(());
    }
    let mut shown = table(&["Agente", "O que faz", "Sinais"]);
    for agent in &agents {
        shown.add_row([agent.name, agent.does.pt, &agent.flags.join(" ")]);
    }
    say!("{shown}");
    if let ([agent], Some(_)) = (agents.as_slice(), name) {
        say!("{}", agent.evidence.pt);
    }
    Ok(())
}
