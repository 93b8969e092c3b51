//! What a dossier cannot say: what was not computable and why, and what may explain its findings without wrongdoing.

use std::collections::BTreeSet;

use report::dossier::{Cell, Language, Section, Table};
use serde_json::Value;

use super::words::{self, text};
use crate::App;

/// What of an investigation could not be judged, and where its answer ends.
pub(super) fn section(app: &App, it: &Value, language: Language) -> Section {
    let t = |pt, en| language.say(pt, en);
    let mut section =
        Section::new("limites", t("Limites e o que não pôde ser calculado", "Limits, and what was not computable"));
    section.text(t(
        "Há quatro respostas diferentes: com achado, sem achado, não calculável (falta um campo) e não julgado. As contagens abaixo são de tudo o que cada sinal julgou sobre os dados, e não só do escopo desta investigação.",
        "There are four different answers: with a finding, clear, not computable (a field is missing) and not judged. The counts below are of all that each flag judged over the data, not of this investigation's scope alone.",
    ));
    for note in it["plan"]["notes"].as_array().into_iter().flatten() {
        if let Some(words) = words::said(note, "", language) {
            section.notice(words);
        }
    }
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for flag in it["coverage"].as_array().into_iter().flatten() {
        let code = text(flag, "/flag").unwrap_or_default();
        let counts = &flag["outcome"]["counts"];
        let lacking = counts["not_computable"].as_object();
        let uncounted: i64 = lacking.into_iter().flat_map(|fields| fields.values()).filter_map(Value::as_i64).sum();
        let count = |name: &str| counts[name].as_i64().map_or_else(|| Cell::plain("–"), |n| language.count(n));
        rows.push(vec![
            Cell::plain(code),
            Cell::plain(name_of(app, code, language)),
            standing(flag, language),
            flag["findings"].as_i64().map_or_else(Cell::default, |n| language.count(n)),
            count("hit"),
            count("clear"),
            if counts.is_null() { Cell::plain("–") } else { language.count(uncounted) },
        ]);
        for (kind, fields) in [
            (t("não calculável", "not computable"), lacking),
            (
                t("fora do escopo por falta do campo", "left out of the scope for lack of the field"),
                flag["outcome"]["unplaced"].as_object(),
            ),
        ] {
            for (field, n) in fields.into_iter().flatten() {
                let n = n.as_i64().map_or_else(Cell::default, |n| language.count(n));
                missing.push(vec![
                    Cell::plain(code),
                    Cell::of(words::field(field, language), field.as_str()),
                    Cell::plain(kind),
                    n,
                ]);
            }
        }
    }
    let heads = [
        t("Sinal", "Flag"),
        t("Nome", "Name"),
        t("Situação", "State"),
        t("#Achados no escopo", "#Findings in scope"),
        t("#Com achado, ao todo", "#With a finding, in all"),
        t("#Sem achado, ao todo", "#Clear, in all"),
        t("#Não calculável, ao todo", "#Not computable, in all"),
    ];
    section.table(Table::new(t("O que cada sinal deu", "What each flag gave"), &heads, rows));
    let heads = [
        t("Sinal", "Flag"),
        t("Campo que falta", "Field that is missing"),
        t("O que houve", "What came of it"),
        t("#Quantos", "#How many"),
    ];
    section.table(Table::new(t("Campos que faltam", "Fields that are missing"), &heads, missing));
    section
}

fn standing(flag: &Value, language: Language) -> Cell {
    let state = text(flag, "/state").unwrap_or_default();
    let words = words::standing(state, language);
    if let Some(error) = text(flag, "/error") {
        return Cell::of(format!("{words}: {error}"), state);
    }
    if state == "judged" && flag["outcome"]["judged"] != true {
        let never = language.say("ainda não julgado sobre estes dados", "not judged over these data yet");
        return Cell::of(never, "not_judged");
    }
    Cell::of(words, state)
}

pub(super) fn name_of(app: &App, code: &str, language: Language) -> String {
    let name = app.catalogue().flag(code).map(|flag| &flag.name);
    name.map(|name| language.say(&name.pt, &name.en).to_owned()).unwrap_or_default()
}

/// What may explain findings of these flags without wrongdoing.
pub(super) fn innocent(app: &App, it: &Value, findings: &[Value], language: Language) -> Section {
    let t = |pt, en| language.say(pt, en);
    let mut section = Section::new(
        "inocentes",
        t("O que pode explicar sem irregularidade", "What may explain it without wrongdoing"),
    );
    section.text(t(
        "Para cada sinal com achado, o que costuma explicá-lo. Em cada achado está o que foi verificado destas explicações.",
        "For each flag with a finding, what usually explains it. Each finding says which of these were checked.",
    ));
    let with =
        it["coverage"].as_array().into_iter().flatten().filter(|flag| flag["findings"].as_i64().is_some_and(|n| n > 0));
    let codes: BTreeSet<&str> =
        with.filter_map(|flag| text(flag, "/flag")).chain(findings.iter().filter_map(|f| text(f, "/flag"))).collect();
    for code in codes {
        let Some(flag) = app.catalogue().flag(code) else { continue };
        let mut part = vec![format!("{code}: {}", language.say(&flag.name.pt, &flag.name.en))];
        part.extend(flag.explanations.iter().map(|one| language.say(&one.pt, &one.en).to_owned()));
        section.text(part.remove(0));
        section.list(part);
    }
    section
}
