//! How an answer came about: flags with their parameters, law, moment, plan, runs, segments; and the sources that it rests on.

use std::collections::{BTreeMap, BTreeSet};

use report::dossier::{Cell, Language, Section, Table};
use serde_json::Value;

use super::evidence::FileCited;
use super::words::{self, text};
use crate::{App, Result};

/// The most files that are listed.
const FILES_MAX: usize = 300;

/// A scope's filters in words.
pub(super) fn scope_in_words(scope: &Value, language: Language) -> String {
    let parts = scope.as_object().into_iter().flatten().filter_map(|(name, value)| {
        let shown = match value {
            Value::String(text) if matches!(name.as_str(), "from" | "to") => language.day(text).text,
            Value::String(text) if name.starts_with("value") => language.money(text, "BRL").text,
            Value::String(text) => text.clone(),
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            Value::Null => return None,
            other => other.to_string(),
        };
        let name = match (name.as_str(), language) {
            ("buyers", Language::Pt) => "órgãos",
            ("suppliers", Language::Pt) => "fornecedores",
            ("contracts", Language::Pt) => "contratos",
            ("state", Language::Pt) => "UF",
            ("municipality", Language::Pt) => "município",
            ("from", Language::Pt) => "de",
            ("to", Language::Pt) => "até",
            ("value_min", Language::Pt) => "valor mínimo",
            ("value_max", Language::Pt) => "valor máximo",
            ("modality", Language::Pt) => "modalidade",
            ("q", Language::Pt) => "palavras",
            (name, _) => name,
        };
        (!shown.is_empty()).then(|| format!("{name}: {shown}"))
    });
    let words: Vec<String> = parts.collect();
    if words.is_empty() {
        language.say("tudo o que é guardado", "all that is held").to_owned()
    } else {
        words.join("; ")
    }
}

/// The method of an investigation.
pub(super) fn section(app: &App, it: &Value, findings: &[Value], language: Language) -> Result<Vec<Section>> {
    let t = |pt, en| language.say(pt, en);
    let mut section = Section::new("metodo", t("Método", "Method"));
    section.text(t(
        "Cada sinal é uma regra escrita em SQL sobre os registros canônicos; o texto da regra, os parâmetros e a lei em vigor na data dos fatos são os que seguem. Nada aqui foi escrito por modelo de linguagem.",
        "Each flag is a rule written in SQL over the canonical records; the rule's text, its parameters and the law in force on the day of the facts follow. Nothing here was written by a language model.",
    ));
    let asked: Vec<&str> =
        it["coverage"].as_array().into_iter().flatten().filter_map(|flag| text(flag, "/flag")).collect();
    flags(&mut section, app, &asked, language);
    plan(&mut section, it, language);
    limits_of_law(&mut section, findings, language);
    let mut sections = vec![section];
    sections.push(runs(app, it, findings, language)?);
    Ok(sections)
}

pub(super) fn flags(section: &mut Section, app: &App, codes: &[&str], language: Language) {
    let t = |pt, en| language.say(pt, en);
    let rows = codes.iter().filter_map(|code| app.catalogue().flag(code)).map(|flag| {
        let parameters: Vec<String> = flag
            .parameters
            .iter()
            .map(|p| format!("{} = {} {}", p.name, language.number(&p.default.to_string()).text, p.unit))
            .collect();
        vec![
            Cell::plain(format!("{} v{}", flag.code, flag.version)),
            Cell::plain(language.say(&flag.name.pt, &flag.name.en)),
            Cell::of(words::kind(&flag.kind, language), flag.kind.as_str()),
            Cell::plain(language.say(&flag.formula.pt, &flag.formula.en)),
            Cell::plain(parameters.join("; ")),
            Cell::plain(flag.legal_basis.join("; ")),
        ]
    });
    let heads = [
        t("Sinal", "Flag"),
        t("Nome", "Name"),
        t("Natureza", "Kind"),
        t("Regra", "Rule"),
        t("Parâmetros", "Parameters"),
        t("Base legal", "Legal basis"),
    ];
    section.table(Table::new(t("Sinais julgados", "Flags judged"), &heads, rows.collect()));
}

/// The steps that were planned, where the investigation names them.
fn plan(section: &mut Section, it: &Value, language: Language) {
    let t = |pt, en| language.say(pt, en);
    let listed = |value: &Value| match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let rows = it["plan"]["steps"].as_array().into_iter().flatten().map(|step| {
        let cell = |name: &str| Cell::plain(listed(&step[name]));
        let state =
            text(step, "/state").map_or_else(Cell::default, |code| Cell::of(words::standing(code, language), code));
        let strategy = text(step, "/spread/strategy").map(|strategy| {
            let workers = step["spread"]["max_workers"].as_i64().map(|n| format!(" × {n}")).unwrap_or_default();
            format!("{strategy}{workers}")
        });
        let cost =
            |name: &str| step["account"]["cost"][name].as_i64().map_or_else(Cell::default, |n| language.count(n));
        vec![
            cell("n"),
            cell("agent"),
            cell("action"),
            cell("flags"),
            Cell::plain(strategy.unwrap_or_default()),
            state,
            cost("rows_read"),
            cost("cpu_ms"),
        ]
    });
    let heads = [
        "#n",
        t("Agente", "Agent"),
        t("Ação", "Action"),
        t("Sinais", "Flags"),
        t("Estratégia", "Strategy"),
        t("Situação", "State"),
        t("#Linhas lidas", "#Rows read"),
        t("#Processador (ms)", "#Processor (ms)"),
    ];
    section.table(Table::new(t("Plano", "Plan"), &heads, rows.collect()));
}

/// The dated limits that findings were judged by.
fn limits_of_law(section: &mut Section, findings: &[Value], language: Language) {
    let t = |pt, en| language.say(pt, en);
    let mut seen = BTreeSet::new();
    let rows = findings.iter().filter_map(|finding| {
        let at = |pointer: &str| text(finding, &format!("/law{pointer}")).unwrap_or_default();
        let unit = text(finding, "/unit");
        let limit = text(finding, "/law/limit");
        let key = format!("{}|{}|{}|{}|{}", at("/regime"), at("/article"), at("/act"), at("/limit"), at("/in_force/0"));
        (finding["law"].is_object() && seen.insert(key)).then(|| {
            let day = |pointer: &str| {
                text(finding, &format!("/law{pointer}")).map_or_else(Cell::default, |d| language.day(d))
            };
            vec![
                Cell::plain(at("/regime")),
                Cell::plain(at("/article")),
                Cell::plain(at("/act")),
                limit.map_or_else(Cell::default, |value| language.measure(value, unit)),
                day("/in_force/0"),
                day("/in_force/1"),
            ]
        })
    });
    let heads = [
        t("Lei", "Law"),
        t("Dispositivo", "Article"),
        t("Ato", "Act"),
        t("#Limite", "#Limit"),
        t("Desde", "From"),
        t("Até", "Until"),
    ];
    section.table(Table::new(
        t("Lei aplicada, como em vigor na data dos fatos", "Law applied, as in force on the day of the facts"),
        &heads,
        rows.collect(),
    ));
}

/// The runs that judged, with the segments that they read; of a moment, what was read for it.
fn runs(app: &App, it: &Value, findings: &[Value], language: Language) -> Result<Section> {
    let t = |pt, en| language.say(pt, en);
    let mut section = Section::below("julgamentos", t("Julgamentos e dados lidos", "Judgements and data read"));
    let heads = [
        t("Julgado em", "Judged at"),
        t("O quê", "What"),
        t("Catálogo", "Catalogue"),
        t("Programa", "Program"),
        t("Limites legais", "Legal limits"),
        t("#Segmentos", "#Segments"),
        t("#Linhas", "#Rows"),
        t("SHA-256 dos segmentos", "SHA-256 of the segments"),
    ];
    let set = |segments: &Value| {
        let count = |name: &str| segments[name].as_i64().map_or_else(Cell::default, |n| language.count(n));
        [count("count"), count("rows"), Cell::plain(text(segments, "/sha256").unwrap_or_default())]
    };
    let mut rows = Vec::new();
    let ids: BTreeSet<&str> = findings.iter().filter_map(|finding| text(finding, "/id")).collect();
    for run in app.store().runs_of_findings(&ids.into_iter().map(str::to_owned).collect::<Vec<_>>())? {
        let run = app.store().run(run)?;
        let segments: Value = serde_json::from_str(&run.segments).unwrap_or_default();
        let mut row = vec![
            language.instant(&run.judged_at),
            Cell::plain(run.scope),
            Cell::plain(run.catalogue_version),
            Cell::plain(run.program_version),
            Cell::plain(run.law_version),
        ];
        row.extend(set(&segments));
        rows.push(row);
    }
    for flag in it["coverage"].as_array().into_iter().flatten() {
        let at = &flag["outcome"]["at"];
        if at.is_object() {
            let part = |name: &str| Cell::plain(text(at, &format!("/{name}")).unwrap_or_default());
            let known = text(at, "/known_at").map_or_else(Cell::default, |known| language.instant(known));
            let of = text(flag, "/flag").unwrap_or_default();
            let day = text(at, "/as_of").map(|day| language.day(day).text).unwrap_or_default();
            let mut row = vec![
                known,
                Cell::plain(format!("{of} {day}").trim()),
                part("catalogue_version"),
                part("program_version"),
                part("law_version"),
            ];
            row.extend(set(&at["segments"]));
            rows.push(row);
        }
    }
    if rows.is_empty() {
        section.text(t(
            "Nenhum achado listado aqui vem de um julgamento guardado.",
            "No finding listed here comes of a judgement that is kept.",
        ));
    }
    section.table(Table::new(t("De onde vêm os achados", "Where the findings come from"), &heads, rows));
    Ok(section)
}

/// The files cited, and what is held of each source.
pub(super) fn sources(app: &App, files: &BTreeMap<FileCited, u64>, language: Language) -> Result<Section> {
    let t = |pt, en| language.say(pt, en);
    let mut section = Section::new("fontes", t("Fontes", "Sources"));
    let rows = files.iter().take(FILES_MAX).map(|(file, cited)| {
        vec![
            Cell::plain(file.name.as_str()),
            Cell::plain(file.source.as_str()),
            language.instant(&file.fetched_at),
            language.count(i128::from(*cited)),
            Cell::plain(file.sha256.as_str()),
        ]
    });
    let heads = [
        t("Arquivo", "File"),
        t("Fonte", "Source"),
        t("Lido em", "Read at"),
        t("#Linhas citadas aqui", "#Rows cited here"),
        t("SHA-256 do arquivo", "SHA-256 of the file"),
    ];
    let table = Table::new(t("Arquivos citados", "Files cited"), &heads, rows.collect());
    section.table(table.of(files.len() as u64));
    let held = app.board()?;
    let rows = held.iter().map(|source| {
        let day = |day: &Option<String>| day.as_deref().map_or_else(Cell::default, |day| language.day(day));
        let bad: i64 = source.quarantined.values().sum();
        vec![
            Cell::plain(source.source.as_str()),
            Cell::plain(source.table.as_deref().map(|table| words::table(table, language)).unwrap_or_default()),
            language.count(source.rows),
            day(&source.period.from),
            day(&source.period.to),
            source.last_ingest_at.as_deref().map_or_else(Cell::default, |at| language.instant(at)),
            language.count(bad),
        ]
    });
    let heads = [
        t("Fonte", "Source"),
        t("Tabela", "Table"),
        t("#Linhas", "#Rows"),
        t("De", "From"),
        t("Até", "To"),
        t("Última leitura", "Last read"),
        t("#Linhas da fonte em quarentena", "#Rows of the source in quarantine"),
    ];
    section.table(Table::new(
        t("O que se guarda de cada fonte", "What is held of each source"),
        &heads,
        rows.collect(),
    ));
    Ok(section)
}
