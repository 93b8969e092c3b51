//! `cidadao ask`: answers a question from what is held.

use std::process::ExitCode;

use app::queries::{Ask, Language};
use app::{App, Result};
use serde_json::Value;

use crate::output::say;
use crate::run::print_json;

pub fn run(app: &App, question: String, lang: &str, json: bool) -> Result<ExitCode> {
    let lang = if lang == "en" { Language::En } else { Language::Pt };
    let answer = app.ask(&Ask { question, lang })?;
    if json {
        print_json(&answer);
        return Ok(ExitCode::SUCCESS);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for read in list(&answer["reading"]["understood"]) {
        eprintln!("entendido: {} → {} = {}", text(&read["words"]), text(&read["as"]), read["value"]);
    }
    for doubt in list(&answer["reading"]["doubts"]) {
        let names: Vec<String> = list(&doubt["candidates"]).iter().map(|candidate| text(&candidate["name"])).collect();
        eprintln!("pode ser outro: {} ({}): {}", text(&doubt["words"]), text(&doubt["because"]), names.join("; "));
    }
    for left in list(&answer["reading"]["not_understood"]) {
        eprintln!("não entendido: {} ({})", text(&left["words"]), text(&left["because"]));
    }
    say!("{}", text(&answer["answer"]["said"]));
    for finding in list(&answer["answer"]["findings"]) {
        say!("{} {}: {}", text(&finding["flag"]), text(&finding["id"]), text(&finding["summary"]["pt"]));
    }
    for row in list(&answer["answer"]["rows"]) {
        say!("{} ({}:{}) {}", text(&row["id"]), text(&row["file"]), row["line"], text(&row["value_final"]));
    }
    for missing in list(&answer["missing"]) {
        let names: Vec<String> = list(&missing["sources"]).iter().map(|source| text(&source["name"])).collect();
        say!("falta: {}; teria: {}", text(&missing["what"]["pt"]), names.join("; "));
    }
    Ok(ExitCode::SUCCESS)
}
