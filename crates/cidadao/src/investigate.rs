//! `cidadao investigate`: asks, works it off in this process (or leaves it to a server on the same folder), tells and prints.

use std::process::ExitCode;
use std::time::Duration;

use app::queries::{PageLimit, PageQuery, Told};
use app::{App, AskInvestigation, Error, Result, RunOptions, Scope, Split};
use serde_json::{Value, json};

use crate::cli::{InvestigateOptions, SplitName};
use crate::output::{print_findings, say};
use crate::run::print_json;

/// How often it is seen what happened.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Threads that this process starts for one investigation, at most.
const WORKERS_MAX: usize = 64;

pub fn run(app: &App, options: InvestigateOptions, json: bool) -> Result<ExitCode> {
    let scope = if options.question.is_some() { None } else { Some(scope_of(&options.scope, options.contracts)?) };
    let run = RunOptions {
        strategy: options.strategy,
        max_workers: options.max_workers,
        policy: options.policy,
        split: options.split.map(|split| match split {
            SplitName::Flags => Split::Flags,
            SplitName::Contracts => Split::Contracts,
        }),
        deadline_s: options.deadline,
        task_deadline_s: options.task_deadline,
        hold: false,
    };
    let workers_min = run.max_workers.map_or(1, |n| n.min(WORKERS_MAX) as u64);
    let ask = AskInvestigation {
        question: options.question,
        scope,
        flags: options.flag,
        as_of: options.as_of,
        known_at: options.known_at,
        who: options.who,
        run,
    };
    let asked = app.ask_investigation(ask, None)?.body;
    let id = asked["id"].as_str().unwrap_or_default();
    tell_reading(&asked);
    let workers = app.start_workers_at_least(workers_min);
    let followed = follow(app, id);
    workers.stop();
    followed?;
    let mut shown = serde_json::to_value(app.investigation(id)?).expect("an investigation can be written as JSON");
    let findings = all_findings(app, id)?;
    let failed = shown["status"] != "completed"
        || shown["coverage"].as_array().is_some_and(|c| c.iter().any(has_failed))
        || shown["summary"]["partial_because"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["because"] == "failed"));
    if json {
        shown["findings"] = findings.into();
        print_json(&shown);
    } else {
        print_findings(&findings);
        say!("{}", shown["summary"]["text"]["pt"].as_str().unwrap_or_default());
        for missing in shown["summary"]["partial_because"].as_array().into_iter().flatten() {
            say!("falta: {missing}");
        }
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

/// What happened, in a line; who reads it sees the plan, then who does what, then what is found.
fn tell(event: &Told) {
    let data = &event.data;
    let text = |name: &str| data[name].as_str().unwrap_or_default();
    let (flag, agent) = (text("flag"), name_of(text("agent")));
    match event.kind.as_str() {
        "planned" | "plan_edited" => {
            eprintln!("{}", event.kind);
            tell_plan(data);
        }
        "flag_started" => eprintln!("{agent} julga {flag} ({})", worker_of(data)),
        "part_started" => eprintln!("{agent} julga a parte {} ({})", part_of(data), worker_of(data)),
        "step_started" => eprintln!("{agent} começa ({})", worker_of(data)),
        "flag_judged" => eprintln!("{flag}: {} achados", data["findings"]),
        "part_judged" => {
            let found = data["found"].as_array().into_iter().flatten();
            let findings: u64 = found.filter_map(|found| found["findings"].as_u64()).sum();
            eprintln!(
                "{}: parte {}: {findings} achados",
                name_of(data["account"]["agent"].as_str().unwrap_or_default()),
                part_of(data)
            );
        }
        "flag_failed" => eprintln!("{flag}: falhou: {}", text("error")),
        "part_failed" => eprintln!("parte {}: falhou: {}", part_of(data), text("error")),
        "skipped" => eprintln!("{agent}: não verificado ({}): {}", because(text("because")), list_of(&data["flags"])),
        "step_ended" if !text("error").is_empty() => eprintln!("passo {}: {}", data["step"], text("error")),
        "step_ended" => eprintln!("passo {} concluído", data["step"]),
        other => eprintln!("{other}"),
    }
}

fn tell_plan(plan: &Value) {
    for step in plan["steps"].as_array().into_iter().flatten() {
        let agent = name_of(step["agent"].as_str().unwrap_or_default());
        let spread = &step["spread"];
        let how = spread["strategy"].as_str().map_or_else(String::new, |strategy| {
            format!(
                " · {strategy}, até {} de uma vez, {}",
                spread["max_workers"],
                spread["policy"].as_str().unwrap_or_default()
            )
        });
        eprintln!("  {}. {agent}: {} {}{how}", step["n"], action_of(step), list_of(&step["flags"]));
    }
    for note in plan["notes"].as_array().into_iter().flatten() {
        eprintln!("  {}", note["pt"].as_str().unwrap_or_default());
    }
}

fn action_of(step: &Value) -> &'static str {
    match step["action"].as_str().unwrap_or_default() {
        "read_scope" => "lê a pergunta",
        "plan" => "planeja",
        "fetch" => "busca o que falta",
        "judge" => "julga",
        "recall" => "lembra o que houve antes",
        "write" => "escreve",
        _ => "",
    }
}

fn because(code: &str) -> &str {
    match code {
        "enough" => "já bastava",
        "deadline" => "o prazo acabou",
        other => other,
    }
}

/// An agent's key as people read it.
fn name_of(key: &str) -> String {
    app::name_of_agent(key).unwrap_or(key).to_owned()
}

fn worker_of(data: &Value) -> String {
    let worker = &data["worker"];
    format!("processo {}, {}", worker["process"], worker["thread"].as_str().unwrap_or_default())
}

fn part_of(data: &Value) -> u64 {
    data["part"].as_u64().unwrap_or_default() + 1
}

fn list_of(values: &Value) -> String {
    values.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
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
fn scope_of(texts: &[String], contracts: Vec<String>) -> Result<Scope> {
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
    let scope: Scope = serde_json::from_value(scope.into()).map_err(|error| refused(error.to_string()))?;
    Ok(Scope { contracts, ..scope })
}
