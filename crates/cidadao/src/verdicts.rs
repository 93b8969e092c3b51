//! `cidadao flags verdict` and `cidadao flags finding`: what people conclude of findings, and a finding with what they said.

use app::views::Share;
use app::{App, Conclusion, GiveVerdict, Result};
use serde_json::Value;

use crate::cli::VerdictName;
use crate::output::say;
use crate::run::print_json;

/// Gives a verdict.
pub fn give(app: &App, finding: &str, verdict: VerdictName, reason: &str, who: &str, json: bool) -> Result<()> {
    let verdict = match verdict {
        VerdictName::Confirmed => Conclusion::Confirmed,
        VerdictName::Dismissed => Conclusion::Dismissed,
    };
    let asked =
        GiveVerdict { verdict, reason: reason.to_owned(), who: who.to_owned(), expected_version: None, account: None };
    let given = app.give_verdict(finding, &asked, None)?.body;
    if json {
        print_json(&given);
        return Ok(());
    }
    let conclusion = word(text(&given["verdict"]));
    let (who, when, version) = (text(&given["who"]), text(&given["when"]), &given["given_on"]["version"]);
    say!("{finding}: {conclusion} por {who} em {when} (versão {version} do sinal)");
    Ok(())
}

/// Shows one finding.
pub fn show(app: &App, id: &str, json: bool) -> Result<()> {
    let finding = app.finding(id)?;
    if json {
        print_json(&finding);
        return Ok(());
    }
    // The answer is read as any client reads it.
    let finding = serde_json::to_value(&finding).expect("a finding can be written as JSON");
    say!("{} · {} · gravidade {}", text(&finding["flag"]), text(&finding["title"]["pt"]), text(&finding["severity"]));
    if finding["state"] == "withdrawn" {
        say!("Retirado: não vale mais com os dados de hoje.");
    }
    say!("\n{}\n", text(&finding["summary"]["pt"]));
    for step in each(&finding["arithmetic"]) {
        say!("  {}: {} → {}", text(&step["label"]["pt"]), text(&step["expression"]), text(&step["result"]));
    }
    say!("\nO que pode explicar:");
    for explanation in each(&finding["explanations"]) {
        say!("  [{}] {}", outcome(text(&explanation["outcome"])), text(&explanation["because"]["pt"]));
    }
    say!("\n{}", text(&finding["counterfactual"]["pt"]));
    print_statements(&finding);
    print_verdicts(&finding);
    say!("\nUm sinal não é prova de irregularidade.");
    Ok(())
}

fn print_statements(finding: &Value) {
    for statement in each(&finding["statements"]) {
        let (who, when) = (text(&statement["who"]), text(&statement["made_at"]));
        match statement["text"].as_str() {
            Some(said) => say!("\nManifestação de {who} ({when}):\n{said}"),
            None => say!(
                "\nManifestação de {who} ({when}), retirada em {}. {}",
                text(&statement["withdrawn_at"]),
                text(&statement["withdrawn_because"])
            ),
        }
    }
}

fn print_verdicts(finding: &Value) {
    for (place, verdict) in each(&finding["verdict_history"]).iter().enumerate() {
        let which = if place == 0 { "Veredito" } else { "Veredito anterior" };
        let conclusion = word(text(&verdict["verdict"]));
        say!("\n{which}: {conclusion} por {} em {}", text(&verdict["who"]), text(&verdict["when"]));
        say!("  {}", text(&verdict["reason"]));
        let changed: Vec<&str> = each(&verdict["changed_since"]).iter().map(text).collect();
        if !changed.is_empty() {
            say!("  O achado mudou depois deste veredito: {}", changed.join(", "));
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn each(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn word(verdict: &str) -> &'static str {
    if verdict == "confirmed" { "confirmado" } else { "descartado" }
}

fn outcome(code: &str) -> &'static str {
    match code {
        "likely" => "provável",
        "possible" => "possível",
        "ruled_out" => "descartado",
        _ => "não verificado",
    }
}

/// A share with its interval, as people read it.
pub fn share(share: &Share) -> String {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    format!(
        "{} de {} ({}; {} a {})",
        share.confirmed,
        share.n,
        percent(share.precision),
        percent(share.interval.low),
        percent(share.interval.high)
    )
}
