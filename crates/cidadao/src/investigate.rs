//! `cidadao investigate`: asks, works it off in this process (or leaves it to a server on the same folder), tells and prints.

use std::process::ExitCode;
use std::time::Duration;

use app::queries::{PageLimit, PageQuery, Told};
use app::{App, AskInvestigation, Error, Result, Scope};
use serde_json::{Value, json};

use crate::cli::InvestigateOptions;
use crate::output::{print_findings, say};
use crate::run::print_json;

/// How often it is seen what happened.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub fn run(app: &App, options: InvestigateOptions, json: bool) -> Result<ExitCode> {
    let scope = if options.question.is_some() { None } else { Some(scope_of(&options.scope)?) };
    let ask = AskInvestigation {
        question: options.question,
        scope,
        flags: options.flag,
        as_of: options.as_of,
        known_at: options.known_at,
        who: options.who,
    };
    let asked = app.ask_investigation(ask, None)?.body;
    let id = asked["id"].as_str().unwrap_or_default();
    tell_reading(&asked);
    let workers = app.start_workers();
    let followed = follow(app, id);
    workers.stop();
    followed?;
    let mut shown = serde_json::to_value(app.investigation(id)?).expect("an investigation can be written as JSON");
    let findings = all_findings(app, id)?;
    let failed =
        shown["status"] != "completed" || shown["coverage"].as_array().is_some_and(|c| c.iter().any(has_failed));
    if json {
        shown["findings"] = findings.into();
        print_json(&shown);
    } else {
        print_findings(&findings);
        say!("{}", shown["summary"]["text"]["pt"].as_str().unwrap_or_default());
        for flag in shown["coverage"].as_array().into_iter().flatten().filter(|flag| has_failed(flag)) {
            let (code, error) = (flag["flag"].as_str().unwrap_or_default(), flag["error"].as_str().unwrap_or_default());
            say!("{code} não pôde ser julgado: {error}");
        }
    }
    Ok(ExitCode::from(u8::from(failed)))
}

fn has_failed(flag: &Value) -> bool {
    flag["state"] == "failed"
}

/// Which words became which filters, before anything is found by them.
fn tell_reading(asked: &Value) {
    for word in asked["understood"].as_array().into_iter().flatten() {
        eprintln!(
            "entendido: {} → {} = {}",
            word["words"].as_str().unwrap_or_default(),
            word["as"].as_str().unwrap_or_default(),
            word["value"]
        );
    }
    let left: Vec<&str> = asked["not_understood"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !left.is_empty() {
        eprintln!("não entendido: {}", left.join(" "));
    }
}

fn follow(app: &App, id: &str) -> Result<()> {
    let mut seen = 0;
    loop {
        let (events, ended) = app.investigation_events(id, seen)?;
        for event in &events {
            seen = event.seq;
            tell(event);
        }
        if ended {
            return Ok(());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn tell(event: &Told) {
    let flag = event.data["flag"].as_str().unwrap_or_default();
    match event.kind.as_str() {
        "flag_judged" => eprintln!("{flag}: {} achados", event.data["findings"]),
        "flag_failed" => eprintln!("{flag}: falhou: {}", event.data["error"].as_str().unwrap_or_default()),
        "flag_started" => {}
        other => eprintln!("{other}"),
    }
}

fn all_findings(app: &App, id: &str) -> Result<Vec<Value>> {
    let mut page = PageQuery { limit: Some(PageLimit::MAX), cursor: None };
    let mut findings = Vec::new();
    loop {
        let list = app.investigation_findings(id, &page)?;
        findings.extend(list.data.iter().map(|finding| json!(finding)));
        match list.page.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return Ok(findings),
        }
    }
}

/// `state=SP` as a filter.
fn scope_of(texts: &[String]) -> Result<Scope> {
    let refused = |because: String| Error::Invalid { field: "scope", because };
    let mut scope = serde_json::Map::new();
    for text in texts {
        let (name, value) =
            text.split_once('=').ok_or_else(|| refused(format!("`{text}` is not of the form state=SP")))?;
        let (name, many) = match name {
            "body" => ("bodies", true),
            "buyer" => ("buyers", true),
            "supplier" => ("suppliers", true),
            name => (name, false),
        };
        if many {
            let held = scope.entry(name).or_insert_with(|| json!([]));
            held.as_array_mut().expect("made as a list above").push(value.into());
        } else if scope.insert(name.to_owned(), value.into()).is_some() {
            return Err(refused(format!("{name} stands more than once")));
        }
    }
    serde_json::from_value(scope.into()).map_err(|error| refused(error.to_string()))
}
